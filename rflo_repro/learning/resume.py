"""An unfinished training as arrays for a checkpoint, and back.

The arrays say which training they belong to, part by part, so that those of another one are refused by name.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
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
        "evaluated": history.evaluated,
        "evaluated loss": history.evaluated_loss,
        "metric": history.metric,
        "snapshots": np.array([trial for trial, _ in history.snapshots], dtype=np.int64),
        "streams": checkpoint.states(vars(training.rngs)),
        "identity": np.array(json.dumps(training.identity)),
        **{f"{name}, {matrix}": w for name, net in nets for matrix, w in _weights(net).items()},
        **{f"moment {i}": moment for i, moment in enumerate(training.moments)},
        **{f"waiting {i}, {part}": a for i, trial in enumerate(training.lookahead) for part, a in enumerate(trial)},
    }


def from_arrays(saved: Saved, training: TrainingState, net: Network) -> tuple[TrainingState, History]:
    """The state of a training, its generators set to where they were, and the history so far.

    A task that may remember its trials is asked for all of them again. Raises ValueError for the arrays of another
    training.
    """
    _check_identity(saved, training.identity)

    def network(name: str) -> Network:
        weights: dict[str, Any] = {matrix: saved[f"{name}, {matrix}"] for matrix in _weights(net)}
        return replace(net, **weights)

    fresh = copy.deepcopy(training.rngs.trials)
    try:
        n_moments, n_parts = (sum(name.startswith(what) for name in saved) for what in ("moment ", "waiting "))
        moments = tuple(saved[f"moment {i}"] for i in range(n_moments))
        lookahead = tuple((saved[f"waiting {i}, 0"], saved[f"waiting {i}, 1"]) for i in range(n_parts // 2))
        snapshots = tuple((int(trial), network(f"snapshot {trial}")) for trial in saved["snapshots"])
        begun = History(
            saved["loss"],
            saved["alignment"],
            False,
            network("network"),
            saved["state"],
            snapshots,
            saved["evaluated"],
            saved["evaluated loss"],
            saved["metric"],
        )
        checkpoint.restore(vars(training.rngs), saved["streams"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"checkpoint must have what this training saved: {validate.short_repr(error)}") from None
    if not is_plain(training.settings.task):
        for _ in range(len(begun.loss) + len(lookahead)):
            training.settings.task.trial(fresh)
    return replace(training, moments=moments, lookahead=lookahead), begun


def identity(net: Network, training: TrainingState, seeded: bool) -> dict[str, str]:
    """What tells one training from another, a digest for each part of it.

    Of a function for eta, a rule of the user's own, and a task that is not plain data only the type or name is known.
    seeded: whether a generator was given, or a new one was made that no later call can have.
    """
    settings = training.settings
    parts = {name: getattr(settings, name) for name in ("task", "rule", "eta", "online", "batch", "reset_state")}
    parts |= {name: getattr(settings, name) for name in ("optimizer", "noise", "loss", "evaluate_every")}
    rngs = {"rng": str(checkpoint.states(vars(training.rngs))) if seeded else "new"}
    return {name: _digest(part) for name, part in {"net": net, **parts, **rngs}.items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(_plain(value)).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """`value` as something whose repr is its content, as far as that can be seen."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, hashlib.sha256(value.tobytes()).hexdigest()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value).__qualname__, [(f.name, _plain(getattr(value, f.name))) for f in dataclasses.fields(value)]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return sorted((str(key), _plain(item)) for key, item in value.items())
    if isinstance(value, (str, bool, Enum, type(None), np.generic, int, float)):
        return value
    return getattr(value, "__qualname__", type(value).__qualname__)


def _check_identity(saved: Saved, own: Mapping[str, str]) -> None:
    """Raises ValueError, which names what is different, for the arrays of another training."""
    try:
        other = json.loads(str(saved["identity"]))
        different = [name for name, digest in own.items() if other[name] != digest]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"checkpoint must have what this training saved: {validate.short_repr(error)}") from None
    if different:
        raise ValueError(
            f"checkpoint is that of another training, with another {', '.join(different)}; give each training its own"
        )


def is_plain(task: Task) -> bool:
    """Whether it is a frozen dataclass of plain data, which cannot remember the trials that it gave."""
    parameters = vars(type(task)).get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen) and _remembers_nothing(task)


def _remembers_nothing(value: Any) -> bool:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return all(_remembers_nothing(part) for part in vars(value).values())
    if isinstance(value, (tuple, frozenset)):
        return all(_remembers_nothing(item) for item in value)
    return isinstance(value, (int, float, complex, str, bytes, Enum, type(None), np.generic)) or validate.immutable(
        value
    )
