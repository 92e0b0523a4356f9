"""The job of Figure 3: a network trained on interval matching, and the time of its output's peak in tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rflo_repro.learning.task import longest_trial
from rflo_repro.runs.job import Arrays, Cost, Progress
from rflo_repro.runs.session import SessionWrapper, weights
from rflo_repro.tasks import IntervalMatchingTask

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint
    from rflo_repro.learning.network import Network


@dataclass(frozen=True)
class IntervalSession(SessionWrapper):
    """A session on interval matching and a test trial at each delay.

    session: on an IntervalMatchingTask. delays: in timesteps.
    """

    stored_as = "IntervalSession"

    delays: tuple[int, ...]

    def cost(self) -> Cost:
        """That of the session; saved are a trial's inputs too."""
        cost = self.session.cost()
        return replace(cost, saved=cost.saved + 8 * longest_trial(self.session.task) * self.session.task.n_in)

    def trained(self, arrays: Arrays) -> Network:
        """The network after the last trial, from what `run` returned."""
        return self.session.trained(arrays)

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """Train, then test.

        loss, alignment: (n_trials,); diverged.
        delay, peak: (n_tests,) of each test trial, and the time of the output's maximum, from the second pulse's peak,
        in timesteps; it may be negative.
        w_in, w_rec, w_out: the trained weights.
        inputs, y, targets: (T, Nx), (T, 1), (T, 1) in the test trial in the middle; example: its number.
        """
        from rflo_repro.learning.evaluate import run

        task = self.session.task
        assert isinstance(task, IntervalMatchingTask)
        history = self.session.train(progress, checkpoint)
        trials = [task.with_delay(delay) for delay in self.delays]
        outputs = [run(history.network, inputs).y for inputs, _ in trials]
        second = task.first + np.array(self.delays)
        middle = len(self.delays) // 2
        return {
            "loss": history.loss,
            "alignment": history.alignment,
            "diverged": np.array(history.diverged),
            "delay": np.array(self.delays),
            "peak": np.array([y[:, 0].argmax() + 1 for y in outputs]) - second,
            "example": np.array(middle),
            **weights(history.network),
            "inputs": trials[middle][0],
            "y": outputs[middle],
            "targets": trials[middle][1],
        }
