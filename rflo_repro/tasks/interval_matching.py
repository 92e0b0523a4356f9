"""Interval matching, Figure 3: the output repeats the interval between two input pulses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.validate import Array


@dataclass(frozen=True)
class IntervalMatchingTask(validate.Checked):
    """Two input pulses a delay apart; the target is a pulse that trails the second by the same delay.

    All trials have the same length, so that a batch can be run in lockstep. Times are in timesteps.

    Parameters
    ----------
    longest, shortest : int
        A trial's delay is uniform from shortest to longest.
    channels : int
        1, both pulses on one input, or 2, an input for each pulse (assumption `input-channels`).
    pulse_sd : float
        Standard deviation of the Gaussian pulses.
    first : int
        Time of the first pulse's peak.
    tail : int
        From the latest peak that a target can have to the end of the trial.
    input_height : float
        Height of the input pulses; the target is 1 high (assumption `pulse-height`).
    first_spread : int
        The first pulse of each trial is later than `first` by a random time, uniform up to this.

    Raises
    ------
    ValueError
        For values out of range.
    """

    stored_as = "IntervalMatchingTask"

    longest: int
    shortest: int = 50
    channels: int = 2
    pulse_sd: float = 15.0
    first: int = 50
    tail: int = 100
    input_height: float = 1.0
    first_spread: int = 0
    n_out = 1

    def __post_init__(self) -> None:
        least = {"shortest": 1, "longest": self.shortest, "first": 1, "tail": 0, "first_spread": 0}
        for name, minimum in least.items():
            object.__setattr__(self, name, validate.integer(name, getattr(self, name), minimum))
        object.__setattr__(self, "channels", validate.integer("channels", self.channels, 1, 2))
        for name in ("pulse_sd", "input_height"):
            object.__setattr__(self, name, validate.real(name, getattr(self, name), np.finfo(float).tiny))

    @property
    def n_in(self) -> int:
        """Nx."""
        return self.channels

    @property
    def n_steps(self) -> int:
        """T, the length of every trial."""
        return self.first + self.first_spread + 2 * self.longest + self.tail

    def pulse(self, at: int) -> Array:
        """A pulse 1 high.

        Parameters
        ----------
        at : int
            The time of its peak.

        Returns
        -------
        ndarray
            (T,); entry k is time k+1.
        """
        time = np.arange(1, self.n_steps + 1)
        # far from the peak of a narrow pulse the square is infinite, and the pulse 0
        with np.errstate(over="ignore"):
            away = (time - at) / self.pulse_sd
            return exact_math.exp(-0.5 * (away * away))

    def with_delay(self, delay: int, later: int = 0) -> tuple[Array, Array]:
        """The trial with a given delay.

        Parameters
        ----------
        delay : int
            At most `longest`.
        later : int
            How much later than `first` the first pulse is, at most `first_spread`.

        Returns
        -------
        tuple of ndarray
            Inputs (T, channels) and targets (T, 1).

        Raises
        ------
        ValueError
            For a delay or a time out of range.
        """
        delay = validate.integer("delay", delay, 0, self.longest)
        first = self.first + validate.integer("later", later, 0, self.first_spread)
        inputs = np.zeros((self.n_steps, self.channels))
        inputs[:, 0] += self.pulse(first)
        inputs[:, -1] += self.pulse(first + delay)
        return self.input_height * inputs, self.pulse(first + 2 * delay)[:, np.newaxis]

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """A trial with a random delay.

        Parameters
        ----------
        rng : numpy.random.Generator
            Samples the delay, and the time of the first pulse if it varies.

        Returns
        -------
        tuple of ndarray
            Inputs (T, channels) and targets (T, 1).

        Raises
        ------
        ValueError
            For anything but a generator.
        """
        rng = validate.generator("rng", rng)
        delay = int(rng.integers(self.shortest, self.longest + 1))
        # without a spread nothing is sampled for it: the delays are then those of the figure
        return self.with_delay(delay, int(rng.integers(self.first_spread + 1)) if self.first_spread else 0)
