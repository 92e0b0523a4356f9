"""The product of tiles at every remainder."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rflo_repro.learning.kernels.products import FAR, history_product, products, step_product


@pytest.mark.parametrize(("n_r", "n_v"), list(itertools.product((1, 4, 5, 6, 11), (1, 3, 4, 5, 9))))
def test_products(n_r, n_v):
    rng = np.random.default_rng(0)
    for n_k in (0, 1, 2, 7, 8, 9, 20):
        a, b = rng.normal(size=(n_k + 1, n_r + 2)), rng.normal(size=(n_k + 1, 8 * n_v + 3))
        out = rng.normal(size=(n_r + 1, 8 * n_v + 5))
        wanted = out.copy()
        wanted[:n_r, 2 : 2 + 8 * n_v] += a[:n_k, 1 : 1 + n_r].T @ b[:n_k, 3:]
        products(out, 2, out.shape[1], a, 1, a.shape[1], 1, b, 3, b.shape[1], n_r, n_v, n_k)
        assert np.allclose(out, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [8, 248])
@pytest.mark.parametrize("upwards", [False, True])
def test_step_product(n, upwards):
    rng = np.random.default_rng(0)
    weights, a = rng.normal(size=(n + 3, n)), rng.normal(size=(3, n + 7))
    assert (weights.nbytes > FAR) == (n == 248)
    out = rng.normal(size=(3, n))
    wanted = out + a[:, 2 : n + 5] @ weights
    step_product(out, a, 2, a.shape[1], weights, 3, n + 3, upwards)
    assert np.allclose(out, wanted, rtol=0, atol=1e-11)


def test_history_product():
    n_k = 20
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n_k, 6)), rng.normal(size=(n_k + 1, 24))
    out = rng.normal(size=(6, 24))
    wanted = out + a.T @ b[1:]
    history_product(out, a, 0, 6, 1, b, 24, 24, n_k)
    assert np.allclose(out, wanted, rtol=0, atol=1e-11)
