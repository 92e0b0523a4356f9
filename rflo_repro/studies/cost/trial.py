"""The measurement of the study. It is of one machine at one hour, and not the same twice."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rflo_repro.runs.job import Arrays, Cost, Progress
from rflo_repro.tasks import PeriodicTask

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint

SECONDS, REPEATS = 0.15, 5


@dataclass(frozen=True)
class Timing:
    """The time of a timestep of training through the public API."""

    stored_as = "Timing"

    rule: str
    n_rec: int
    n_steps: int
    n_trials: int = REPEATS

    def cost(self) -> Cost:
        """An estimate. The memory is that of RTRL's traces, or of a session's history and weights."""
        traces = self.n_rec**3 if self.rule == "rtrl" else 2 * self.n_rec * self.n_steps
        return Cost(self.n_trials, 8 * (traces + 6 * self.n_rec**2), 8, 1e-3)

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """us_per_step: (1,) microseconds a timestep takes, best of several runs."""
        from rflo_repro.learning.network import Network
        from rflo_repro.learning.train import train

        net = Network.random(self.n_rec, 0, 1, np.random.default_rng(self.n_rec))
        task = PeriodicTask(self.n_steps)

        def seconds(n_trials: int) -> float:
            start = time.perf_counter()
            train(net, task, self.rule, 1e-3, n_trials, np.random.default_rng(0))
            return time.perf_counter() - start

        seconds(1)
        n_trials, times = max(1, round(SECONDS / seconds(1))), []
        for done in range(REPEATS):
            times.append(seconds(n_trials))
            progress(done + 1)
        return {"us_per_step": np.array([min(times) / n_trials / self.n_steps * 1e6])}
