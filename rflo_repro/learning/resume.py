"""An unfinished training as arrays for a checkpoint, and back."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from rflo_repro.learning import checkpoint, validate
from rflo_repro.learning.checkpoint import Saved
from rflo_repro.learning.history import History, TrainingState
from rflo_repro.learning.network import Network
from rflo_repro.learning.rules import MATRICES
from rflo_repro.learning.task import Task
from rflo_repro.learning.validate import Array


def _weights(net: Network) -> dict[str, Array]:
    """What training changes."""
    return {name: w for name in (*MATRICES, "bias") if (w := getattr(net, name)) is not None}


def to_arrays(history: History) -> Saved:
    """All that a history needs to be resumed, by name."""
    training = history._training
    assert training is not None
    nets = [("network", history.network), *((f"snapshot {trial}", net) for trial, net in history.snapshots)]
    return {
        "loss": history.loss,
        "alignment": history.alignment,
        "state": history.state,
        "snapshots": np.array([trial for trial, _ in history.snapshots], dtype=np.int64),
        "streams": checkpoint.states(vars(training.rngs)),
        **{f"{name}, {matrix}": w for name, net in nets for matrix, w in _weights(net).items()},
        **{f"moment {i}": moment for i, moment in enumerate(training.moments)},
        **{f"waiting {i}, {part}": a for i, trial in enumerate(training.lookahead) for part, a in enumerate(trial)},
    }


def from_arrays(saved: Saved, training: TrainingState, net: Network) -> tuple[TrainingState, History]:
    """The state of a training, its generators set to where they were, and the history so far.

    A task that may remember its trials is asked for all of them again. Raises ValueError for the arrays of another
    training.
    """

    def network(name: str) -> Network:
        weights: dict[str, Any] = {matrix: saved[f"{name}, {matrix}"] for matrix in _weights(net)}
        return replace(net, **weights)

    fresh = copy.deepcopy(training.rngs.trials)
    try:
        n_moments, n_parts = (sum(name.startswith(what) for name in saved) for what in ("moment ", "waiting "))
        moments = tuple(saved[f"moment {i}"] for i in range(n_moments))
        lookahead = tuple((saved[f"waiting {i}, 0"], saved[f"waiting {i}, 1"]) for i in range(n_parts // 2))
        snapshots = tuple((int(trial), network(f"snapshot {trial}")) for trial in saved["snapshots"])
        begun = History(saved["loss"], saved["alignment"], False, network("network"), saved["state"], snapshots)
        checkpoint.restore(vars(training.rngs), saved["streams"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"checkpoint must have what this training saved: {validate.short_repr(error)}") from None
    if not _is_frozen(training.settings.task):
        for _ in range(len(begun.loss) + len(lookahead)):
            training.settings.task.trial(fresh)
    return replace(training, moments=moments, lookahead=lookahead), begun


def _is_frozen(task: Task) -> bool:
    """Whether it is a frozen dataclass, which cannot remember the trials that it gave."""
    parameters = vars(type(task)).get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen)
