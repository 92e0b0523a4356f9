"""Applying an update: learning rates, Dale's law, and the refusal of anything that is not finite."""

from __future__ import annotations

import numpy as np

from .layout import Array
from .vector import kernel


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

    `signs` (n_rec,) or (0,): after the update row j of the recurrent weights is clipped at zero, so that it
    never has
    the sign opposite to ``signs[j]``. A matrix whose rate is zero is not touched.

    Returns whether the update was applied.
    """
    finite = (
        _stays_finite(m[:n_rec], dm[:n_rec], eta_rec)
        and _stays_finite(m[n_rec:], dm[n_rec:], eta_in)
        and _stays_finite(w_out, dw_out, eta_out)
    )
    if finite:
        _add(m[:n_rec], dm[:n_rec], eta_rec)
        _add(m[n_rec:], dm[n_rec:], eta_in)
        _add(w_out, dw_out, eta_out)
        if eta_rec != 0.0:
            for j in range(signs.shape[0]):
                clip_row(m, j, signs[j])
    return finite


@kernel
def clip_row(m: Array, j: int, sign: float) -> None:
    """Dale's law for the outbound weights of unit `j`: what has the wrong sign becomes zero."""
    for a in range(m.shape[1]):
        if m[j, a] * sign < 0.0:
            m[j, a] = 0.0


@kernel
def _stays_finite(w: Array, dw: Array, eta: float) -> bool:
    if eta == 0.0:
        return True
    for j in range(w.shape[0]):
        for a in range(w.shape[1]):
            if not np.isfinite(w[j, a] + eta * dw[j, a]):
                return False
    return True


@kernel
def _add(w: Array, dw: Array, eta: float) -> None:
    if eta != 0.0:
        for j in range(w.shape[0]):
            for a in range(w.shape[1]):
                w[j, a] += eta * dw[j, a]


@kernel
def alignment_of(w_out: Array, b: Array) -> float:
    """``Tr(Wout B) / (|Wout| |B|)`` with Frobenius norms; nan if one of them is zero. `b` is B transposed."""
    dot = 0.0
    out = 0.0
    back = 0.0
    for k in range(b.shape[0]):
        for a in range(b.shape[1]):
            dot += w_out[k, a] * b[k, a]
            out += w_out[k, a] ** 2
            back += b[k, a] ** 2
    return dot / (np.sqrt(out) * np.sqrt(back))
