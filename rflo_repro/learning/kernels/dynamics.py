"""The forward pass, Eq. 1 and 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from .activation import tanh
from .layout import LANES, Array, Indices
from .products import four_sums, is_near, one_sum, step_product
from .vector import at_least, copy_part, fma, inlined, kernel, load, splat, store, total


@kernel
def forward(
    m: Array,
    w_out: Array,
    b: Array,
    h_start: Array,
    inputs: Array,
    tau: float,
    output_feedback: bool,
    h: Array,
    y: Array,
) -> None:
    """Run one trial, Eq. 1: fill `h` (T, n_rec) and `y` (T, n_out) from `inputs` (T, n_in), `h_start` (padded,).

    With `output_feedback` the output of the step before is fed back through `b`: ``u(t) += B y(t-1)``.
    """
    n_steps, n_in = inputs.shape
    n_rec = m.shape[0] - n_in
    n_out, row = w_out.shape
    source_row = row + n_in
    drive = m
    if output_feedback:
        drive = np.empty_like(m)
        effective_weights(m, w_out, b, n_rec, drive)
    sources = np.zeros((n_steps + 1) * source_row)
    errors = np.empty(n_steps * n_out)
    targets = np.zeros((1, n_steps, n_out))
    start_trial(sources, 0, source_row, h_start, n_rec)
    advance(
        drive,
        w_out,
        inputs.reshape((1, n_steps, n_in)),
        targets,
        np.zeros(1, np.int64),
        tau,
        sources,
        source_row,
        errors,
        np.empty(row),
        np.empty(1),
    )
    for t in range(n_steps):
        for i in range(n_rec):
            h[t, i] = sources[(t + 1) * source_row + i]
        for k in range(n_out):
            y[t, k] = -errors[t * n_out + k]


@kernel
def effective_weights(m: Array, w_out: Array, b: Array, n_rec: int, out: Array) -> None:
    """``W + B Wout`` in the layout of `m`: with it the fed-back readout needs no term of its own."""
    n_out, row = w_out.shape
    for j in range(m.shape[0]):
        for i in range(j * row, (j + 1) * row, LANES):
            w = load(m, i)
            if j < n_rec:
                for k in range(n_out):
                    w = fma(splat(w_out[k, j]), load(b, k * row + i - j * row), w)
            store(out, i, w)


@kernel
def start_trial(sources: Array, at: int, source_row: int, state: Array, n_rec: int) -> None:
    """The source row at element `at` before the first step: the state, and nothing in the places after it."""
    copy_part(state, 0, sources, at, n_rec)
    sources[at + n_rec : at + source_row] = 0.0


@inlined
def unit_step(u: Any, now: Array, now_at: int, tau: float, new: Array, new_at: int) -> None:
    """A vector of ``h(t)`` into `new`, from ``u(t)`` and the ``h(t-1)`` in `now`."""
    rate = 1.0 / tau
    store(new, new_at, fma(splat(rate), tanh(u), splat(1.0 - rate) * load(now, now_at)))


@inlined
def unit_steps(u: Array, u_at: int, now: Array, now_at: int, tau: float, new: Array, new_at: int, n: int) -> None:
    """`unit_step` for `n` units whose ``u(t)`` stands in an array."""
    for i in range(0, n, LANES):
        unit_step(load(u, u_at + i), now, now_at + i, tau, new, new_at + i)


@inlined
def lone_step(drive: Array, sources: Array, now: int, new: int, tau: float, upwards: bool) -> None:
    """``h(t)`` of a single trial into row `new` of `sources`, from row `now`; `upwards` as in `step_product`."""
    n_rows, row = drive.shape
    first, way = (0, 1) if upwards else (n_rows - 1, -1)
    i = 0
    while i + 4 * LANES <= row:
        u0, u1, u2, u3 = four_sums(sources, now + first, way, drive, first * row + i, way * row, n_rows)
        unit_step(u0, sources, now + i, tau, sources, new + i)
        unit_step(u1, sources, now + i + LANES, tau, sources, new + i + LANES)
        unit_step(u2, sources, now + i + 2 * LANES, tau, sources, new + i + 2 * LANES)
        unit_step(u3, sources, now + i + 3 * LANES, tau, sources, new + i + 3 * LANES)
        i += 4 * LANES
    while i < row:
        u = one_sum(sources, now + first, way, drive, first * row + i, way * row, n_rows)
        unit_step(u, sources, now + i, tau, sources, new + i)
        i += LANES


@inlined
def lockstep(
    drive: Array, sources: Array, source_row: int, now: int, new: int, width: int, tau: float, u: Array, upwards: bool
) -> None:
    """The same for `width` trials, which share one reading of the weights; `u` is scratch memory."""
    n_rows, row = drive.shape
    for i in range(0, width * row, LANES):
        store(u, i, splat(0.0))
    step_product(u, sources, now, source_row, drive, width, n_rows, upwards)
    for q in range(width):
        unit_steps(u, q * row, sources, now + q * source_row, tau, sources, new + q * source_row, row)


@inlined
def gain(before: Any, after: Any, tau: float) -> Any:
    """``phi'(u(t)) / tau`` of a vector of units, from ``h(t-1)`` and ``h(t)``.

    Undoing the leak gives phi(u) back to rounding, for less than it costs to keep phi'(u) in memory from the way
    forward to the way back. Not below zero, whatever stands in the padding.
    """
    f = splat(tau) * after - splat(tau - 1.0) * before
    return at_least(splat(1.0) - f * f, splat(0.0)) * splat(1.0 / tau)


@inlined
def readout(w_out: Array, k: int, h: Array, h_at: int) -> float:
    """Output k of Eq. 1 for the state at element `h_at`."""
    row = w_out.shape[1]
    y = splat(0.0)
    for i in range(0, row, LANES):
        y = fma(load(w_out, k * row + i), load(h, h_at + i), y)
    return float(total(y))


@kernel
def advance(
    drive: Array,
    w_out: Array,
    inputs: Array,
    targets: Array,
    trials: Indices,
    tau: float,
    sources: Array,
    source_row: int,
    errors: Array,
    u: Array,
    loss: Array,
) -> None:
    """Run `trials` in lockstep, from the states that stand in the first rows of `sources`.

    Fills `sources` and `errors` as `Workspace` says, and ``loss[q]`` with L of trial q, Eq. 2. All trials of a step
    share one reading of the weights.
    """
    n_steps, n_in = inputs.shape[1:]
    n_rec = drive.shape[0] - n_in
    n_out = w_out.shape[0]
    width = trials.shape[0]
    lone = width == 1 and is_near(drive)
    for q in range(width):
        loss[q] = 0.0
    for t in range(n_steps):
        now, new = t * width * source_row, (t + 1) * width * source_row
        for q in range(width):
            # after the whole vectors of h(t-1), whose last one may reach into these places
            for c in range(n_in):
                sources[now + q * source_row + n_rec + c] = inputs[trials[q], t, c]
        if lone:
            lone_step(drive, sources, now, new, tau, t % 2 == 0)
        else:
            lockstep(drive, sources, source_row, now, new, width, tau, u, t % 2 == 0)
        for q in range(width):
            to, at = new + q * source_row, t * width + q
            for k in range(n_out):
                eps = targets[trials[q], t, k] - readout(w_out, k, sources, to)
                errors[at * n_out + k] = eps
                loss[q] += eps * eps
    for q in range(width):
        loss[q] /= 2.0 * n_steps
