"""Real-time recurrent learning, Eq. 3-4 and 11 with x(t) in the input sensitivity: the oracle, N^4 a step."""

from __future__ import annotations

import numpy as np

from .credit import add_feedback_path
from .dynamics import effective_weights
from .layout import Array
from .vector import kernel


@kernel
def rtrl_gradient(
    m: Array,
    w_out: Array,
    b: Array,
    h_start: Array,
    inputs: Array,
    targets: Array,
    tau: float,
    output_feedback: bool,
    dm: Array,
    dw_out: Array,
) -> float:
    """Fill `dm` and `dw_out` with the exact gradient of -L of one trial, carried forward in time; return L,
    Eq. 2.

    Arguments as in `gradient`.
    """
    n_steps, n_in = inputs.shape
    n_rows, row = m.shape
    n_rec = n_rows - n_in
    n_out = w_out.shape[0]
    a = 1.0 / tau
    drive = m.copy()
    if output_feedback:
        effective_weights(m, w_out, b, n_rec, drive)
    dm[:] = 0.0
    dw_out[:] = 0.0
    # sensitivity[j, r, c] = dh_c / dm[j, r], and what it becomes in this step
    now = np.zeros((n_rows, n_rec, row))
    new = np.zeros((n_rows, n_rec, row))
    source = np.zeros(n_rows)
    source[:n_rec] = h_start[:n_rec]
    u = np.empty(row)
    gain = np.zeros(row)
    back = np.zeros(row)
    loss = 0.0
    for t in range(n_steps):
        source[n_rec:] = inputs[t]
        u[:] = 0.0
        for j in range(n_rows):
            u += drive[j] * source[j]
        f = np.tanh(u)
        gain[:] = a * (1.0 - f * f)
        for j in range(n_rows):
            for r in range(n_rec):
                new[j, r] = 0.0
                for i in range(n_rec):
                    new[j, r] += drive[i] * now[j, r, i]
                new[j, r] = (1.0 - a) * now[j, r] + gain * new[j, r]
                new[j, r, r] += gain[r] * source[j]
        now, new = new, now
        for i in range(n_rec):
            source[i] = (1.0 - a) * source[i] + a * f[i]
        back[:] = 0.0
        for k in range(n_out):
            eps = targets[t, k]
            for i in range(n_rec):
                eps -= w_out[k, i] * source[i]
            loss += eps**2 / (2.0 * n_steps)
            back += w_out[k] * (eps / n_steps)
            for i in range(n_rec):
                dw_out[k, i] += source[i] * (eps / n_steps)
        for j in range(n_rows):
            for r in range(n_rec):
                for i in range(n_rec):
                    dm[j, r] += back[i] * now[j, r, i]
    if output_feedback:
        add_feedback_path(dm, b, n_rec, dw_out)
    return loss
