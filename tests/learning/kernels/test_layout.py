"""Padding, alignment and scratch memory."""

import importlib
import inspect
import pkgutil

import numba
import numpy as np
import pytest

from rflo_repro.learning import kernels
from rflo_repro.learning.kernels.layout import aligned_zeros, padded


@pytest.mark.parametrize(("n", "wanted"), [(0, 0), (1, 8), (7, 8), (8, 8), (9, 16), (1000, 1000)])
def test_padded(n, wanted):
    assert padded(n) == wanted


def test_aligned_zeros():
    shapes = (5,), (0, 8), (3, 16), (2, 3, 4), ()
    made = aligned_zeros(*shapes)
    assert [a.shape for a in made] == list(shapes)
    for number, a in enumerate(made):
        assert a.ctypes.data % 64 == 0 or a.size == 0
        assert a.flags.c_contiguous
        assert a.flags.writeable
        assert a.dtype == np.float64
        assert not a.any()
        a[...] = number
    # none reaches into another
    assert all((a == number).all() for number, a in enumerate(made))


def test_arrays_always_lie_alike():
    apart = {tuple(np.diff([a.ctypes.data for a in aligned_zeros((7,), (3, 8), (9,))])) for _ in range(20)}
    assert apart == {(64, 192)}


def floats(*args):
    work = kernels.workspace(*args)
    return sum(a.size for a in (*work, *work.updates) if isinstance(a, np.ndarray))


def test_memory_is_linear_in_trials_and_steps():
    # the differences leave what does not depend on the length
    grown = [floats(100, 2, 1, n_steps, 3) for n_steps in (100, 200, 300)]
    assert grown[1] - grown[0] == grown[2] - grown[1]
    assert grown[1] - grown[0] <= 100 * 3 * (104 + 104 + 8 + 1)
    # a few matrices besides
    assert floats(1000, 0, 1, 1, 1) < 2.2 * 1000 * 1000


def test_no_kernel_takes_more_than_ten_arguments():
    """More than that nobody can call without counting: what belongs together is one noun."""
    modules = [
        importlib.import_module(f"{kernels.__name__}.{found.name}") for found in pkgutil.iter_modules(kernels.__path__)
    ]
    functions = {
        f"{module.__name__.rpartition('.')[2]}.{name}": len(inspect.signature(value.py_func).parameters)
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, numba.core.dispatcher.Dispatcher)
    }
    assert len(functions) > 30
    assert {name: n for name, n in functions.items() if n > 10} == {}
