"""The forward pass, Eq. 1 and 2."""

from __future__ import annotations

from typing import Any

from .estimates import accumulate_with_estimates, estimate_step, start_estimates
from .layout import LANES, NONE, Array, Indices, Record, Rule, Trials, Uoro, Weights, Workspace
from .losses import keep_loss, put_errors, twice_loss
from .products import SHORT, step_product
from .unit import unit_steps
from .vector import clear, copy_part, fma, force_inline, inline_ir, kernel, lane_sum, load, specialise, splat, store


@kernel
def update_effective_weights(weights: Weights) -> None:
    """Recompute ``W + B Wout`` after a change of weights, where the output is fed back; else they are ``W`` itself."""
    m, effective, w_out, b = weights.m, weights.effective, weights.w_out, weights.b
    if not weights.output_feedback:
        return
    row, n_rec = m.shape[1], weights.n_rec
    for j in range(m.shape[0]):
        for i in range(j * row, (j + 1) * row, LANES):
            w = load(m, i)
            if j < n_rec:
                for k in range(w_out.shape[0]):
                    w = fma(splat(w_out[k, j]), load(b, k * row + i - j * row), w)
            store(effective, i, w)


@kernel
def start_trial(sources: Array, index: int, source_row: int, state: Array, n_rec: int) -> None:
    """Fill the source row at element `index` before the first step: the state, then zeros."""
    copy_part(state, 0, sources, index, n_rec)
    for i in range(index + n_rec, index + source_row):
        sources[i] = 0.0


def _zero_preactivation(units: Any, u: Array, trials: Trials, first: int, width: int, t: int, row: int) -> None:
    """Set the pre-activations of trials `first` to ``first + width`` in step t to their noise, or to zero."""
    for i in range(0, width * row, LANES):
        store(u, i, splat(0.0))


def _noise_preactivation(units: Any, u: Array, trials: Trials, first: int, width: int, t: int, row: int) -> None:
    clear(u)
    noise = trials.noise
    if noise.size > 0:
        for q in range(width):
            for i in range(noise.shape[2]):
                u[q * row + i] = noise[first + q, t, i]


start_preactivation = specialise(float, _zero_preactivation, _noise_preactivation)


def _always_zero(units: Any) -> bool:
    """Whether the pre-activations start from zero whatever the trial: units of one time constant have no noise."""
    return True


def _not_always(units: Any) -> bool:
    return False


start_from_zero = specialise(float, _always_zero, _not_always)


def _full_length(lengths: Any, order: Indices, first: int, width: int, n_steps: int) -> int:
    """The timesteps of the longest of trials `first` to ``first + width``, where a trial has at most `n_steps`."""
    return n_steps


def _longest_length(lengths: Any, order: Indices, first: int, width: int, n_steps: int) -> int:
    longest = 0
    for k in range(first, first + width):
        longest = max(longest, lengths[order[k]])
    return longest


steps_of = specialise(float, _full_length, _longest_length)


def _no_weights(lengths: Any, order: Indices, first: int, width: int, n_steps: int, n_out: int, errors: Array) -> None:
    """Scale the errors of each trial shorter than T by T over its own length: the update is divided by T later."""


def _by_length(lengths: Any, order: Indices, first: int, width: int, n_steps: int, n_out: int, errors: Array) -> None:
    for q in range(width):
        own = lengths[order[first + q]]
        for t in range(own):
            for k in range(n_out):
                errors[(t * width + q) * n_out + k] *= n_steps / own


weigh_errors = specialise(float, _no_weights, _by_length)


@force_inline
def readout(w_out: Array, k: int, h: Array, h_at: int) -> float:
    """Output k of Eq. 1 for the state at element `h_at`."""
    row = w_out.shape[1]
    y = splat(0.0)
    for i in range(0, row, LANES):
        y = fma(load(w_out, k * row + i), load(h, h_at + i), y)
    return float(lane_sum(y))


def _accumulate_states(
    estimator: Any, u: Array, sources: Array, before: int, source_row: int, effective: Array, width: int, upwards: bool,
    afresh: bool,
) -> None:  # fmt: skip
    """Add the effective weights times the source rows from element `before` to the pre-activations `u`, or to zero."""
    step_product(u, sources, before, source_row, effective, width, upwards, afresh)


def _no_start(estimator: Any) -> None:
    """Reset the estimates before the first step of a trial, for rules that have some."""


def _no_step(
    estimator: Any, weights: Weights, trials: Trials, first: int, width: int, rule: Rule, t: int, work: Workspace
) -> None:
    """Advance the estimates after step t, for rules that have some."""


accumulate_preactivation = specialise(Uoro, accumulate_with_estimates, _accumulate_states)
begin_estimates = specialise(Uoro, start_estimates, _no_start)
draw = specialise(Uoro, estimate_step, _no_step)


@inline_ir
def advance(weights: Weights, trials: Trials, first: int, width: int, rule: Rule, loss: Array, work: Workspace) -> None:
    """Run trials `first` to ``first + width`` in lockstep, from the states in the first rows of ``work.sources``.

    Fills the sources and errors of `work`, and ``loss[k]`` with L of trial k, Eq. 2. The weights are read once a step,
    for all trials and for the estimates of a stochastic rule.
    """
    inputs, targets, order = trials.inputs, trials.targets, trials.order
    effective, w_out = weights.effective, weights.w_out
    lengths, n_most, n_in = trials.lengths, inputs.shape[1], inputs.shape[2]
    n_steps = steps_of(lengths, order, first, width, n_most)
    n_out, row = w_out.shape
    n_rec = weights.n_rec
    sources, source_row, u, errors = work.sources, work.source_row, work.u, work.errors
    begin_estimates(work.estimator)
    for q in range(width):
        loss[first + q] = 0.0
    for t in range(n_steps):
        before, after = t * width * source_row, (t + 1) * width * source_row
        for q in range(width):
            for c in range(n_in):
                sources[before + q * source_row + n_rec + c] = inputs[order[first + q], t, c]
        upwards, afresh = t % 2 == 0, start_from_zero(weights.units)
        if not afresh:
            start_preactivation(weights.units, u, trials, first, width, t, row)
        accumulate_preactivation(work.estimator, u, sources, before, source_row, effective, width, upwards, afresh)
        in_order = not upwards or row > SHORT * LANES  # a small network's next step waits for what it reads first
        for q in range(width):
            unit_steps(
                weights.units, u, q * row, sources, before + q * source_row, after + q * source_row,
                work.gains, (t * width + q) * row, row, in_order,
            )  # fmt: skip
        for q in range(width):
            index = t * width + q
            for k in range(n_out):
                errors[index * n_out + k] = readout(w_out, k, sources, after + q * source_row)
            twice = put_errors(trials.loss, targets, order[first + q], t, errors, index * n_out)
            keep_loss(trials.loss, work, index, twice)
            for k in range(n_out):
                loss[first + q] += twice_loss(trials.loss, errors[index * n_out + k], k, twice)
        draw(work.estimator, weights, trials, first, width, rule, t, work)
    for q in range(width):
        loss[first + q] /= 2.0 * steps_of(lengths, order, first + q, 1, n_most)


@kernel
def forward(weights: Weights, trials: Trials, record: Record, work: Workspace) -> None:
    """Run trials in lockstep, as many as `work` is wide: states and errors go to `work`, losses to `record`."""
    update_effective_weights(weights)
    for q in range(work.width):
        start_trial(work.sources, q * work.source_row, work.source_row, weights.state, weights.n_rec)
    advance(weights, trials, 0, work.width, Rule(False, NONE), record.loss, work)
