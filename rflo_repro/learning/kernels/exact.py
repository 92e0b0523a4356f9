"""Real-time recurrent learning, Eq. 3-4 and 11 with x(t) in the input sensitivity: the oracle, N^4 a step."""

from __future__ import annotations

from math import isfinite

from .credit import add_feedback_path
from .dynamics import readout, start_preactivation, start_trial, steps_of, update_effective_weights
from .layout import FULL, LANES, ExactWorkspace, Optimizer, Rates, Record, Rule, Trials, Updates, Weights
from .losses import put_errors, twice_loss
from .optimizers import apply_batch
from .products import Extent, Rows, Scalars, products
from .unit import gain_of, leak_of, unit_steps
from .updates import alignment_of, apply_mask
from .vector import clear, copy, copy_part, fma, kernel, lane_sum, load, scale, splat, store


@kernel
def check_exact(rule: Rule) -> None:
    """Raises ValueError for a rule that real-time recurrent learning does not compute."""
    if rule.carry != FULL or not rule.symmetric:
        raise ValueError("real-time recurrent learning has the full carry and symmetric feedback alone")


@kernel
def run_exact(weights: Weights, trials: Trials, k_trial: int, work: ExactWorkspace) -> float:
    """Add T times the exact update of trial `k_trial` to ``work.updates``.

    ``work.state`` goes from the start of the trial to its end. Returns L, Eq. 2.
    """
    inputs, targets, trial = trials.inputs, trials.targets, trials.order[k_trial]
    n_steps, n_in = steps_of(trials.lengths, trials.order, k_trial, 1, inputs.shape[1]), inputs.shape[2]
    n_rows, row = weights.m.shape
    n_rec, units, effective, w_out = weights.n_rec, weights.units, weights.effective, weights.w_out
    dm, dw_out = work.updates.m, work.updates.w_out
    sensitivity, through, sources = work.sensitivity, work.through, work.sources
    u, gain, credit, errors = work.u, work.gain, work.credit, work.errors
    clear(sensitivity)
    before, after = 0, work.source_row
    start_trial(sources, before, work.source_row, work.state, n_rec)
    loss = 0.0
    for t in range(n_steps):
        for c in range(n_in):
            sources[before + n_rec + c] = inputs[trial, t, c]
        start_preactivation(units, u, trials, k_trial, 1, t, row)
        products(
            u, Rows(0, row), sources, Scalars(before, 1, 0), effective, Rows(0, row), Extent(1, row // LANES, n_rows)
        )
        unit_steps(units, u, 0, sources, before, after, gain, 0, row, True)
        for i in range(0, row, LANES):
            store(gain, i, gain_of(units, sources, before, after, gain, 0, i))
            store(credit, i, splat(0.0))
        for k in range(w_out.shape[0]):
            errors[k] = readout(w_out, k, sources, after)
        twice = put_errors(trials.loss, targets, trial, t, errors, 0)
        for k in range(w_out.shape[0]):
            eps = errors[k]
            loss += twice_loss(trials.loss, eps, k, twice) / (2.0 * n_steps)
            if n_steps < inputs.shape[1]:
                eps *= inputs.shape[1] / n_steps
            for i in range(n_rec):
                credit[i] += w_out[k, i] * eps
                dw_out[k, i] += eps * sources[after + i]
        clear(through)
        products(
            through, Rows(0, row), sensitivity, Scalars(0, 1, row), effective, Rows(0, row),
            Extent(n_rows * n_rec, row // LANES, n_rec),
        )  # fmt: skip
        for j in range(n_rows):
            for r in range(n_rec):
                index = (j * n_rec + r) * row
                for i in range(0, row, LANES):
                    carried = load(gain, i) * load(through, index + i)
                    store(sensitivity, index + i, fma(leak_of(units, i), load(sensitivity, index + i), carried))
                sensitivity[j * n_rec + r, r] += gain[r] * sources[before + j]
                dot = splat(0.0)
                for i in range(0, row, LANES):
                    dot = fma(load(credit, i), load(sensitivity, index + i), dot)
                dm[j, r] += lane_sum(dot)
        before, after = after, before
    copy_part(sources, before, work.state, 0, n_rec)
    return loss


@kernel
def rtrl_gradient(
    weights: Weights, trials: Trials, rule: Rule, record: Record, updates: Updates, work: ExactWorkspace
) -> None:
    """`gradient` of the exact rule, carried forward in time."""
    check_exact(rule)
    n_steps = trials.inputs.shape[1]
    clear(work.updates.m)
    clear(work.updates.w_out)
    copy(weights.state, work.state)
    update_effective_weights(weights)
    record.loss[0] = run_exact(weights, trials, 0, work)
    if weights.output_feedback:
        add_feedback_path(weights, work.updates)
    apply_mask(weights.units, work.updates)
    scale(work.updates.m, 1.0 / n_steps, updates.m)
    scale(work.updates.w_out, 1.0 / n_steps, updates.w_out)


@kernel
def train_exact(
    weights: Weights, trials: Trials, rule: Rule, rates: Rates | Optimizer, record: Record, work: ExactWorkspace
) -> int:
    """Train in place by real-time recurrent learning; as in `train_trials`, but that `work` is from
    `exact_workspace`."""
    check_exact(rule)
    n_steps = trials.inputs.shape[1]
    n_trials = len(trials.order)
    copy(weights.state, work.state)
    for first in range(0, n_trials, trials.batch):
        clear(work.updates.m)
        clear(work.updates.w_out)
        update_effective_weights(weights)
        alignment = alignment_of(weights)
        finite = True
        for k in range(first, first + trials.batch):
            if trials.reset_state:
                copy(weights.state, work.state)
            record.alignment[k] = alignment
            record.loss[k] = run_exact(weights, trials, k, work)
            finite = finite and isfinite(record.loss[k])
        if weights.output_feedback:
            add_feedback_path(weights, work.updates)
        if not (finite and apply_batch(rates, weights, work.updates, n_steps)):
            return first
    if not trials.reset_state:
        copy(work.state, weights.state)
    return n_trials
