"""The forward pass, Eq. 1 and 2."""

from __future__ import annotations

from typing import Any

from .activation import exp_of_minus, sigmoid, softplus, tanh
from .layout import IDENTITY, LANES, RELU, SIGMOID, SOFTPLUS, TANH, Array, Indices, Record, Trials, Weights, Workspace
from .products import step_product
from .vector import (
    at_least,
    by_kind,
    clear,
    copy_part,
    fma,
    inlined,
    kernel,
    load,
    splat,
    spliced,
    store,
    total,
    where_negative,
)


@kernel
def renew_drive(weights: Weights) -> None:
    """After a change of weights: with ``W + B Wout`` the output that is fed back needs no term of its own."""
    m, drive, w_out, b = weights.m, weights.drive, weights.w_out, weights.b
    if not weights.output_feedback:
        return
    row, n_rec = m.shape[1], weights.n_rec
    for j in range(m.shape[0]):
        for i in range(j * row, (j + 1) * row, LANES):
            w = load(m, i)
            if j < n_rec:
                for k in range(w_out.shape[0]):
                    w = fma(splat(w_out[k, j]), load(b, k * row + i - j * row), w)
            store(drive, i, w)


@kernel
def start_trial(sources: Array, place: int, source_row: int, state: Array, n_rec: int) -> None:
    """The source row at element `place` before the first step: the state, and nothing in the places after it."""
    copy_part(state, 0, sources, place, n_rec)
    for i in range(place + n_rec, place + source_row):
        sources[i] = 0.0


def _tanh_steps(
    units: Any, u: Array, u_at: int, sources: Array, before: int, after: int, slopes: Array, slopes_at: int, row: int
) -> None:
    """``h(t)`` at element `after` of the sources, from ``u(t)`` and the ``h(t-1)`` at element `before`.

    Other units than tanh units with one time constant leave ``phi'(u(t)) / tau`` at element `slopes_at`.
    """
    rate = 1.0 / units
    for i in range(0, row, LANES):
        leaked = splat(1.0 - rate) * load(sources, before + i)
        store(sources, after + i, fma(splat(rate), tanh(load(u, u_at + i)), leaked))


@inlined
def _step_to(
    units: Any, f: Any, slope: Any, i: int, sources: Array, before: int, after: int, slopes: Array, slopes_at: int
) -> None:
    """The step of a vector of units, from their phi(u(t)) and phi'(u(t))."""
    rate = load(units.rate, i)
    store(slopes, slopes_at + i, slope * rate)
    store(sources, after + i, fma(rate, f, load(units.leak, i) * load(sources, before + i)))


@kernel
def other_steps(
    units: Any, u: Array, u_at: int, sources: Array, before: int, after: int, slopes: Array, slopes_at: int, row: int
) -> None:
    """The same for units of any kind, which the table of `layout.PHIS` lists."""
    if units.phi == TANH:
        for i in range(0, row, LANES):
            f = tanh(load(u, u_at + i))
            _step_to(units, f, splat(1.0) - f * f, i, sources, before, after, slopes, slopes_at)
    elif units.phi == RELU:
        for i in range(0, row, LANES):
            x = load(u, u_at + i)
            slope = where_negative(splat(0.0) - x, splat(1.0), splat(0.0))  # at zero it is zero
            _step_to(units, at_least(x, splat(0.0)), slope, i, sources, before, after, slopes, slopes_at)
    elif units.phi == SOFTPLUS:
        for i in range(0, row, LANES):
            x = load(u, u_at + i)
            e = exp_of_minus(x)
            _step_to(units, softplus(x, e), sigmoid(x, e), i, sources, before, after, slopes, slopes_at)
    elif units.phi == SIGMOID:
        for i in range(0, row, LANES):
            x = load(u, u_at + i)
            e = exp_of_minus(x)
            f = sigmoid(x, e)
            # (1 - f) of large f would lose what e has kept
            slope = e / ((splat(1.0) + e) * (splat(1.0) + e))
            _step_to(units, f, slope, i, sources, before, after, slopes, slopes_at)
    elif units.phi == IDENTITY:
        for i in range(0, row, LANES):
            _step_to(units, load(u, u_at + i), splat(1.0), i, sources, before, after, slopes, slopes_at)
    else:
        raise ValueError("this activation function has no kernel")


def _other_steps(
    units: Any, u: Array, u_at: int, sources: Array, before: int, after: int, slopes: Array, slopes_at: int, row: int
) -> None:
    other_steps(units, u, u_at, sources, before, after, slopes, slopes_at, row)


unit_steps = by_kind(float, _tanh_steps, _other_steps)


def _tanh_gain(units: Any, sources: Array, before: int, after: int, slopes: Array, slopes_at: int, i: int) -> Any:
    """``phi'(u(t)) / tau`` of the vector of units at i, from ``h(t-1)`` and ``h(t)``.

    Undoing the leak gives phi(u) back to rounding, for less than it costs to keep phi'(u) in memory from the way
    forward to the way back. Not below zero, whatever stands in the padding. Other units have kept it.
    """
    f = splat(units) * load(sources, after + i) - splat(units - 1.0) * load(sources, before + i)
    return at_least(splat(1.0) - f * f, splat(0.0)) * splat(1.0 / units)


def _other_gain(units: Any, sources: Array, before: int, after: int, slopes: Array, slopes_at: int, i: int) -> Any:
    return load(slopes, slopes_at + i)


gain = by_kind(float, _tanh_gain, _other_gain)


def _one_leak(units: Any, i: int) -> Any:
    """``1 - 1/tau`` of the vector of units at i."""
    return splat(1.0 - 1.0 / units)


def _each_leak(units: Any, i: int) -> Any:
    return load(units.leak, i)


leak_of = by_kind(float, _one_leak, _each_leak)


def _quiet(units: Any, u: Array, trials: Trials, first: int, width: int, t: int, row: int) -> None:
    """What drives the units of trials `first` to ``first + width`` in step t before anything else does."""
    for i in range(0, width * row, LANES):
        store(u, i, splat(0.0))


def _noisy(units: Any, u: Array, trials: Trials, first: int, width: int, t: int, row: int) -> None:
    clear(u)
    noise = trials.noise
    if noise.size > 0:
        for q in range(width):
            for i in range(noise.shape[2]):
                u[q * row + i] = noise[first + q, t, i]


start_drive = by_kind(float, _quiet, _noisy)


@inlined
def error(target: float, y: float) -> float:
    """``eps`` of an output: none where there is no target."""
    return target - y if target == target else 0.0


def _all_steps(lengths: Any, order: Indices, first: int, width: int, n_steps: int) -> int:
    """The timesteps of the longest of trials `first` to ``first + width``, where a trial has at most `n_steps`."""
    return n_steps


def _most_steps(lengths: Any, order: Indices, first: int, width: int, n_steps: int) -> int:
    longest = 0
    for k in range(first, first + width):
        longest = max(longest, lengths[order[k]])
    return longest


steps_of = by_kind(float, _all_steps, _most_steps)


def _alike(lengths: Any, order: Indices, first: int, width: int, n_steps: int, n_out: int, errors: Array) -> None:
    """After `advance`: of a trial shorter than T, errors as much larger as its own 1/T is than the one to come."""


def _weighed(lengths: Any, order: Indices, first: int, width: int, n_steps: int, n_out: int, errors: Array) -> None:
    for q in range(width):
        own = lengths[order[first + q]]
        for t in range(own):
            for k in range(n_out):
                errors[(t * width + q) * n_out + k] *= n_steps / own


weigh_errors = by_kind(float, _alike, _weighed)


@inlined
def readout(w_out: Array, k: int, h: Array, h_at: int) -> float:
    """Output k of Eq. 1 for the state at element `h_at`."""
    row = w_out.shape[1]
    y = splat(0.0)
    for i in range(0, row, LANES):
        y = fma(load(w_out, k * row + i), load(h, h_at + i), y)
    return float(total(y))


@spliced
def advance(weights: Weights, trials: Trials, first: int, width: int, loss: Array, work: Workspace) -> None:
    """Run trials `first` to ``first + width`` in lockstep, from the states in the first rows of ``work.sources``.

    Fills the sources and errors of `work`, and ``loss[k]`` with L of trial k, Eq. 2. All trials of a step share one
    reading of the weights.
    """
    inputs, targets, order = trials.inputs, trials.targets, trials.order
    drive, w_out = weights.drive, weights.w_out
    lengths, n_most, n_in = trials.lengths, inputs.shape[1], inputs.shape[2]
    n_steps = steps_of(lengths, order, first, width, n_most)
    n_out, row = w_out.shape
    n_rec = weights.n_rec
    sources, source_row, u, errors = work.sources, work.source_row, work.u, work.errors
    for q in range(width):
        loss[first + q] = 0.0
    for t in range(n_steps):
        before, after = t * width * source_row, (t + 1) * width * source_row
        for q in range(width):
            for c in range(n_in):
                sources[before + q * source_row + n_rec + c] = inputs[order[first + q], t, c]
        start_drive(weights.units, u, trials, first, width, t, row)
        step_product(u, sources, before, source_row, drive, width, t % 2 == 0)
        for q in range(width):
            unit_steps(
                weights.units, u, q * row, sources, before + q * source_row, after + q * source_row,
                work.slopes, (t * width + q) * row, row,
            )  # fmt: skip
        for q in range(width):
            for k in range(n_out):
                y = readout(w_out, k, sources, after + q * source_row)
                eps = error(targets[order[first + q], t, k], y)
                errors[(t * width + q) * n_out + k] = eps
                loss[first + q] += eps * eps
    for q in range(width):
        loss[first + q] /= 2.0 * steps_of(lengths, order, first + q, 1, n_most)


@kernel
def forward(weights: Weights, trials: Trials, record: Record, work: Workspace) -> None:
    """Run one trial a place of the lockstep: states and errors stand in `work`, losses in `record`."""
    renew_drive(weights)
    for q in range(work.width):
        start_trial(work.sources, q * work.source_row, work.source_row, weights.state, weights.n_rec)
    advance(weights, trials, 0, work.width, record.loss, work)
