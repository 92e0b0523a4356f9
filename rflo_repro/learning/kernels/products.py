"""The one product that everything is: rows of scalars times rows of vectors, summed into rows of vectors.

``out[r, :] += sum_k a[k, r] * b[k, :]`` with any strides is the drive of a step (k a source, r a trial), the error
carried back (k a driven unit), and the gradient over time (k a step of a trial, r a source).
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from ._cache import numba_config
from .layout import LANES, Array
from .vector import DOUBLES, aligned_to_double, at, constant, inlined, kernel, multiply_add, primitive, spread, vector


def _wide_registers() -> bool:
    named = numba_config.CPU_NAME
    features: dict[str, bool] = llvmlite.binding.get_host_cpu_features()
    return (not named or named == "host") and features.get("avx512f", False)


# A tile's accumulators stay in registers: 20 of the 32 of AVX-512, or 12 of 16 where they are half as long.
TILE_ROWS, TILE_VECTORS = (5, 4) if _wide_registers() else (3, 2)


def _tile(rows: int, vectors: int, chains: int) -> Any:
    """`products` for `rows` times `vectors` accumulators.

    Each is `chains` sums, taken in turn, so that a multiply-add need not wait for the one before it.
    """

    def twin(
        out: Array, out_at: int, out_step: int, a: Array, a_at: int, a_k: int, a_r: int, b: Array, b_at: int,
        b_k: int, n_k: int,
    ) -> None:  # fmt: skip
        to, scalars, wide = out.reshape(-1), a.reshape(-1), b.reshape(-1)
        n = vectors * LANES
        for r in range(rows):
            start = out_at + r * out_step
            for k in range(n_k):
                scalar = scalars[a_at + k * a_k + r * a_r]
                to[start : start + n] += scalar * wide[b_at + k * b_k : b_at + k * b_k + n]

    def emit(
        builder: Any, out: Any, out_at: Any, out_step: Any, a: Any, a_at: Any, a_k: Any, a_r: Any, b: Any,
        b_at: Any,
        b_k: Any, n_k: Any,
    ) -> None:  # fmt: skip
        index = n_k.type
        cells = [(r, v) for r in range(rows) for v in range(vectors)]
        # LLVM turns these stack slots into registers
        sums = [{cell: cgutils.alloca_once(builder, DOUBLES) for cell in cells} for _ in range(chains)]

        def place(r: int, v: int) -> Any:
            row = builder.add(out_at, builder.mul(out_step, ir.Constant(index, r)))
            return at(builder, out, builder.add(row, ir.Constant(index, v * LANES)))

        def add_term(k: Any, chain: dict[tuple[int, int], Any]) -> None:
            b_row = builder.add(b_at, builder.mul(k, b_k))
            wide = [
                aligned_to_double(builder.load(at(builder, b, builder.add(b_row, ir.Constant(index, v * LANES)))))
                for v in range(vectors)
            ]
            a_row = builder.add(a_at, builder.mul(k, a_k))
            for r in range(rows):
                place_a = builder.add(a_row, builder.mul(a_r, ir.Constant(index, r)))
                scalar = spread(builder, builder.load(builder.gep(a, [place_a])))
                for v in range(vectors):
                    slot = chain[r, v]
                    builder.store(multiply_add(builder, scalar, wide[v], builder.load(slot)), slot)

        for cell in cells:
            builder.store(aligned_to_double(builder.load(place(*cell))), sums[0][cell])
            for chain in sums[1:]:
                builder.store(constant(0.0), chain[cell])
        n_rounds = builder.sdiv(n_k, ir.Constant(index, chains))
        done = builder.mul(n_rounds, ir.Constant(index, chains))
        with cgutils.for_range(builder, n_rounds, intp=index) as loop:
            first = builder.mul(loop.index, ir.Constant(index, chains))
            for c, chain in enumerate(sums):
                add_term(builder.add(first, ir.Constant(index, c)), chain)
        with cgutils.for_range(builder, builder.sub(n_k, done), intp=index) as loop:
            add_term(builder.add(done, loop.index), sums[0])
        for cell in cells:
            total = _total(builder, [builder.load(chain[cell]) for chain in sums])
            aligned_to_double(builder.store(total, place(*cell)))

    n = types.intp
    return primitive(twin, emit, types.void, types.Array, n, n, types.Array, n, n, n, types.Array, n, n, n)


def _sums(vectors: int, chains: int) -> Any:
    """`row_sums` for so many vectors, each as `chains` sums taken in turn."""

    def twin(a: Array, a_at: int, a_k: int, b: Array, b_at: int, b_k: int, n_k: int) -> Any:
        scalars, wide = a.reshape(-1), b.reshape(-1)
        n = vectors * LANES
        out = np.zeros(n)
        for k in range(n_k):
            out += scalars[a_at + k * a_k] * wide[b_at + k * b_k : b_at + k * b_k + n]
        return tuple(out.reshape(vectors, LANES)) if vectors > 1 else out

    def emit(builder: Any, a: Any, a_at: Any, a_k: Any, b: Any, b_at: Any, b_k: Any, n_k: Any) -> Any:
        index = n_k.type
        # LLVM turns these stack slots into registers
        sums = [[cgutils.alloca_once(builder, DOUBLES) for _ in range(vectors)] for _ in range(chains)]

        def add_term(k: Any, chain: list[Any]) -> None:
            row = builder.add(b_at, builder.mul(k, b_k))
            scalar = spread(builder, builder.load(builder.gep(a, [builder.add(a_at, builder.mul(k, a_k))])))
            for v, slot in enumerate(chain):
                place = at(builder, b, builder.add(row, ir.Constant(index, v * LANES)))
                wide = aligned_to_double(builder.load(place))
                builder.store(multiply_add(builder, scalar, wide, builder.load(slot)), slot)

        for chain in sums:
            for slot in chain:
                builder.store(constant(0.0), slot)
        n_rounds = builder.sdiv(n_k, ir.Constant(index, chains))
        done = builder.mul(n_rounds, ir.Constant(index, chains))
        with cgutils.for_range(builder, n_rounds, intp=index) as loop:
            first = builder.mul(loop.index, ir.Constant(index, chains))
            for c, chain in enumerate(sums):
                add_term(builder.add(first, ir.Constant(index, c)), chain)
        with cgutils.for_range(builder, builder.sub(n_k, done), intp=index) as loop:
            add_term(builder.add(done, loop.index), sums[0])
        out = [_total(builder, [builder.load(chain[v]) for chain in sums]) for v in range(vectors)]
        return cgutils.pack_array(builder, out) if vectors > 1 else out[0]

    n = types.intp
    result = types.UniTuple(vector, vectors) if vectors > 1 else vector
    return primitive(twin, emit, result, types.Array, n, n, types.Array, n, n, n)


def _total(builder: Any, parts: list[Any]) -> Any:
    """The sum of vectors, in pairs."""
    while len(parts) > 1:
        half = len(parts) // 2
        parts = [builder.fadd(x, y) for x, y in zip(parts[:half], parts[half:], strict=True)]
    return parts[0]


# A lone trial's step takes its sums as values: passing through memory, and a call, cost a small network half its step.
four_sums = _sums(4, 2 if TILE_VECTORS == 4 else 1)
"""``sum_k a[k] * b[k, :]`` of four vectors: scalars from element a_at, a_k apart; rows of b from b_at, b_k apart."""

one_sum = _sums(1, 8)
"""The same of one vector."""

# Four multiply-adds in flight hide their latency on one 512-bit unit, eight on two.
_block = _tile(TILE_ROWS, TILE_VECTORS, 1)
_row = _tile(1, TILE_VECTORS, 2)
_column = _tile(TILE_ROWS, 1, 2)
_cell = _tile(1, 1, 8)


@kernel
def products(
    out: Array,
    out_at: int,
    out_step: int,
    a: Array,
    a_at: int,
    a_k: int,
    a_r: int,
    b: Array,
    b_at: int,
    b_k: int,
    n_r: int,
    n_v: int,
    n_k: int,
) -> None:
    """``out[r, :] += sum_k a[k, r] * b[k, :]`` for `n_r` rows of `n_v` vectors and `n_k` terms.

    Each array is C-contiguous of any shape, read from element ``*_at`` on; ``out_step``, ``b_k`` are the distances
    from row to row, ``a_k`` and ``a_r`` those of the scalars. `out` must not overlap the others.
    """
    v = 0
    while v + TILE_VECTORS <= n_v:
        out_v, b_v = out_at + v * LANES, b_at + v * LANES
        r = 0
        while r + TILE_ROWS <= n_r:
            _block(out, out_v + r * out_step, out_step, a, a_at + r * a_r, a_k, a_r, b, b_v, b_k, n_k)
            r += TILE_ROWS
        while r < n_r:
            _row(out, out_v + r * out_step, out_step, a, a_at + r * a_r, a_k, a_r, b, b_v, b_k, n_k)
            r += 1
        v += TILE_VECTORS
    while v < n_v:
        out_v, b_v = out_at + v * LANES, b_at + v * LANES
        r = 0
        while r + TILE_ROWS <= n_r:
            _column(out, out_v + r * out_step, out_step, a, a_at + r * a_r, a_k, a_r, b, b_v, b_k, n_k)
            r += TILE_ROWS
        while r < n_r:
            _cell(out, out_v + r * out_step, out_step, a, a_at + r * a_r, a_k, a_r, b, b_v, b_k, n_k)
            r += 1
        v += 1


# Weights beyond this size (bytes) come from far away: then a few whole rows at a time, which memory hands over in the
# order it likes best, rather than columns of all rows, which keep the sums in registers for longer.
FAR = 400_000
ROWS_AT_ONCE = 8


@inlined
def is_near(weights: Array) -> bool:
    """Whether the weights stay in a near cache from step to step."""
    return bool(weights.size * 8 <= FAR)


@inlined
def step_product(
    out: Array, a: Array, a_at: int, a_row: int, weights: Array, n_r: int, n_k: int, upwards: bool
) -> None:
    """``out[r, :] += sum_k a[k, r] * weights[k, :]``: one time step of `n_r` trials.

    `upwards` is the direction in which the rows are read. Turning round at every step finds the rows read last still
    in the nearest cache.
    """
    row = weights.shape[1]
    n_v = row // LANES
    block = n_k if is_near(weights) else ROWS_AT_ONCE
    done = 0
    while done < n_k:
        size = min(block, n_k - done)
        first, way = (done, 1) if upwards else (n_k - 1 - done, -1)
        products(out, 0, row, a, a_at + first, way, a_row, weights, first * row, way * row, n_r, n_v, size)
        done += size


@kernel
def history_product(
    out: Array, a: Array, a_at: int, a_k: int, a_r: int, b: Array, b_at: int, b_k: int, n_k: int
) -> None:
    """``out[r, :] += sum_k a[k, r] * b[k, :]``: a sum over `n_k` rows of a history."""
    n_r, row = out.shape
    products(out, 0, row, a, a_at, a_k, a_r, b, b_at, b_k, n_r, row // LANES, n_k)
