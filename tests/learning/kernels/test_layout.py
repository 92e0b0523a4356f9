"""Padding, alignment and scratch memory."""

from __future__ import annotations

import numpy as np
import pytest

from rflo_repro.learning import kernels


@pytest.mark.parametrize(("n", "wanted"), [(0, 0), (1, 8), (7, 8), (8, 8), (9, 16), (1000, 1000)])
def test_padded(n, wanted):
    assert kernels.padded(n) == wanted


@pytest.mark.parametrize("shape", [5, (0, 8), (3, 16), (2, 3, 4)])
def test_aligned_zeros(shape):
    a = kernels.aligned_zeros(shape)
    assert a.ctypes.data % 64 == 0 or a.size == 0
    assert a.flags.c_contiguous
    assert a.flags.writeable
    assert a.shape == np.zeros(shape).shape
    assert a.dtype == np.float64
    assert not a.any()


def floats(*args):
    return sum(a.size for a in kernels.workspace(*args) if isinstance(a, np.ndarray))


def test_memory_is_linear_in_trials_and_steps():
    # the differences leave what does not depend on the length
    grown = [floats(100, 2, 1, n_steps, 3) for n_steps in (100, 200, 300)]
    assert grown[1] - grown[0] == grown[2] - grown[1]
    assert grown[1] - grown[0] <= 100 * 3 * (104 + 104 + 8 + 1)
    # a few matrices besides
    assert floats(1000, 0, 1, 1, 1) < 3.1 * 1000 * 1000
