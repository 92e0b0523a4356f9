"""Primitives, compiled, against the NumPy twins that stand in for them."""

import numpy as np
import pytest

from rflo_repro.learning.kernels import vector
from rflo_repro.learning.kernels.vector import kernel, load, store

X = np.array([1.5, -2.0, 0.0, -0.0, np.inf, np.nan, 3e-310, -7.25])
Y = np.array([2.0, -3.0, -0.0, 0.0, 1.0, 1.0, 1.0, np.nan])
TWO = {
    "add": (lambda x, y: x + y, lambda x, y: x + y),
    "subtract": (lambda x, y: x - y, lambda x, y: x - y),
    "multiply": (lambda x, y: x * y, lambda x, y: x * y),
    "divide": (lambda x, y: x / y, lambda x, y: x / y),
    "copysign": (vector.copysign, np.copysign),
    "minimum": (vector.minimum, lambda x, y: np.where(x > y, y, x)),
    "maximum": (vector.maximum, lambda x, y: np.where(x < y, y, x)),
}


@pytest.mark.parametrize("name", TWO)
def test_two_operands(name):
    operation, twin = TWO[name]
    function = kernel(operation) if name in ("add", "subtract", "multiply", "divide") else operation

    @vector.numba.njit(error_model="numpy")
    def apply(x, y, out):
        store(out, 0, function(load(x, 0), load(y, 0)))

    out = np.empty(8)
    apply(X, Y, out)
    with np.errstate(all="ignore"):
        assert np.array_equal(out, twin(X, Y), equal_nan=True)
        assert np.array_equal(np.signbit(out), np.signbit(twin(X, Y))) or name != "copysign"


def test_signs_from_bits():
    @vector.numba.njit(error_model="numpy")
    def apply(x, bits, out):
        for i in range(len(bits)):
            store(out, 8 * i, vector.copysign_bits(load(x, 0), bits, i))

    bits = np.array([0b00000000, 0b11111111, 0b00000001, 0b10110010], dtype=np.uint8)
    out = np.empty(32)
    apply(X, bits, out)
    minus = np.unpackbits(bits, bitorder="little").astype(bool)
    assert np.array_equal(out, np.where(minus, -1.0, 1.0) * np.tile(np.abs(X), 4), equal_nan=True)
    assert np.array_equal(np.signbit(out), minus)


def test_sum_and_power():
    @vector.numba.njit
    def apply(x, out):
        out[0] = vector.lane_sum(load(x, 0))
        store(out, 8, vector.power_of_two(load(x, 8)))

    x = np.concatenate([np.arange(8.0) ** 2, 6755399441055744.0 + np.array([0, 1, -1, 10, -58, 100, -1000, 1000])])
    out = np.empty(16)
    apply(x, out)
    assert out[0] == 140.0
    assert np.array_equal(out[8:], 2.0 ** np.array([0.0, 1, -1, 10, -58, 100, -1000, 1000]))


def test_parts_of_a_number():
    @vector.numba.njit
    def apply(x, out):
        store(out, 0, vector.fraction(load(x, 0)))
        store(out, 8, vector.exponent(load(x, 0)))
        store(out, 16, vector.floor(load(x, 0)))

    x = np.array([1.0, 0.5, 2.0**-53, 1.0 - 2.0**-53, 3.75, 1e300, 3e-308, 4.0])
    out = np.empty(24)
    apply(x, out)
    fraction, exponent = np.frexp(x)
    assert np.array_equal(out, np.concatenate([fraction, exponent, np.floor(x)]))
