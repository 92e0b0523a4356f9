"""Training with updates at the end of a trial, or of a batch of trials."""

from __future__ import annotations

from math import isfinite

from .credit import add_feedback_path, assign_credit, check_rule, copy_diagonal, transpose_recurrent
from .dynamics import advance, start_trial, steps_of, update_effective_weights, weigh_errors
from .layout import DIAGONAL, FULL, Optimizer, Rates, Record, Rule, Trials, Updates, Weights, Workspace
from .optimizers import apply_batch
from .updates import alignment_of, apply_mask
from .vector import clear, copy_part, inline_ir, kernel, scale


@inline_ir
def prepare(weights: Weights, rule: Rule, recurrent: bool, work: Workspace) -> None:
    """Before a batch, recompute what follows from the weights, and clear the updates; `recurrent`: w_rec learns."""
    update_effective_weights(weights)
    if recurrent and rule.carry == FULL:
        transpose_recurrent(weights.effective, work.back)
    if recurrent and rule.carry == DIAGONAL:
        copy_diagonal(weights.effective, work.diagonal, weights.n_rec)
    clear(work.updates.m)
    clear(work.updates.w_out)


@kernel
def train_trials(
    weights: Weights, trials: Trials, rule: Rule, rates: Rates | Optimizer, record: Record, work: Workspace
) -> int:
    """Train in place, the updates of each batch summed and applied together, Eq. 15 and 23.

    `work` is from `workspace`. Where states are reset as many trials as it is wide advance in lockstep.

    Returns the number of trials whose loss was finite and whose update was applied: all, unless something stopped being
    finite. Then the weights are the last finite ones. Raises ValueError for an unknown carry.
    """
    check_rule(rule)
    n_steps = trials.inputs.shape[1]
    n_trials = len(trials.order)
    width = work.width if trials.reset_state else 1
    readout = rates.w_out != 0.0
    # the exact gradient of a readout that is fed back needs the recurrent one
    through_readout = rule.carry == FULL and weights.output_feedback and readout
    recurrent = rates.w_in != 0.0 or rates.w_rec != 0.0 or through_readout
    for first in range(0, n_trials, trials.batch):
        after = first + trials.batch
        alignment = alignment_of(weights)
        for k in range(first, after):
            record.alignment[k] = alignment
        prepare(weights, rule, recurrent, work)
        finite = True
        for begin in range(first, after, width):
            group = min(width, after - begin)
            n_group = steps_of(trials.lengths, trials.order, begin, group, n_steps)
            for q in range(group):
                start_trial(work.sources, q * work.source_row, work.source_row, weights.state, weights.n_rec)
            advance(weights, trials, begin, group, rule, record.loss, work)
            weigh_errors(trials.lengths, trials.order, begin, group, n_steps, weights.w_out.shape[0], work.errors)
            for k in range(begin, begin + group):
                finite = finite and isfinite(record.loss[k])
            if not trials.reset_state:
                copy_part(work.sources, n_group * work.source_row, weights.state, 0, weights.n_rec)
            if finite:
                assign_credit(weights, trials, begin, rule, n_group, group, recurrent, readout, work)
        if not finite:
            return first
        if through_readout:
            add_feedback_path(weights, work.updates)
        if not apply_batch(rates, weights, work.updates, n_steps):
            return first
    return n_trials


@kernel
def gradient(weights: Weights, trials: Trials, rule: Rule, record: Record, updates: Updates, work: Workspace) -> None:
    """Fill `updates` with the update of the first trial at learning rate 1, and ``record.loss[0]`` with its L, Eq. 2.

    With the full carry and symmetric feedback it is the exact gradient of -L. Raises ValueError for an unknown carry.
    """
    check_rule(rule)
    n_steps = trials.inputs.shape[1]
    prepare(weights, rule, True, work)
    start_trial(work.sources, 0, work.source_row, weights.state, weights.n_rec)
    advance(weights, trials, 0, 1, rule, record.loss, work)
    assign_credit(weights, trials, 0, rule, n_steps, 1, True, True, work)
    if rule.carry == FULL and weights.output_feedback:
        add_feedback_path(weights, work.updates)
    apply_mask(weights.units, work.updates)
    scale(work.updates.m, 1.0 / n_steps, updates.m)
    scale(work.updates.w_out, 1.0 / n_steps, updates.w_out)
