"""The flip-flop: each output remembers the sign of the last pulse on its input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.validate import Array


@dataclass(frozen=True)
class FlipFlopTask(validate.Checked):
    """Pulses of either sign on each input; the output beside it keeps the sign of the last one.

    The three-bit memory of Sussillo and Barak (2013), Neural Computation 25:626, doi:10.1162/NECO_a_00409; the times
    are ours (assumption `tasks-of-the-field`). There is no target before the first pulse on an input, nor during one.

    Parameters
    ----------
    n_bits : int
        How many inputs and outputs.
    n_steps : int
        Timesteps of a trial.
    pulse : int
        Timesteps of a pulse.
    shortest, longest : int
        Timesteps from the end of a pulse to the next one on the same input, uniform between these. The first pulse
        begins after a time up to `shortest`.

    Raises
    ------
    ValueError
        For values out of range.
    """

    stored_as = "FlipFlopTask"

    n_bits: int = 3
    n_steps: int = 300
    pulse: int = 10
    shortest: int = 30
    longest: int = 90

    def __post_init__(self) -> None:
        for name, least in {"n_bits": 1, "n_steps": 1, "pulse": 1, "shortest": 1}.items():
            object.__setattr__(self, name, validate.integer(name, getattr(self, name), least))
        object.__setattr__(self, "longest", validate.integer("longest", self.longest, self.shortest))

    @property
    def n_in(self) -> int:
        """Nx."""
        return self.n_bits

    @property
    def n_out(self) -> int:
        """Ny."""
        return self.n_bits

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One trial.

        Parameters
        ----------
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        tuple of ndarray
            Inputs and targets, (T, n_bits) each; NaN before the first pulse and during each.
        """
        inputs = np.zeros((self.n_steps, self.n_bits))
        targets = np.full((self.n_steps, self.n_bits), np.nan)
        for bit in range(self.n_bits):
            start = int(rng.integers(self.shortest + 1))
            while start < self.n_steps:
                sign, end = 1.0 if rng.integers(2) else -1.0, start + self.pulse
                inputs[start:end, bit] = sign
                following = end + int(rng.integers(self.shortest, self.longest + 1))
                targets[start:end, bit] = np.nan
                targets[end:following, bit] = sign
                start = following
        return inputs, targets

    def metric(self, outputs: Array, inputs: Array, targets: Array) -> float:
        """The share of timesteps and outputs that have a target whose sign is right.

        Parameters
        ----------
        outputs, inputs, targets : ndarray
            (T, n_bits) each.

        Returns
        -------
        float
            From 0 to 1; NaN if no output has a target.
        """
        there = ~np.isnan(targets)
        right = (outputs[there] * targets[there] > 0.0).astype(np.float64)
        return float(exact_math.mean(right)) if len(right) else np.nan
