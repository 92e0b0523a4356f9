"""Applies the updates of a batch at their rates, or by an optimiser.

With g the update, summed over a batch, with the 1/T, and clipped:

    sgd        d = g                                 momentum   v <- b1 v + g,  d = v
    rmsprop    s <- b2 s + (1-b2) g^2,  d = g / (sqrt(s) + epsilon)
    adam       v <- b1 v + (1-b1) g,  s likewise,  d = [v / (1-b1^n)] / (sqrt(s / (1-b2^n)) + epsilon)

and w <- w + eta (d - decay w), for the matrices whose rate is not zero.
"""

from __future__ import annotations

import math
from math import inf, isfinite
from typing import Any

from .layout import ADAM, LANES, MOMENTUM, RMSPROP, SGD, Array, Optimizer, Rates, Updates, Weights
from .updates import apply_mask, apply_update
from .vector import fma, force_inline, kernel, lane_sum, load, scale, specialise, splat, sqrt, store

TINY = 2.0**-600  # keeps the squares of any numbers finite, and is exact


@force_inline
def _per_step(rates: Any, n_steps: int) -> Rates:
    return Rates(rates.w_in / n_steps, rates.w_rec / n_steps, rates.w_out / n_steps)


def _at_rates(rates: Any, weights: Weights, updates: Updates, n_steps: int) -> bool:
    """Change the weights by a batch's updates, which still lack the ``1 / n_steps``. Returns whether it was done."""
    return apply_update(weights, updates, _per_step(rates, n_steps))


def _by_optimizer(rates: Any, weights: Weights, updates: Updates, n_steps: int) -> bool:
    return optimize(rates, weights, updates, n_steps)


apply_batch = specialise(Rates, _at_rates, _by_optimizer)


@force_inline
def _squares(dw: Array, first: int, last: int, factor: float, rate: float) -> float:
    row = dw.shape[1]
    squares = splat(0.0)
    if rate != 0.0:
        for i in range(first * row, last * row, LANES):
            x = splat(factor) * load(dw, i)
            squares = fma(x, x, squares)
    return float(lane_sum(squares))


@kernel
def norm_of_update(weights: Weights, updates: Updates, rates: Optimizer, factor: float) -> float:
    """The Euclidean norm of `factor` times the updates of all matrices that are trained."""
    n_rec, n_rows, n_out = weights.n_rec, weights.m.shape[0], weights.w_out.shape[0]
    return math.sqrt(
        _squares(updates.m, 0, n_rec, factor, rates.w_rec)
        + _squares(updates.m, n_rec, n_rows, factor, rates.w_in)
        + _squares(updates.w_out, 0, n_out, factor, rates.w_out)
    )


@kernel
def clip_update(weights: Weights, updates: Updates, rates: Optimizer, n_steps: int) -> None:
    """Scale the updates, which lack a ``1 / n_steps``, down to the norm ``rates.clip`` if they are larger with it."""
    size = norm_of_update(weights, updates, rates, 1.0) / n_steps
    share = rates.clip / size
    if not isfinite(size):
        size = norm_of_update(weights, updates, rates, TINY) / n_steps
        share = rates.clip * TINY / size
    if size > 0.0 and share < 1.0:
        scale(updates.m, share, updates.m)
        scale(updates.w_out, share, updates.w_out)


@force_inline
def _step_direction(w: Array, dw: Array, first: Array, second: Array, rates: Optimizer, n_steps: int) -> None:
    """Turn ``n_steps`` times an update into the direction of the step."""
    b1, b2 = splat(rates.beta1), splat(rates.beta2)
    new1, new2 = splat(1.0 - rates.beta1), splat(1.0 - rates.beta2)
    share = splat(1.0 / n_steps)
    correct1, correct2 = splat(1.0 / (1.0 - rates.powers[0])), splat(1.0 / (1.0 - rates.powers[1]))
    for i in range(0, w.size, LANES):
        g = share * load(dw, i)
        if rates.method == MOMENTUM:
            g = fma(b1, load(first, i), g)
            store(first, i, g)
        elif rates.method == RMSPROP:
            s = fma(b2, load(second, i), new2 * (g * g))
            store(second, i, s)
            g = g / (sqrt(s) + splat(rates.epsilon))
        elif rates.method == ADAM:
            v = fma(b1, load(first, i), new1 * g)
            s = fma(b2, load(second, i), new2 * (g * g))
            store(first, i, v)
            store(second, i, s)
            g = (v * correct1) / (sqrt(s * correct2) + splat(rates.epsilon))
        store(dw, i, fma(splat(-rates.weight_decay), load(w, i), g))


@kernel
def optimize(rates: Optimizer, weights: Weights, updates: Updates, n_steps: int) -> bool:
    """`apply_batch` by an optimiser, whose moments change; `updates` becomes the direction of the step."""
    if rates.method not in (SGD, MOMENTUM, RMSPROP, ADAM):
        raise ValueError("this optimiser has no kernel")
    apply_mask(weights.units, updates)
    if rates.clip < inf:
        clip_update(weights, updates, rates, n_steps)
    if rates.method == SGD and rates.weight_decay == 0.0:
        return bool(apply_update(weights, updates, _per_step(rates, n_steps)))
    rates.powers[0] *= rates.beta1
    rates.powers[1] *= rates.beta2
    _step_direction(weights.m, updates.m, rates.first.m, rates.second.m, rates, n_steps)
    _step_direction(weights.w_out, updates.w_out, rates.first.w_out, rates.second.w_out, rates, n_steps)
    return bool(apply_update(weights, updates, Rates(rates.w_in, rates.w_rec, rates.w_out)))
