"""What one core of this machine can do: the two ceilings under which every kernel stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rflo_repro.learning.kernels.layout import LANES, aligned_zeros
from rflo_repro.learning.kernels.vector import fma, load, splat, store

CHAINS = 5
"""Vectors in registers, each in two halves where registers are shorter: ten sums are enough for two multiply-adds a
cycle of four cycles each, and few enough for sixteen registers. Where a register holds a whole vector there are two
sets of them."""


@njit(nogil=True)
def _multiply_adds(n: int, out: NDArray[np.float64]) -> None:
    """`CHAINS` sums in registers, none waiting for another."""
    c = splat(0.999)
    a0, a1, a2, a3, a4 = load(out, 0), load(out, 8), load(out, 16), load(out, 24), load(out, 32)
    for _ in range(n):
        a0, a1, a2, a3, a4 = fma(a0, c, c), fma(a1, c, c), fma(a2, c, c), fma(a3, c, c), fma(a4, c, c)
    store(out, 0, a0 + a1 + a2 + a3 + a4)


@njit(nogil=True)
def _twice_as_many(n: int, out: NDArray[np.float64]) -> None:
    """The same with two sets of sums."""
    c = splat(0.999)
    a0, a1, a2, a3, a4 = load(out, 0), load(out, 8), load(out, 16), load(out, 24), load(out, 32)
    a5, a6, a7, a8, a9 = load(out, 40), load(out, 48), load(out, 56), load(out, 64), load(out, 72)
    for _ in range(n):
        a0, a1, a2, a3, a4 = fma(a0, c, c), fma(a1, c, c), fma(a2, c, c), fma(a3, c, c), fma(a4, c, c)
        a5, a6, a7, a8, a9 = fma(a5, c, c), fma(a6, c, c), fma(a7, c, c), fma(a8, c, c), fma(a9, c, c)
    store(out, 0, a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9)


@njit(nogil=True)
def _read_and_write_two(p: NDArray[np.float64], w: NDArray[np.float64]) -> None:
    """The memory traffic of a step of the online rule, with hardly any arithmetic."""
    c = splat(0.5)
    for i in range(0, p.size, LANES):
        new = c * load(p, i)
        store(p, i, new)
        store(w, i, load(w, i) + new)


def best_of(repeats: int, function: Callable[[], None]) -> float:
    """The shortest of `repeats` times, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def multiply_adds_per_us(repeats: int = 5) -> float:
    """Multiply-adds of doubles that one core does in a microsecond, with the number of sums that suits it best."""
    n = 200_000
    rates = []
    for function, chains in ((_multiply_adds, CHAINS), (_twice_as_many, 2 * CHAINS)):
        # independent starts, so that no two chains are one to the compiler
        (out,) = aligned_zeros((LANES * chains,))
        out[:] = np.arange(out.size)
        function(1, out)
        rates.append(n * chains * LANES / (best_of(repeats, partial(function, n, out)) * 1e6))
    return max(rates)


def two_matrices_us(n: int, repeats: int = 5) -> float:
    """Microseconds to read and write two n by n matrices once."""
    p, w = aligned_zeros((n * n + LANES,), (n * n + LANES,))
    passes = max(1, 2_000_000 // (n * n))
    size = (n * n // LANES) * LANES
    p, w = p[:size], w[:size]
    _read_and_write_two(p, w)

    def run() -> None:
        for _ in range(passes):
            _read_and_write_two(p, w)

    return best_of(repeats, run) / passes * 1e6
