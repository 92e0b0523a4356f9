"""Normal random numbers from uniform ones: `exact_math.normal`, bit for bit, eight at a time.

Every operation is the one of that function, in its order, and none is fused with the next.
"""

from __future__ import annotations

from typing import Any

from ..exact_math import COSINE, HALF_PI, HALF_PI_LOW, LN2_HIGH, LN2_LOW, LOGARITHM, SINE, SQRT_HALF
from .layout import LANES, Array
from .vector import absolute, exponent, floor, force_inline, fraction, kernel, load, splat, sqrt, store, where_negative

SINES, COSINES, LOGARITHMS = tuple(SINE), tuple(COSINE), tuple(LOGARITHM)


@force_inline
def _series(coefficients: tuple[float, ...], x: Any) -> Any:
    value = splat(coefficients[-1])
    for k in range(len(coefficients) - 2, -1, -1):
        value = value * x + splat(coefficients[k])
    return value


@force_inline
def logarithm(x: Any) -> Any:
    """``ln x`` for x that are positive, normal and finite."""
    mantissa = fraction(x)
    low = where_negative(mantissa - splat(SQRT_HALF), splat(1.0), splat(0.0))
    f = where_negative(mantissa - splat(SQRT_HALF), splat(2.0) * mantissa, mantissa) - splat(1.0)
    k = exponent(x) - low
    s = f / (splat(2.0) + f)
    s2 = s * s
    return k * splat(LN2_HIGH) + (f - (s * (f - s2 * _series(LOGARITHMS, s2)) - k * splat(LN2_LOW)))


@force_inline
def _sine(turn: Any) -> Any:
    """The sine of a share of a turn, from 0 to 1."""
    quarters = splat(4.0) * turn
    nearest = floor(quarters + splat(0.5))
    t = quarters - nearest
    x = t * splat(HALF_PI)
    x2 = x * x
    sines = x + (t * splat(HALF_PI_LOW) + x * (x2 * _series(SINES, x2)))
    cosines = splat(1.0) + x2 * _series(COSINES, x2)
    # 1 and 3 are odd; from 2 on, but for the whole turn, the sine has changed its sign
    values = where_negative(absolute(absolute(nearest - splat(2.0)) - splat(1.0)) - splat(0.5), cosines, sines)
    changed = absolute(nearest - splat(2.5)) - splat(1.0)
    return where_negative(changed, splat(0.0) - values, values) + splat(0.0)


@kernel
def box_muller(uniform: Array) -> None:
    """Overwrite ``uniform[0]`` by normal numbers, from two uniform ones each: (2, n), n whole vectors."""
    n = uniform.shape[1]
    for i in range(0, n, LANES):
        radius = sqrt(splat(-2.0) * logarithm(splat(1.0) - load(uniform, i)))
        store(uniform, i, radius * _sine(load(uniform, n + i)))
