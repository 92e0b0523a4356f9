"""One network trained on one task: the job that most figures are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rflo_repro.learning.algorithms import multiply_adds
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.rules import resolve
from rflo_repro.learning.task import longest_trial
from rflo_repro.runs.initialisation import Initialisation, generator
from rflo_repro.runs.job import Arrays, Progress

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint
    from rflo_repro.learning.history import History
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.optimizers import LearningRates
    from rflo_repro.learning.rules import LearningRule
    from rflo_repro.learning.task import Task
    from rflo_repro.learning.validate import Array

FINAL_SHARE = 0.01


@dataclass(frozen=True)
class Session:
    """A network drawn by `init`, trained on `task` by `rule`; `seed` and `network` choose the draw.

    The others are as in `train`.
    """

    stored_as = "Session"
    stored_fields: ClassVar = {"init": "recipe"}

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

    @property
    def n_bytes(self) -> int:
        """Two histories of the network's size a timestep (four where phi' and noise are kept), a few weight matrices
        (more with an optimiser, least squares or Kronecker factors), RTRL's two arrays of how every unit depends on
        every weight, and of rules by chance a few numbers for each draw and timestep, signs among them."""
        n_steps = longest_trial(self.task)
        n, width = self.init.n_rec, self.init.n_rec + self.task.n_in + 8
        rule = resolve(self.rule)
        algorithm = rule.algorithm
        plain = self.noise == 0.0 and self.init.plain and not algorithm.perturbs
        histories = (2 if plain else 4) + algorithm.histories
        matrices = (6 if self.optimizer == "sgd" else 10) + algorithm.matrices
        n_signs = algorithm.n_signs(n)
        chance = rule.draws * (n_signs // 64 + self.task.n_out + 4) if n_signs else 0
        of_a_step = self.batch * (histories * width + chance)
        weights = matrices * width**2 + algorithm.cubes * width**3
        return 8 * (n_steps * of_a_step + weights) + self.n_kept

    @property
    def n_kept(self) -> int:
        """Two curves, a trial's outputs and targets, and the trained weights."""
        n = self.init.n_rec
        weights = n * (n + self.task.n_in + self.task.n_out + (self.init.bias is not None))
        return 16 * (self.n_trials + longest_trial(self.task) * self.task.n_out) + 8 * weights

    @property
    def n_seconds(self) -> float:
        """The rule's multiply-adds, at 64 in a nanosecond."""
        n, n_in, n_out = self.init.n_rec, self.task.n_in, self.task.n_out
        cost = multiply_adds(resolve(self.rule), n, n_in, n_out, self.online)
        return self.n_trials * longest_trial(self.task) * (1e-8 + n * (n + n_in + n_out) * cost / 64e9)

    def initial(self) -> Network:
        """The network before training."""
        return self.init.draw(self.task, self.seed, self.network)

    def train(self, progress: Progress, checkpoint: Checkpoint | None = None) -> History:
        """Train the initial network, from where the checkpoint is."""
        from rflo_repro.learning.train import train

        return train(
            self.initial(),
            self.task,
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
        )

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """Curves (n_trials,) of loss and alignment, `diverged`, the trained network's outputs y (T, Ny) and their
        targets in one trial more, and its weights."""
        from rflo_repro.learning.evaluate import run

        history = self.train(progress, checkpoint)
        inputs, targets = self.task.trial(generator(self.seed, self.network, "test"))
        return {
            "loss": history.loss,
            "alignment": history.alignment,
            "diverged": np.array(history.diverged),
            "y": run(history.network, inputs).y,
            "targets": np.array(targets),
            **weights(history.network),
        }

    def trained(self, arrays: Arrays) -> Network:
        """The network after the last trial, from what `run` returned."""
        return with_weights(self.initial(), arrays)


@dataclass(frozen=True)
class SessionWrapper:
    """A job that is a session and more: trials, memory and time are the session's, unless it says otherwise."""

    session: Session

    @property
    def n_trials(self) -> int:
        """Training trials."""
        return self.session.n_trials

    @property
    def n_bytes(self) -> int:
        """As of `Session`."""
        return self.session.n_bytes

    @property
    def n_seconds(self) -> float:
        """As of `Session`."""
        return self.session.n_seconds


TRAINED = ("w_in", "w_rec", "w_out", "bias")


def weights(net: Network) -> Arrays:
    """What training changes of a network, to be kept with its results."""
    return {name: value for name in TRAINED if (value := getattr(net, name)) is not None}


def with_weights(net: Network, arrays: Arrays) -> Network:
    """The network with these weights."""
    kept: dict[str, Any] = {name: arrays[name] for name in weights(net)}
    return replace(net, **kept)


def last_part(values: Array) -> float:
    """Median over the last 1% of trials; NaN if one of them is missing."""
    return float(np.median(values[-max(1, int(len(values) * FINAL_SHARE)) :]))
