"""Many jobs in parallel, on threads or on a cluster, each stored as soon as it is finished."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, TypeVar

import joblib

from rflo_repro.runs import checkpoints, cluster, provenance, status
from rflo_repro.runs.job import Arrays, Condition, identity
from rflo_repro.runs.progress import JobProgress, Reporter, Stopped
from rflo_repro.runs.request import Execution, JobError
from rflo_repro.runs.store import Store

T = TypeVar("T")
ONE_THREAD = Execution()
# row, column, and what came of it
Done = tuple[int, int, Arrays | BaseException]


def sweep(
    conditions: Sequence[Condition], store: Store, reporter: Reporter, execution: Execution = ONE_THREAD
) -> list[list[Arrays]]:
    """The arrays of every job, by condition and network: stored ones read (unless forced), others computed.

    The numbers do not depend on how they are computed; the kernels let go of Python's lock.
    Each result is on disk before it is reported. On an interrupt unfinished jobs are saved and abandoned within a
    kernel call; if forced they begin anew. Raises JobError when all is done if a job raised anything, OSError if a
    result cannot be stored, and ClusterError.
    """
    stop = threading.Event()
    results: list[list[Arrays | None]] = [[None] * len(c.jobs) for c in conditions]
    n_left = [len(row) for row in results]
    failures: list[str] = []
    running: dict[tuple[int, int], threading.Event] = {}
    status.trials.clear()

    def one(row: int, column: int) -> Done:
        running[row, column] = threading.Event()
        try:
            return row, column, outcome_of(row, column)
        finally:
            running.pop((row, column)).set()

    def outcome_of(row: int, column: int) -> Arrays | BaseException:
        job = conditions[row].jobs[column]
        progress = JobProgress(reporter, row, column, stop)
        progress(0)
        checkpoint = checkpoints.OnDisk(store, job, progress, execution.checkpoint)
        try:
            arrays = checkpoint.run(anew=execution.force)
        except (Stopped, KeyboardInterrupt):
            raise
        except BaseException as error:  # a task of one's own may raise anything
            return error
        store.put(job, arrays, provenance.of_result(checkpoint.seconds))
        status.trials.pop(progress.name, None)
        return arrays

    def by_threads(waiting: list[tuple[int, int]]) -> AbstractContextManager[Iterator[Done]]:
        from rflo_repro.learning import kernels

        # a signal reaches the main thread: unfinished jobs are saved by another, even if it is the only one
        parallel = joblib.Parallel(
            n_jobs=max(execution.n_threads, 2),
            backend="threading",
            return_as="generator_unordered",
            pre_dispatch=execution.n_threads,
        )
        return _stopping(
            stop,
            parallel(joblib.delayed(one)(*index) for index in waiting),
            kernels.watch_compilation(reporter.compiling),
            running,
        )

    def by_cluster(address: str, waiting: list[tuple[int, int]]) -> Generator[Done, None, None]:
        wanted = [conditions[row].jobs[column] for row, column in waiting]
        for row, column in waiting:
            reporter.trials(row, column, 0)
        for i, found in cluster.compute(address, wanted, reporter.note):
            if not isinstance(found, Exception):
                arrays, record = found
                store.put(wanted[i], arrays, record)
            yield *waiting[i], found if isinstance(found, Exception) else arrays

    def finish(row: int, column: int, found: Arrays | BaseException, stored: bool) -> None:
        if isinstance(found, BaseException):
            failures.append(f"{reporter.name(row, column)}: {_reason(found)}")
            reporter.note(failures[-1])
            return
        results[row][column] = found
        reporter.finished(row, column, stored)
        n_left[row] -= 1
        if not n_left[row]:
            reporter.complete(row, [r for r in results[row] if r is not None])

    with reporter:
        reporter.conditions([(c.label, [job.cost() for job in c.jobs]) for c in conditions])
        # rows and columns of each job that must be computed; conditions may share one
        indices: dict[str, list[tuple[int, int]]] = {}
        for row, condition in enumerate(conditions):
            for column, job in enumerate(condition.jobs):
                own = identity(job)
                arrays = None if execution.force or own in indices else store.get(job)
                if arrays is None:
                    indices.setdefault(own, []).append((row, column))
                else:
                    finish(row, column, arrays, stored=True)
        for problem in (*store.problems, *_from_elsewhere(store)):
            reporter.note(problem)
        waiting = {shared[0]: shared for shared in indices.values()}
        if waiting:
            firsts = list(waiting)
            address = execution.scheduler
            with by_threads(firsts) if address is None else closing(by_cluster(address, firsts)) as computed:
                for row, column, outcome in computed:
                    for index in waiting[row, column]:
                        finish(*index, outcome, stored=False)
    complete = [None if left else [r for r in row if r is not None] for row, left in zip(results, n_left, strict=True)]
    if failures:
        raise JobError(failures, complete)
    return [row for row in complete if row is not None]


def _reason(error: BaseException) -> str:
    """What was raised, on one line and without what a terminal would obey."""
    text = "".join(c for c in " ".join(str(error).split()) if c.isprintable())
    return type(error).__name__ + (f": {text}" if text else "")


def _from_elsewhere(store: Store) -> Iterator[str]:
    """A line for each other processor, set of versions or source that computed some of what is stored."""
    here = provenance.where(provenance.of_result(0.0))
    for where, count in Counter(map(provenance.where, store.provenance.values())).items():
        if where != here:
            yield f"{count} of {len(store.provenance)} stored networks were computed elsewhere: {where} (here {here})"


@contextmanager
def _stopping(
    stop: threading.Event,
    results: Generator[T, None, None],
    watched: AbstractContextManager[None],
    running: Mapping[Any, threading.Event],
) -> Iterator[Iterator[T]]:
    """Tell the threads to stop when the loop over their results ends early, whatever ended it, and wait until what is
    running has ended. `watched` is entered meanwhile."""
    try:
        with watched:
            yield results
    finally:
        stop.set()
        with warnings.catch_warnings():
            # that some are left undone is what was asked for
            warnings.simplefilter("ignore", UserWarning)
            results.close()
        for ended in [*running.values()]:
            ended.wait()
