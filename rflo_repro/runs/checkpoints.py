"""Checkpoints of unfinished jobs on disk, so that a run that is stopped or killed goes on within them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rflo_repro.runs import provenance, status
from rflo_repro.runs.job import Arrays, Job
from rflo_repro.runs.progress import JobProgress
from rflo_repro.runs.store import InvalidFile, Store

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Saved

# Writing takes at most this share of the time, however long the curves are and however slow the disk
LARGEST_SHARE = 0.01


@dataclass
class OnDisk:
    """The checkpoint of a job's `run`: a file beside the result to come.

    every: seconds between two writes; there is one more when the run is stopped.
    """

    store: Store
    job: Job
    progress: JobProgress
    every: float

    def __post_init__(self) -> None:
        self._before, self._started, self._n_trials = 0.0, time.monotonic(), self.job.cost().trials
        self._due = self._started + self.every

    def run(self, anew: bool) -> Arrays:
        """Run the job, from its checkpoint, or `anew` and without one."""
        self._set_status(0)
        return self.job.run(self.progress, None if anew else self)

    @property
    def seconds(self) -> float:
        """How long the job has been computed, in all runs."""
        return self._before + time.monotonic() - self._started

    def read(self) -> Saved | None:
        """What this version saved last on this processor. Of another checkpoint, which is removed, the user is told."""
        try:
            found = self.store.checkpoint(self.job)
            if found is None:
                return None
            saved, record = found
            if not _here(record):
                raise InvalidFile(f"{self.progress.name} was begun elsewhere: {provenance.where(record)}")
        except InvalidFile as error:
            self.store.remove_checkpoint(self.job)
            self.progress.note(f"{error}; begun anew")
            return None
        if not self._before:
            self.progress.resumed(record["trials"])
        self._before = record["seconds"]
        self._set_status(record["trials"])
        return saved

    def keep(self, done: int, now: Callable[[], Saved]) -> None:
        """Write the checkpoint if it is time. What the disk refuses is said once."""
        began = time.monotonic()
        if began < self._due and not self.progress.stop.is_set():
            return
        try:
            with status.changing:
                record = {**provenance.of_result(self.seconds), "trials": done}
                self.store.save_checkpoint(self.job, now(), record)
                self._set_status(done)
        except OSError as error:
            if not self.progress.stop.is_set():
                self.progress.note(f"{self.progress.name} has no checkpoint that can be written: {error.strerror}")
            self._due = math.inf
            return
        ended = time.monotonic()
        self._due = ended + max(self.every, (ended - began) / LARGEST_SHARE)

    def _set_status(self, saved: int) -> None:
        status.trials[self.progress.name] = saved, self._n_trials


def _here(record: dict[str, Any]) -> bool:
    """Whether the versions and the processor are those of this process: a result has one producer."""
    ours = provenance.of_result(0.0)
    return all(record[name] == ours[name] for name in ("versions", "machine"))
