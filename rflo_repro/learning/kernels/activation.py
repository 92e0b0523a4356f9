"""The activation functions of units: eight at a time, within 4 units in the last place.

The derivative of `tanh` follows from its value; `softplus` and `sigmoid` share one exponential with theirs.
"""

from __future__ import annotations

from typing import Any

from .vector import absolute, copysign, fma, force_inline, maximum, minimum, power_of_two, splat, where_negative

ROUNDER = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to a whole number, held in the low bits
LOG2_E = 1.4426950408889634
# ln 2 in two parts; the first ends in enough zero bits that its product with k is exact without a fused instruction
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
SATURATED = 20.0  # beyond 19.1 the nearest double to tanh is 1
SMALLEST = 700.0  # exp(-700) is still a normal number, and is taken for anything smaller


@force_inline
def _expm1_power(y: Any) -> Any:
    """k + ROUNDER for the k with which y - k ln 2 is nearest to zero."""
    return fma(y, splat(LOG2_E), splat(ROUNDER))


@force_inline
def _expm1_rest(y: Any, shifted: Any) -> Any:
    """``expm1(q)`` of the remainder q, within ln(2)/2 of zero.

    ``q + q^2/2 + q^3 P(q)`` has a relative error below 1e-16; P is the Chebyshev interpolant of degree 8.
    """
    k = shifted - splat(ROUNDER)
    q = fma(k, splat(-LN2_LOW), fma(k, splat(-LN2_HIGH), y))
    # in Estrin's order: in Horner's every term waits for the one before, and the next step of a trial for them all
    q2 = q * q
    low = fma(fma(q, splat(0.008333333333332152), splat(0.04166666666665131)), q2, fma(q, splat(1.0 / 6.0), splat(0.5)))
    middle = fma(q, splat(0.00019841269854370018), splat(0.0013888888905922382))
    high = fma(q, splat(2.755728000429909e-06), splat(2.480153630713628e-05))
    top = fma(q, splat(2.5095589467479502e-08), splat(2.7613852100963253e-07))
    q4 = q2 * q2
    return fma(q2, fma(fma(top, q4, fma(high, q2, middle)), q4, low), q)


@force_inline
def tanh(x: Any) -> Any:
    """``tanh(x)`` of a vector: odd, with -0, infinity and NaN as they should be.

    With y = -2|x| it is ``-expm1(y) / (2 + expm1(y))``, which loses nothing near zero. ``expm1(y) = 2^k expm1(q) +
    (2^k - 1)``.
    """
    y = splat(-2.0) * minimum(absolute(x), splat(SATURATED))
    shifted = _expm1_power(y)
    p = _expm1_rest(y, shifted)
    scale = power_of_two(shifted)
    e = fma(scale, p, scale - splat(1.0))
    return copysign(e / (splat(2.0) + e), x)


@force_inline
def exp_of_minus(x: Any) -> Any:
    """``exp(-|x|)`` of a vector, and ``exp(-700)`` where that is smaller."""
    y = splat(-1.0) * minimum(absolute(x), splat(SMALLEST))
    shifted = _expm1_power(y)
    scale = power_of_two(shifted)
    return fma(scale, _expm1_rest(y, shifted), scale)


@force_inline
def sigmoid(x: Any, e: Any) -> Any:
    """``1 / (1 + exp(-x))`` of a vector, where `e` is ``exp_of_minus(x)``."""
    return where_negative(x, e, splat(1.0)) / (splat(1.0) + e)


@force_inline
def softplus(x: Any, e: Any) -> Any:
    """``ln(1 + exp(x))`` of a vector, where `e` is ``exp_of_minus(x)``.

    It is ``max(x, 0) + ln(1 + e)``, and ``ln(1 + e) = 2 artanh(s)`` with ``s = e / (2 + e)`` at most 1/3: ``2 s + s^3
    Q(s^2)`` has a relative error below 1e-17; Q is the Chebyshev interpolant of degree 9.
    """
    s = e / (splat(2.0) + e)
    s2 = s * s
    a = fma(s2, splat(0.40000000000014585), splat(0.6666666666666666))
    b = fma(s2, splat(0.22222222717427864), splat(0.2857142856710876))
    c = fma(s2, splat(0.15385570064958623), splat(0.18181789436132859))
    d = fma(s2, splat(0.12001072809590713), splat(0.13314144209654935))
    top = fma(s2, splat(0.1616404561194353), splat(0.08800738486144674))
    s4 = s2 * s2
    series = fma(s4, fma(s4, fma(s4, fma(s4, top, d), c), b), a)
    return maximum(x, splat(0.0)) + fma(s * s2, series, s + s)
