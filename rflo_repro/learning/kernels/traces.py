"""The online rule: eligibility traces that run along with the trial, Eq. 5-6, with x(t) in the input
trace."""

from __future__ import annotations

from math import tanh

import numpy as np

from .layout import Array, Indices, Workspace
from .updates import alignment_of, clip_row
from .vector import kernel


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
    traces: Array,
) -> float:
    """One trial with the weights `m`, `w_out`; each step's updates, times their rates, are added to `to_m`,
    `to_w_out`.

    To learn online, hand over the weights themselves. Order within a step: forward, error, traces, weights.
    `state`
    (padded,) goes from the start of the trial to its end. Returns L, which is not finite if anything became
    so.
    """
    n_steps, n_in = inputs.shape
    n_rec = m.shape[0] - n_in
    n_out = w_out.shape[0]
    a = 1.0 / tau
    recurrent = rate_in != 0.0 or rate_rec != 0.0
    traces[:] = 0.0
    u = np.empty(m.shape[1])
    gain = np.zeros(m.shape[1])
    back = np.zeros(m.shape[1])
    source = np.zeros(m.shape[0])
    y = np.zeros(n_out)
    eps = np.zeros(n_out)
    for k in range(n_out):
        for i in range(n_rec):
            y[k] += w_out[k, i] * state[i]
    loss = 0.0
    for t in range(n_steps):
        source[:n_rec] = state[:n_rec]
        source[n_rec:] = inputs[t]
        u[:] = 0.0
        for j in range(m.shape[0]):
            u += m[j] * source[j]
        if output_feedback:
            for k in range(n_out):
                u += b[k] * y[k]
        for i in range(n_rec):
            f = tanh(u[i])
            gain[i] = a * (1.0 - f * f)
            state[i] = (1.0 - a) * state[i] + a * f
        for k in range(n_out):
            y[k] = 0.0
            for i in range(n_rec):
                y[k] += w_out[k, i] * state[i]
            eps[k] = targets[t, k] - y[k]
            loss += eps[k] ** 2 / (2.0 * n_steps)
        if not np.isfinite(loss):
            return loss
        if recurrent:
            back[:] = 0.0
            for k in range(n_out):
                back += (w_out[k] if symmetric else b[k]) * eps[k]
            for j in range(m.shape[0]):
                traces[j] = (1.0 - a) * traces[j] + gain * source[j]
                rate = rate_rec if j < n_rec else rate_in
                if rate != 0.0:
                    to_m[j] += rate * back * traces[j]
                    if j < signs.shape[0]:
                        clip_row(to_m, j, signs[j])
        if rate_out != 0.0:
            for k in range(n_out):
                to_w_out[k, :n_rec] += (rate_out * eps[k]) * state[:n_rec]
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

    Arguments and result as in `train_trials`. If something stops being finite, `m` and `w_out` are put back
    to where
    the trial in which it happened began.
    """
    n_steps = inputs.shape[1]
    n_trials = order.shape[0]
    state = h_start.copy()
    for k in range(n_trials):
        if reset_state:
            state[:] = h_start
        work.drive[:] = m
        work.dw_out[:] = w_out
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
            work.dm,
        )
        if not (np.isfinite(loss[k]) and np.all(np.isfinite(m)) and np.all(np.isfinite(w_out))):
            m[:] = work.drive
            w_out[:] = work.dw_out
            return k
    if not reset_state:
        h_start[:] = state
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
    """`gradient` with the leak as the carry, by the trace form: the weights held still and the updates
    gathered."""
    dm[:] = 0.0
    dw_out[:] = 0.0
    rate = 1.0 / inputs.shape[0]
    unsigned = np.zeros(0)
    return run_traces(
        m,
        w_out,
        b,
        unsigned,
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
        work.dm,
    )
