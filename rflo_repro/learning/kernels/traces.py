"""The online rule: eligibility traces that run along with the trial, Eq. 5-6, with x(t) in the input trace.

`run_traces` has a whole trial at hand; `steps` does one step of it, for whoever holds the loop.
"""

from __future__ import annotations

from math import isfinite, nan
from typing import Any, NamedTuple

from .credit import copy_diagonal, jacobian_diagonal
from .dynamics import readout, start_preactivation, start_trial
from .layout import (
    DIAGONAL,
    LANES,
    LEAK,
    NONE,
    Array,
    LeastSquares,
    Optimizer,
    Rates,
    Record,
    Rule,
    TraceWorkspace,
    Trials,
    Updates,
    Weights,
)
from .losses import put_errors, twice_loss
from .optimizers import optimize
from .products import Extent, Rows, Scalars, products
from .unit import gain_of, unit_steps
from .updates import alignment_of, all_finite, dale_clipped, mask_readout, masked
from .vector import clear, copy, copy_part, fma, force_inline, kernel, lane_sum, load, specialise, splat, store

ROWS_AT_ONCE = 8  # rows for which the sums over rows are loaded once


@kernel
def check_local(rule: Rule) -> None:
    """Raises ValueError for a carry that eligibility traces do not have."""
    if rule.carry not in (LEAK, NONE, DIAGONAL) or rule.truncation != 0:
        raise ValueError("the carry of this rule has no eligibility trace")


@kernel
def update_decay(weights: Weights, rule: Rule, work: TraceWorkspace) -> None:
    """``C_ii(t)``, by which the traces of a unit decay, with the weights and the gain of this step."""
    w_out, b, decay = weights.w_out, weights.b, work.decay
    if rule.carry == DIAGONAL:
        copy_diagonal(weights.m, decay, weights.n_rec)
        if weights.output_feedback:
            for i in range(weights.n_rec):
                for k in range(w_out.shape[0]):
                    decay[i] += b[k, i] * w_out[k, i]
    for i in range(0, decay.shape[0], LANES):
        store(decay, i, jacobian_diagonal(weights, rule, load(work.gain, i), decay, i))


class Learning(NamedTuple):
    """Rows of `m` from `first` to `last` that learn at this rate."""

    first: int
    last: int
    rate: float


@force_inline
def trace_step(weights: Weights, to: Updates, rows: Learning, before: int, after: int, work: TraceWorkspace) -> None:
    """Traces, weights and the pre-activations of the next step for some rows: Eq. 6, Eq. 5, Eq. 13.

    One pass over memory for all three, which is what bounds this rule. The source vectors of this step are at element
    `before` and those of the next at `after`. A weight that follows Dale's law is clipped, and one without a
    synapse stays zero.
    """
    m, to_m, traces, sources = weights.m, to.m, work.traces, work.sources
    row = m.shape[1]
    for block in range(rows.first, rows.last, ROWS_AT_ONCE):
        for i in range(0, row, LANES):
            u, gain = load(work.u, i), load(work.gain, i)
            credit, decay = splat(rows.rate) * load(work.credit, i), load(work.decay, i)
            for j in range(block, min(block + ROWS_AT_ONCE, rows.last)):
                index = j * row + i
                p = fma(decay, load(traces, index), gain * splat(sources[before + j]))
                store(traces, index, p)
                w = masked(weights.units, j, index, fma(credit, p, load(to_m, index)))
                if j < weights.signs.shape[0]:
                    w = dale_clipped(w, weights.signs[j])
                store(to_m, index, w)
                # read again: `m` may be `to_m`, or not
                u = fma(load(m, index), splat(sources[after + j]), u)
            store(work.u, i, u)


@force_inline
def next_preactivation(weights: Weights, first: int, last: int, after: int, work: TraceWorkspace) -> None:
    """What `trace_step` does to u, for rows that do not learn."""
    row = weights.m.shape[1]
    products(
        work.u, Rows(0, row), work.sources, Scalars(after + first, 1, 0), weights.m, Rows(first * row, row),
        Extent(1, row // LANES, last - first),
    )  # fmt: skip


@force_inline
def update_traces(first: int, last: int, before: int, work: TraceWorkspace) -> None:
    """Eq. 6 for some rows; the source vectors of this step are at element `before`."""
    traces, sources = work.traces, work.sources
    row = traces.shape[1]
    for j in range(first, last):
        source = splat(sources[before + j])
        for i in range(0, row, LANES):
            p = fma(load(work.decay, i), load(traces, j * row + i), load(work.gain, i) * source)
            store(traces, j * row + i, p)


@force_inline
def gather_step(first: int, last: int, to: Updates, work: TraceWorkspace) -> None:
    """The step's term of Eq. 5, without a rate, for some rows."""
    row = work.traces.shape[1]
    for j in range(first, last):
        for i in range(0, row, LANES):
            store(to.m, j * row + i, load(work.credit, i) * load(work.traces, j * row + i))


def _each_step(rates: Any, n_steps: int) -> Any:
    """The rates of one step of a trial: each step's term has the 1/T of the whole."""
    return Rates(rates.w_in / n_steps, rates.w_rec / n_steps, rates.w_out / n_steps)


def _no_rates(rates: Any, n_steps: int) -> Any:
    return rates


def _optimizer_each_step(rates: Any, n_steps: int) -> Any:
    return Optimizer(
        rates.w_in / n_steps, rates.w_rec / n_steps, rates.w_out / n_steps, rates.method, rates.clip,
        rates.weight_decay, rates.beta1, rates.beta2, rates.epsilon, rates.first, rates.second, rates.powers,
    )  # fmt: skip


per_step = specialise(Rates, _each_step, specialise(Optimizer, _optimizer_each_step, _no_rates))


def _no_rls(rates: Any, targets: Array, trial: int, t: int, h: Array, h_at: int) -> None:
    """Before the readout learns in step t: prepare its gain from the state at element `h_at`."""


@kernel
def update_inverse(rates: Any, targets: Array, trial: int, t: int, h: Array, h_at: int) -> None:
    """Recursive least squares: update P and its gain by the state, unless no output has a target."""
    inverse, gain = rates.inverse, rates.gain
    n_rec, row = inverse.shape
    clear(gain)
    wanted = False
    for k in range(targets.shape[2]):
        wanted = wanted or targets[trial, t, k] == targets[trial, t, k]
    if not wanted:
        return
    products(gain, Rows(0, row), h, Scalars(h_at, 1, 0), inverse, Rows(0, row), Extent(1, row // LANES, n_rec))
    dot = splat(0.0)
    for i in range(0, row, LANES):
        dot = fma(load(gain, i), load(h, h_at + i), dot)
    share = 1.0 / (1.0 + lane_sum(dot))
    for j in range(n_rec):
        ph = splat(gain[j])
        for i in range(0, row, LANES):
            # one product for P_ij and P_ji, so that P stays symmetric
            store(inverse, j * row + i, fma(ph * load(gain, i), splat(-share), load(inverse, j * row + i)))
    for i in range(0, row, LANES):
        store(gain, i, splat(share) * load(gain, i))


def _rls_step(rates: Any, targets: Array, trial: int, t: int, h: Array, h_at: int) -> None:
    update_inverse(rates, targets, trial, t, h, h_at)


rls_step = specialise(LeastSquares, _rls_step, _no_rls)


def _by_rate(rates: Any, w_out: Array, k: int, eps: float, h: Array, h_at: int, n_rec: int) -> None:
    """Change the weights of output k by its error: Eq. 5."""
    if rates.w_out != 0.0:
        for i in range(n_rec):
            w_out[k, i] += rates.w_out * eps * h[h_at + i]


def _by_gain(rates: Any, w_out: Array, k: int, eps: float, h: Array, h_at: int, n_rec: int) -> None:
    row = w_out.shape[1]
    for i in range(0, row, LANES):
        store(w_out, k * row + i, fma(splat(eps), load(rates.gain, i), load(w_out, k * row + i)))


def _gathered(rates: Any, w_out: Array, k: int, eps: float, h: Array, h_at: int, n_rec: int) -> None:
    """Row k of the step's update, which the optimiser then takes."""
    for i in range(n_rec):
        w_out[k, i] = eps * h[h_at + i]


learn_readout = specialise(Rates, _by_rate, specialise(LeastSquares, _by_gain, _gathered))


def _one_pass(rates: Any, weights: Weights, to: Updates, before: int, after: int, work: TraceWorkspace) -> bool:
    """Traces, weights and the next pre-activations. Returns whether the weights were changed."""
    n_rec, n_rows = weights.n_rec, weights.m.shape[0]
    for first, last, rate in ((0, n_rec, rates.w_rec), (n_rec, n_rows, rates.w_in)):
        if rate == 0.0:
            next_preactivation(weights, first, last, after, work)
        else:
            trace_step(weights, to, Learning(first, last, rate), before, after, work)
    return True


def _by_optimizer(rates: Any, weights: Weights, to: Updates, before: int, after: int, work: TraceWorkspace) -> bool:
    n_rec, n_rows = weights.n_rec, weights.m.shape[0]
    for first, last, rate in ((0, n_rec, rates.w_rec), (n_rec, n_rows, rates.w_in)):
        if rate != 0.0:
            update_traces(first, last, before, work)
            gather_step(first, last, to, work)
    finite = optimize(rates, weights, to, 1)
    next_preactivation(weights, 0, n_rec, after, work)
    next_preactivation(weights, n_rec, n_rows, after, work)
    return bool(finite)


change_weights = specialise(Optimizer, _by_optimizer, _one_pass)


def _to_weights(rates: Any, weights: Weights, work: TraceWorkspace) -> Updates:
    """Where a step's update goes: into the weights themselves, or, for an optimiser, into an array of its own."""
    return Updates(weights.m, weights.w_out)


def _to_optimizer(rates: Any, weights: Weights, work: TraceWorkspace) -> Updates:
    return work.step


update_target = specialise(Optimizer, _to_optimizer, _to_weights)


@kernel
def run_traces(
    weights: Weights,
    trials: Trials,
    k_trial: int,
    rule: Rule,
    rates: Rates | Optimizer | LeastSquares,
    to: Updates,
    work: TraceWorkspace,
) -> float:
    """Trial `k_trial`; each step's updates, times their rates, are added to `to`.

    To learn online, hand over the weights themselves. Order within a step: forward, error, traces, weights. With
    output feedback what is fed back at t is the output as it was at t-1. ``work.state`` goes from the start of the
    trial to its end. Returns L, Eq. 2; a trial whose L stops being finite ends there.
    """
    inputs, targets, trial = trials.inputs, trials.targets, trials.order[k_trial]
    n_steps, n_in = inputs.shape[1:]
    n_rows, row = weights.m.shape
    n_rec, units, w_out = weights.n_rec, weights.units, weights.w_out
    n_out = w_out.shape[0]
    sources, u, gain, credit, y, errors = work.sources, work.u, work.gain, work.credit, work.y, work.errors
    feedback = w_out if rule.symmetric else weights.b
    clear(work.traces)
    before, after = 0, work.source_row
    start_trial(sources, before, work.source_row, work.state, n_rec)
    for k in range(n_out):
        y[k] = readout(w_out, k, sources, before)
    for c in range(n_in):
        sources[before + n_rec + c] = inputs[trial, 0, c]
    start_preactivation(units, u, trials, k_trial, 1, 0, row)
    next_preactivation(weights, 0, n_rows, before, work)
    update_decay(weights, rule, work)
    loss = 0.0
    for t in range(n_steps):
        if weights.output_feedback:
            for i in range(0, row, LANES):
                fed_back = load(u, i)
                for k in range(n_out):
                    fed_back = fma(splat(y[k]), load(weights.b, k * row + i), fed_back)
                store(u, i, fed_back)
        unit_steps(units, u, 0, sources, before, after, gain, 0, row, True)
        for i in range(0, row, LANES):
            store(gain, i, gain_of(units, sources, before, after, gain, 0, i))
            store(credit, i, splat(0.0))
        start_preactivation(units, u, trials, k_trial, 1, min(t + 1, n_steps - 1), row)
        if rule.carry == DIAGONAL:
            update_decay(weights, rule, work)
        rls_step(rates, targets, trial, t, sources, after)
        for k in range(n_out):
            y[k] = readout(w_out, k, sources, after)
            errors[k] = y[k]
        twice = put_errors(trials.loss, targets, trial, t, errors, 0)
        for k in range(n_out):
            eps = errors[k]
            loss += twice_loss(trials.loss, eps, k, twice) / (2.0 * n_steps)
            for i in range(0, row, LANES):
                store(credit, i, fma(splat(eps), load(feedback, k * row + i), load(credit, i)))
            learn_readout(rates, to.w_out, k, eps, sources, after, n_rec)
            mask_readout(units, to.w_out, k)
        if not isfinite(loss):
            return loss
        # at the end there is no next step: what this writes is then not used
        for c in range(n_in):
            sources[after + n_rec + c] = inputs[trial, min(t + 1, n_steps - 1), c]
        if not change_weights(rates, weights, to, before, after, work):
            return nan
        before, after = after, before
    copy_part(sources, before, work.state, 0, n_rec)
    return loss


@kernel
def train_online(
    weights: Weights,
    trials: Trials,
    rule: Rule,
    rates: Rates | Optimizer | LeastSquares,
    record: Record,
    work: TraceWorkspace,
) -> int:
    """Train in place with an update at every step.

    It is ``(eta/T)`` times the step's term of Eq. 5; or that term by way of an optimiser, at the rate ``eta/T``; or of
    the readout alone, by recursive least squares: ``P <- P - P h h^T P / (1 + h.P h)``, ``Wout <- Wout + eps (P h)^T``
    with the new P.

    Arguments and result as in `train_trials`, but that a batch is one trial and `work` is from `trace_workspace`. If
    something stops being finite, the weights are put back to where the trial in which it happened began.
    """
    check_local(rule)
    n_steps = trials.inputs.shape[1]
    of_step = per_step(rates, n_steps)
    to = update_target(rates, weights, work)
    copy(weights.state, work.state)
    for k in range(len(trials.order)):
        if trials.reset_state:
            copy(weights.state, work.state)
        copy(weights.m, work.before.m)
        copy(weights.w_out, work.before.w_out)
        record.alignment[k] = alignment_of(weights)
        record.loss[k] = run_traces(weights, trials, k, rule, of_step, to, work)
        if not (isfinite(record.loss[k]) and all_finite(weights.m) and all_finite(weights.w_out)):
            copy(work.before.m, weights.m)
            copy(work.before.w_out, weights.w_out)
            return k
    if not trials.reset_state:
        copy(work.state, weights.state)
    return len(trials.order)


@kernel
def trace_gradient(
    weights: Weights, trials: Trials, rule: Rule, record: Record, updates: Updates, work: TraceWorkspace
) -> None:
    """`gradient` of a rule that is local in time, by the trace form: weights held still and the updates gathered."""
    check_local(rule)
    clear(updates.m)
    clear(updates.w_out)
    copy(weights.state, work.state)
    rate = 1.0 / trials.inputs.shape[1]
    record.loss[0] = run_traces(weights, trials, 0, rule, Rates(rate, rate, rate), updates, work)


@kernel
def least_squares_update(
    weights: Weights,
    trials: Trials,
    rule: Rule,
    record: Record,
    updates: Updates,
    fit: LeastSquares,
    work: TraceWorkspace,
) -> None:
    """`gradient` of recursive least squares: by how much one trial changes the readout, which is left changed."""
    clear(updates.m)
    copy(weights.w_out, updates.w_out)
    copy(weights.state, work.state)
    record.loss[0] = run_traces(weights, trials, 0, rule, fit, Updates(weights.m, weights.w_out), work)
    for i in range(0, updates.w_out.size, LANES):
        store(updates.w_out, i, load(weights.w_out, i) - load(updates.w_out, i))
