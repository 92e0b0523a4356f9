"""The jobs of the study: sessions with the cosine of update and gradient on the way, and searches for rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rflo_repro.learning import exact_math
from rflo_repro.learning.rules import LearningRule, resolve
from rflo_repro.runs.initialisation import generator
from rflo_repro.runs.job import Arrays, Cost, Progress
from rflo_repro.runs.session import Session, SessionWrapper, last_part
from rflo_repro.tasks import MovementTask, Reaching

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.validate import Array

STAGES = ("w", "w_out")
# Methods: "[1e-4, 3e-4, 1e-3, ..., 3e-1]"; a rate goes by its index, that of 1 being 0
GRID = tuple(range(-8, 0))
AROUND = 2
# a search that is widened ends at 1e-6 and 30
LOWEST, HIGHEST = -12, 3
# times its first loss: what a network counts as that diverged or exploded
MOST = 10.0


@dataclass(frozen=True)
class Movements:
    """The single movements of Figure 4, which begin at the origin, as a value."""

    stored_as = "Movements"

    reaching: Reaching
    n_in = MovementTask.n_in
    n_out = MovementTask.n_out

    @property
    def n_steps(self) -> int:
        """T, a movement and a hold."""
        return 2 * self.reaching.n_steps

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """The first movement: inputs (T, 4) and targets (T, 2)."""
        return MovementTask(self.reaching).trial(rng)


def begun(session: Session) -> Session:
    """The session with a task whose trials have not begun yet."""
    return (
        replace(session, task=MovementTask(session.task.reaching)) if isinstance(session.task, Movements) else session
    )


@dataclass(frozen=True)
class RuleSession(SessionWrapper):
    """A session in which the rule's update of W is compared with the exact gradient.

    points: after how many trials, in order; multiples of the batch. What is compared are the updates of a batch of
    trials that are sampled for this.
    """

    stored_as = "RuleSession"

    points: tuple[int, ...]

    def cost(self) -> Cost:
        """That of the session; saved is a cosine a point too."""
        cost = self.session.cost()
        return replace(cost, saved=cost.saved + 8 * len(self.points))

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """loss, alignment: (n_trials,); diverged; targets: (T, Ny) of a trial. cosine: (len(points),) of the update of
        W and minus the exact gradient; NaN after a divergence, and where either is zero."""
        session = begun(self.session)
        samples, signs = (generator(session.seed, session.network, purpose) for purpose in ("test", "exploration"))
        # movements go on from each other: the trials that are sampled must not move the training's
        task = begun(self.session).task
        targets = np.array(task.trial(samples)[1])
        cosines, history = np.full(len(self.points), np.nan), None
        for i, (net, history) in enumerate(session.stages(self.points, progress)):
            if history is not None and history.diverged:
                break
            trials = [task.trial(samples) for _ in range(session.batch)]
            cosines[i] = _cosine(net, session.rule, trials, signs)
        assert history is not None
        loss, alignment = (
            np.concatenate([curve, np.full(session.n_trials - len(curve), np.nan)])
            for curve in (history.loss, history.alignment)
        )
        return {
            "loss": loss,
            "alignment": alignment,
            "diverged": np.array(history.diverged),
            "targets": targets,
            "cosine": cosines,
        }


def _cosine(
    net: Network, rule: str | LearningRule, trials: list[tuple[Array, Array]], signs: np.random.Generator
) -> float:
    """Cosine of the rule's update of W in a batch and minus the exact gradient; NaN if either is zero."""
    from rflo_repro.learning.evaluate import weight_updates

    if "w_rec" not in resolve(rule).trains:
        return np.nan
    own, exact = (
        sum((weight_updates(net, *trial, rule=rule, rng=signs).w_rec for trial in trials), np.zeros_like(net.w_rec))
        for rule in (rule, "bptt")
    )
    return exact_math.cosine_similarity(own, exact)


@dataclass(frozen=True)
class Draws:
    """Single draws of a stochastic rule's update for an untrained network, compared with the exact gradient.

    session: of the rule and the network; it is not trained.
    """

    stored_as = "Draws"

    session: Session
    n_draws: int

    def cost(self) -> Cost:
        """That of as many trials as draws; saved is a number a draw."""
        cost = self.session.cost()
        seconds = self.n_draws * cost.seconds / cost.trials
        return replace(cost, trials=self.n_draws, saved=8 * self.n_draws, seconds=seconds)

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """error: (n_draws,) size of the difference of a draw's update of W and minus the exact gradient, over that of
        the gradient."""
        from rflo_repro.learning.evaluate import weight_updates

        session, net = self.session, self.session.initial()
        trial = session.task.trial(generator(session.seed, session.network, "task"))
        signs = generator(session.seed, session.network, "exploration")
        exact = weight_updates(net, *trial, rule="bptt").w_rec
        error = np.empty(self.n_draws)
        for i in range(self.n_draws):
            drawn = weight_updates(net, *trial, rule=session.rule, rng=signs).w_rec
            error[i] = exact_math.frobenius_norm(drawn - exact) / exact_math.frobenius_norm(exact)
            progress(i + 1)
        return {"error": error}


def rate(index: int) -> float:
    """The learning rate at an index of the grid {1, 3} x 10^k."""
    return float(f"{(1, 3)[index % 2]}e{index // 2}")


def bounded_log(final: Array, first: Array) -> Array:
    """log10 of the final loss; one that diverged (NaN) or exploded counts as ten times its first loss."""
    most = MOST * first
    return exact_math.log10(np.where(final <= most, final, most))


def score(final: Array, first: Array) -> Array:
    """What is best where it is smallest: the mean over networks, along the last axis, of `bounded_log`."""
    return exact_math.mean(bounded_log(final, first))


@dataclass(frozen=True)
class Search:
    """A search for the learning rates of W (Win goes with it) and of Wout, one after the other.

    session: of network 0; its rates do not count. n_networks: trained at each rate.
    stages: what is searched for, of `w` and `w_out`, in order. start: index of the first rate of Wout.

    The first stage tries the whole grid, a second one the rates next to the start; either goes on by one rate as long
    as the best one (`score`; of a tie the smallest) is the smallest or the largest that was tried.
    """

    stored_as = "Search"

    session: Session
    n_networks: int
    stages: tuple[str, ...]
    start: int

    @property
    def n_trials(self) -> int:
        """Training trials at the least."""
        n_rates = len(GRID) + 2 * AROUND * (len(self.stages) - 1)
        return n_rates * self._n_trials_a_rate

    @property
    def _n_trials_a_rate(self) -> int:
        return self.n_networks * self.session.n_trials

    def cost(self) -> Cost:
        """That of the sessions at the least; saved are two losses a network, stage and rate."""
        cost, saved = self.session.cost(), 16 * len(self.stages) * (HIGHEST - LOWEST + 1) * (self.n_networks + 2)
        return Cost(self.n_trials, cost.bytes + saved, saved, self.n_trials * cost.seconds / cost.trials)

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """stage, w, w_out: (k,) what was searched for, and the rates that were tried, in ascending order by stage.
        final, first: (k, n) losses of the networks; final is NaN after a divergence."""
        seen: dict[tuple[int, int], tuple[Array, Array]] = {}
        saved = None if checkpoint is None else checkpoint.read()
        if saved is not None:
            for (w, w_out), (final, first) in zip(saved["places"], saved["losses"], strict=True):
                seen[int(w), int(w_out)] = final, first
        at, rows = {"w": 0, "w_out": self.start}, []

        def tried(stage: str, index: int) -> tuple[int, int]:
            key = (index, at["w_out"]) if stage == "w" else (at["w"], index)
            if key not in seen:
                seen[key] = self._losses(rate(key[0]), rate(key[1]), len(seen), progress)
                if checkpoint is not None:
                    done = len(seen) * self._n_trials_a_rate
                    checkpoint.keep(done, lambda: {"places": np.array([*seen]), "losses": np.array([*seen.values()])})
            return key

        for stage in self.stages:
            indices = [*GRID] if stage == self.stages[0] else [*range(self.start - AROUND, self.start + AROUND + 1)]
            while True:
                found = [seen[tried(stage, index)] for index in indices]
                best = int(np.argmin([score(*losses) for losses in found]))
                if best == 0 and indices[0] > LOWEST:
                    indices.insert(0, indices[0] - 1)
                elif best == len(indices) - 1 and indices[-1] < HIGHEST:
                    indices.append(indices[-1] + 1)
                else:
                    break
            rows += [(stage, *tried(stage, index)) for index in indices]
            at[stage] = indices[best]
        losses = [seen[w, w_out] for _, w, w_out in rows]
        return {
            "stage": np.array([stage for stage, _, _ in rows]),
            "w": np.array([rate(w) if "w" in self.stages else 0.0 for _, w, _ in rows]),
            "w_out": np.array([rate(w_out) if "w_out" in self.stages else 0.0 for _, _, w_out in rows]),
            "final": np.array([final for final, _ in losses]),
            "first": np.array([first for _, first in losses]),
        }

    def _losses(self, w: float, w_out: float, n_before: int, progress: Progress) -> tuple[Array, Array]:
        """Final and first loss (n,) of each network at these rates."""
        from rflo_repro.learning.optimizers import LearningRates

        final, first = [], []
        for network in range(self.n_networks):
            done = n_before * self._n_trials_a_rate + network * self.session.n_trials
            session = replace(begun(self.session), network=network, eta=LearningRates(w_in=w, w_rec=w, w_out=w_out))
            # a search that is widened has more trials than it announced
            loss = session.train(_ahead(progress, min(done, self.n_trials - session.n_trials))).loss
            final.append(last_part(loss))
            first.append(float(loss[0]))
        return np.array(final), np.array(first)


def _ahead(progress: Progress, done: int) -> Progress:
    return lambda trials: progress(done + trials)
