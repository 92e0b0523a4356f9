"""Activation functions against arbitrary precision; tanh over every exponent a double can have."""

import mpmath
import numpy as np
import pytest

from rflo_repro.learning.kernels.activation import exp_of_minus, sigmoid, softplus, tanh
from rflo_repro.learning.kernels.vector import kernel, load, store


@kernel
def over(x, out):
    for i in range(0, x.size, 8):
        store(out, i, tanh(load(x, i)))


@kernel
def softplus_over(x, out):
    for i in range(0, x.size, 8):
        store(out, i, softplus(load(x, i), exp_of_minus(load(x, i))))


@kernel
def sigmoid_over(x, out):
    for i in range(0, x.size, 8):
        store(out, i, sigmoid(load(x, i), exp_of_minus(load(x, i))))


def evaluated(x, over=over):
    x = np.asarray(x, dtype=np.float64)
    padded = np.zeros(-(-x.size // 8) * 8)
    padded[: x.size] = x
    out = np.empty_like(padded)
    over(padded, out)
    return out[: x.size]


def ulps(x, found):
    """Distance from the true value in units of the last place of the double nearest to it."""
    mpmath.mp.prec = 200
    true = [mpmath.tanh(mpmath.mpf(float(v))) for v in x]
    spacing = [mpmath.mpf(float(np.spacing(abs(float(t))))) for t in true]
    return np.array([float(abs(mpmath.mpf(float(f)) - t) / s) for f, t, s in zip(found, true, spacing, strict=True)])


def sampled():
    rng = np.random.default_rng(0)
    exponents = np.ldexp(rng.uniform(1, 2, 2 * 2098), np.repeat(np.arange(-1074, 1024), 2))
    middle = rng.uniform(0, 22, 3000)
    # where the reduction to the nearest power of two changes over
    edges = (np.arange(58) + 0.5) * np.log(2) / 2
    edges = np.concatenate([edges * (1 + d) for d in (-1e-9, -1e-16, 0, 1e-16, 1e-9)])
    x = np.concatenate([exponents, middle, edges])
    return x * rng.choice([-1.0, 1.0], x.size)


def test_within_four_units_in_the_last_place():
    x = sampled()
    assert ulps(x, evaluated(x)).max() <= 4.0


@pytest.mark.parametrize(
    ("over", "function"),
    [
        (softplus_over, lambda x: mpmath.log1p(mpmath.exp(x))),
        (sigmoid_over, lambda x: 1 / (1 + mpmath.exp(-x))),
    ],
    ids=["softplus", "sigmoid"],
)
def test_softplus_and_sigmoid_within_four_units(over, function):
    rng = np.random.default_rng(1)
    mpmath.mp.prec = 2200  # for exp(700) + 1
    x = np.concatenate([sampled()[::7], rng.uniform(-30, 30, 2000), np.ldexp(rng.uniform(-1, 1, 200), -60)])
    x = x[np.abs(x) <= 700.0]
    true = [function(mpmath.mpf(float(v))) for v in x]
    spacing = [mpmath.mpf(float(np.spacing(float(t)))) for t in true]
    found = evaluated(x, over)
    error = [float(abs(mpmath.mpf(float(f)) - t) / s) for f, t, s in zip(found, true, spacing, strict=True)]
    assert max(error) <= 4.0


def test_softplus_and_sigmoid_where_they_end():
    x = np.array([np.inf, -np.inf, 1e300, -1e300, 0.0, -0.0, np.nan, 800.0])
    assert np.array_equal(evaluated(x, softplus_over)[[0, 2, 7]], [np.inf, 1e300, 800.0])
    assert np.array_equal(evaluated(x, sigmoid_over)[[0, 2, 4, 5, 7]], [1.0, 1.0, 0.5, 0.5, 1.0])
    for over in (softplus_over, sigmoid_over):
        found = evaluated(x, over)
        assert ((found[[1, 3]] >= 0.0) & (found[[1, 3]] < 1e-303)).all()
        assert np.isnan(found[6])


def test_the_measure_sees_an_error():
    x = np.array([1e-8, 0.3, 2.0])
    assert ulps(x, np.tanh(x) * (1 + 2e-15)).min() > 4.0


@pytest.mark.parametrize(
    ("x", "wanted"), [(0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (5e-324, 5e-324), (40.0, 1.0)]
)
def test_special_values(x, wanted):
    found = evaluated([x])[0]
    assert found == wanted
    assert np.signbit(found) == np.signbit(wanted)


def test_nan_stays_where_it_is():
    found = evaluated([0.5, np.nan, -0.5, np.nan])
    assert np.isnan(found).tolist() == [False, True, False, True]


def test_odd_and_bounded():
    x = sampled()
    found = evaluated(x)
    assert np.array_equal(evaluated(-x), -found)
    assert np.abs(found).max() == 1.0
