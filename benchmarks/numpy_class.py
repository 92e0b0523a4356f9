"""A recurrent network as one would first write it in NumPy, from the equations: the speed one starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class NumpyNetwork:
    """w (N, N), w_out (1, N), feedback (N, 1), without inputs; every method trains on one trial, in place."""

    def __init__(self, w: Array, w_out: Array, feedback: Array, h0: Array, tau: float, eta: float) -> None:
        self.w, self.w_out, self.feedback, self.h0 = w.copy(), w_out.copy(), feedback, h0
        self.tau, self.eta = tau, eta

    def _step(self, h: Array) -> tuple[Array, Array]:
        f = np.tanh(self.w @ h)
        return h + (f - h) / self.tau, (1 - f**2) / self.tau

    def rflo(self, targets: Array) -> None:
        """Eq. 5-6, the updates summed over the trial."""
        h, p = self.h0, np.zeros_like(self.w)
        dw, dw_out = np.zeros_like(self.w), np.zeros_like(self.w_out)
        for target in targets:
            before = h
            h, gain = self._step(h)
            p = (1 - 1 / self.tau) * p + np.outer(gain, before)
            eps = target - self.w_out @ h
            dw += (self.feedback @ eps)[:, None] * p
            dw_out += np.outer(eps, h)
        self._update(dw, dw_out, len(targets))

    def bptt(self, targets: Array) -> None:
        """Eq. 20-23."""
        n_steps = len(targets)
        h, gain = [self.h0], []
        for _ in targets:
            state, slope = self._step(h[-1])
            h.append(state)
            gain.append(slope)
        z = np.zeros_like(self.h0)
        dw, dw_out = np.zeros_like(self.w), np.zeros_like(self.w_out)
        for t in reversed(range(n_steps)):
            eps = targets[t] - self.w_out @ h[t + 1]
            z = z + self.w_out.T @ eps
            credit = z * gain[t]
            dw += np.outer(credit, h[t])
            dw_out += np.outer(eps, h[t + 1])
            z = (1 - 1 / self.tau) * z + self.w.T @ credit
        self._update(dw, dw_out, n_steps)

    def _update(self, dw: Array, dw_out: Array, n_steps: int) -> None:
        self.w += self.eta / n_steps * dw
        self.w_out += self.eta / n_steps * dw_out
