"""Arguments checked once, where they come in: each error names the argument, the value and what is allowed."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def integer(name: str, value: Any, minimum: int) -> int:
    """`value` as an int of at least `minimum`. Raises ValueError."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral) or value < minimum:
        raise ValueError(f"{name} must be a whole number of at least {minimum}, got {value!r}")
    return int(value)


def real(name: str, value: Any, minimum: float = -math.inf) -> float:
    """`value` as a finite float of at least `minimum`. Raises ValueError."""
    allowed = "a finite number" if minimum == -math.inf else f"a finite number of at least {minimum:g}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < minimum:
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return number


def flag(name: str, value: Any) -> bool:
    """`value` as a bool. Raises ValueError."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def array(name: str, value: Any, shape: tuple[int | None, ...]) -> Array:
    """A float64, C-contiguous copy of `value` with this shape (None: any length). Raises ValueError."""
    wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    try:
        given = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of shape {wanted}: {error}") from None
    if given.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {given.dtype}")
    if given.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, given.shape, strict=True)):
        raise ValueError(f"{name} must have shape {wanted}, got {given.shape}")
    with np.errstate(over="ignore"):
        copy = np.array(given, dtype=np.float64, order="C")
    if not np.isfinite(copy).all():
        raise ValueError(f"{name} must be finite everywhere, got NaN or an infinity")
    return copy


def generator(name: str, value: Any) -> np.random.Generator:
    """`value` if it is a numpy random Generator. Raises ValueError."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"{name} must be a numpy.random.Generator, such as np.random.default_rng(0), got {value!r}")
    return value
