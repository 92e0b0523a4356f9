"""The one product that everything is: rows of scalars times rows of vectors, summed into rows of vectors.

``out[r, :] += sum_k a[k, r] * b[k, :]`` with any strides is the drive of a step (k a source, r a trial), the error
carried back (k a driven unit), and the gradient over time (k a step of a trial, r a source).

**The order of the sum** follows from the shape of the problem and from nothing else, so that every processor gives the
same bits. ``out[r, :]`` takes one term after the other, k = 0, 1, ..., each by a fused multiply-add rounded once. One
exception, for the sake of small networks: a step of a single trial with rows of at most `SHORT` vectors is summed in
`chains` of them that take turns, the first one starting from ``out``; terms beyond a whole round go to the first, and
the chains are added in pairs. Tiles, which are chosen for the registers, divide r and the vectors of a row and never k.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from . import registers
from .layout import LANES, Array
from .vector import (
    DOUBLES,
    aligned_to_double,
    at,
    constant,
    inline_ir,
    kernel,
    multiply_add,
    primitive,
    splat,
    spread,
    store,
)


class Rows(NamedTuple):
    """Rows of vectors in an array of any shape: the first element, and the distance from row to row."""

    at: int
    step: int


class Scalars(NamedTuple):
    """Scalars ``a[k, r]`` in an array of any shape: the first element, and the distances along k and along r."""

    at: int
    k: int
    r: int


class Extent(NamedTuple):
    """How much is multiplied: rows r, vectors in a row, terms k."""

    rows: int
    vectors: int
    terms: int


TILES = registers.TILES[registers.registers()]
SHORT = 4
"""Vectors in a row of a network that is small: up to 32 units."""


def chains(vectors: int) -> int:
    """How many sums take turns in a step of one trial: a multiply-add need not wait for the one before it."""
    return 1 if vectors > SHORT else 4 if vectors < 3 else 2


def _twin(out: Array, out_rows: Rows, a: Array, scalars: Scalars, b: Array, b_rows: Rows, extent: Extent) -> None:
    """What every tile computes, with `chains` as for a single trial where `extent` has one row."""
    to, flat, wide = out.reshape(-1), a.reshape(-1), b.reshape(-1)
    n = extent.vectors * LANES
    for r in range(extent.rows):
        place = slice(out_rows.at + r * out_rows.step, out_rows.at + r * out_rows.step + n)
        for k in range(extent.terms):
            start = b_rows.at + k * b_rows.step
            to[place] += flat[scalars.at + k * scalars.k + r * scalars.r] * wide[start : start + n]


@contextmanager
def _rolled(builder: Any, count: Any) -> Iterator[Any]:
    """Emits a loop that stays rolled up: a tile has enough to do in a round, and its code is optimised once more in
    every kernel that comes to it."""
    with cgutils.for_range(builder, count, intp=count.type) as loop:
        yield loop.index
        body = builder.block
    module = builder.module
    disable = module.add_metadata(["llvm.loop.unroll.disable"])
    # what LLVM takes for a loop's properties refers to itself first
    own = ir.MDValue(module, [disable], name=str(len(module.metadata)))
    own.operands = (own, disable)
    body.terminator.set_metadata("llvm.loop", own)


class _Loop:
    """Emits the loop over k of one tile: some rows of some vectors, `n_chains` sums each, `shift` vectors along."""

    def __init__(self, builder: Any, operands: tuple[Any, ...], rows: int, vectors: int, n_chains: int, shift: int = 0):
        self.builder, self.operands = builder, operands
        self.rows, self.vectors, self.n_chains, self.shift = rows, vectors, n_chains, shift

    def _index(self, start: Any, *steps: tuple[Any, Any]) -> Any:
        for step, times in steps:
            times = ir.Constant(start.type, times) if isinstance(times, int) else times
            start = self.builder.add(start, self.builder.mul(step, times))
        return start

    def _vector(self, array: Any, row: Any, v: int) -> Any:
        place = self.builder.add(row, ir.Constant(row.type, (self.shift + v) * LANES))
        return at(self.builder, array, place)

    def _load(self, array: Any, row: Any, v: int) -> Any:
        return aligned_to_double(self.builder.load(self._vector(array, row, v)))

    def _add_term(self, k: Any, sums: dict[tuple[int, int], Any]) -> None:
        _, _, _, a, a_at, a_k, a_r, b, b_at, b_step, _ = self.operands
        builder = self.builder
        b_row = self._index(b_at, (b_step, k))
        wide = [self._load(b, b_row, v) for v in range(self.vectors)]
        for r in range(self.rows):
            scalar = spread(builder, builder.load(builder.gep(a, [self._index(a_at, (a_k, k), (a_r, r))])))
            for v in range(self.vectors):
                slot = sums[r, v]
                builder.store(multiply_add(builder, scalar, wide[v], builder.load(slot)), slot)

    def emit(self, afresh: Any = None) -> None:
        """The sums start from `out`, except where the boolean `afresh` is true: then from zero."""
        out, out_at, out_step, *_, n_k = self.operands
        builder, index = self.builder, n_k.type
        cells = [(r, v) for r in range(self.rows) for v in range(self.vectors)]
        # LLVM turns these stack slots into registers
        sums = [{cell: cgutils.alloca_once(builder, DOUBLES) for cell in cells} for _ in range(self.n_chains)]
        rows = [self._index(out_at, (out_step, r)) for r in range(self.rows)]
        for chain in sums if afresh else sums[1:]:
            for slot in chain.values():
                builder.store(constant(0.0), slot)
        with builder.if_then(builder.not_(afresh)) if afresh else nullcontext():
            for r, v in cells:
                builder.store(self._load(out, rows[r], v), sums[0][r, v])
        width = ir.Constant(index, self.n_chains)
        n_rounds = n_k if self.n_chains == 1 else builder.sdiv(n_k, width)
        with _rolled(builder, n_rounds) as round_:
            first = builder.mul(round_, width)
            for c, chain in enumerate(sums):
                self._add_term(builder.add(first, ir.Constant(index, c)), chain)
        if self.n_chains > 1:
            done = builder.mul(n_rounds, width)
            with _rolled(builder, builder.sub(n_k, done)) as k:
                self._add_term(builder.add(done, k), sums[0])
        for r, v in cells:
            parts = [builder.load(chain[r, v]) for chain in sums]
            while len(parts) > 1:
                half = len(parts) // 2
                parts = [builder.fadd(x, y) for x, y in zip(parts[:half], parts[half:], strict=True)]
            aligned_to_double(builder.store(parts[0], self._vector(out, rows[r], v)))


def _by_size(largest: int, emit_size: Any) -> Any:
    """A tile for each number of vectors up to `largest`, chosen when it runs: `emit_size` gets operands and number."""

    def emit(builder: Any, *operands: Any) -> None:
        *places, vectors, n_k = operands
        after = builder.append_basic_block("sized")
        switch = builder.switch(vectors, after)
        for size in range(1, largest + 1):
            with builder.goto_block(builder.append_basic_block(f"size{size}")):
                switch.add_case(ir.Constant(vectors.type, size), builder.block)
                emit_size(builder, (*places, n_k), size)
                builder.branch(after)
        builder.position_at_end(after)

    return emit


def _primitive(largest: int, twin: Any, emit_size: Any) -> Any:
    n = types.intp
    arguments = (types.Array, n, n, types.Array, n, n, n, types.Array, n, n, n, n)
    return primitive(twin, _by_size(largest, emit_size), types.void, *arguments)


def _tile(rows: int, largest: int) -> Any:
    """`rows` rows of up to `largest` vectors, each one sum."""

    def emit_size(builder: Any, operands: tuple[Any, ...], vectors: int) -> None:
        _Loop(builder, operands, rows, vectors, 1).emit()

    def twin(
        out: Array, out_at: int, out_step: int, a: Array, a_at: int, a_k: int, a_r: int, b: Array, b_at: int,
        b_step: int, vectors: int, n_k: int,
    ) -> None:  # fmt: skip
        extent = Extent(rows, vectors, n_k)
        _twin(out, Rows(out_at, out_step), a, Scalars(a_at, a_k, a_r), b, Rows(b_at, b_step), extent)

    return _primitive(largest, twin, emit_size)


def _short() -> Any:
    """The step of one trial with rows of up to `SHORT` vectors, each `chains` sums; as many vectors at once as there
    are registers for. The sums start from zero where the step is `afresh`, and from ``out`` otherwise.

    All distances are known to the compiler: an address that is added up from two registers costs an instruction.
    """

    def emit_size(builder: Any, operands: tuple[Any, ...], vectors: int) -> None:
        out, a, a_at, b, upwards, afresh, n_k = operands
        n_chains = chains(vectors)
        at_once = max(1, TILES.chain_vectors // n_chains)
        zero, one, row = (ir.Constant(n_k.type, n) for n in (0, 1, vectors * LANES))

        def emit_way(first: Any, way: int) -> None:
            rows = (b, builder.mul(first, row), ir.Constant(n_k.type, way * vectors * LANES), n_k)
            known = (out, zero, zero, a, builder.add(a_at, first), ir.Constant(n_k.type, way), zero, *rows)
            for shift in range(0, vectors, at_once):
                _Loop(builder, known, 1, min(at_once, vectors - shift), n_chains, shift).emit(afresh)

        with builder.if_else(upwards) as (up, down):
            with up:
                emit_way(zero, 1)
            with down:
                emit_way(builder.sub(n_k, one), -1)

    def twin(out: Array, a: Array, a_at: int, b: Array, upwards: bool, afresh: bool, vectors: int, n_k: int) -> None:
        n, n_chains = vectors * LANES, chains(vectors)
        to, flat, wide = out.reshape(-1)[:n], a.reshape(-1), b.reshape(-1)
        sums = [np.zeros(n) if afresh else to.copy(), *(np.zeros(n) for _ in range(n_chains - 1))]
        for i in range(n_k):
            c = i % n_chains if i < n_k - n_k % n_chains else 0
            k = i if upwards else n_k - 1 - i
            sums[c] += flat[a_at + k] * wide[k * n : (k + 1) * n]
        while len(sums) > 1:
            half = len(sums) // 2
            sums = [x + y for x, y in zip(sums[:half], sums[half:], strict=True)]
        to[:] = sums[0]

    n, array = types.intp, types.Array
    arguments = (array, array, n, array, types.boolean, types.boolean, n, n)
    return primitive(twin, _by_size(SHORT, emit_size), types.void, *arguments)


_block = _tile(TILES.block_rows, TILES.block_vectors)
_pair = _tile(2, TILES.pair_vectors)
_row = _tile(1, TILES.row_vectors)
_short_row = _short()


@kernel
def products(out: Array, out_rows: Rows, a: Array, scalars: Scalars, b: Array, b_rows: Rows, extent: Extent) -> None:
    """``out[r, :] += sum_k a[k, r] * b[k, :]``. `out` must not overlap the others, which are C-contiguous as it is."""
    n_blocks = extent.rows // TILES.block_rows
    v, left = 0, -(-extent.vectors // TILES.block_vectors)
    while n_blocks > 0 and left > 0:
        size = -(-(extent.vectors - v) // left)
        for block in range(n_blocks):
            r = block * TILES.block_rows
            _block(
                out, out_rows.at + r * out_rows.step + v * LANES, out_rows.step,
                a, scalars.at + r * scalars.r, scalars.k, scalars.r,
                b, b_rows.at + v * LANES, b_rows.step, size, extent.terms,
            )  # fmt: skip
        v += size
        left -= 1
    r = n_blocks * TILES.block_rows
    while r + 2 <= extent.rows:
        v, left = 0, -(-extent.vectors // TILES.pair_vectors)
        while left > 0:
            size = -(-(extent.vectors - v) // left)
            _pair(
                out, out_rows.at + r * out_rows.step + v * LANES, out_rows.step,
                a, scalars.at + r * scalars.r, scalars.k, scalars.r,
                b, b_rows.at + v * LANES, b_rows.step, size, extent.terms,
            )  # fmt: skip
            v += size
            left -= 1
        r += 2
    if r < extent.rows:
        v, left = 0, -(-extent.vectors // TILES.row_vectors)
        while left > 0:
            size = -(-(extent.vectors - v) // left)
            _row(
                out, out_rows.at + r * out_rows.step + v * LANES, out_rows.step,
                a, scalars.at + r * scalars.r, scalars.k, scalars.r,
                b, b_rows.at + v * LANES, b_rows.step, size, extent.terms,
            )  # fmt: skip
            v += size
            left -= 1


# Weights beyond this size (bytes) come from far away: then a few whole rows at a time, which memory hands over in the
# order it likes best, rather than columns of all rows, which keep the sums in registers for longer.
FAR = 400_000
ROWS_AT_ONCE = 8


@inline_ir
def step_product(
    out: Array, a: Array, a_at: int, a_row: int, weights: Array, width: int, upwards: bool, afresh: bool
) -> None:
    """``out[r, :] += sum_k a[k, r] * weights[k, :]``: one time step of `width` trials, k through all rows of `weights`.
    Where it is `afresh` whatever stands in `out` counts as zero.

    `upwards` is the direction in which the rows are read: turning round at
    every step finds the rows read last still in the nearest cache.
    """
    n_k, row = weights.shape
    if width == 1 and row <= SHORT * LANES:
        # a call would cost a small network a tenth of its step, and zeros that are stored and loaded again as much
        _short_row(out, a, a_at, weights, upwards, afresh, row // LANES, n_k)
    else:
        for i in range(0, width * row if afresh else 0, LANES):
            store(out, i, splat(0.0))
        first, way = (0, 1) if upwards else (n_k - 1, -1)
        _long_step_product(out, Scalars(a_at + first, way, a_row), a, weights, Rows(first * row, way * row), width)


@inline_ir
def _long_step_product(out: Array, scalars: Scalars, a: Array, weights: Array, rows: Rows, width: int) -> None:
    n_k, row = weights.shape
    at_once = n_k if weights.size * 8 <= FAR else ROWS_AT_ONCE
    for done in range(0, n_k, at_once):
        products(
            out, Rows(0, row), a, Scalars(scalars.at + done * scalars.k, scalars.k, scalars.r),
            weights, Rows(rows.at + done * rows.step, rows.step),
            Extent(width, row // LANES, min(at_once, n_k - done)),
        )  # fmt: skip


@inline_ir
def history_product(out: Array, a: Array, scalars: Scalars, b: Array, b_rows: Rows, n_k: int) -> None:
    """``out[r, :] += sum_k a[k, r] * b[k, :]``: a sum over `n_k` rows of a history, r through all rows of `out`."""
    n_r, row = out.shape
    products(out, Rows(0, row), a, scalars, b, b_rows, Extent(n_r, row // LANES, n_k))
