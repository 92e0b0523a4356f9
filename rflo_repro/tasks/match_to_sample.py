"""Delayed match to sample: were two stimuli, a delay apart, the same?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.validate import Array


@dataclass(frozen=True)
class MatchToSampleTask(validate.Checked):
    """Two stimuli, A or B, a delay apart; at the end the output says whether they differed.

    Stimulus, delay, stimulus, delay, response. The target is 1 in the response if the stimuli differ, -1 if they are
    the same, and there is none before. Delayed nonmatch to sample as in Miconi (2017), eLife 6:e20899,
    doi:10.7554/eLife.20899: parts of 200 ms, where tau is 30 ms. With a timestep of 3 ms the usual tau of 10 timesteps
    is that (assumption `tasks-of-the-field`).

    Parameters
    ----------
    stimulus, delay, response : int
        Timesteps of each part.

    Raises
    ------
    ValueError
        For values out of range.
    """

    stored_as = "MatchToSampleTask"

    stimulus: int = 67
    delay: int = 67
    response: int = 67
    n_in, n_out = 2, 1

    def __post_init__(self) -> None:
        for name, least in {"stimulus": 1, "delay": 0, "response": 1}.items():
            object.__setattr__(self, name, validate.integer(name, getattr(self, name), least))

    @property
    def n_steps(self) -> int:
        """T."""
        return 2 * self.stimulus + 2 * self.delay + self.response

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One trial.

        Parameters
        ----------
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        tuple of ndarray
            Inputs (T, 2), A and B, and targets (T, 1), NaN before the response.
        """
        first, second = int(rng.integers(2)), int(rng.integers(2))
        inputs, targets = np.zeros((self.n_steps, 2)), np.full((self.n_steps, 1), np.nan)
        inputs[: self.stimulus, first] = 1.0
        again = self.stimulus + self.delay
        inputs[again : again + self.stimulus, second] = 1.0
        targets[-self.response :] = 1.0 if first != second else -1.0
        return inputs, targets

    def metric(self, outputs: Array, inputs: Array, targets: Array) -> float:
        """Whether the mean output in the response has the right sign.

        Parameters
        ----------
        outputs, inputs, targets : ndarray
            (T, 1), (T, 2) and (T, 1).

        Returns
        -------
        float
            1 or 0.
        """
        answer = float(exact_math.mean(outputs[-self.response :, 0]))
        return float(answer * targets[-1, 0] > 0.0)
