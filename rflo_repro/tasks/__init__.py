"""What is learned: a task yields one trial's inputs and targets at a time."""

from rflo_repro.tasks.interval_matching import IntervalMatchingTask
from rflo_repro.tasks.periodic import PeriodicTask
from rflo_repro.tasks.reaching import MovementTask, Reaching, SequenceTask

__all__ = [
    "IntervalMatchingTask",
    "MovementTask",
    "PeriodicTask",
    "Reaching",
    "SequenceTask",
]
