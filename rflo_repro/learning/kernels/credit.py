"""Credit assignment at the end of a trial: the error filtered, or carried, backwards in time.

``z(t) = C(t+1) z(t+1) + F eps(t)`` and ``T dW = sum_t [z(t) phi'(u(t)) / tau] s(t-1)^T`` with ``s = [h | x]``. With
the leak alone as the carry C this is Eq. 5-6 with the two sums over time swapped; with the full carry it is Eq.
28-29.
"""

from __future__ import annotations

from .dynamics import gain
from .layout import LANES, TERMS_AT_ONCE, Array, Workspace
from .products import four_sums, history_product, is_near, one_sum, step_product
from .vector import clear, fma, inlined, kernel, load, splat, store, total

CORNER = 8  # transposing by squares, each line of memory is fetched once


@kernel
def transpose_recurrent(drive: Array, back: Array) -> None:
    """``back[a, j] = W_aj``: rows for the full carry, which sums over the units that were driven."""
    n = back.shape[0]
    for j0 in range(0, n, CORNER):
        for a0 in range(0, n, CORNER):
            for a in range(a0, min(a0 + CORNER, n)):
                for j in range(j0, min(j0 + CORNER, n)):
                    back[a, j] = drive[j, a]


@kernel
def assign_credit(
    feedback: Array,
    full: bool,
    tau: float,
    n_steps: int,
    width: int,
    recurrent: bool,
    readout: bool,
    work: Workspace,
) -> None:
    """Add T times the updates of the trials in `work` to ``work.dm`` and ``work.dw_out``, where they are wanted.

    `feedback` (n_out, padded) is F^T. The history is taken a stretch at a time, last stretch first, so that the
    products over time find in the cache what the backward pass has just been through.
    """
    clear(work.rows)
    stretch = max(1, TERMS_AT_ONCE // width)
    last = n_steps
    while last > 0:
        first = max(0, last - stretch)
        if recurrent:
            backward(feedback, full, tau, first, last, width, work)
            add_recurrent_update(first, last, width, work)
        if readout:
            add_readout_update(first, last, width, work)
        last = first
    # the inputs stand where the last vector of h ends
    for k in range(work.dw_out.shape[0]):
        for i in range(work.back.shape[0], work.dw_out.shape[1]):
            work.dw_out[k, i] = 0.0


@kernel
def backward(feedback: Array, full: bool, tau: float, first: int, last: int, width: int, work: Workspace) -> None:
    """Leave ``z(t) phi'(u(t))/tau`` of the steps from `last` back to `first` in ``work.credit``.

    ``work.rows`` goes from what is carried into the last of them to what is carried out of the first.
    """
    sources, credit, errors, z = work.sources, work.credit, work.errors, work.rows
    n_out, row = feedback.shape
    n_rec = work.back.shape[0]
    leak = splat(1.0 - 1.0 / tau)
    lone = width == 1 and is_near(work.back)
    for t in range(last - 1, first - 1, -1):
        to = (t - first) * width * work.credit_row
        for q in range(width):
            at = t * width + q
            before, after = at * work.source_row, (at + width) * work.source_row
            for i in range(0, row, LANES):
                carried = load(z, q * row + i)
                for k in range(n_out):
                    carried = fma(splat(errors[at * n_out + k]), load(feedback, k * row + i), carried)
                slope = gain(load(sources, before + i), load(sources, after + i), tau)
                store(credit, to + q * work.credit_row + i, carried * slope)
                store(z, q * row + i, leak * carried)
        if full and lone:
            lone_carry(z, credit, to, work.back, t % 2 == 0)
        elif full:
            step_product(z, credit, to, work.credit_row, work.back, width, n_rec, t % 2 == 0)


@inlined
def lone_carry(z: Array, credit: Array, credit_at: int, back: Array, upwards: bool) -> None:
    """``z += W^T [z phi'(u)/tau]`` of a single trial; `upwards` as in `step_product`."""
    n_rec, row = back.shape
    first, way = (0, 1) if upwards else (n_rec - 1, -1)
    i = 0
    while i + 4 * LANES <= row:
        z0, z1, z2, z3 = four_sums(credit, credit_at + first, way, back, first * row + i, way * row, n_rec)
        store(z, i, load(z, i) + z0)
        store(z, i + LANES, load(z, i + LANES) + z1)
        store(z, i + 2 * LANES, load(z, i + 2 * LANES) + z2)
        store(z, i + 3 * LANES, load(z, i + 3 * LANES) + z3)
        i += 4 * LANES
    while i < row:
        carried = one_sum(credit, credit_at + first, way, back, first * row + i, way * row, n_rec)
        store(z, i, load(z, i) + carried)
        i += LANES


@inlined
def add_recurrent_update(first: int, last: int, width: int, work: Workspace) -> None:
    """Add ``sum_t s(t-1) [z(t) phi'(u(t))/tau]^T``, T times these steps' update of `m`, to ``work.dm``."""
    begin, n_terms = first * width, (last - first) * width
    history_product(
        work.dm, work.sources, begin * work.source_row, work.source_row, 1,
        work.credit, 0, work.credit_row, n_terms,
    )  # fmt: skip


@inlined
def add_readout_update(first: int, last: int, width: int, work: Workspace) -> None:
    """Add ``sum_t eps(t) h(t)^T``, T times these steps' update of the readout, to ``work.dw_out``."""
    begin, n_terms, n_out = first * width, (last - first) * width, work.dw_out.shape[0]
    history_product(
        work.dw_out, work.errors, begin * n_out, n_out, 1,
        work.sources, (begin + width) * work.source_row, work.source_row, n_terms,
    )  # fmt: skip


@kernel
def add_feedback_path(dm: Array, b: Array, n_rec: int, dw_out: Array) -> None:
    """Add ``B^T dW``: the part of the exact readout gradient that goes through the fed-back output."""
    n_out, row = b.shape
    for k in range(n_out):
        for j in range(n_rec):
            dot = splat(0.0)
            for i in range(0, row, LANES):
                dot = fma(load(b, k * row + i), load(dm, j * row + i), dot)
            dw_out[k, j] += total(dot)
