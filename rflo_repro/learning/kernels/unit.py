"""A unit in a timestep: its state, its gain phi'/tau and its leak."""

from __future__ import annotations

from typing import Any

from .activation import exp_of_minus, sigmoid, softplus, tanh
from .layout import IDENTITY, LANES, RELU, SIGMOID, SOFTPLUS, TANH, Array
from .vector import fma, force_inline, kernel, load, maximum, specialise, splat, store, where_negative


def _tanh_steps(
    units: Any, u: Array, u_at: int, sources: Array, before: int, after: int, gains: Array, gains_at: int, row: int,
    upwards: bool,
) -> None:  # fmt: skip
    """``h(t)`` at element `after` of the sources, from ``u(t)`` and the ``h(t-1)`` at element `before`.

    Other units than tanh units with one time constant leave ``phi'(u(t)) / tau`` at element `gains_at`. Where not
    `upwards` the last units come first: a step that reads those first need not wait for the others.
    """
    rate = 1.0 / units
    for j in range(0, row, LANES):
        i = j if upwards else row - LANES - j
        leaked = splat(1.0 - rate) * load(sources, before + i)
        store(sources, after + i, fma(splat(rate), tanh(load(u, u_at + i)), leaked))


@force_inline
def _step_to(
    units: Any, f: Any, derivative: Any, i: int, sources: Array, before: int, after: int, gains: Array, gains_at: int
) -> None:
    """The step of a vector of units, from their phi(u(t)) and phi'(u(t))."""
    rate = load(units.rate, i)
    store(gains, gains_at + i, derivative * rate)
    store(sources, after + i, fma(rate, f, load(units.leak, i) * load(sources, before + i)))


@kernel
def other_steps(
    units: Any, u: Array, u_at: int, sources: Array, before: int, after: int, gains: Array, gains_at: int, row: int
) -> None:
    """The same for units of any kind, which the table of `layout.PHIS` lists."""
    if units.phi == TANH:
        for i in range(0, row, LANES):
            f = tanh(load(u, u_at + i))
            _step_to(units, f, splat(1.0) - f * f, i, sources, before, after, gains, gains_at)
    elif units.phi == RELU:
        for i in range(0, row, LANES):
            x = load(u, u_at + i)
            derivative = where_negative(splat(0.0) - x, splat(1.0), splat(0.0))  # at zero it is zero
            _step_to(units, maximum(x, splat(0.0)), derivative, i, sources, before, after, gains, gains_at)
    elif units.phi == SOFTPLUS:
        for i in range(0, row, LANES):
            x = load(u, u_at + i)
            e = exp_of_minus(x)
            _step_to(units, softplus(x, e), sigmoid(x, e), i, sources, before, after, gains, gains_at)
    elif units.phi == SIGMOID:
        for i in range(0, row, LANES):
            x = load(u, u_at + i)
            e = exp_of_minus(x)
            f = sigmoid(x, e)
            # 1 - f would lose digits for f near 1
            derivative = e / ((splat(1.0) + e) * (splat(1.0) + e))
            _step_to(units, f, derivative, i, sources, before, after, gains, gains_at)
    elif units.phi == IDENTITY:
        for i in range(0, row, LANES):
            _step_to(units, load(u, u_at + i), splat(1.0), i, sources, before, after, gains, gains_at)
    else:
        raise ValueError("this activation function has no kernel")


def _other_steps(
    units: Any, u: Array, u_at: int, sources: Array, before: int, after: int, gains: Array, gains_at: int, row: int,
    upwards: bool,
) -> None:  # fmt: skip
    other_steps(units, u, u_at, sources, before, after, gains, gains_at, row)


unit_steps = specialise(float, _tanh_steps, _other_steps)


def _tanh_gain(units: Any, sources: Array, before: int, after: int, gains: Array, gains_at: int, i: int) -> Any:
    """``phi'(u(t)) / tau`` of the vector of units at i, from ``h(t-1)`` and ``h(t)``.

    Undoing the leak gives phi(u) to rounding, which costs less than storing phi'(u) in the forward pass. Not below
    zero, whatever the padding has. Other units have stored it.
    """
    f = splat(units) * load(sources, after + i) - splat(units - 1.0) * load(sources, before + i)
    return maximum(splat(1.0) - f * f, splat(0.0)) * splat(1.0 / units)


def _other_gain(units: Any, sources: Array, before: int, after: int, gains: Array, gains_at: int, i: int) -> Any:
    return load(gains, gains_at + i)


gain_of = specialise(float, _tanh_gain, _other_gain)


def _one_leak(units: Any, i: int) -> Any:
    """``1 - 1/tau`` of the vector of units at i."""
    return splat(1.0 - 1.0 / units)


def _each_leak(units: Any, i: int) -> Any:
    return load(units.leak, i)


leak_of = specialise(float, _one_leak, _each_leak)
