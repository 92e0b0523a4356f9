"""Real-time recurrent learning, Eq. 3-4 and 11 with x(t) in the input sensitivity: the oracle, N^4 a step."""

from __future__ import annotations

from math import isfinite

import numpy as np

from .credit import add_feedback_path
from .dynamics import effective_weights, gain, readout, start_trial, unit_steps
from .layout import LANES, Array, Indices
from .products import products
from .updates import alignment_of, apply_update
from .vector import clear, copy, copy_part, fma, kernel, load, splat, store, total


@kernel
def run_exact(
    m: Array,
    w_out: Array,
    b: Array,
    state: Array,
    inputs: Array,
    targets: Array,
    tau: float,
    output_feedback: bool,
    dm: Array,
    dw_out: Array,
) -> float:
    """Add T times the exact update of one trial to `dm` and `dw_out`; `state` (padded,) goes from start to end.

    Returns L, Eq. 2.
    """
    n_steps, n_in = inputs.shape
    n_rows, row = m.shape
    n_rec = n_rows - n_in
    n_out = w_out.shape[0]
    leak = splat(1.0 - 1.0 / tau)
    drive = m
    if output_feedback:
        drive = np.empty_like(m)
        effective_weights(m, w_out, b, n_rec, drive)
    # row (j, r), element i: d h_i / d m[j, r]
    n_weights = n_rows * n_rec
    sensitivity, through = np.zeros((n_weights, row)), np.empty((n_weights, row))
    rows = np.zeros((3, row))  # u(t), phi'(u(t)) / tau, F eps(t)
    source_row = row + n_in
    sources = np.empty(2 * source_row)
    now, new = 0, source_row
    start_trial(sources, now, source_row, state, n_rec)
    loss = 0.0
    for t in range(n_steps):
        for c in range(n_in):
            sources[now + n_rec + c] = inputs[t, c]
        clear(rows)
        products(rows, 0, row, sources, now, 1, 0, drive, 0, row, 1, row // LANES, n_rows)
        unit_steps(rows, 0, sources, now, tau, sources, new, row)
        for i in range(0, row, LANES):
            store(rows, row + i, gain(load(sources, now + i), load(sources, new + i), tau))
        for k in range(n_out):
            eps = targets[t, k] - readout(w_out, k, sources, new)
            loss += eps * eps / (2.0 * n_steps)
            for i in range(n_rec):
                rows[2, i] += w_out[k, i] * eps
                dw_out[k, i] += eps * sources[new + i]
        clear(through)
        products(through, 0, row, sensitivity, 0, 1, row, drive, 0, row, n_weights, row // LANES, n_rec)
        for j in range(n_rows):
            for r in range(n_rec):
                at = (j * n_rec + r) * row
                for i in range(0, row, LANES):
                    carried = load(rows, row + i) * load(through, at + i)
                    store(sensitivity, at + i, fma(leak, load(sensitivity, at + i), carried))
                sensitivity[j * n_rec + r, r] += rows[1, r] * sources[now + j]
                dot = splat(0.0)
                for i in range(0, row, LANES):
                    dot = fma(load(rows, 2 * row + i), load(sensitivity, at + i), dot)
                dm[j, r] += total(dot)
        now, new = new, now
    copy_part(sources, now, state, 0, n_rec)
    return loss


@kernel
def rtrl_gradient(
    m: Array,
    w_out: Array,
    b: Array,
    h_start: Array,
    inputs: Array,
    targets: Array,
    tau: float,
    output_feedback: bool,
    dm: Array,
    dw_out: Array,
) -> float:
    """Fill `dm` and `dw_out` with the exact gradient of -L of one trial, carried forward in time; return L, Eq. 2.

    Arguments as in `gradient`.
    """
    n_steps, n_in = inputs.shape
    clear(dm)
    clear(dw_out)
    loss = run_exact(m, w_out, b, h_start.copy(), inputs, targets, tau, output_feedback, dm, dw_out)
    if output_feedback:
        add_feedback_path(dm, b, m.shape[0] - n_in, dw_out)
    scale = splat(1.0 / n_steps)
    for i in range(0, dm.size, LANES):
        store(dm, i, scale * load(dm, i))
    for i in range(0, dw_out.size, LANES):
        store(dw_out, i, scale * load(dw_out, i))
    return loss


@kernel
def train_exact(
    m: Array,
    w_out: Array,
    b: Array,
    signs: Array,
    h_start: Array,
    inputs: Array,
    targets: Array,
    order: Indices,
    batch: int,
    eta_in: float,
    eta_rec: float,
    eta_out: float,
    tau: float,
    output_feedback: bool,
    reset_state: bool,
    loss: Array,
    alignment: Array,
) -> int:
    """Train in place by real-time recurrent learning; arguments and result as in `train_trials`."""
    n_steps, n_in = inputs.shape[1:]
    n_rec = m.shape[0] - n_in
    n_trials = len(order)
    dm, dw_out = np.empty_like(m), np.empty_like(w_out)
    state = h_start.copy()
    for first in range(0, n_trials, batch):
        alignment[first : first + batch] = alignment_of(w_out, b)
        clear(dm)
        clear(dw_out)
        finite = True
        for k in range(first, first + batch):
            if reset_state:
                copy(h_start, state)
            trial = order[k]
            loss[k] = run_exact(m, w_out, b, state, inputs[trial], targets[trial], tau, output_feedback, dm, dw_out)
            finite = finite and isfinite(loss[k])
        if output_feedback:
            add_feedback_path(dm, b, n_rec, dw_out)
        rate_in, rate_rec, rate_out = eta_in / n_steps, eta_rec / n_steps, eta_out / n_steps
        if not (finite and apply_update(m, w_out, dm, dw_out, signs, n_rec, rate_in, rate_rec, rate_out)):
            return first
    if not reset_state:
        copy(state, h_start)
    return n_trials
