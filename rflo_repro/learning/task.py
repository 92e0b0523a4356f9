"""What a network can be trained on."""

from __future__ import annotations

import copy
from typing import Protocol, runtime_checkable

import numpy as np

from rflo_repro.learning.validate import Array


@runtime_checkable
class Task(Protocol):
    """What a network is trained on: any object with `n_in`, `n_out` and `trial(rng)`, in `train` and in a sweep.

    Besides, `n_steps`, the timesteps of the longest trial, tells a sweep how much memory and time it takes; without
    it a sweep asks for a trial. A frozen dataclass does not remember its trials: it need not give them again after a
    checkpoint.
    """

    @property
    def n_in(self) -> int:
        """Nx, the number of inputs; may be 0."""

    @property
    def n_out(self) -> int:
        """Ny, the number of outputs."""

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One trial.

        Parameters
        ----------
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        tuple of ndarray
            Inputs (T, Nx) and targets (T, Ny); row k is time k+1. They are copied: the task may use them again. NaN
            among targets: no error.
        """


def longest_trial(task: Task) -> int:
    """Timesteps of the longest trial: the task's own `n_steps`, or those of one trial of a copy of the task."""
    n_steps = getattr(task, "n_steps", None)
    return len(copy.deepcopy(task).trial(np.random.default_rng(0))[0]) if n_steps is None else n_steps
