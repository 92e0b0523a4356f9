"""The activation function of a unit, phi = tanh: eight at a time, within 4 units in the last place."""

from __future__ import annotations

from typing import Any

from .vector import at_most, fma, inlined, magnitude, power_of_two, splat, with_sign

ROUNDER = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to a whole number, held in the low bits
LOG2_E = 1.4426950408889634
# ln 2 in two parts; the first ends in enough zero bits that its product with k is exact without a fused instruction
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
SATURATED = 20.0  # beyond 19.1 the nearest double to tanh is 1


@inlined
def tanh(x: Any) -> Any:
    """``tanh(x)`` of a vector: odd, with -0, infinity and NaN as they should be.

    With y = -2|x| it is ``-expm1(y) / (2 + expm1(y))``, which loses nothing near zero. ``expm1(y) = 2^k expm1(q) +
    (2^k - 1)`` with q within ln(2)/2 of zero, where ``q + q^2/2 + q^3 P(q)`` has a relative error below 1e-16; P is
    the Chebyshev interpolant of degree 8.
    """
    y = splat(-2.0) * at_most(magnitude(x), splat(SATURATED))
    shifted = fma(y, splat(LOG2_E), splat(ROUNDER))
    k = shifted - splat(ROUNDER)
    q = fma(k, splat(-LN2_LOW), fma(k, splat(-LN2_HIGH), y))
    # in Estrin's order: in Horner's every term waits for the one before, and the next step of a trial for them all
    q2 = q * q
    low = fma(fma(q, splat(0.008333333333332152), splat(0.04166666666665131)), q2, fma(q, splat(1.0 / 6.0), splat(0.5)))
    middle = fma(q, splat(0.00019841269854370018), splat(0.0013888888905922382))
    high = fma(q, splat(2.755728000429909e-06), splat(2.480153630713628e-05))
    top = fma(q, splat(2.5095589467479502e-08), splat(2.7613852100963253e-07))
    q4 = q2 * q2
    p = fma(q2, fma(fma(top, q4, fma(high, q2, middle)), q4, low), q)
    scale = power_of_two(shifted)
    e = fma(scale, p, scale - splat(1.0))
    return with_sign(e / (splat(2.0) + e), x)
