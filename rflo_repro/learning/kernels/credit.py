"""Credit assignment at the end of a trial: the error filtered, or carried, backwards in time.

``z(t) = C(t+1) z(t+1) + F eps(t)`` and ``dW = (1/T) sum_t [z(t) phi'(u(t)) / tau] s(t-1)^T`` with
``s = [h | x]``. With the leak alone as the carry C this is Eq. 5-6 with the two sums over time swapped; with
the full
carry it is Eq. 28-29.
"""

from __future__ import annotations

from .layout import Array, Workspace
from .vector import kernel


@kernel
def transpose_recurrent(drive: Array, n_rec: int, back: Array) -> None:
    """``back[a, j] = W_aj``: rows for the full carry, which sums over the units that were driven."""
    for j in range(n_rec):
        for a in range(n_rec):
            back[a, j] = drive[j, a]


@kernel
def backward(
    feedback: Array,
    back: Array,
    full: bool,
    tau: float,
    n_steps: int,
    width: int,
    n_rec: int,
    work: Workspace,
) -> None:
    """Turn ``phi'(u(t))/tau`` in ``work.credit`` into ``z(t) phi'(u(t))/tau``; `feedback` (n_out, padded) is
    F^T."""
    credit, errors, carried = work.credit, work.errors, work.carried
    leak = 1.0 - 1.0 / tau
    carried[:] = 0.0
    for step in range(n_steps):
        t = n_steps - 1 - step
        for q in range(width):
            for k in range(feedback.shape[0]):
                carried[q] += feedback[k] * errors[t, q, k]
            credit[t, q] *= carried[q]
            carried[q] *= leak
            if full:
                for a in range(n_rec):
                    carried[q] += back[a] * credit[t, q, a]


@kernel
def add_recurrent_gradient(n_steps: int, width: int, work: Workspace) -> None:
    """Add ``sum_t s(t-1) [z(t) phi'(u(t))/tau]^T / T`` to ``work.dm``."""
    sources, credit, dm = work.sources, work.credit, work.dm
    for t in range(n_steps):
        for q in range(width):
            for j in range(dm.shape[0]):
                dm[j] += credit[t, q] * (sources[t, q, j] / n_steps)


@kernel
def add_readout_gradient(n_steps: int, width: int, n_rec: int, work: Workspace) -> None:
    """Add ``sum_t eps(t) h(t)^T / T`` to ``work.dw_out``."""
    sources, errors, dw_out = work.sources, work.errors, work.dw_out
    for t in range(n_steps):
        for q in range(width):
            for k in range(dw_out.shape[0]):
                dw_out[k, :n_rec] += sources[t + 1, q, :n_rec] * (errors[t, q, k] / n_steps)


@kernel
def add_feedback_path(dm: Array, b: Array, n_rec: int, dw_out: Array) -> None:
    """Add ``B^T dW``: the part of the exact readout gradient that goes through the fed-back output."""
    for k in range(b.shape[0]):
        for j in range(n_rec):
            for a in range(n_rec):
                dw_out[k, j] += b[k, a] * dm[j, a]
