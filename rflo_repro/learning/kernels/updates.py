"""Applying an update: learning rates, Dale's law, and the refusal of anything that is not finite."""

from __future__ import annotations

from math import nan, sqrt
from typing import Any

from .layout import LANES, Array
from .vector import at_least, at_most, fma, inlined, kernel, load, splat, store, total


@kernel
def apply_update(
    m: Array,
    w_out: Array,
    dm: Array,
    dw_out: Array,
    signs: Array,
    n_rec: int,
    eta_in: float,
    eta_rec: float,
    eta_out: float,
) -> bool:
    """Add the updates times their rates to `m` and `w_out` in place, if everything that results is finite.

    `signs` (n_rec,) or (0,): after the update row j of the recurrent weights is clipped at zero, so that it never has
    the sign opposite to ``signs[j]``. A matrix whose rate is zero is not touched.

    Returns whether the update was applied.
    """
    n_rows = m.shape[0]
    n_out = w_out.shape[0]
    finite = (
        _stays_finite(m, dm, 0, n_rec, eta_rec)
        and _stays_finite(m, dm, n_rec, n_rows, eta_in)
        and _stays_finite(w_out, dw_out, 0, n_out, eta_out)
    )
    if finite:
        _add(m, dm, 0, n_rec, eta_rec, signs)
        _add(m, dm, n_rec, n_rows, eta_in, signs[:0])
        _add(w_out, dw_out, 0, n_out, eta_out, signs[:0])
    return finite


@inlined
def clipped(w: Any, sign: float) -> Any:
    """Dale's law for a vector of the weights of one unit: what has the wrong sign becomes zero."""
    return at_least(w, splat(0.0)) if sign > 0.0 else at_most(w, splat(0.0))


@kernel
def _stays_finite(w: Array, dw: Array, first: int, last: int, eta: float) -> bool:
    row = w.shape[1]
    check = splat(0.0)
    if eta != 0.0:
        for i in range(first * row, last * row, LANES):
            check = fma(fma(splat(eta), load(dw, i), load(w, i)), splat(0.0), check)
    # zero times anything finite is zero; times infinity or NaN it is NaN
    return bool(total(check) == 0.0)


@kernel
def all_finite(w: Array) -> bool:
    """Whether no element is NaN or infinite."""
    check = splat(0.0)
    for i in range(0, w.size, LANES):
        check = fma(load(w, i), splat(0.0), check)
    return bool(total(check) == 0.0)


@kernel
def _add(w: Array, dw: Array, first: int, last: int, eta: float, signs: Array) -> None:
    if eta == 0.0:
        return
    row = w.shape[1]
    for j in range(first, last):
        for i in range(j * row, (j + 1) * row, LANES):
            new = fma(splat(eta), load(dw, i), load(w, i))
            if j < signs.shape[0]:
                new = clipped(new, signs[j])
            store(w, i, new)


@kernel
def alignment_of(w_out: Array, b: Array) -> float:
    """``Tr(Wout B) / (|Wout| |B|)`` with Frobenius norms; nan if one of them is zero. `b` is B transposed."""
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
