"""The auxiliary loop of Figure 4: the network's own state chooses its next input.

    z = Ws h(end of a syllable)         the most active of the units z_i switches on input i
    dWs_ij = eta_s R z_i h_j            R = 1 if the transition is the one wanted, else 0

In the rule z is the activity after the choice, 1 for the unit that won and 0 for the others, and every row of Ws keeps
unit norm (assumption `loop-plasticity`): with the drive itself for z, every unit's drive at the state h would grow by
the same factor, and the order in which they stand there never change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.network import Network
from rflo_repro.learning.validate import Array

# How far from 1 the norm of a row may be once it has been divided by its norm
ROUNDING = 1e-13


@dataclass(frozen=True, eq=False, repr=False)
class Loop(validate.Brief, validate.Checked):
    """Units that compete to switch on the network's inputs.

    w_s: (Nx, N) weights Ws from the network's units, a row an input.

    Copied to float64, each row scaled to unit norm, and made read-only.
    Raises ValueError for a wrong shape, a value that is not finite, or a row whose norm is 0 or not finite.
    """

    w_s: Array

    def __post_init__(self) -> None:
        w_s = validate.array("w_s", self.w_s, (None, None))
        with np.errstate(over="ignore"):
            norms = exact_math.norm(w_s)[:, np.newaxis]
        if not (norms > 0.0).all():
            raise ValueError("w_s must have no row of zeros")
        if not np.isfinite(norms).all():
            raise ValueError("w_s must have rows of finite norm, got one whose squares are too large")
        # a row of unit norm stays as it is, so that a copy has the same bits
        norms[np.abs(norms - 1.0) <= ROUNDING] = 1.0
        object.__setattr__(self, "w_s", validate.frozen(w_s / norms))

    @classmethod
    def random(cls, net: Network, rng: np.random.Generator) -> Loop:
        """Rows in random directions, one for each input of `net`. Raises ValueError for what is no network."""
        net = validate.instance("net", net, Network)
        return cls(exact_math.normal(validate.generator("rng", rng), (net.n_in, net.n_rec)))

    def choose(self, h: Array, allowed: npt.NDArray[np.bool_] | None = None) -> int:
        """The input that wins at state h (N,), among the allowed ones (Nx,), or among all.

        Raises ValueError for a wrong shape, a value that is not finite, or if none is allowed.
        """
        drive = exact_math.dot(self.w_s, self._state(h))
        return int(np.argmax(drive if allowed is None else np.where(self._allowed(allowed), drive, -np.inf)))

    def explore(
        self, h: Array, allowed: npt.NDArray[np.bool_], p_explore: float, rng: np.random.Generator
    ) -> tuple[int, bool]:
        """An allowed input, and whether it was drawn: any of them with probability `p_explore`, else the winner.

        Raises ValueError as `choose` does, and for a probability that is none.
        """
        allowed, p_explore = self._allowed(allowed), validate.real("p_explore", p_explore, 0.0, 1.0)
        if validate.generator("rng", rng).random() < p_explore:
            return int(rng.choice(np.flatnonzero(allowed))), True
        return self.choose(h, allowed), False

    def reinforced(self, h: Array, chosen: int, eta: float) -> Loop:
        """The loop after a rewarded choice (R = 1) at state h: the winner's row moves towards h.

        Raises ValueError for a wrong shape, a value that is not finite, an input that is none, or eta below 0.
        """
        w_s = self.w_s.copy()
        chosen = validate.integer("chosen", chosen, 0, len(w_s) - 1)
        w_s[chosen] += validate.real("eta", eta, 0.0) * self._state(h)
        return Loop(w_s)

    def _state(self, h: Array) -> Array:
        return validate.array("h", h, (self.w_s.shape[1],))

    def _allowed(self, allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        flags: npt.NDArray[np.bool_] = validate.array("allowed", allowed, (len(self.w_s),)) != 0.0
        if not flags.any():
            raise ValueError("allowed must have at least one input, got none")
        return flags
