"""The job of the study: a session, and the cosine of its rule's update and the exact gradient on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rflo_repro.learning import exact_math
from rflo_repro.runs.initialisation import generator
from rflo_repro.runs.job import Arrays, Cost, Progress
from rflo_repro.runs.session import SessionWrapper

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint

MATRICES = ("w_rec", "w_out")


@dataclass(frozen=True)
class GradientSession(SessionWrapper):
    """A session in which each rule's update is compared with the exact gradient before some of its trials.

    session: on a task without randomness. trials: their numbers, from 1, in order.
    """

    stored_as = "GradientSession"

    trials: tuple[int, ...]

    def cost(self) -> Cost:
        """The session's; what is saved is a cosine for each matrix and trial of `trials`."""
        return replace(self.session.cost(), saved=16 * len(self.trials))

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """w_rec, w_out: the cosine (len(trials),) by matrix; NaN after a divergence or where an update is zero."""
        from rflo_repro.learning.evaluate import weight_updates

        session = self.session
        trial = session.task.trial(generator(session.seed, session.network, "task"))
        found = {matrix: np.full(len(self.trials), np.nan) for matrix in MATRICES}
        points = [number - 1 for number in self.trials]
        for i, (net, history) in enumerate(session.stages(points, progress)):
            if history is not None and history.diverged:
                break
            own, exact = (weight_updates(net, *trial, rule=rule) for rule in (session.rule, "bptt"))
            for matrix in MATRICES:
                found[matrix][i] = exact_math.cosine_similarity(getattr(own, matrix), getattr(exact, matrix))
        return found
