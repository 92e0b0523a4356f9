"""One timestep at a time: what `traces.run_traces` does within a trial, for whoever holds the loop.

A call is most of the cost of a small network's step, and a call takes longer the more arrays it is given. So all arrays
of a learner are one array, `memory`, and whole numbers say where each part of it begins and how long it is.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from .dynamics import readout, start_trial
from .layout import (
    DIAGONAL,
    LANES,
    Array,
    Indices,
    LeastSquares,
    Optimizer,
    Rates,
    Rule,
    TraceWorkspace,
    Units,
    Updates,
    Weights,
    aligned_zeros,
    padded,
)
from .layout import (
    METHODS as METHODS,
)
from .losses import error, put_errors
from .optimizers import optimize
from .traces import Learning, gather_step, next_preactivation, trace_step, update_decay, update_inverse, update_traces
from .unit import gain_of, unit_steps
from .updates import dale_clipped, mask_readout, masked
from .vector import clear, fma, force_inline, inline_ir, kernel, lane_sum, load, specialise, splat, store

# Whole numbers of a learner, before where its parts are
(
    N_REC, ROW, SOURCE_ROW, PARITY, SYMMETRIC, CARRY, FEEDBACK, METHOD,
    TRAINS_REC, TRAINS_IN,  # whether rows have traces, whatever their rate is just now
    PENDING, READY,  # whether the traces of the last step wait for `learn`, and whether u has what h(t) adds to it
    N_NUMBERS,
) = range(13)  # fmt: skip
# Its parts, in the order of memory
(
    M, W_OUT, B, STATE, SIGNS, RATE, LEAK, MASK, OUT_MASK, SOURCES, U, GAIN, CREDIT, DECAY, Y, TRACES, STEP_M,
    STEP_W_OUT, FIRST_M, FIRST_W_OUT, SECOND_M, SECOND_W_OUT, POWERS, INVERSE, RLS_GAIN, SCALARS,
) = range(26)  # fmt: skip
# Its other numbers, in the part SCALARS
W_IN_RATE, W_REC_RATE, W_OUT_RATE, CLIP, WEIGHT_DECAY, BETA1, BETA2, EPSILON, TRACE_TAU, LOSS, N_SCALARS = range(11)


def learner(
    weights: Weights, rule: Rule, trains: tuple[bool, bool], moments: bool, inverse: bool
) -> tuple[Array, Indices]:
    """Memory of a learner with these weights, and where its parts are in it.

    trains: whether the recurrent and the input weights are trained. moments: whether there is room for those of an
    optimiser. inverse: for that of recursive least squares.
    """
    n_rows, row = weights.m.shape
    n_rec, n_out = weights.n_rec, len(weights.w_out)
    source_row = padded(n_rows)
    general = isinstance(weights.units, Units)
    signs, mask = weights.signs, weights.units.mask if isinstance(weights.units, Units) else np.zeros((0, row))
    out_mask = weights.units.out_mask if isinstance(weights.units, Units) else np.zeros((0, row))
    matrix, read = n_rows * row, n_out * row
    extra, fit = (matrix, read) if moments else (0, 0), n_rec * row if inverse else 0
    lengths = [
        matrix, read, read, row, signs.size, row * general, row * general, mask.size, out_mask.size, 2 * source_row,
        row, row, row, row, n_out, matrix, *((matrix, read) if moments else (0, 0)), *extra, *extra, 2, fit,
        row * inverse, N_SCALARS,
    ]  # fmt: skip
    starts = np.cumsum([0, *(padded(n) for n in lengths)])
    (memory,) = aligned_zeros((int(starts[-1]),))
    numbers = [n_rec, row, source_row, 0, rule.symmetric, rule.carry, weights.output_feedback, 0, *trains, 0, 0]
    places = np.array([*numbers, *np.column_stack([starts[:-1], lengths]).ravel()], dtype=np.int64)
    given = {M: weights.m, W_OUT: weights.w_out, B: weights.b, STATE: weights.state, SIGNS: signs, MASK: mask}
    given[OUT_MASK] = out_mask
    if isinstance(weights.units, Units):
        given |= {RATE: weights.units.rate, LEAK: weights.units.leak}
    for k, values in given.items():
        part(memory, places, k)[:] = values.ravel()
    part(memory, places, SCALARS)[TRACE_TAU] = rule.trace_tau
    return memory, places


def part(memory: Array, places: Indices, k: int) -> Array:
    """One part of a learner's memory, as a vector."""
    start, length = places[N_NUMBERS + 2 * k], places[N_NUMBERS + 2 * k + 1]
    return memory[start : start + length]


_part = inline_ir(part)


@inline_ir
def _rows(memory: Array, places: Indices, k: int, row: int) -> Array:
    vector = _part(memory, places, k)
    return vector.reshape((vector.shape[0] // row, row))


def _same_units(units: Any, memory: Array, places: Indices, row: int) -> Any:
    return units


def _units_in(units: Any, memory: Array, places: Indices, row: int) -> Any:
    return Units(
        units, _part(memory, places, RATE), _part(memory, places, LEAK), _rows(memory, places, MASK, row),
        _rows(memory, places, OUT_MASK, row),
    )  # fmt: skip


# tanh units with one time constant are given by it, and others by the number of their phi
units_of = specialise(float, _same_units, _units_in)


@inline_ir
def _weights(units: Any, memory: Array, places: Indices) -> Weights:
    row = places[ROW]
    m = _rows(memory, places, M, row)
    return Weights(
        places[N_REC], m, m, _rows(memory, places, W_OUT, row), _rows(memory, places, B, row),
        _part(memory, places, SIGNS), _part(memory, places, STATE), units_of(units, memory, places, row),
        places[FEEDBACK] != 0,
    )  # fmt: skip


@inline_ir
def _work(memory: Array, places: Indices) -> TraceWorkspace:
    row = places[ROW]
    step = Updates(_rows(memory, places, STEP_M, row), _rows(memory, places, STEP_W_OUT, row))
    return TraceWorkspace(
        places[SOURCE_ROW], _part(memory, places, SOURCES), _part(memory, places, U), _part(memory, places, GAIN),
        _part(memory, places, CREDIT), _part(memory, places, DECAY), _part(memory, places, Y), _part(memory, places, Y),
        _part(memory, places, STATE), _rows(memory, places, TRACES, row), step, step,
    )  # fmt: skip


@inline_ir
def _rule(memory: Array, places: Indices) -> Rule:
    return Rule(places[SYMMETRIC] != 0, places[CARRY], _part(memory, places, SCALARS)[TRACE_TAU])


@inline_ir
def _rates(memory: Array, places: Indices) -> Rates:
    scalars = _part(memory, places, SCALARS)
    return Rates(scalars[W_IN_RATE], scalars[W_REC_RATE], scalars[W_OUT_RATE])


@kernel
def start(memory: Array, places: Indices, units: Any) -> None:
    """Before the first step: the state at its start, its outputs, and no trace."""
    weights, work = _weights(units, memory, places), _work(memory, places)
    places[PARITY] = places[PENDING] = places[READY] = 0
    clear(work.traces)
    start_trial(work.sources, 0, work.source_row, weights.state, weights.n_rec)
    for k in range(weights.w_out.shape[0]):
        work.y[k] = readout(weights.w_out, k, work.sources, 0)
    update_decay(weights, _rule(memory, places), work)


@force_inline
def _settle(places: Indices, weights: Weights, work: TraceWorkspace) -> None:
    """Update the traces of the last step, if they still wait for it."""
    last = (1 - places[PARITY]) * work.source_row
    if places[PENDING] != 0:
        places[PENDING] = 0
        if places[TRAINS_REC] != 0:
            update_traces(0, weights.n_rec, last, work)
        if places[TRAINS_IN] != 0:
            update_traces(weights.n_rec, weights.m.shape[0], last, work)


@kernel
def take_step(memory: Array, places: Indices, units: Any, x: Array, noise: Array) -> bool:
    """State, traces and outputs one step on, Eq. 1 and 6. noise: (N,), of `Units`, or (0,).

    Returns False, and changes nothing, for inputs that are not finite.
    """
    weights, work = _weights(units, memory, places), _work(memory, places)
    sources, u, gain, n_rec = work.sources, work.u, work.gain, weights.n_rec
    n_rows, row = weights.m.shape
    for c in range(x.shape[0]):
        if not isfinite(x[c]):
            return False
    _settle(places, weights, work)
    before, after = places[PARITY] * work.source_row, (1 - places[PARITY]) * work.source_row
    for c in range(x.shape[0]):
        sources[before + n_rec + c] = x[c]
    if x.shape[0] < n_rows - n_rec:  # the input of a bias
        sources[before + n_rows - 1] = 1.0
    if places[READY] == 0 or noise.shape[0] > 0:
        clear(u)
        for i in range(noise.shape[0]):
            u[i] = noise[i]
        next_preactivation(weights, 0, n_rec, before, work)
    next_preactivation(weights, n_rec, n_rows, before, work)
    if weights.output_feedback:
        for i in range(0, row, LANES):
            fed_back = load(u, i)
            for k in range(work.y.shape[0]):
                fed_back = fma(splat(work.y[k]), load(weights.b, k * row + i), fed_back)
            store(u, i, fed_back)
    unit_steps(weights.units, u, 0, sources, before, after, gain, 0, row, True)
    for i in range(0, row, LANES):
        store(gain, i, gain_of(weights.units, sources, before, after, gain, 0, i))
    if places[CARRY] == DIAGONAL:
        update_decay(weights, _rule(memory, places), work)
    for k in range(work.y.shape[0]):
        work.y[k] = readout(weights.w_out, k, sources, after)
    places[PARITY] = 1 - places[PARITY]
    # `learn` updates them in the pass over memory in which it changes the weights; without it the next step does
    places[PENDING], places[READY] = 1, 0
    return True


LEARNED, NO_ERROR, EXPLODED = range(3)
"""What a call that learns returns: the last two, that an error was not finite and nothing changed, or that a weight is
not."""


@force_inline
def _error_at(target: Array, is_error: bool, y: Array, k: int) -> float:
    eps = target[k] if is_error else error(target[k], y[k])
    return eps if eps == eps else 0.0 * y[k]


@force_inline
def _loss(memory: Array, places: Indices, target: Array, is_error: bool) -> float:
    """Half the squared error of this step, which is left in memory too."""
    y, loss = _part(memory, places, Y), 0.0
    for k in range(y.shape[0]):
        eps = _error_at(target, is_error, y, k)
        loss += eps * eps / 2.0
    _part(memory, places, SCALARS)[LOSS] = loss
    return loss


@force_inline
def _add_credit(weights: Weights, places: Indices, k: int, eps: float, work: TraceWorkspace) -> None:
    """``F eps`` of output k, Eq. 5."""
    feedback = weights.w_out if places[SYMMETRIC] != 0 else weights.b
    row = feedback.shape[1]
    for i in range(0, row, LANES):
        store(work.credit, i, fma(splat(eps), load(feedback, k * row + i), load(work.credit, i)))


@force_inline
def _change_rows(weights: Weights, rows: Learning, work: TraceWorkspace, check: Any) -> Any:
    """Eq. 5 for some rows, whose traces are those of this step. Returns `check`, plus NaN where a weight is not
    finite."""
    m, row = weights.m, weights.m.shape[1]
    for j in range(rows.first, rows.last if rows.rate != 0.0 else rows.first):
        for i in range(0, row, LANES):
            index = j * row + i
            w = fma(splat(rows.rate) * load(work.credit, i), load(work.traces, index), load(m, index))
            w = masked(weights.units, j, index, w)
            if j < weights.signs.shape[0]:
                w = dale_clipped(w, weights.signs[j])
            store(m, index, w)
            check = fma(w, splat(0.0), check)
    return check


@kernel
def softmax_errors(target: Array, eps: Array) -> float:
    """Put the errors of the softmax, for targets (n_out,) that are probabilities, in the place of the outputs `eps`.
    Returns the cross-entropy."""
    return put_errors(True, target.reshape((1, 1, target.shape[0])), 0, 0, eps, 0) / 2.0


@kernel
def learn_step(memory: Array, places: Indices, units: Any, target: Array, is_error: bool) -> int:
    """Change the weights by the step's term of Eq. 5, at the rates in memory. target: (n_out,), or the error itself;
    NaN: none. Returns `LEARNED` or what is wrong."""
    weights, work, rates = _weights(units, memory, places), _work(memory, places), _rates(memory, places)
    if not isfinite(_loss(memory, places, target, is_error)):
        return NO_ERROR
    m, w_out, h_at = weights.m, weights.w_out, places[PARITY] * work.source_row
    n_rec, (n_rows, row) = weights.n_rec, m.shape
    clear(work.credit)
    for k in range(w_out.shape[0]):
        eps = _error_at(target, is_error, work.y, k)
        _add_credit(weights, places, k, eps, work)
        if rates.w_out != 0.0:
            for i in range(n_rec):
                w_out[k, i] += rates.w_out * eps * work.sources[h_at + i]
            mask_readout(weights.units, w_out, k)
    check = splat(0.0)
    if places[PENDING] != 0 and rates.w_rec != 0.0:
        last = work.source_row - h_at
        clear(work.u)
        trace_step(weights, Updates(m, w_out), Learning(0, n_rec, rates.w_rec), last, h_at, work)
        if places[TRAINS_IN] != 0:
            update_traces(n_rec, n_rows, last, work)
        for i in range(0, row, LANES):  # a weight that is not finite makes some u so
            check = fma(load(work.u, i), splat(0.0), check)
        places[PENDING], places[READY] = 0, 1
    else:
        _settle(places, weights, work)
        check = _change_rows(weights, Learning(0, n_rec, rates.w_rec), work, check)
        places[READY] = 0
    check = _change_rows(weights, Learning(n_rec, n_rows, rates.w_in), work, check)
    return LEARNED if lane_sum(check) == 0.0 else EXPLODED


@kernel
def learn_step_by_optimizer(memory: Array, places: Indices, units: Any, target: Array, is_error: bool) -> int:
    """`learn_step` by way of an optimiser, whose moments are in memory."""
    weights, work, rates = _weights(units, memory, places), _work(memory, places), _rates(memory, places)
    row, scalars = places[ROW], _part(memory, places, SCALARS)
    if not isfinite(_loss(memory, places, target, is_error)):
        return NO_ERROR
    h_at, n_rec, n_rows = places[PARITY] * work.source_row, weights.n_rec, weights.m.shape[0]
    clear(work.credit)
    for k in range(weights.w_out.shape[0]):
        eps = _error_at(target, is_error, work.y, k)
        _add_credit(weights, places, k, eps, work)
        for i in range(n_rec):
            work.step.w_out[k, i] = eps * work.sources[h_at + i]
    _settle(places, weights, work)
    for first, last, rate in ((0, n_rec, rates.w_rec), (n_rec, n_rows, rates.w_in)):
        if rate != 0.0:
            gather_step(first, last, work.step, work)
    optimizer = Optimizer(
        rates.w_in, rates.w_rec, rates.w_out, places[METHOD], scalars[CLIP], scalars[WEIGHT_DECAY], scalars[BETA1],
        scalars[BETA2], scalars[EPSILON],
        Updates(_rows(memory, places, FIRST_M, row), _rows(memory, places, FIRST_W_OUT, row)),
        Updates(_rows(memory, places, SECOND_M, row), _rows(memory, places, SECOND_W_OUT, row)),
        _part(memory, places, POWERS),
    )  # fmt: skip
    return LEARNED if optimize(optimizer, weights, work.step, 1) else EXPLODED


@kernel
def learn_step_by_least_squares(memory: Array, places: Indices, units: Any, target: Array, is_error: bool) -> int:
    """`learn_step` of the readout alone, by recursive least squares."""
    weights, work = _weights(units, memory, places), _work(memory, places)
    row, h_at = places[ROW], places[PARITY] * work.source_row
    if not isfinite(_loss(memory, places, target, is_error)):
        return NO_ERROR
    fit = LeastSquares(_rows(memory, places, INVERSE, row), _part(memory, places, RLS_GAIN))
    update_inverse(fit, target.reshape((1, 1, target.shape[0])), 0, 0, work.sources, h_at)
    check = splat(0.0)
    for k in range(weights.w_out.shape[0]):
        eps = splat(_error_at(target, is_error, work.y, k))
        for i in range(0, row, LANES):
            w = fma(eps, load(fit.gain, i), load(weights.w_out, k * row + i))
            store(weights.w_out, k * row + i, w)
            check = fma(w, splat(0.0), check)
    return LEARNED if lane_sum(check) == 0.0 else EXPLODED
