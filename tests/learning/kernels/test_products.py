"""The product of tiles at every remainder."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from rflo_repro.learning.kernels.products import (
    FAR,
    SHORT,
    Extent,
    Rows,
    Scalars,
    chains,
    history_product,
    products,
    step_product,
)


@pytest.mark.parametrize(("n_r", "n_v"), list(itertools.product((1, 2, 3, 4, 5, 6, 8, 11), (1, 3, 4, 5, 9))))
def test_products(n_r, n_v):
    rng = np.random.default_rng(0)
    for n_k in (0, 1, 2, 7, 8, 9, 20):
        a, b = rng.normal(size=(n_k + 1, n_r + 2)), rng.normal(size=(n_k + 1, 8 * n_v + 3))
        out = rng.normal(size=(n_r + 1, 8 * n_v + 5))
        wanted = out.copy()
        wanted[:n_r, 2 : 2 + 8 * n_v] += a[:n_k, 1 : 1 + n_r].T @ b[:n_k, 3:]
        products(
            out, Rows(2, out.shape[1]), a, Scalars(1, a.shape[1], 1), b, Rows(3, b.shape[1]), Extent(n_r, n_v, n_k)
        )
        assert np.allclose(out, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [8, 40, 248])
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("upwards", [False, True])
def test_step_product(n, width, upwards):
    rng = np.random.default_rng(0)
    weights, a = rng.normal(size=(n + 3, n)), rng.normal(size=(width, n + 7))
    assert (weights.nbytes > FAR) == (n == 248)
    out = rng.normal(size=(width, n))
    wanted = out + a[:, 2 : n + 5] @ weights
    step_product(out, a, 2, a.shape[1], weights, width, upwards, False)
    assert np.allclose(out, wanted, rtol=0, atol=1e-11)


def test_history_product():
    n_k = 20
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n_k, 6)), rng.normal(size=(n_k + 1, 24))
    out = rng.normal(size=(6, 24))
    wanted = out + a.T @ b[1:]
    history_product(out, a, Scalars(0, 6, 1), b, Rows(24, 24), n_k)
    assert np.allclose(out, wanted, rtol=0, atol=1e-11)


@np.vectorize
def fused(x, y, z):
    """``x y + z`` rounded once."""
    return float(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)))


def in_turn(out, a, b, n_chains=1):
    """The order that `products` promises: terms one after the other, or in chains that take turns, added in pairs."""
    sums = [out, *(np.zeros_like(out) for _ in range(n_chains - 1))]
    whole = len(a) - len(a) % n_chains
    for k in range(len(a)):
        c = k % n_chains if k < whole else 0
        sums[c] = fused(a[k][:, None], b[k][None, :], sums[c])
    while len(sums) > 1:
        half = len(sums) // 2
        sums = [x + y for x, y in zip(sums[:half], sums[half:], strict=True)]
    return sums[0]


@pytest.mark.parametrize(("n_r", "n_v"), [(1, 1), (1, 5), (4, 3), (5, 1), (6, 6), (11, 13)])
def test_no_tile_changes_the_order_of_a_sum(n_r, n_v):
    rng = np.random.default_rng(1)
    a, b, out = rng.normal(size=(9, n_r)), rng.normal(size=(9, 8 * n_v)), rng.normal(size=(n_r, 8 * n_v))
    promised, other = in_turn(out, a, b), in_turn(out, a, b, 2)
    products(out, Rows(0, 8 * n_v), a, Scalars(0, n_r, 1), b, Rows(0, 8 * n_v), Extent(n_r, n_v, 9))
    assert np.array_equal(out, promised)
    # the negative control: with two chains, or without the fused rounding, the bits are others
    assert not np.array_equal(out, other)


@pytest.mark.parametrize("n_v", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("upwards", [False, True])
@pytest.mark.parametrize("afresh", [False, True])
def test_the_order_of_a_step_follows_from_its_shape(n_v, width, upwards, afresh):
    rng = np.random.default_rng(2)
    n = 8 * n_v
    weights, a, out = rng.normal(size=(11, n)), rng.normal(size=(width, 11)), rng.normal(size=(width, n))
    way = 1 if upwards else -1
    n_chains = chains(n_v) if width == 1 else 1
    start = np.zeros_like(out) if afresh else out
    promised = in_turn(start, a.T[::way], weights[::way], n_chains)
    backwards = in_turn(start, a.T[::-way], weights[::-way], n_chains)
    step_product(out, a, 0, 11, weights, width, upwards, afresh)
    assert np.array_equal(out, promised)
    assert not np.array_equal(out, backwards)
    assert (n_chains > 1) == (width == 1 and n_v <= SHORT)
