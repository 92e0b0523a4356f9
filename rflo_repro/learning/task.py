"""What a network can be trained on."""

from __future__ import annotations

import copy
import numbers
from typing import Any, Protocol, runtime_checkable

import numpy as np

from rflo_repro.learning import validate
from rflo_repro.learning.validate import Array

LOSSES = ("squared", "cross-entropy")


@runtime_checkable
class Task(Protocol):
    """What a network is trained on: any object with `n_in`, `n_out` and `trial(rng)`, in `train` and in a sweep.

    More is optional. A method ``metric(outputs, inputs, targets) -> float`` says how well a trial was done, such as 1
    for the right choice and 0 for another; `evaluate` calls it. `n_steps`, the timesteps of the longest trial, tells a
    sweep how much memory and time it takes; without it a sweep asks for a trial. A frozen dataclass does not remember
    its trials: it need not give them again after a checkpoint.
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
            among targets: no error. With the cross-entropy targets may be class numbers (T,).
        """


def check_task(task: Any, n_in: int, n_out: int) -> None:
    """Raises ValueError for what is no task for a network with so many inputs and outputs."""
    if isinstance(task, type):
        raise ValueError(f"task must be an instance, got the class: write {task.__name__}(...)")
    for name, needed in (("n_in", n_in), ("n_out", n_out)):
        size = getattr(task, name, None)
        if not isinstance(size, numbers.Integral) or size != needed:
            raise ValueError(f"task.{name} must be the network's {needed}, got {validate.short_repr(size)}")
    if not callable(getattr(task, "trial", None)):
        raise ValueError(f"task must have a method trial, got {validate.short_repr(task)}")


def longest_trial(task: Task) -> int:
    """Timesteps of the longest trial: the task's own `n_steps`, or those of one trial of a copy of the task."""
    n_steps = getattr(task, "n_steps", None)
    return len(copy.deepcopy(task).trial(np.random.default_rng(0))[0]) if n_steps is None else n_steps
