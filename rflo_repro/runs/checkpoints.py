"""Sessions under way on disk, so that a run that is stopped or killed goes on within them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rflo_repro.runs import provenance, status
from rflo_repro.runs.job import Arrays, Job, Progress
from rflo_repro.runs.store import Store, Unbelieved

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Saved

# Writing takes at most this share of the time, however long the curves are and however slow the disk
LARGEST_SHARE = 0.01


@dataclass
class OnDisk:
    """A job under way, in a file beside the place where it will lie: the `checkpoint` of its `run`.

    name: what `status` calls it. every: seconds between two files; once `stop` is set there is one more.
    note: told what a reader of the log should know. resumed: told how many trials it begins with, if it goes on.
    """

    store: Store
    job: Job
    name: str
    every: float
    stop: threading.Event
    note: Callable[[str], None]
    resumed: Callable[[int], None]

    def __post_init__(self) -> None:
        self._before, self._started, self._n_trials = 0.0, time.monotonic(), self.job.cost().trials
        self._due = self._started + self.every

    def run(self, progress: Progress, anew: bool) -> Arrays:
        """Run it, from where it was, or `anew` and without a checkpoint."""
        self._under_way(0)
        return self.job.run(progress, None if anew else self)

    @property
    def seconds(self) -> float:
        """How long it has been computed, in all runs."""
        return self._before + time.monotonic() - self._started

    def read(self) -> Saved | None:
        """What was kept last by this version on this processor, or None, which is said if there was something."""
        try:
            found = self.store.begun(self.job)
            if found is None:
                return None
            kept, made = found
            if not _here(made):
                raise Unbelieved(f"{self.name} was under way elsewhere: {provenance.where(made)}")
        except Unbelieved as error:
            self.store.forget(self.job)
            self.note(f"{error}; begun anew")
            return None
        if not self._before:
            self.resumed(made["trials"])
        self._before = made["seconds"]
        self._under_way(made["trials"])
        return kept

    def keep(self, done: int, now: Callable[[], Saved]) -> None:
        """Write a file if it is time. What the disk refuses is said once."""
        began = time.monotonic()
        if began < self._due and not self.stop.is_set():
            return
        try:
            with status.changing:
                self.store.keep(self.job, now(), {**provenance.made(self.seconds), "trials": done})
                self._under_way(done)
        except OSError as error:
            if not self.stop.is_set():
                self.note(f"{self.name} cannot be kept while it is under way: {error.strerror}")
            self._due = math.inf
            return
        ended = time.monotonic()
        self._due = ended + max(self.every, (ended - began) / LARGEST_SHARE)

    def _under_way(self, kept: int) -> None:
        status.trials[self.name] = kept, self._n_trials


def _here(made: dict[str, Any]) -> bool:
    """Whether the versions and the processor are those of this process: a result has one record of who made it."""
    ours = provenance.made(0.0)
    return all(made[name] == ours[name] for name in ("versions", "machine"))
