"""Applying an update: learning rates, Dale's law, and the refusal of anything that is not finite."""

from __future__ import annotations

from math import nan, sqrt
from typing import Any

from .layout import LANES, Array, Rates, Updates, Weights
from .vector import fma, force_inline, kernel, lane_sum, load, maximum, minimum, specialise, splat, store


@kernel
def apply_update(weights: Weights, updates: Updates, rates: Rates) -> bool:
    """Add the updates times their rates to `m` and `w_out` in place, if everything that results is finite.

    With signs, row j of the recurrent weights is clipped at zero after the update, so that it never has the sign
    opposite to ``signs[j]``. Where there is no synapse the updates become zero.

    Returns whether the update was applied.
    """
    n_rec, n_rows, n_out = weights.n_rec, weights.m.shape[0], weights.w_out.shape[0]
    apply_mask(weights.units, updates)
    finite = (
        _stays_finite(weights.m, updates.m, 0, n_rec, rates.w_rec)
        and _stays_finite(weights.m, updates.m, n_rec, n_rows, rates.w_in)
        and _stays_finite(weights.w_out, updates.w_out, 0, n_out, rates.w_out)
    )
    if finite:
        _add(weights.m, updates.m, 0, n_rec, rates.w_rec)
        _add(weights.m, updates.m, n_rec, n_rows, rates.w_in)
        _add(weights.w_out, updates.w_out, 0, n_out, rates.w_out)
        if rates.w_rec != 0.0:
            _apply_dale(weights.m, weights.signs)
    return finite


@force_inline
def dale_clipped(w: Any, sign: float) -> Any:
    """Dale's law for a vector of the weights of one unit: what has the wrong sign becomes zero."""
    return maximum(w, splat(0.0)) if sign > 0.0 else minimum(w, splat(0.0))


def _no_mask(units: Any, updates: Updates) -> None:
    """Zeros where there is no synapse; what is not finite stays so."""


@force_inline
def _multiply(w: Array, first: int, mask: Array, last: int) -> None:
    for i in range(first, last, LANES):
        store(w, i, fma(load(w, i), load(mask, i), splat(0.0)))


def _apply_mask(units: Any, updates: Updates) -> None:
    _multiply(updates.m, 0, units.mask, units.mask.size)
    _multiply(updates.w_out, 0, units.out_mask, units.out_mask.size)


apply_mask = specialise(float, _no_mask, _apply_mask)


def _whole_readout(units: Any, w_out: Array, k: int) -> None:
    """Zeros in row k of the readout where there is no synapse."""


def _masked_readout(units: Any, w_out: Array, k: int) -> None:
    if units.out_mask.size > 0:
        row = w_out.shape[1]
        _multiply(w_out, k * row, units.out_mask, (k + 1) * row)


mask_readout = specialise(float, _whole_readout, _masked_readout)


def _all_synapses(units: Any, j: int, index: int, w: Any) -> Any:
    """A vector of row j of `m`, at element `index`, zero where there is no synapse."""
    return w


def _masked_synapses(units: Any, j: int, index: int, w: Any) -> Any:
    # adding zero makes no negative one
    return fma(w, load(units.mask, index), splat(0.0)) if j < units.mask.shape[0] else w


masked = specialise(float, _all_synapses, _masked_synapses)


@kernel
def _stays_finite(w: Array, dw: Array, first: int, last: int, eta: float) -> bool:
    row = w.shape[1]
    check = splat(0.0)
    if eta != 0.0:
        for i in range(first * row, last * row, LANES):
            check = fma(fma(splat(eta), load(dw, i), load(w, i)), splat(0.0), check)
    # zero times anything finite is zero; times infinity or NaN it is NaN
    return bool(lane_sum(check) == 0.0)


@kernel
def all_finite(w: Array) -> bool:
    """Whether no element is NaN or infinite."""
    check = splat(0.0)
    for i in range(0, w.size, LANES):
        check = fma(load(w, i), splat(0.0), check)
    return bool(lane_sum(check) == 0.0)


@kernel
def _add(w: Array, dw: Array, first: int, last: int, eta: float) -> None:
    row = w.shape[1]
    if eta != 0.0:
        for i in range(first * row, last * row, LANES):
            store(w, i, fma(splat(eta), load(dw, i), load(w, i)))


@kernel
def _apply_dale(m: Array, signs: Array) -> None:
    row = m.shape[1]
    for j in range(signs.shape[0]):
        for i in range(j * row, (j + 1) * row, LANES):
            store(m, i, dale_clipped(load(m, i), signs[j]))


@kernel
def alignment_of(weights: Weights) -> float:
    """``Tr(Wout B) / (|Wout| |B|)`` with Frobenius norms; nan if one of them is zero."""
    w_out, b = weights.w_out, weights.b
    dot = 0.0
    out = 0.0
    back = 0.0
    for k in range(b.shape[0]):
        for a in range(b.shape[1]):
            dot += w_out[k, a] * b[k, a]
            out += w_out[k, a] * w_out[k, a]
            back += b[k, a] * b[k, a]
    norms = sqrt(out) * sqrt(back)
    return dot / norms if norms > 0.0 else nan
