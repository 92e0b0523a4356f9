"""Arithmetic whose every bit follows from its arguments, on any processor and with any C library or BLAS.

NumPy's own `sin`, `exp` and `log` are the processor's or the C library's; `@` and `norm` are the BLAS's, whose order of
summation is the processor's; `standard_normal` asks the C library for a logarithm. IEEE 754 fixes the bits of + - * /
and the square root, and of nothing else. Here is what the numbers of a table need besides the kernels, from these five
alone: each operation is NumPy's on whole arrays, and so never fused with the next.

The series are Taylor's, whose coefficients are quotients of whole numbers; they are cut where a term no longer shows.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rflo_repro.learning.validate import Array

# pi/2 and ln 2 in two parts each; the first of ln 2 ends in enough zero bits that its product with an exponent is exact
HALF_PI = 1.5707963267948966
HALF_PI_LOW = 6.123233995736766e-17
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
LOG2_E = 1.4426950408889634
LOG10_E = 0.4342944819032518
SQRT_HALF = 0.7071067811865476
# the largest and the smallest argument whose exponential is neither infinite nor 0 lie within these
LARGEST, SMALLEST = 710.0, -746.0
FRACTION = 2.0**53  # `Generator.random` draws multiples of 1 / FRACTION
BLOCK = 1 << 16  # numbers sampled at once: it bounds the memory, and no bit depends on it

SINE = [(-1) ** k / math.factorial(2 * k + 1) for k in range(1, 10)]
COSINE = [(-1) ** k / math.factorial(2 * k) for k in range(1, 10)]
EXPONENTIAL = [1 / math.factorial(k) for k in range(2, 15)]
LOGARITHM = [2 / (2 * k + 1) for k in range(1, 12)]


def _series(coefficients: list[float], x: Array) -> Array:
    """``c0 + c1 x + c2 x^2 + ...`` by Horner's rule."""
    value = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def sin_of_turn(numerator: npt.ArrayLike, denominator: int) -> Array:
    """The sine of these fractions of a turn, ``sin(2 pi numerator / denominator)``, within 2 units in the last place.

    numerator: whole numbers; denominator: a whole number of at least 1; four times either is below 2^63.
    Multiples of a quarter turn are exact, and so is every symmetry.
    """
    # In quarters of a turn, whole numbers give the nearest one and what is left, between -1/2 and 1/2, exactly.
    quarters = 4 * (np.asarray(numerator, dtype=np.int64) % denominator)
    nearest = (2 * quarters + denominator) // (2 * denominator)
    t = (quarters - nearest * denominator) / denominator
    x = t * HALF_PI
    x2 = x * x
    sines = x + (t * HALF_PI_LOW + x * (x2 * _series(SINE, x2)))
    cosines = 1.0 + x2 * _series(COSINE, x2)
    values = np.where(nearest % 2 == 1, cosines, sines)
    signed: Array = np.where(nearest % 4 >= 2, -values, values) + 0.0  # no negative zero
    return signed


def exp(x: npt.ArrayLike) -> Array:
    """``exp(x)`` within 1 unit in the last place; infinity, 0 and NaN as they should be."""
    x = np.asarray(x, dtype=np.float64)
    y = np.clip(x, SMALLEST, LARGEST)
    whole = np.isfinite(y)
    k = np.rint(np.where(whole, y, 0.0) * LOG2_E)
    q = (y - k * LN2_HIGH) - k * LN2_LOW
    with np.errstate(over="ignore", under="ignore"):
        power: Array = np.ldexp(1.0 + (q + q * q * _series(EXPONENTIAL, q)), k.astype(np.int32))
    return power


def log(x: npt.ArrayLike) -> Array:
    """``ln x`` within 1 unit in the last place; of 0, infinity and less than 0 as NumPy's, without its warnings."""
    x = np.asarray(x, dtype=np.float64)
    regular = (x > 0.0) & np.isfinite(x)
    mantissa, exponent = np.frexp(np.where(regular, x, 1.0))
    low = mantissa < SQRT_HALF
    f = np.where(low, 2.0 * mantissa, mantissa) - 1.0
    k = (exponent - low).astype(np.float64)
    # ln(1 + f) = 2 atanh(s) = 2 s + s R(s^2), and 2 s = f - s f: so nothing but f itself is of f's size
    s = f / (2.0 + f)
    s2 = s * s
    value = k * LN2_HIGH + (f - (s * (f - s2 * _series(LOGARITHM, s2)) - k * LN2_LOW))
    outside = np.where(x == 0.0, -np.inf, np.where(x == np.inf, np.inf, np.nan))
    result: Array = np.where(regular, value, outside)
    return result


def log10(x: npt.ArrayLike) -> Array:
    """The decimal logarithm, within 2 units in the last place."""
    return log(x) * LOG10_E


def geomspace(first: float, last: float, n: int) -> Array:
    """(n,): from `first` to `last`, both above 0 and exactly these, in equal ratios."""
    ends = log(np.array([first, last]))
    share = np.arange(n) / max(n - 1, 1)
    values = exp(ends[0] + share * (ends[1] - ends[0]))
    values[-1:] = last
    values[:1] = first
    return values


def sum(values: npt.ArrayLike) -> Array:
    """The sum along the last axis: neighbouring halves added until one is left, an order that follows from the length
    alone. 0 where there is nothing."""
    left = np.asarray(values, dtype=np.float64)
    if left.shape[-1] == 0:
        return np.zeros(left.shape[:-1])
    while (n := left.shape[-1]) > 1:
        half = n // 2
        left = np.concatenate([left[..., :half] + left[..., half : 2 * half], left[..., 2 * half :]], axis=-1)
    return left[..., 0]


def dot(one: Array, other: Array) -> Array:
    """The scalar product along the last axis, in the order of `sum`; of a matrix (m, n) and a vector (n,): (m,)."""
    return sum(one * other)


def inner(one: Array, other: Array) -> float:
    """The scalar product of two arrays of one shape, taken as vectors."""
    return float(dot(np.ravel(one), np.ravel(other)))


def norm(values: Array) -> Array:
    """The Euclidean norm along the last axis."""
    root: Array = np.sqrt(dot(values, values))
    return root


def frobenius_norm(values: Array) -> float:
    """The Euclidean (Frobenius) norm of an array, taken as a vector."""
    return float(norm(np.ravel(values)))


def cosine_similarity(one: Array, other: Array) -> float:
    """The cosine of the angle between two arrays of one shape, taken as vectors; NaN if either is zero."""
    sizes = frobenius_norm(one) * frobenius_norm(other)
    return inner(one, other) / sizes if sizes > 0.0 else math.nan


def mean(values: npt.ArrayLike) -> Array:
    """The mean along the last axis."""
    values = np.asarray(values, dtype=np.float64)
    average: Array = sum(values) / values.shape[-1]
    return average


def normal(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    """Independent draws from N(0, 1), by Box and Muller: two uniform numbers of 53 bits each."""
    sampled = np.empty(math.prod(size))
    for first in range(0, len(sampled), BLOCK):
        part = sampled[first : first + BLOCK]
        uniform = rng.random((len(part), 2))
        radius = np.sqrt(-2.0 * log(1.0 - uniform[:, 0]))
        part[:] = radius * sin_of_turn((uniform[:, 1] * FRACTION).astype(np.int64), int(FRACTION))
    return sampled.reshape(size)
