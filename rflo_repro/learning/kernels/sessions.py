"""Training with updates at the end of a trial, or of a batch of trials."""

from __future__ import annotations

import numpy as np

from .credit import (
    add_feedback_path,
    add_readout_gradient,
    add_recurrent_gradient,
    backward,
    transpose_recurrent,
)
from .dynamics import effective_weights, load_trials, run_trials
from .layout import Array, Indices, Workspace
from .updates import alignment_of, apply_update
from .vector import kernel


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
        (n_out, padded): B transposed. What sends the error back (unless `symmetric`, then it is Wout) and,
        with
        `output_feedback`, the output: ``u(t) += B y(t-1)``.
    signs
        (n_rec,) of +1 and -1, or (0,): Dale's law, see `apply_update`.
    h_start
        (padded,): with `reset_state` where every trial starts; otherwise where the first one starts,
        overwritten by
        the state at the end.
    inputs, targets
        (S, T, n_in) and (S, T, n_out): the distinct trials.
    order
        (K,): which of them trial k is; K is a multiple of `batch`.
    full
        Carry errors through the recurrent weights (BPTT, Eq. 28-29) rather than through the leak alone
        (RFLO, Eq. 5-6).
    loss, alignment
        (K,): L of trial k, Eq. 2, and the alignment of Wout with B, both before the update of the batch.
    work
        From `workspace`. With `reset_state` as many trials as it is wide advance in lockstep.

    Returns
    -------
    Number of trials whose loss was finite and whose update was applied: K, unless something stopped being
    finite. Then
    the weights are the last finite ones, and `loss` beyond the batch that failed is left as it was.
    """
    n_steps, n_in = inputs.shape[1:]
    n_rec = m.shape[0] - n_in
    n_trials = order.shape[0]
    width = work.sources.shape[1] if reset_state else 1
    feedback = w_out if symmetric else b
    through_readout = full and output_feedback and eta_out != 0.0
    recurrent = eta_in != 0.0 or eta_rec != 0.0 or through_readout
    drive = work.drive if output_feedback else m
    for first in range(0, n_trials, batch):
        if output_feedback:
            effective_weights(m, w_out, b, n_rec, work.drive)
        if full and recurrent:
            transpose_recurrent(drive, n_rec, work.back)
        alignment[first : first + batch] = alignment_of(w_out, b)
        work.dm[:] = 0.0
        work.dw_out[:] = 0.0
        begin = first
        while begin < first + batch:
            group = min(width, first + batch - begin)
            load_trials(inputs, order, begin, group, h_start, work.sources, n_rec)
            run_trials(drive, w_out, targets, order, begin, group, tau, n_rec, work, loss)
            if not reset_state:
                h_start[:n_rec] = work.sources[n_steps, 0, :n_rec]
            if recurrent:
                backward(feedback, work.back, full, tau, n_steps, group, n_rec, work)
                add_recurrent_gradient(n_steps, group, work)
            if eta_out != 0.0:
                add_readout_gradient(n_steps, group, n_rec, work)
            begin += group
        if not np.all(np.isfinite(loss[first : first + batch])):
            return first
        if through_readout:
            add_feedback_path(work.dm, b, n_rec, work.dw_out)
        if not apply_update(m, w_out, work.dm, work.dw_out, signs, n_rec, eta_in, eta_rec, eta_out):
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

    `inputs` (T, n_in) and `targets` (T, n_out); the rest as in `train_trials`. With `full`, `symmetric` it
    is the
    exact gradient of -L.
    """
    n_steps, n_in = inputs.shape
    n_rec = m.shape[0] - n_in
    order = np.zeros(1, dtype=np.int64)
    loss = np.zeros(1)
    drive = work.drive if output_feedback else m
    if output_feedback:
        effective_weights(m, w_out, b, n_rec, work.drive)
    if full:
        transpose_recurrent(drive, n_rec, work.back)
    one_input = inputs.reshape((1, n_steps, n_in))
    one_target = targets.reshape((1, n_steps, w_out.shape[0]))
    work.dm[:] = 0.0
    work.dw_out[:] = 0.0
    load_trials(one_input, order, 0, 1, h_start, work.sources, n_rec)
    run_trials(drive, w_out, one_target, order, 0, 1, tau, n_rec, work, loss)
    backward(w_out if symmetric else b, work.back, full, tau, n_steps, 1, n_rec, work)
    add_recurrent_gradient(n_steps, 1, work)
    add_readout_gradient(n_steps, 1, n_rec, work)
    if full and output_feedback:
        add_feedback_path(work.dm, b, n_rec, work.dw_out)
    dm[:] = work.dm
    dw_out[:] = work.dw_out
    return loss[0]
