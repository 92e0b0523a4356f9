"""Local online learning in recurrent networks with random feedback: the learning rules and every figure.

The names below are the public API. They are imported on first use, so that `import rflo_repro` (and with it
`rflo-repro --help`) does not load numba. Nothing in the package imports a name from here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rflo_repro.version import VERSION as __version__

if TYPE_CHECKING:
    from rflo_repro.explorer import explore
    from rflo_repro.learning.evaluate import Run, Updates, run, weight_updates
    from rflo_repro.learning.history import History
    from rflo_repro.learning.learner import Learner
    from rflo_repro.learning.loop import Loop
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.optimizers import LearningRates, Optimizer
    from rflo_repro.learning.rules import RULES, LearningRule
    from rflo_repro.learning.scores import Evaluation, evaluate
    from rflo_repro.learning.task import Task
    from rflo_repro.learning.train import train
    from rflo_repro.runs.many import train_many
    from rflo_repro.runs.progress import ProgressBar
    from rflo_repro.studies.trained import trained
    from rflo_repro.tasks import (
        ContextTask,
        EmbeddedReberTask,
        EvidenceTask,
        FlipFlopTask,
        IntervalMatchingTask,
        MatchToSampleTask,
        MovementTask,
        PeriodicTask,
        Reaching,
        SequenceTask,
    )
    from rflo_repro.tasks.from_neurogym import from_neurogym

_HOMES = {
    "explorer": ("explore",),
    "learning.evaluate": ("Run", "Updates", "run", "weight_updates"),
    "learning.history": ("History",),
    "learning.learner": ("Learner",),
    "learning.loop": ("Loop",),
    "learning.network": ("Network",),
    "learning.optimizers": ("LearningRates", "Optimizer"),
    "learning.rules": ("RULES", "LearningRule"),
    "learning.scores": ("Evaluation", "evaluate"),
    "learning.task": ("Task",),
    "learning.train": ("train",),
    "runs.many": ("train_many",),
    "runs.progress": ("ProgressBar",),
    "studies.trained": ("trained",),
    "tasks.from_neurogym": ("from_neurogym",),
    "tasks": (
        *("ContextTask", "EmbeddedReberTask", "EvidenceTask", "FlipFlopTask", "IntervalMatchingTask"),
        *("MatchToSampleTask", "MovementTask", "PeriodicTask", "Reaching", "SequenceTask"),
    ),
}

__all__ = [
    "RULES",
    "ContextTask",
    "EmbeddedReberTask",
    "Evaluation",
    "EvidenceTask",
    "FlipFlopTask",
    "History",
    "IntervalMatchingTask",
    "Learner",
    "LearningRates",
    "LearningRule",
    "Loop",
    "MatchToSampleTask",
    "MovementTask",
    "Network",
    "Optimizer",
    "PeriodicTask",
    "ProgressBar",
    "Reaching",
    "Run",
    "SequenceTask",
    "Task",
    "Updates",
    "__version__",
    "evaluate",
    "explore",
    "from_neurogym",
    "run",
    "train",
    "train_many",
    "trained",
    "weight_updates",
]


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'rflo_repro' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"rflo_repro.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
