"""What a network can be trained on."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from rflo_repro.learning.validate import Array


@runtime_checkable
class Task(Protocol):
    """Anything with these three: `n_in` and `n_out` (whole numbers) and `trial(rng)`."""

    @property
    def n_in(self) -> int:
        """Nx, the number of inputs; may be 0."""

    @property
    def n_out(self) -> int:
        """Ny, the number of outputs."""

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One trial: inputs (T, Nx) and targets (T, Ny); row k is time k+1.

        A trial that equals the one before is kept once. Arrays may be refilled between trials: they are copied.
        """


class SizedTask(Task, Protocol):
    """A task that knows the length of its longest trial, as those of the paper do."""

    @property
    def n_steps(self) -> int:
        """T, timesteps of the longest trial."""
