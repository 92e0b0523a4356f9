"""The task of the author's example: a period whose first timestep is the initial state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rflo_repro.tasks import PeriodicTask

if TYPE_CHECKING:
    import numpy as np

    from rflo_repro.learning.validate import Array


@dataclass(frozen=True)
class FirstStepGiven:
    """A period of T timesteps of which T-1 are computed: h(0) is the state at the first, which has no error.

        y*(k) = sin(2 pi k/T) + 0.5 sin(4 pi k/T) + 0.25 sin(8 pi k/T),   k = 1..T-1

    whole: the period, of at least two timesteps.
    """

    stored_as = "FirstStepGiven"

    whole: PeriodicTask
    n_in = 0
    n_out = 1

    @property
    def n_steps(self) -> int:
        """How many timesteps are computed."""
        return self.whole.n_steps - 1

    @property
    def share(self) -> float:
        """The computed timesteps over all: what turns an average over the former into one over the latter."""
        return self.n_steps / self.whole.n_steps

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Inputs (T-1, 0) and targets (T-1, 1): the same every time."""
        inputs, targets = self.whole.trial(rng)
        return inputs[: self.n_steps], targets[: self.n_steps]
