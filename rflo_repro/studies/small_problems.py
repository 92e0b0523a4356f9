"""Tasks, networks and a checkpoint of the small reference runs, which take a few trials of a few timesteps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rflo_repro.learning.checkpoint import Saved
from rflo_repro.learning.evaluate import Updates
from rflo_repro.learning.history import History
from rflo_repro.learning.network import Network
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.rules import LearningRule
from rflo_repro.learning.validate import Array
from rflo_repro.runs.job import Arrays

N_REC, N_IN, N_OUT, N_STEPS, N_TRIALS, ETA = 11, 3, 2, 12, 6, 0.05


def rng(seed: int) -> np.random.Generator:
    """Random numbers that do not depend on what NumPy's default generator is."""
    return np.random.Generator(np.random.PCG64(seed))


@dataclass(frozen=True)
class Sampled:
    """Inputs and targets from U(-1, 1), new ones each trial.

    lengths: timesteps of the trials, chosen at random. missing: the share of targets that are NaN.
    heights: of inputs and targets.
    """

    lengths: tuple[int, ...] = (N_STEPS,)
    missing: float = 0.0
    heights: tuple[float, float] = (1.0, 1.0)
    n_in: int = N_IN
    n_out: int = N_OUT

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Inputs (T, Nx) and targets (T, Ny)."""
        n_steps = self.lengths[int(rng.integers(len(self.lengths)))]
        inputs = rng.uniform(-1.0, 1.0, (n_steps, self.n_in))
        targets = rng.uniform(-1.0, 1.0, (n_steps, self.n_out))
        targets[rng.random(targets.shape) < self.missing] = np.nan
        return self.heights[0] * inputs, self.heights[1] * targets


@dataclass(frozen=True)
class Classes:
    """Inputs from U(-1, 1), and one of three classes, or none; the metric is the share that the largest output hits.

    As `Sampled`, with probabilities in place of class numbers where they are `soft`.
    """

    lengths: tuple[int, ...] = (N_STEPS,)
    soft: bool = False
    n_in: int = N_IN
    n_out: int = 3

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Inputs (T, Nx), and class numbers (T,) or probabilities (T, Ny)."""
        n_steps = self.lengths[int(rng.integers(len(self.lengths)))]
        inputs = rng.uniform(-1.0, 1.0, (n_steps, self.n_in))
        classes = rng.integers(0, 3, n_steps).astype(np.float64)
        classes[rng.random(n_steps) < 0.3] = np.nan
        if not self.soft:
            return inputs, classes
        return inputs, np.where(np.isnan(classes)[:, np.newaxis], np.nan, [0.25, 0.5, 0.25])

    def metric(self, outputs: Array, inputs: Array, targets: Array) -> float:
        """The share of timesteps with a class whose output is the largest."""
        there = ~np.isnan(targets)
        return float(np.mean(np.argmax(outputs[there], axis=1) == targets[there])) if there.any() else np.nan


class Remembered:
    """A task that is no frozen dataclass: each trial is the last one and a little more."""

    n_in, n_out = N_IN, N_OUT

    def __init__(self) -> None:
        self.last = np.zeros((N_STEPS, N_IN))

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Inputs (T, Nx) and targets (T, Ny)."""
        self.last = self.last + rng.uniform(-0.1, 0.1, self.last.shape)
        return self.last.copy(), self.last[:, :N_OUT].copy()


MIXED = Sampled(lengths=(9, 12, 15))
DALE = np.where(np.arange(N_REC) < N_REC // 2, 1.0, -1.0)
GENERAL: dict[str, Any] = {
    "phi": "softplus",
    "tau": np.linspace(3.0, 9.0, N_REC),
    "density": 0.6,
    "bias": 0.1,
}
MASKS: dict[str, Any] = {
    "mask_in": np.arange(N_REC * N_IN).reshape(N_REC, N_IN) % 2 > 0,
    "mask_out": np.arange(N_OUT * N_REC).reshape(N_OUT, N_REC) % 3 > 0,
    "bias": 0.1,
}
ADAM = Optimizer("adam", clip=0.05, weight_decay=0.01)


def network(n_rec: int = N_REC, n_in: int = N_IN, n_out: int = N_OUT, **options: Any) -> Network:
    """A random one; options as of `Network.random`."""
    return Network.random(n_rec, n_in, n_out, rng(1), **{"tau": 5.0, **options})


def arrays_of(history: History) -> Arrays:
    """All that a history has."""
    nets = {"": history.network, **{f"{trial} ": net for trial, net in history.snapshots}}
    return {
        "loss": history.loss,
        "alignment": history.alignment,
        "diverged": np.array(history.diverged),
        "state": history.state,
        **({"evaluated": np.array([history.evaluated_loss, history.metric])} if len(history.evaluated) else {}),
        **{f"{name}{field}": array for name, net in nets.items() for field, array in weights_of(net).items()},
    }


def weights_of(net: Network | Updates) -> Arrays:
    """The matrices of a network or an update."""
    found = {name: getattr(net, name) for name in ("w_in", "w_rec", "w_out", "bias")}
    return {name: array for name, array in found.items() if array is not None}


class Memory:
    """A checkpoint in memory, which stops the training once after some trials."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.saved: Saved | None = None

    def read(self) -> Saved | None:
        """What was saved."""
        return self.saved

    def keep(self, done: int, now: Callable[[], Saved]) -> None:
        """Save it and stop, the first time."""
        if self.saved is None and done >= self.after:
            self.saved = {name: array.copy() for name, array in now().items()}
            raise InterruptedError


# what no registered rule has
RULES_OF_ONES_OWN = (
    LearningRule("trace-tau", "random", "leak", trace_tau=3.0),
    LearningRule("truncated", "symmetric", "full", truncation=4),
    LearningRule("truncated-leak", "random", "leak", truncation=1),
    LearningRule("next-error", "symmetric", "full", next_error=True),
    LearningRule("snap-0-random", "random", "none"),
    LearningRule("uoro-draws", "random", "full", form="uoro", draws=3),
    LearningRule("kf-draws", "random", "full", form="kf", draws=3),
    LearningRule("perturbation-leak", "random", "leak", form="perturbation", sigma=0.1, draws=2),
    LearningRule("perturbation-trace", "random", "leak", form="perturbation", sigma=0.1, trace_tau=3.0),
    LearningRule("perturbation-none", "random", "none", form="perturbation", sigma=0.1, reward="step"),
)
