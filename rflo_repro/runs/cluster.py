"""Jobs on the workers of a Dask scheduler, one job a task.

Dask sends Python objects as pickles in both directions: connect to a scheduler and workers that you trust, only.
"""

from __future__ import annotations

import concurrent.futures
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rflo_repro.runs import provenance, user_modules
from rflo_repro.runs.request import RequestError

if TYPE_CHECKING:
    from rflo_repro.runs.job import Arrays, Job

CONNECT_SECONDS = 5.0


class ClusterError(RequestError):
    """What is wrong with a scheduler or one of its workers; the message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__("cluster", message)


def _digest_of(job: Job) -> str:
    return provenance.numerical_digest(*sorted(provenance.modules_of(job)))


def _compute(job: Job, digest: str) -> tuple[Arrays, dict[str, Any]]:
    """What a worker does. Raises ClusterError if its numerical source is not the client's (it may have come late)."""
    own = _digest_of(job)
    if own != digest:
        from distributed import get_worker

        raise ClusterError(_differs(get_worker().address, own, digest))
    started = time.monotonic()
    arrays = job.run(lambda trials: None)
    return arrays, provenance.of_result(time.monotonic() - started)


def _differs(worker: str, theirs: str, ours: str) -> str:
    return (
        f"the worker at {worker} has another numerical source (digest {theirs[:12]}, here {ours[:12]}); "
        "install this version there and restart the worker"
    )


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A Dask client. Raises ClusterError without Dask, or if no scheduler answers within five seconds."""
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError("needs Dask: pip install 'rflo-repro[cluster]'") from None
    # what goes wrong is said in one line, not in Dask's log as well
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    # created in two steps: one that fails in the second would wait for its own end when it is collected
    client = Client.__new__(Client)
    said: list[str] = []

    def connect() -> None:
        try:
            Client.__init__(client, address, timeout=CONNECT_SECONDS, set_as_default=False)
            said.append("")
        except Exception as error:  # whatever Dask makes of what answers there
            said.append(type(error).__name__)

    # Dask's own limit holds for each of its steps, and not for an answer that never ends
    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(CONNECT_SECONDS)
    if said != [""]:
        client.status = "closed"
        reason = said[0] if said else f"waited {CONNECT_SECONDS:g} s"
        raise ClusterError(f"no Dask scheduler answers at {address} ({reason})")
    try:
        yield client
    finally:
        client.close(timeout=1.0)


def check_workers(client: Any, jobs: Sequence[Job]) -> int:
    """How many workers there are now. Raises ClusterError if one has another numerical source, or none."""
    parts = sorted({m for r in jobs for m in provenance.modules_of(r) if not Path(m).is_absolute()})
    ours = provenance.numerical_digest(*parts)
    answers: dict[str, Any] = client.run(provenance.numerical_digest, *parts, on_error="return")
    for worker, theirs in sorted(answers.items()):
        if isinstance(theirs, Exception):
            raise ClusterError(f"the worker at {worker} cannot use this version of rflo-repro ({_line(theirs)})")
        if theirs != ours:
            raise ClusterError(_differs(worker, theirs, ours))
    return len(answers)


def compute(
    address: str, jobs: Sequence[Job], note: Callable[[str], None]
) -> Iterator[tuple[int, tuple[Arrays, dict[str, Any]] | Exception]]:
    """The index of every job, as they finish, with its arrays and the worker's record, or what it raised.

    One whose worker dies is computed by another.

    address: of the scheduler, such as tcp://host:8786. note: told what a reader of the log should know.
    Raises ClusterError for a scheduler that cannot be reached or goes away, a worker of another numerical source, and a
    job whose workers die again and again; and what a job raises.
    """
    with connected(address) as client:
        from distributed import KilledWorker, as_completed

        n_workers = check_workers(client, jobs)
        try:
            user_modules.send(client, jobs)
        except Exception as error:  # whatever a module of somebody's own raises where something is missing
            raise ClusterError(f"a worker cannot use the sweep's own task ({_line(error)})") from None
        note(f"workers at {address}: {n_workers or 'none yet; waiting for one'}")
        run = uuid.uuid4().hex
        index = {f"job-{i}-{run}": i for i in range(len(jobs))}
        futures = [
            client.submit(_compute, jobs[i], _digest_of(jobs[i]), key=key, priority=-i, pure=False)
            for key, i in index.items()
        ]
        for future in as_completed(futures, loop=client.loop):
            found: tuple[Arrays, dict[str, Any]] | Exception
            try:
                # what a job raised, which may be anything, is told from what Dask raises
                found = future.exception() if future.status == "error" else future.result()
            except (OSError, concurrent.futures.CancelledError):
                raise ClusterError(f"the scheduler at {address} went away; the same command goes on") from None
            if isinstance(found, KilledWorker):
                raise ClusterError(f"every worker that took {found.task} died; is there enough memory?")
            if isinstance(found, ClusterError):
                raise found
            # the worker may forget it
            future.release()
            yield index[future.key], found
