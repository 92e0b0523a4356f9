"""Credit assignment at the end of a trial: the error filtered, or carried, backwards in time.

``z(t) = C(t+1) z(t+1) + F eps(t)`` and ``T dW = sum_t [z(t) phi'(u(t)) / tau] s(t-1)^T`` with ``s = [h |
x]``. With
the leak alone as the carry C this is Eq. 5-6 with the two sums over time swapped; with the full carry it is
Eq. 28-29.
"""

from __future__ import annotations

from .layout import LANES, Array, Workspace
from .products import history_product, step_product
from .vector import fma, kernel, load, splat, store, total

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
def backward(feedback: Array, full: bool, tau: float, n_steps: int, width: int, work: Workspace) -> None:
    """Turn ``phi'(u(t))/tau`` in ``work.credit`` into ``z(t) phi'(u(t))/tau``; `feedback` (n_out, padded) is
    F^T."""
    credit, errors, z = work.credit, work.errors, work.rows
    n_out, row = feedback.shape
    n_rec = work.back.shape[0]
    leak = splat(1.0 - 1.0 / tau)
    for i in range(0, width * row, LANES):
        store(z, i, splat(0.0))
    for t in range(n_steps - 1, -1, -1):
        for q in range(width):
            at = t * width + q
            for i in range(0, row, LANES):
                carried = load(z, q * row + i)
                for k in range(n_out):
                    carried = fma(splat(errors[at * n_out + k]), load(feedback, k * row + i), carried)
                store(credit, at * work.credit_row + i, carried * load(credit, at * work.credit_row + i))
                store(z, q * row + i, leak * carried)
        if full:
            step_product(z, credit, t * width * work.credit_row, work.credit_row, work.back, width, n_rec, t % 2 == 0)


@kernel
def add_recurrent_update(n_steps: int, width: int, work: Workspace) -> None:
    """Add ``sum_t s(t-1) [z(t) phi'(u(t))/tau]^T``, T times the update of `m`, to ``work.dm``."""
    n_terms = n_steps * width
    history_product(work.dm, work.sources, work.source_row, 1, work.credit, 0, work.credit_row, n_terms)


@kernel
def add_readout_update(n_steps: int, width: int, work: Workspace) -> None:
    """Add ``sum_t eps(t) h(t)^T``, T times the update of the readout, to ``work.dw_out``."""
    n_out, row = work.dw_out.shape
    n_terms = n_steps * width
    history_product(work.dw_out, work.errors, n_out, 1, work.sources, width * work.source_row, work.source_row, n_terms)
    # the inputs stand where the last vector of h ends
    for k in range(n_out):
        for i in range(work.back.shape[0], row):
            work.dw_out[k, i] = 0.0


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
