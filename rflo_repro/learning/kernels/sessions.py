"""Training with updates at the end of a trial, or of a batch of trials."""

from __future__ import annotations

from math import isfinite

import numpy as np

from .credit import add_feedback_path, assign_credit, transpose_recurrent
from .dynamics import advance, effective_weights, start_trial
from .layout import Array, Indices, Workspace
from .updates import alignment_of, apply_update
from .vector import clear, copy_part, kernel


@kernel
def prepare(
    m: Array, w_out: Array, b: Array, n_rec: int, transpose: bool, output_feedback: bool, work: Workspace
) -> Array:
    """The weights of the forward pass, after what every new set of weights asks for: `work` made ready for them."""
    drive = m
    if output_feedback:
        effective_weights(m, w_out, b, n_rec, work.drive)
        drive = work.drive
    if transpose:
        transpose_recurrent(drive, work.back)
    clear(work.dm)
    clear(work.dw_out)
    return drive


@kernel
def train_trials(
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
    symmetric: bool,
    full: bool,
    output_feedback: bool,
    reset_state: bool,
    loss: Array,
    alignment: Array,
    work: Workspace,
) -> int:
    """Train in place on trials ``order``, the updates of each `batch` summed and applied together, Eq. 15.

    Parameters
    ----------
    m, w_out
        (n_rec + n_in, padded) and (n_out, padded), changed in place; see `layout`.
    b
        (n_out, padded): B transposed. What sends the error back (unless `symmetric`, then it is Wout) and, with
        `output_feedback`, the output: ``u(t) += B y(t-1)``.
    signs
        (n_rec,) of +1 and -1, or (0,): Dale's law, see `apply_update`.
    h_start
        (padded,): with `reset_state` where every trial starts; otherwise where the first one starts, overwritten by
        the state at the end.
    inputs, targets
        (S, T, n_in) and (S, T, n_out): the distinct trials.
    order
        (K,): which of them trial k is; K is a multiple of `batch`.
    full
        Carry errors through the recurrent weights (BPTT, Eq. 28-29) rather than through the leak alone (RFLO, Eq.
        5-6).
    loss, alignment
        (K,): L of trial k, Eq. 2, and the alignment of Wout with B, both before the update of the batch.
    work
        From `workspace`. With `reset_state` as many trials as it is wide advance in lockstep.

    Returns
    -------
    Number of trials whose loss was finite and whose update was applied: K, unless something stopped being finite.
    Then the weights are the last finite ones, and `loss` beyond the batch that failed is left as it was.
    """
    n_steps, n_in = inputs.shape[1:]
    n_rec = m.shape[0] - n_in
    n_trials = len(order)
    width = work.width if reset_state else 1
    # the exact gradient of a readout that is fed back needs the recurrent one
    through_readout = full and output_feedback and eta_out != 0.0
    recurrent = eta_in != 0.0 or eta_rec != 0.0 or through_readout
    for first in range(0, n_trials, batch):
        alignment[first : first + batch] = alignment_of(w_out, b)
        drive = prepare(m, w_out, b, n_rec, full and recurrent, output_feedback, work)
        finite = True
        for begin in range(first, first + batch, width):
            group = min(width, first + batch - begin)
            trials, group_loss = order[begin : begin + group], loss[begin : begin + group]
            for q in range(group):
                start_trial(work.sources, q * work.source_row, work.source_row, h_start, n_rec)
            advance(
                drive, w_out, inputs, targets, trials, tau,
                work.sources, work.source_row, work.errors, work.rows, group_loss,
            )  # fmt: skip
            for q in range(group):
                finite = finite and isfinite(group_loss[q])
            if not reset_state:
                copy_part(work.sources, n_steps * work.source_row, h_start, 0, n_rec)
            if finite:
                assign_credit(w_out if symmetric else b, full, tau, n_steps, group, recurrent, eta_out != 0.0, work)
        if not finite:
            return first
        if through_readout:
            add_feedback_path(work.dm, b, n_rec, work.dw_out)
        rate_in, rate_rec, rate_out = eta_in / n_steps, eta_rec / n_steps, eta_out / n_steps
        if not apply_update(m, w_out, work.dm, work.dw_out, signs, n_rec, rate_in, rate_rec, rate_out):
            return first
    return n_trials


@kernel
def gradient(
    m: Array,
    w_out: Array,
    b: Array,
    h_start: Array,
    inputs: Array,
    targets: Array,
    tau: float,
    symmetric: bool,
    full: bool,
    output_feedback: bool,
    dm: Array,
    dw_out: Array,
    work: Workspace,
) -> float:
    """Fill `dm` and `dw_out` with the update of one trial at learning rate 1, and return its loss L, Eq. 2.

    `inputs` (T, n_in) and `targets` (T, n_out); the rest as in `train_trials`. With `full`, `symmetric` it is the
    exact gradient of -L.
    """
    n_steps, n_in = inputs.shape
    n_rec = m.shape[0] - n_in
    n_out, row = w_out.shape
    loss = np.empty(1)
    drive = prepare(m, w_out, b, n_rec, full, output_feedback, work)
    start_trial(work.sources, 0, work.source_row, h_start, n_rec)
    one_input, one_target = inputs.reshape((1, n_steps, n_in)), targets.reshape((1, n_steps, n_out))
    advance(
        drive, w_out, one_input, one_target, np.zeros(1, np.int64), tau,
        work.sources, work.source_row, work.errors, work.rows, loss,
    )  # fmt: skip
    assign_credit(w_out if symmetric else b, full, tau, n_steps, 1, True, True, work)
    if full and output_feedback:
        add_feedback_path(work.dm, b, n_rec, work.dw_out)
    for j in range(m.shape[0]):
        for i in range(row):
            dm[j, i] = work.dm[j, i] / n_steps
    for k in range(n_out):
        for i in range(row):
            dw_out[k, i] = work.dw_out[k, i] / n_steps
    return float(loss[0])
