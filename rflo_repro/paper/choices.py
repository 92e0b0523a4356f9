"""A figure's choices, checked where they are made: each error begins with the choice's name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rflo_repro.learning import validate
from rflo_repro.paper.selection import LIMITS

Check = Callable[[str, Any], Any]
# Products of numbers up to here are finite: what fits no machine is refused for its memory, and not by an overflow
LARGEST = 10**9


def whole(minimum: int, maximum: int = LARGEST) -> Check:
    """A whole number in this range."""
    return lambda name, value: validate.integer(name, value, minimum, maximum)


def number(minimum: float = -LARGEST, maximum: float = LARGEST) -> Check:
    """A number in this range."""
    return lambda name, value: validate.real(name, value, minimum, maximum)


def positive(name: str, value: Any) -> float:
    """A number above 0. Raises ValueError."""
    return validate.real(name, value, np.finfo(float).tiny, LARGEST)


def word(*allowed: str) -> Check:
    """One of these words."""
    return lambda name, value: validate.word(name, value, allowed)


def each(check: Check) -> Check:
    """A tuple of at least one, all of which pass the check."""

    def checked(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, tuple) or not value:
            raise ValueError(f"{name} must be a tuple of at least one value, got {validate.shown(value)}")
        return tuple(check(name, item) for item in value)

    return checked


def first_state(name: str, value: Any) -> float | str:
    """Every unit's initial state, or `uniform` for one drawn at random. Raises ValueError."""
    if isinstance(value, str) and value == "uniform":
        return "uniform"
    return validate.real(name, value, -LARGEST, LARGEST)


SHARED: Mapping[str, Check] = {
    "n_rec": whole(1),
    "tau": number(1.0),
    "g": number(0.0),
    "h0": first_state,
    "n_trials": whole(1, LIMITS["trials"]),
    "n_networks": whole(1, LIMITS["networks"]),
    "seed": whole(0, LIMITS["seed"]),
    "online": validate.flag,
    "reset_state": validate.flag,
}


def check(choices: Any, **own: Check) -> None:
    """Check every field of a frozen dataclass: those of SHARED, and the figure's own. Raises ValueError."""
    checks = {**SHARED, **own}
    for field in dataclasses.fields(choices):
        object.__setattr__(choices, field.name, checks[field.name](field.name, getattr(choices, field.name)))
