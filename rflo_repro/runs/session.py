"""One network trained on one task: the job that most figures are made of."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rflo_repro.learning.algorithms import multiply_adds
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.rules import resolve
from rflo_repro.learning.task import longest_trial
from rflo_repro.runs.initialisation import Initialisation, generator
from rflo_repro.runs.job import Arrays, Cost, Progress

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint
    from rflo_repro.learning.history import History
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.optimizers import LearningRates
    from rflo_repro.learning.rules import LearningRule
    from rflo_repro.learning.task import Task
    from rflo_repro.learning.validate import Array

FINAL_SHARE = 0.01
METRIC_TRIALS = 500


@dataclass(frozen=True)
class Session:
    """A network sampled by `init` and trained on `task` by `rule`; `seed` and `network` choose the sample.

    Each training has a copy of the task, which may remember its trials. The others are as in `train`.
    """

    stored_as = "Session"
    stored_fields: ClassVar = {"init": "recipe"}
    stored_unless: ClassVar = {"loss": "squared"}

    task: Task
    rule: str | LearningRule
    eta: float | LearningRates
    n_trials: int
    init: Initialisation
    seed: int
    network: int
    online: bool = False
    batch: int = 1
    reset_state: bool = True
    optimizer: str | Optimizer = "sgd"
    noise: float = 0.0
    loss: str = "squared"

    def cost(self) -> Cost:
        """Saved are two curves, a trial's outputs and targets, and the trained weights.

        In memory are two histories of the network's size a timestep (four with noise or where phi' is stored), a few
        weight matrices (more with an optimiser, least squares or Kronecker factors), RTRL's two arrays of how every
        unit depends on every weight, and of stochastic rules a few numbers for each draw and timestep, signs among
        them.

        The time is that of the rule's multiply-adds, at 64 in a nanosecond.
        """
        n, n_in, n_out, n_steps = self.init.n_rec, self.task.n_in, self.task.n_out, longest_trial(self.task)
        rule, width = resolve(self.rule), n + n_in + 8
        algorithm = rule.algorithm
        plain = self.noise == 0.0 and self.init.plain and not algorithm.perturbs
        histories = (2 if plain else 4) + algorithm.histories
        matrices = (6 if self.optimizer == "sgd" else 10) + algorithm.matrices
        n_signs = algorithm.n_signs(n)
        chance = rule.draws * (n_signs // 64 + n_out + 4) if n_signs else 0
        numbers = n_steps * self.batch * (histories * width + chance) + matrices * width**2 + algorithm.cubes * width**3
        saved = 16 * (self.n_trials + n_steps * n_out) + 8 * n * (n + n_in + n_out + (self.init.bias is not None))
        flops = n * (n + n_in + n_out) * multiply_adds(rule, n, n_in, n_out, self.online)
        # steps first: of numbers without limit floats become infinite, and an integer too long is an error
        seconds = self.n_trials * (n_steps * (1e-8 + flops / 64e9))
        return Cost(self.n_trials, 8 * numbers + saved, saved, seconds)

    def initial(self) -> Network:
        """The network before training."""
        return self.init.draw(self.task, self.seed, self.network)

    def train(self, progress: Progress, checkpoint: Checkpoint | None = None) -> History:
        """Train the initial network, from where the checkpoint is."""
        from rflo_repro.learning.train import train

        return train(
            self.initial(),
            copy.deepcopy(self.task),
            self.rule,
            self.eta,
            self.n_trials,
            generator(self.seed, self.network, "task"),
            online=self.online,
            batch=self.batch,
            reset_state=self.reset_state,
            progress=progress,
            optimizer=self.optimizer,
            noise=self.noise,
            checkpoint=checkpoint,
            loss=self.loss,
        )

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """Curves (n_trials,) of loss and alignment, `diverged`, the trained network's outputs y (T, Ny) and their
        targets in one trial more, and its weights; of a task with a metric its mean over further trials."""
        from rflo_repro.learning.evaluate import run

        history = self.train(progress, checkpoint)
        task, rng = copy.deepcopy(self.task), generator(self.seed, self.network, "test")
        inputs, targets = task.trial(rng)
        return {
            "loss": history.loss,
            "alignment": history.alignment,
            "diverged": np.array(history.diverged),
            "y": run(history.network, inputs).y,
            **self.wanted(inputs, targets, history.network),
            **({"metric": self.measured(history.network, task, rng)} if hasattr(task, "metric") else {}),
            **weights(history.network),
        }

    def wanted(self, inputs: Array, targets: Array, net: Network) -> Arrays:
        """A trial's targets, (T, Ny), and, of another loss than the squared one, that of outputs of zero."""
        from rflo_repro.learning import losses

        if self.loss == "squared":
            return {"targets": np.array(targets)}
        probabilities = losses.targets_of(self.loss, targets, len(inputs), net.n_out)
        zero = losses.of_outputs(self.loss, probabilities, np.zeros(probabilities.shape))
        return {"targets": probabilities, "zero_output_loss": np.array(zero)}

    def measured(self, net: Network, task: Task, rng: np.random.Generator) -> Array:
        """The task's metric, a mean over trials, as an array of no dimension."""
        from rflo_repro.learning.scores import evaluate

        return np.array(evaluate(net, task, METRIC_TRIALS, rng, self.loss).metric)

    def stages(self, points: Sequence[int], progress: Progress) -> Iterator[tuple[Network, History | None]]:
        """The network after each of so many trials, in ascending order, at the state where the next trial begins, and
        the history so far, None before any trial. The last one is that of a divergence, if there is one."""
        history = None
        for done in points:
            if history is not None:
                history = history.resume(done - len(history.loss), progress)
            elif done > 0:
                history = replace(self, n_trials=done).train(progress)
            yield self.initial() if history is None else replace(history.network, h0=history.state), history
            if history is not None and history.diverged:
                return

    def trained(self, arrays: Arrays) -> Network:
        """The network after the last trial, from what `run` returned."""
        return with_weights(self.initial(), arrays)


@dataclass(frozen=True)
class SessionWrapper:
    """A job that is a session and more, whose cost is the session's unless it says otherwise."""

    session: Session

    def cost(self) -> Cost:
        """That of the session."""
        return self.session.cost()


TRAINED = ("w_in", "w_rec", "w_out", "bias")


def weights(net: Network) -> Arrays:
    """What training changes of a network, to be saved with its results."""
    return {name: value for name in TRAINED if (value := getattr(net, name)) is not None}


def with_weights(net: Network, arrays: Arrays) -> Network:
    """The network with these weights."""
    saved: dict[str, Any] = {name: arrays[name] for name in weights(net)}
    return replace(net, **saved)


def last_part(values: Array) -> float:
    """Median over the last 1% of trials; NaN if one of them is missing."""
    return float(np.median(values[-max(1, int(len(values) * FINAL_SHARE)) :]))
