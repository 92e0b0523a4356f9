"""Arguments checked once, where they come in: each error names the argument, the value and what is allowed."""

from __future__ import annotations

import dataclasses
import difflib
import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
T = TypeVar("T")
S = TypeVar("S", np.float64, np.bool_)
# What Python and NumPy count among the numbers, but nobody means as one
NO_NUMBERS = (bool, np.bool_, np.timedelta64)
LONGEST = 200


def short_repr(value: Any) -> str:
    """`value` in an error message: its repr on one line, cut where it gets long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an int may have too many digits, and an object of somebody else's may do anything
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


class Checked:
    """A base for dataclasses whose copies are checked as they are: `copy`, `deepcopy` and `pickle` go through
    `__post_init__`, as `dataclasses.replace` does. Cached properties are left out."""

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[type, dict[str, Any]]]:
        fields = {k: v for k, v in vars(self).items() if not isinstance(getattr(type(self), k, None), cached_property)}
        return _checked, (type(self), fields)


def _checked(kind: Any, state: dict[str, Any]) -> Any:
    new = object.__new__(kind)
    vars(new).update(state)
    new.__post_init__()
    return new


class ShortRepr:
    """A base for dataclasses whose repr is one line: arrays by shape."""

    def __repr__(self) -> str:
        shown_fields = [field for field in dataclasses.fields(self) if field.repr]  # type: ignore[arg-type]
        values = {field.name: getattr(self, field.name) for field in shown_fields}
        fields = (f"{k}={f'<array {v.shape}>' if isinstance(v, np.ndarray) else repr(v)}" for k, v in values.items())
        return f"{type(self).__qualname__}({', '.join(fields)})"


def integer(name: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    """`value` as an int of at least `minimum` and at most `maximum`. Raises ValueError."""
    good = isinstance(value, numbers.Integral) and not isinstance(value, NO_NUMBERS)
    if not good or value < minimum or (maximum is not None and value > maximum):
        allowed = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise ValueError(f"{name} must be a whole number {allowed}, got {short_repr(value)}")
    return int(value)


def real(name: str, value: Any, minimum: float = -math.inf, maximum: float = math.inf) -> float:
    """`value` as a finite float of at least `minimum` and at most `maximum`. Raises ValueError."""
    good = isinstance(value, numbers.Real) and not isinstance(value, NO_NUMBERS)
    try:
        number = float(value) if good else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not minimum <= number <= maximum:
        least = "" if minimum == -math.inf else f" of at least {minimum:g}"
        allowed = least if maximum == math.inf else f" from {minimum:g} to {maximum:g}"
        raise ValueError(f"{name} must be a finite number{allowed}, got {short_repr(value)}")
    return number


def boolean(name: str, value: Any) -> bool:
    """`value` as a bool. Raises ValueError."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {short_repr(value)}")
    return bool(value)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """The one of these strings that `value` is, in any case and with `-` or `_`. Raises ValueError."""
    found = value
    if isinstance(value, str) and value not in allowed:
        found = next((one for one in allowed if _plain(one) == _plain(value)), None)
    if not isinstance(found, str) or found not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {short_repr(value)}{hint(value, allowed)}")
    return str(found)


def hint(value: Any, allowed: Iterable[str]) -> str:
    """What an error ends in if one of these strings is nearly the value."""
    near = difflib.get_close_matches(_plain(value), [*allowed], 1) if isinstance(value, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _plain(word: str) -> str:
    return word.strip().lower().replace("_", "-").replace(" ", "-")


def instance(name: str, value: Any, kind: type[T]) -> T:
    """`value` if it is of this class. Raises ValueError."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be a {kind.__name__}, got {short_repr(value)}")
    return value


def unmasked(name: str, value: Any) -> None:
    """Raises ValueError if `value`, or an array in this list, has masked entries: as an array it would lose them."""
    if isinstance(value, (list, tuple)):
        for item in value:
            unmasked(name, item)
    elif np.ma.is_masked(value):
        raise ValueError(f"{name} must have no masked entries; fill them in first, got {short_repr(value)}")


def as_array(name: str, value: Any, wanted: str) -> npt.NDArray[Any]:
    """`value` as NumPy takes it. Raises ValueError, whatever its own conversion raises: a tensor on another device,
    say."""
    unmasked(name, value)
    try:
        return np.asarray(value)
    except Exception as error:
        raise ValueError(f"{name} must be {wanted}: {error}") from None


def any_array(name: str, value: Any, shape: tuple[int | None, ...]) -> Array:
    """A float64, C-contiguous copy of `value` with this shape (None: any length), finite or not. Raises ValueError."""
    wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    given = as_array(name, value, f"an array of shape {wanted}")
    if given.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {given.dtype}")
    if given.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, given.shape, strict=True)):
        raise ValueError(f"{name} must have shape {wanted}, got {given.shape}")
    with np.errstate(over="ignore"):
        return np.array(given, dtype=np.float64, order="C")


def array(name: str, value: Any, shape: tuple[int | None, ...], missing: bool = False) -> Array:
    """`any_array` that is finite. Raises ValueError.

    missing: whether NaN is allowed, for what is not there.
    """
    copy = any_array(name, value, shape)
    if missing and np.isinf(copy).any():
        raise ValueError(f"{name} must be finite or NaN everywhere, got an infinity")
    if not missing and not np.isfinite(copy).all():
        raise ValueError(f"{name} must be finite everywhere, got NaN or an infinity")
    return copy


def mask(name: str, value: Any, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """A bool copy of `value` with this shape. Raises ValueError."""
    wanted = f"an array of True and False of shape {shape}"
    given = as_array(name, value, wanted)
    if given.dtype != np.bool_ or given.shape != shape:
        raise ValueError(f"{name} must be {wanted}, got dtype {given.dtype} and shape {given.shape}")
    return given.copy()


def frozen(values: npt.NDArray[S]) -> npt.NDArray[S]:
    """A copy that nobody can write to, or make writeable: its memory is that of a bytes object."""
    return np.ndarray(values.shape, values.dtype, values.tobytes())


def immutable(value: Any) -> bool:
    """Whether the contents of `value` can never change, as those of `frozen` arrays."""
    if type(value) is not np.ndarray:
        return False
    while isinstance(value, np.ndarray):
        value = value.base
    return isinstance(value, bytes)


def generator(name: str, value: Any) -> np.random.Generator:
    """`value` if it is a numpy random Generator. Raises ValueError."""
    if not isinstance(value, np.random.Generator):
        made = "such as np.random.default_rng(0)"
        raise ValueError(f"{name} must be a numpy.random.Generator, {made}, got {short_repr(value)}")
    return value
