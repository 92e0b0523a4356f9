"""What is learned: a task yields one trial's inputs and targets at a time."""

from rflo_repro.tasks.flip_flop import FlipFlopTask
from rflo_repro.tasks.interval_matching import IntervalMatchingTask
from rflo_repro.tasks.match_to_sample import MatchToSampleTask
from rflo_repro.tasks.periodic import PeriodicTask
from rflo_repro.tasks.reaching import MovementTask, Reaching, SequenceTask
from rflo_repro.tasks.reber import EmbeddedReberTask
from rflo_repro.tasks.two_choices import ContextTask, EvidenceTask

__all__ = [
    "ContextTask",
    "EmbeddedReberTask",
    "EvidenceTask",
    "FlipFlopTask",
    "IntervalMatchingTask",
    "MatchToSampleTask",
    "MovementTask",
    "PeriodicTask",
    "Reaching",
    "SequenceTask",
]
