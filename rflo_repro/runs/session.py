"""One network trained on one task: the realisation that most figures are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rflo_repro.runs.realisation import Arrays, Progress

if TYPE_CHECKING:
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.training import History, LearningRates
    from rflo_repro.tasks import SizedTask

# One child of the root seed for each purpose, so that no draw of one moves another.
PURPOSES = {"network": 0, "task": 1, "initial state": 2, "test": 3, "exploration": 4}


def generator(seed: int, network: int, purpose: str) -> np.random.Generator:
    """The random numbers of one network for one purpose, whatever else is drawn or run beside it."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(network, PURPOSES[purpose])))


@dataclass(frozen=True)
class Session:
    """A network of the paper's Methods, trained on `task` by `rule`; `seed` and `network` choose the draw.

    h0: every unit's initial state, or `uniform`: U(-1, 1) drawn once a network.
    dale: the first half of the units excitatory, the rest inhibitory.
    The others are as in `Network.random` and `train`.
    """

    task: SizedTask
    rule: str
    eta: float | LearningRates
    n_trials: int
    n_rec: int
    seed: int
    network: int
    tau: float = 10.0
    g: float = 1.5
    h0: float | Literal["uniform"] = 0.1
    readout_scale: float = 1.0
    dale: bool = False
    output_feedback: bool = False
    online: bool = False
    batch: int = 1
    reset_state: bool = True

    @property
    def n_bytes(self) -> int:
        """Two histories of the network's size a timestep, and a few weight matrices."""
        n_steps: int = self.task.n_steps
        width = self.n_rec + self.task.n_in + 8
        return 8 * (2 * self.batch * n_steps * width + 6 * width * width + 4 * self.n_trials)

    def initial(self) -> Network:
        """The network before training."""
        from rflo_repro.learning.network import Network

        signs = np.where(np.arange(self.n_rec) < (self.n_rec + 1) // 2, 1.0, -1.0) if self.dale else None
        h0 = self.h0
        return Network.random(
            self.n_rec,
            self.task.n_in,
            self.task.n_out,
            generator(self.seed, self.network, "network"),
            g=self.g,
            tau=self.tau,
            h0=generator(self.seed, self.network, "initial state").uniform(-1.0, 1.0, self.n_rec)
            if h0 == "uniform"
            else h0,
            readout_scale=self.readout_scale,
            output_feedback=self.output_feedback,
            signs=signs,
        )

    def train(self, progress: Progress) -> History:
        """Train the initial network."""
        from rflo_repro.learning.training import train

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
        )

    def run(self, progress: Progress) -> Arrays:
        """Curves (n_trials,) of loss and alignment, `diverged`, and the trained network's outputs y (T, Ny)
        and their targets in one trial more."""
        from rflo_repro.learning.training import run

        history = self.train(progress)
        inputs, targets = self.task.trial(generator(self.seed, self.network, "test"))
        return {
            "loss": history.loss,
            "alignment": history.alignment,
            "diverged": np.array(history.diverged),
            "y": run(history.network, inputs).y,
            "targets": np.array(targets),
        }
