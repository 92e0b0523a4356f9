"""The realisation of the study: a session, and the cosine of its rule's update and the exact gradient on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rflo_repro.learning import arithmetic
from rflo_repro.runs.realisation import Arrays, Progress
from rflo_repro.runs.recipe import generator
from rflo_repro.runs.session import Session

MATRICES = ("w_rec", "w_out")


@dataclass(frozen=True)
class GradientSession:
    """A session in which each rule's update is compared with the exact gradient before some of its trials.

    session: on a task without randomness. trials: their numbers, from 1, in order.
    """

    session: Session
    trials: tuple[int, ...]

    @property
    def n_trials(self) -> int:
        """Training trials."""
        return self.session.n_trials

    @property
    def n_bytes(self) -> int:
        """Those of the session."""
        return self.session.n_bytes

    @property
    def n_kept(self) -> int:
        """A cosine by matrix and trial that is looked at."""
        return 16 * len(self.trials)

    @property
    def n_seconds(self) -> float:
        """Those of the session."""
        return self.session.n_seconds

    def run(self, progress: Progress) -> Arrays:
        """w_rec, w_out: the cosine (len(trials),) by matrix; NaN after a divergence or where an update is zero."""
        from rflo_repro.learning.training import train, weight_updates

        session = self.session
        trial = session.task.trial(generator(session.seed, session.network, "task"))
        found = {matrix: np.full(len(self.trials), np.nan) for matrix in MATRICES}
        net, done = session.initial(), 0
        for i, number in enumerate(self.trials):
            if number - 1 > done:
                history = train(
                    net,
                    session.task,
                    session.rule,
                    session.eta,
                    number - 1 - done,
                    online=session.online,
                    reset_state=session.reset_state,
                    progress=_ahead(progress, done),
                )
                net, done = history.network, number - 1
                if not session.reset_state:
                    net = replace(net, h0=history.state)
                if history.diverged:
                    break
            own, exact = (weight_updates(net, *trial, rule=rule) for rule in (session.rule, "bptt"))
            for matrix in MATRICES:
                found[matrix][i] = cosine(getattr(own, matrix), getattr(exact, matrix))
        return found


def _ahead(progress: Progress, done: int) -> Progress:
    return lambda trials: progress(done + trials)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two arrays as vectors; NaN if either is zero."""
    sizes = arithmetic.size(one) * arithmetic.size(other)
    return arithmetic.inner(one, other) / sizes if sizes > 0.0 else np.nan
