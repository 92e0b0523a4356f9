"""The auxiliary loop of Figure 4: the network's own state chooses its next input.

    z = Ws h(end of a syllable)         the most active of the units z_i switches on input i
    dWs_ij = eta_s R z_i h_j            R = 1 if the transition is the one wanted, else 0

In the plasticity z is the activity after the choice, 1 for the unit that won and 0 for the others, and every row of Ws
keeps unit norm (assumption `loop-plasticity`). With the pre-activations themselves for z, those of all units at the
state h would grow by the same factor, and the winner would never change.
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
class Loop(validate.ShortRepr, validate.Checked):
    """Units that compete to switch on the network's inputs.

    Parameters
    ----------
    w_s : ndarray
        (Nx, N) weights Ws from the network's units, a row an input. Copied to float64, each row scaled to unit norm,
        and made read-only.

    Raises
    ------
    ValueError
        For a wrong shape, a value that is not finite, or a row whose norm is 0 or not finite.
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
        """Rows in random directions, one for each input of a network.

        Parameters
        ----------
        net : Network
            The network, for its sizes.
        rng : numpy.random.Generator
            Samples the rows.

        Returns
        -------
        Loop
            The loop.

        Raises
        ------
        ValueError
            For another kind of object.
        """
        net = validate.instance("net", net, Network)
        return cls(exact_math.normal(validate.generator("rng", rng), (net.n_in, net.n_rec)))

    def choose(self, h: Array, allowed: npt.NDArray[np.bool_] | None = None) -> int:
        """The input whose unit is the most active.

        Parameters
        ----------
        h : ndarray
            (N,), the state of the network.
        allowed : ndarray of bool, optional
            (Nx,), the inputs to choose from; all by default.

        Returns
        -------
        int
            The index of the input.

        Raises
        ------
        ValueError
            For a wrong shape, a value that is not finite, or if no input is allowed.
        """
        z = exact_math.dot(self.w_s, self._state(h))
        return int(np.argmax(z if allowed is None else np.where(self._allowed(allowed), z, -np.inf)))

    def explore(
        self, h: Array, allowed: npt.NDArray[np.bool_], p_explore: float, rng: np.random.Generator
    ) -> tuple[int, bool]:
        """An allowed input: a random one with probability `p_explore`, else the winner.

        Parameters
        ----------
        h : ndarray
            (N,), the state of the network.
        allowed : ndarray of bool
            (Nx,), the inputs to choose from.
        p_explore : float
            From 0 to 1.
        rng : numpy.random.Generator
            Makes the random choices.

        Returns
        -------
        tuple of (int, bool)
            The index of the input, and whether it was chosen at random.

        Raises
        ------
        ValueError
            As `choose` does, and for a probability outside [0, 1].
        """
        allowed, p_explore = self._allowed(allowed), validate.real("p_explore", p_explore, 0.0, 1.0)
        if validate.generator("rng", rng).random() < p_explore:
            return int(rng.choice(np.flatnonzero(allowed))), True
        return self.choose(h, allowed), False

    def reinforced(self, h: Array, chosen: int, eta: float) -> Loop:
        """The loop after a rewarded choice (R = 1): the winner's row moves towards the state.

        Parameters
        ----------
        h : ndarray
            (N,), the state of the network.
        chosen : int
            The index of the input.
        eta : float
            The learning rate eta_s, at least 0.

        Returns
        -------
        Loop
            The new loop; this one stays as it is.

        Raises
        ------
        ValueError
            For a wrong shape, a value that is not finite, an index out of range, or eta below 0.
        """
        w_s = self.w_s.copy()
        chosen = validate.integer("chosen", chosen, 0, len(w_s) - 1)
        w_s[chosen] += validate.real("eta", eta, 0.0) * self._state(h)
        return Loop(w_s)

    def _state(self, h: Array) -> Array:
        return validate.array("h", h, (self.w_s.shape[1],))

    def _allowed(self, allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        mask: npt.NDArray[np.bool_] = validate.array("allowed", allowed, (len(self.w_s),)) != 0.0
        if not mask.any():
            raise ValueError("allowed must have at least one input, got none")
        return mask
