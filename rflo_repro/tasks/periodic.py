"""The periodic output of Figure 2: an autonomous network learns one period of a sum of sines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.validate import Array

# amplitude and harmonic of each sine in the target (Methods, Figure 2)
HARMONICS = ((1.0, 1), (0.5, 2), (0.25, 4))


@dataclass(frozen=True)
class PeriodicTask(validate.Checked):
    """One trial is one period of T = `period` timesteps, without input.

        y*(t) = sin(2 pi t/T) + 0.5 sin(4 pi t/T) + 0.25 sin(8 pi t/T),   t = 1..T

    Parameters
    ----------
    period : int
        T, at least 1.

    Raises
    ------
    ValueError
        For another period.
    """

    stored_as = "PeriodicTask"

    period: int
    n_in = 0
    n_out = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "period", validate.integer("period", self.period, 1))

    @property
    def n_steps(self) -> int:
        """T, the length of a trial."""
        return self.period

    @cached_property
    def _trial(self) -> tuple[Array, Array]:
        time = np.arange(1, self.period + 1)
        targets = np.zeros(self.period)
        for amplitude, harmonic in HARMONICS:
            targets += amplitude * exact_math.sin_of_turn(harmonic * time, self.period)
        return validate.frozen(np.zeros((self.period, 0))), validate.frozen(targets[:, np.newaxis])

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One period.

        Parameters
        ----------
        rng : numpy.random.Generator
            Not used.

        Returns
        -------
        tuple of ndarray
            Inputs (T, 0) and targets (T, 1): the same arrays, read-only, every time.
        """
        return self._trial
