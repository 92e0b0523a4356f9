"""The forward pass, Eq. 1 and 2."""

from __future__ import annotations

from math import tanh

import numpy as np

from .layout import Array, Indices, Workspace
from .vector import kernel


@kernel
def forward(
    m: Array,
    w_out: Array,
    b: Array,
    h_start: Array,
    inputs: Array,
    tau: float,
    output_feedback: bool,
    h: Array,
    y: Array,
) -> None:
    """Run one trial, Eq. 1: fill `h` (T, n_rec) and `y` (T, n_out) from `inputs` (T, n_in) and `h_start`
    (padded,).

    With `output_feedback` the output of the step before is fed back through `b`: ``u(t) += B y(t-1)``.
    """
    n_steps, n_in = inputs.shape
    n_rec = m.shape[0] - n_in
    n_out = w_out.shape[0]
    rate = 1.0 / tau
    drive = m.copy()
    if output_feedback:
        effective_weights(m, w_out, b, n_rec, drive)
    state = h_start.copy()
    u = np.empty(m.shape[1])
    for t in range(n_steps):
        u[:] = 0.0
        for j in range(n_rec):
            u += drive[j] * state[j]
        for c in range(n_in):
            u += drive[n_rec + c] * inputs[t, c]
        for i in range(n_rec):
            state[i] = (1.0 - rate) * state[i] + rate * tanh(u[i])
            h[t, i] = state[i]
        for k in range(n_out):
            y[t, k] = 0.0
            for i in range(n_rec):
                y[t, k] += w_out[k, i] * state[i]


@kernel
def effective_weights(m: Array, w_out: Array, b: Array, n_rec: int, out: Array) -> None:
    """``W + B Wout`` in the layout of `m`: with it the fed-back readout needs no term of its own."""
    out[:] = m
    for j in range(n_rec):
        for k in range(w_out.shape[0]):
            out[j] += b[k] * w_out[k, j]


@kernel
def load_trials(
    inputs: Array, order: Indices, first: int, width: int, h_start: Array, sources: Array, n_rec: int
) -> None:
    """Write the start states and the inputs of trials ``order[first : first + width]`` into `sources`."""
    n_steps, n_in = inputs.shape[1:]
    for q in range(width):
        sources[0, q, :n_rec] = h_start[:n_rec]
        for t in range(n_steps):
            for c in range(n_in):
                sources[t, q, n_rec + c] = inputs[order[first + q], t, c]


@kernel
def run_trials(
    drive: Array,
    w_out: Array,
    targets: Array,
    order: Indices,
    first: int,
    width: int,
    tau: float,
    n_rec: int,
    work: Workspace,
    loss: Array,
) -> None:
    """Advance the `width` trials in ``work.sources`` together; leave ``phi'(u)/tau``, the errors and the
    losses."""
    sources, credit, errors = work.sources, work.credit, work.errors
    n_rows, row = drive.shape
    n_steps, n_out = targets.shape[1:]
    rate = 1.0 / tau
    u = np.empty(row)
    loss[first : first + width] = 0.0
    for t in range(n_steps):
        for q in range(width):
            u[:] = 0.0
            for j in range(n_rows):
                u += drive[j] * sources[t, q, j]
            for i in range(n_rec):
                f = tanh(u[i])
                credit[t, q, i] = rate * (1.0 - f * f)
                sources[t + 1, q, i] = (1.0 - rate) * sources[t, q, i] + rate * f
            for k in range(n_out):
                y = 0.0
                for i in range(n_rec):
                    y += w_out[k, i] * sources[t + 1, q, i]
                errors[t, q, k] = targets[order[first + q], t, k] - y
                loss[first + q] += errors[t, q, k] ** 2 / (2.0 * n_steps)
