"""Node perturbation: noise on the units, weighed by the advantage, the change of the reward that it brings (Eq. 8).

With xi(t) of independent signs and ``sigma xi(t)`` added to u(t), R(t) = -|eps(t)|^2 / 2 of that run and Rbar(t) of one
that is not perturbed,

    dM = (1 / sigma) sum_t [R(t) - Rbar(t)] E(t),      E(t) = C E(t-1) + xi(t) s(t)^T,      s(t) = [h(t-1) | x(t)]

is T times the update, or, with one reward a trial, ``(1 / sigma) sum_t [R(t) - Rbar(t)] E(T)``. The sums over time are
swapped here as in `credit`: ``z(t) = C z(t+1) + R(t) - Rbar(t)`` and ``dM = (1 / sigma) sum_t [z(t) * xi(t)] s(t)^T``.
"""

from __future__ import annotations

from math import isfinite

from .credit import add_feedback_path
from .dynamics import advance, start_trial, steps_of, update_effective_weights, weigh_errors
from .layout import (
    FULL,
    LANES,
    LEAK,
    NONE,
    TERMS_AT_ONCE,
    Array,
    Bits,
    Optimizer,
    Perturbation,
    Rates,
    Record,
    RewardWorkspace,
    Rule,
    Trials,
    Updates,
    Weights,
)
from .losses import reward
from .optimizers import apply_batch
from .products import Rows, Scalars, history_product
from .unit import leak_of
from .updates import alignment_of, apply_mask
from .vector import clear, copy_part, fma, force_inline, kernel, load, scale, splat, store


@kernel
def compute_decay(weights: Weights, rule: Perturbation, decay: Array) -> None:
    """C, a number for each unit. Raises ValueError for a carry that node perturbation does not have."""
    if rule.carry not in (LEAK, FULL, NONE):
        raise ValueError("the carry of this rule has no reward")
    for i in range(0, decay.size, LANES):
        if rule.carry == FULL:
            store(decay, i, splat(1.0))
        elif rule.carry == NONE:
            store(decay, i, splat(0.0))
        elif rule.trace_tau != 0.0:
            store(decay, i, splat(1.0 - 1.0 / rule.trace_tau))
        else:
            store(decay, i, leak_of(weights.units, i))


@force_inline
def sign(signs: Bits, k: int, t: int, draw: int, i: int) -> float:
    """``xi_i(t)`` of a draw in trial k."""
    return 1.0 - 2.0 * float((signs[k, t, draw, i // 8] >> (i % 8)) & 1)


@kernel
def perturb(trials: Trials, begin: int, width: int, draw: int, sigma: float, noise: Array) -> None:
    """The noise of trials `begin` to ``begin + width``: their own, if there is any, and sigma xi."""
    for q in range(width):
        for t in range(noise.shape[1]):
            for i in range(noise.shape[2]):
                fixed = trials.noise[begin + q, t, i] if trials.noise.size > 0 else 0.0
                noise[q, t, i] = fixed + sigma * sign(trials.signs, begin + q, t, draw, i)


@kernel
def run_from_start(
    weights: Weights, trials: Trials, first: int, width: int, loss: Array, work: RewardWorkspace
) -> None:
    """`advance`, from the initial state of the trials."""
    runs = work.runs
    for q in range(width):
        start_trial(runs.sources, q * runs.source_row, runs.source_row, weights.state, weights.n_rec)
    advance(weights, trials, first, width, Rule(False, NONE), loss, runs)


@kernel
def compute_advantages(trials: Trials, begin: int, width: int, n_out: int, at_end: bool, work: RewardWorkspace) -> None:
    """``R(t) - Rbar(t)``, or at the end of each trial their sum. A trial shorter than T has its own 1/T."""
    n_steps = trials.inputs.shape[1]
    baseline, advantages = work.baseline, work.advantages
    for q in range(width):
        own = steps_of(trials.lengths, trials.order, begin + q, 1, n_steps)
        whole = 0.0
        for t in range(n_steps):
            index = t * width + q
            advantage = 0.0
            if t < own:
                advantage = (reward(trials.loss, work.runs, index, n_out) - baseline[index]) * (n_steps / own)
            whole += advantage
            advantages[index] = 0.0 if at_end else advantage
        if at_end:
            advantages[(own - 1) * width + q] = whole


@kernel
def credit_advantages(
    weights: Weights,
    trials: Trials,
    begin: int,
    width: int,
    draw: int,
    share: float,
    n_steps: int,
    work: RewardWorkspace,
) -> None:
    """Add `share` times ``sum_t [z(t) * xi(t)] s(t)^T`` of the trials that were perturbed to the updates."""
    runs, advantages, decay = work.runs, work.advantages, work.decay
    z, credit = runs.z, runs.credit
    n_rec, row = weights.n_rec, decay.size
    clear(z)
    stretch = max(1, TERMS_AT_ONCE // width)
    last = n_steps
    while last > 0:
        first = max(0, last - stretch)
        for t in range(last - 1, first - 1, -1):
            for q in range(width):
                advantage = splat(advantages[t * width + q])
                for i in range(0, row, LANES):
                    store(z, q * row + i, fma(load(decay, i), load(z, q * row + i), advantage))
                to = ((t - first) * width + q) * runs.credit_row
                for i in range(n_rec):
                    credit[to + i] = share * z[q, i] * sign(trials.signs, begin + q, t, draw, i)
        history_product(
            runs.updates.m, runs.sources, Scalars(first * width * runs.source_row, runs.source_row, 1),
            credit, Rows(0, runs.credit_row), (last - first) * width,
        )  # fmt: skip
        last = first


@kernel
def learn_from_rewards(
    weights: Weights,
    trials: Trials,
    rule: Perturbation,
    begin: int,
    width: int,
    recurrent: bool,
    readout: bool,
    loss: Array,
    work: RewardWorkspace,
) -> None:
    """Run trials `begin` to ``begin + width`` unperturbed, which gives their loss, and then once for each draw; add T
    times their updates to those of `work`. Its `state` is where an unperturbed trial ended."""
    runs, n_steps, n_out = work.runs, trials.inputs.shape[1], weights.w_out.shape[0]
    n_group = steps_of(trials.lengths, trials.order, begin, width, n_steps)
    run_from_start(weights, trials, begin, width, loss, work)
    copy_part(runs.sources, n_group * width * runs.source_row, work.state, 0, weights.n_rec)
    for k in range(begin, begin + width):
        if not isfinite(loss[k]):
            return
    for index in range(n_group * width):
        work.baseline[index] = reward(trials.loss, runs, index, n_out)
    if readout:
        weigh_errors(trials.lengths, trials.order, begin, width, n_steps, n_out, runs.errors)
        history_product(
            runs.updates.w_out, runs.errors, Scalars(0, n_out, 1),
            runs.sources, Rows(width * runs.source_row, runs.source_row), n_group * width,
        )  # fmt: skip
        # the last vectors of h contain inputs
        for k in range(n_out):
            for i in range(weights.n_rec, work.decay.size):
                runs.updates.w_out[k, i] = 0.0
    if recurrent:
        order = trials.order[begin : begin + width]
        perturbed = Trials(
            trials.inputs, trials.targets, order, width, True, work.noise, trials.lengths, trials.signs, trials.loss
        )  # fmt: skip
        n_draws = trials.signs.shape[2]
        for draw in range(n_draws):
            perturb(trials, begin, width, draw, rule.sigma, work.noise)
            run_from_start(weights, perturbed, 0, width, work.loss, work)
            compute_advantages(trials, begin, width, n_out, rule.at_end, work)
            share = 1.0 / (rule.sigma * n_draws)
            credit_advantages(weights, trials, begin, width, draw, share, n_group, work)


@kernel
def train_rewarded(
    weights: Weights,
    trials: Trials,
    rule: Perturbation,
    rates: Rates | Optimizer,
    record: Record,
    work: RewardWorkspace,
) -> int:
    """Train in place by node perturbation; as in `train_trials`, but that `work` is from `reward_workspace`.

    The readout learns from its error, unperturbed."""
    compute_decay(weights, rule, work.decay)
    n_steps, n_trials, updates = trials.inputs.shape[1], len(trials.order), work.runs.updates
    width = work.runs.width if trials.reset_state else 1
    readout = rates.w_out != 0.0
    through_readout = rule.carry == FULL and weights.output_feedback and readout
    recurrent = rates.w_in != 0.0 or rates.w_rec != 0.0 or through_readout
    for first in range(0, n_trials, trials.batch):
        after = first + trials.batch
        alignment = alignment_of(weights)
        for k in range(first, after):
            record.alignment[k] = alignment
        update_effective_weights(weights)
        clear(updates.m)
        clear(updates.w_out)
        finite = True
        for begin in range(first, after, width):
            group = min(width, after - begin)
            learn_from_rewards(weights, trials, rule, begin, group, recurrent, readout, record.loss, work)
            for k in range(begin, begin + group):
                finite = finite and isfinite(record.loss[k])
            if not trials.reset_state:
                copy_part(work.state, 0, weights.state, 0, weights.n_rec)
        if not finite:
            return first
        if through_readout:
            add_feedback_path(weights, updates)
        if not apply_batch(rates, weights, updates, n_steps):
            return first
    return n_trials


@kernel
def reward_update(
    weights: Weights, trials: Trials, rule: Perturbation, record: Record, updates: Updates, work: RewardWorkspace
) -> None:
    """`gradient` of node perturbation."""
    compute_decay(weights, rule, work.decay)
    n_steps, summed = trials.inputs.shape[1], work.runs.updates
    update_effective_weights(weights)
    clear(summed.m)
    clear(summed.w_out)
    learn_from_rewards(weights, trials, rule, 0, 1, True, True, record.loss, work)
    if rule.carry == FULL and weights.output_feedback:
        add_feedback_path(weights, summed)
    apply_mask(weights.units, summed)
    scale(summed.m, 1.0 / n_steps, updates.m)
    scale(summed.w_out, 1.0 / n_steps, updates.w_out)
