"""The online rule: eligibility traces that run along with the trial, Eq. 5-6, with x(t) in the input trace."""

from __future__ import annotations

from math import isfinite

import numpy as np

from .dynamics import gain, readout, start_trial, unit_steps
from .layout import LANES, Array, Indices, Workspace
from .products import products
from .updates import alignment_of, all_finite, clipped
from .vector import clear, copy, copy_part, fma, inlined, kernel, load, splat, store

ROWS_AT_ONCE = 8  # the sums over rows are fetched once for so many


@inlined
def trace_step(
    m: Array,
    to_m: Array,
    signs: Array,
    traces: Array,
    first: int,
    last: int,
    rate: float,
    leak: float,
    sources: Array,
    now: int,
    new: int,
    rows: Array,
) -> None:
    """Traces, weights and the drive of the next step for the rows `first` to `last`: Eq. 6, Eq. 5, Eq. 13.

    One pass over memory for all three, which is what bounds this rule. `rows` holds u, ``phi'(u(t)) / tau`` and ``F
    eps(t)``; `sources` the source vectors of this step at `now` and of the next at `new`.
    """
    row = m.shape[1]
    decay = splat(leak)
    for block in range(first, last, ROWS_AT_ONCE):
        for i in range(0, row, LANES):
            drive, slope = load(rows, i), load(rows, row + i)
            credit = splat(rate) * load(rows, 2 * row + i)
            for j in range(block, min(block + ROWS_AT_ONCE, last)):
                at = j * row + i
                p = fma(decay, load(traces, at), slope * splat(sources[now + j]))
                store(traces, at, p)
                w = fma(credit, p, load(to_m, at))
                if j < signs.shape[0]:
                    w = clipped(w, signs[j])
                store(to_m, at, w)
                # read again: `m` may be `to_m`, or not
                drive = fma(load(m, at), splat(sources[new + j]), drive)
            store(rows, i, drive)


@kernel
def next_drive(m: Array, first: int, last: int, sources: Array, new: int, u: Array) -> None:
    """What `trace_step` does to u, for rows that do not learn."""
    row = m.shape[1]
    products(u, 0, row, sources, new + first, 1, 0, m, first * row, row, 1, row // LANES, last - first)


@kernel
def run_traces(
    m: Array,
    w_out: Array,
    b: Array,
    signs: Array,
    state: Array,
    inputs: Array,
    targets: Array,
    rate_in: float,
    rate_rec: float,
    rate_out: float,
    tau: float,
    symmetric: bool,
    output_feedback: bool,
    to_m: Array,
    to_w_out: Array,
    work: Workspace,
) -> float:
    """One trial with the weights `m`, `w_out`; each step's updates, times their rates, are added to `to_m`,
    `to_w_out`.

    To learn online, hand over the weights themselves. Order within a step: forward, error, traces, weights. With
    `output_feedback` what is fed back at t is the output as it was at t-1. `state` (padded,) goes from the start of
    the trial to its end. Returns L, Eq. 2; a trial whose L stops being finite ends there.
    """
    n_steps, n_in = inputs.shape
    n_rows, row = m.shape
    n_rec = n_rows - n_in
    n_out = w_out.shape[0]
    leak = 1.0 - 1.0 / tau
    sources, u = work.sources, work.rows
    credit_at = 2 * row
    feedback = w_out if symmetric else b
    y = np.empty(n_out)
    clear(work.dm)
    now, new = 0, work.source_row
    start_trial(sources, 0, work.source_row, state, n_rec)
    for k in range(n_out):
        y[k] = readout(w_out, k, sources, now)
    for c in range(n_in):
        sources[now + n_rec + c] = inputs[0, c]
    for i in range(0, row, LANES):
        store(u, i, splat(0.0))
    next_drive(m, 0, n_rows, sources, now, u)
    loss = 0.0
    for t in range(n_steps):
        if output_feedback:
            for i in range(0, row, LANES):
                drive = load(u, i)
                for k in range(n_out):
                    drive = fma(splat(y[k]), load(b, k * row + i), drive)
                store(u, i, drive)
        unit_steps(u, 0, sources, now, tau, sources, new, row)
        for i in range(0, row, LANES):
            store(u, i, splat(0.0))
            store(u, row + i, gain(load(sources, now + i), load(sources, new + i), tau))
            store(u, credit_at + i, splat(0.0))
        for k in range(n_out):
            y[k] = readout(w_out, k, sources, new)
            eps = targets[t, k] - y[k]
            loss += eps * eps / (2.0 * n_steps)
            for i in range(0, row, LANES):
                store(u, credit_at + i, fma(splat(eps), load(feedback, k * row + i), load(u, credit_at + i)))
            if rate_out != 0.0:
                for i in range(n_rec):
                    to_w_out[k, i] += rate_out * eps * sources[new + i]
        if not isfinite(loss):
            return loss
        # at the end there is no next step: what this writes is then not used
        for c in range(n_in):
            sources[new + n_rec + c] = inputs[min(t + 1, n_steps - 1), c]
        for first, last, rate in ((0, n_rec, rate_rec), (n_rec, n_rows, rate_in)):
            if rate == 0.0:
                next_drive(m, first, last, sources, new, u)
            else:
                trace_step(m, to_m, signs, work.dm, first, last, rate, leak, sources, now, new, u)
        now, new = new, now
    copy_part(sources, now, state, 0, n_rec)
    return loss


@kernel
def train_online(
    m: Array,
    w_out: Array,
    b: Array,
    signs: Array,
    h_start: Array,
    inputs: Array,
    targets: Array,
    order: Indices,
    eta_in: float,
    eta_rec: float,
    eta_out: float,
    tau: float,
    symmetric: bool,
    output_feedback: bool,
    reset_state: bool,
    loss: Array,
    alignment: Array,
    work: Workspace,
) -> int:
    """Train in place with an update at every step, ``(eta/T)`` times the step's term of Eq. 5.

    Arguments and result as in `train_trials`. If something stops being finite, `m` and `w_out` are put back to where
    the trial in which it happened began.
    """
    n_steps = inputs.shape[1]
    n_trials = len(order)
    state = h_start.copy()
    for k in range(n_trials):
        if reset_state:
            copy(h_start, state)
        copy(m, work.drive)
        copy(w_out, work.dw_out)
        alignment[k] = alignment_of(w_out, b)
        loss[k] = run_traces(
            m,
            w_out,
            b,
            signs,
            state,
            inputs[order[k]],
            targets[order[k]],
            eta_in / n_steps,
            eta_rec / n_steps,
            eta_out / n_steps,
            tau,
            symmetric,
            output_feedback,
            m,
            w_out,
            work,
        )
        if not (isfinite(loss[k]) and all_finite(m) and all_finite(w_out)):
            copy(work.drive, m)
            copy(work.dw_out, w_out)
            return k
    if not reset_state:
        copy(state, h_start)
    return n_trials


@kernel
def trace_gradient(
    m: Array,
    w_out: Array,
    b: Array,
    h_start: Array,
    inputs: Array,
    targets: Array,
    tau: float,
    symmetric: bool,
    output_feedback: bool,
    dm: Array,
    dw_out: Array,
    work: Workspace,
) -> float:
    """`gradient` with the leak as the carry, by the trace form: weights held still and the updates gathered."""
    dm[:] = 0.0
    dw_out[:] = 0.0
    rate = 1.0 / inputs.shape[0]
    return run_traces(
        m,
        w_out,
        b,
        np.zeros(0),
        h_start.copy(),
        inputs,
        targets,
        rate,
        rate,
        rate,
        tau,
        symmetric,
        output_feedback,
        dm,
        dw_out,
        work,
    )
