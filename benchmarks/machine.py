"""What one core of this machine can do: the two ceilings under which every kernel stands."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rflo_repro.learning.kernels import aligned_zeros
from rflo_repro.learning.kernels.layout import LANES
from rflo_repro.learning.kernels.vector import fma, load, splat, store

CHAINS = 10


@njit(nogil=True)
def _multiply_adds(n: int, out: NDArray[np.float64]) -> None:
    """`CHAINS` sums in registers, none waiting for another."""
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


@contextmanager
def one_core() -> Iterator[None]:
    """Everything started in here shares one core, where the system can say so: JAX has threads beyond those that its
    flags forbid."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def best_of(repeats: int, function: Callable[[], None]) -> float:
    """The shortest of `repeats` times, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def multiply_adds_per_us(repeats: int = 5) -> float:
    """Multiply-adds of doubles that one core does in a microsecond."""
    n = 200_000
    # independent starts, so that no two chains are one to the compiler
    out = aligned_zeros(LANES * CHAINS)
    out[:] = np.arange(out.size)
    _multiply_adds(1, out)
    return n * CHAINS * LANES / (best_of(repeats, lambda: _multiply_adds(n, out)) * 1e6)


def two_matrices_us(n: int, repeats: int = 5) -> float:
    """Microseconds to read and write two n by n matrices once."""
    p, w = aligned_zeros(n * n + LANES), aligned_zeros(n * n + LANES)
    passes = max(1, 2_000_000 // (n * n))
    size = (n * n // LANES) * LANES
    p, w = p[:size], w[:size]
    _read_and_write_two(p, w)

    def run() -> None:
        for _ in range(passes):
            _read_and_write_two(p, w)

    return best_of(repeats, run) / passes * 1e6
