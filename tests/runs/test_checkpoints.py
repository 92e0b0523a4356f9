"""Checkpoints of unfinished sessions: found by the same job, version and processor, and by no other."""

import io
import math
import pickle
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import rflo_repro as rr
from rflo_repro.learning import trial_source
from rflo_repro.paper.fig3.trial import IntervalSession
from rflo_repro.paper.fig4.trial import LoopSession
from rflo_repro.runs import checkpoints, provenance, status
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Condition, identity
from rflo_repro.runs.progress import JobProgress, Reporter
from rflo_repro.runs.request import Execution
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.tasks import IntervalMatchingTask

PLAIN = Session(task=rr.PeriodicTask(20), rule="bptt", eta=0.03, n_trials=60, init=Initialisation(6), seed=1, network=0)
TIMED = IntervalMatchingTask(20, shortest=10, pulse_sd=3.0, first=10, tail=10)
JOBS = {
    "a session": PLAIN,
    "batches": replace(PLAIN, batch=5, optimizer="adam", noise=0.1),
    "online": replace(PLAIN, rule="rflo", online=True, reset_state=False),
    "intervals": IntervalSession(replace(PLAIN, task=TIMED, batch=10), (10, 15)),
    "the loop": LoopSession(
        rr.Reaching(5), (0, 1, 2, 3), 0.02, 0.03, 0.1, "movement", False, 40, Initialisation(8), 1, 0
    ),
}


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """A kernel call for each batch, a report for each movement, and a checkpoint for either if that is asked for."""
    monkeypatch.setattr(checkpoints, "LARGEST_SHARE", math.inf)
    monkeypatch.setattr(trial_source, "BLOCK_SECONDS", 0.0)
    monkeypatch.setattr("rflo_repro.paper.fig4.trial.REPORT_EVERY", 1)


class Interrupting(Reporter):
    """As if Ctrl-C came after so many trials."""

    def __init__(self, file, after):
        super().__init__(Console(file=file, width=200))
        self.after = after

    def trials(self, row, column, trials):
        super().trials(row, column, trials)
        if trials >= self.after:
            raise KeyboardInterrupt


def swept(store, job, after=10**9, **options):
    """The arrays of a job, and what was said. Raises KeyboardInterrupt after so many trials."""
    file = io.StringIO()
    conditions = [Condition("this", {}, (job,))]
    try:
        found = sweep(conditions, store, Interrupting(file, after), Execution(**options))
    except KeyboardInterrupt:
        return None, file.getvalue()
    return found[0][0], file.getvalue()


def same(one, other):
    return {n: a.tobytes() for n, a in one.items()} == {n: a.tobytes() for n, a in other.items()}


def checkpoints_in(folder):
    return list(folder.rglob("*.checkpoint"))


def begun(tmp_path, job=PLAIN, after=20):
    """A store with a job under way, and the file that has it."""
    store = Store(tmp_path)
    assert swept(store, job, after, checkpoint=1e-9)[0] is None
    (path,) = checkpoints_in(tmp_path)
    assert store.path(job, ".checkpoint") == path
    assert status.trials["this, network 0"][0] >= after
    return store, path


@pytest.mark.parametrize("name", JOBS)
def test_it_goes_on_within_a_session(tmp_path, name):
    job = JOBS[name]
    whole, _ = swept(Store(tmp_path / "whole"), job)
    store = Store(tmp_path / "r")
    last = 0
    for after in range(10, job.cost().trials - 10, 10):
        found, said = swept(store, job, after, checkpoint=1e-9)
        assert found is None
        assert (f"this, network 0: goes on at trial {last + 1} of {job.cost().trials}" in said) == (last > 0)
        assert last < (last := status.trials["this, network 0"][0]) < job.cost().trials
    assert len(checkpoints_in(tmp_path)) == 1
    found, _ = swept(store, job)
    assert same(found, whole)
    assert checkpoints_in(tmp_path) == []
    assert store.problems == []


def begins_anew(store, path, job=PLAIN, why=None):
    """Whether what is there is named, not believed, and gone when the session is finished."""
    found, said = swept(store, job)
    assert "goes on at" not in said
    assert ("begun anew" in said) == (why is not None)
    assert (why or "") in said
    assert same(found, job.run(lambda done: None))
    assert checkpoints_in(path.parent) == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(tmp_path, share):
    store, path = begun(tmp_path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    begins_anew(store, path, why=str(path))


@pytest.mark.parametrize("content", [b"\0" * 100, b"PK\x03\x04", b"loss,trial\n", pickle.dumps([1])])
def test_a_foreign_file(tmp_path, content):
    store, path = begun(tmp_path)
    path.write_bytes(content)
    begins_anew(store, path, why=str(path))


def test_a_number_edited_by_hand(tmp_path):
    store, path = begun(tmp_path)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["network, w_rec"][0, 0] += 1e-9
    with open(path, "wb") as file:
        np.savez(file, **arrays)
    begins_anew(store, path, why="is not what its name says")


def test_what_another_job_left(tmp_path):
    store, path = begun(tmp_path)
    other = replace(PLAIN, eta=0.1)
    place = store.path(other, ".checkpoint")
    place.parent.mkdir(exist_ok=True)
    path.rename(place)
    begins_anew(store, place, other, why="is not what its name says")


def test_what_another_source_left(tmp_path, monkeypatch):
    store, path = begun(tmp_path)
    monkeypatch.setattr(provenance, "numerical_digest", lambda *modules: "of an edited kernel")
    found, said = swept(store, PLAIN)
    assert "goes on at" not in said
    assert same(found, PLAIN.run(lambda done: None))
    assert path.exists()


@pytest.mark.parametrize("what", ["versions", "machine"])
def test_what_another_version_or_processor_left(tmp_path, monkeypatch, what):
    """The record of who computed a result is that of one process."""
    made = provenance.of_result
    elsewhere = {"versions": {"numpy": "1.26"}, "machine": {"cpu": "generic", "system": "Linux"}}[what]
    with monkeypatch.context() as there:
        there.setattr(provenance, "of_result", lambda seconds: {**made(seconds), what: elsewhere})
        store, path = begun(tmp_path)
    begins_anew(store, path, why="this, network 0 was begun elsewhere: ")


def test_force_begins_anew(tmp_path):
    store, _ = begun(tmp_path)
    _, said = swept(store, PLAIN, 40, force=True, checkpoint=1e-9)
    assert "goes on" not in said
    assert status.trials == {"this, network 0": (0, 60)}
    assert "begins anew this, network 0" in status.line()
    swept(store, PLAIN, force=True)
    assert checkpoints_in(tmp_path) == []


def test_the_record_has_the_seconds_of_all_runs(tmp_path, monkeypatch):
    store, _ = begun(tmp_path)
    saved, record = store.checkpoint(PLAIN)
    assert 0.0 < record["seconds"] < 60.0
    store.save_checkpoint(PLAIN, saved, {**record, "seconds": 1000.0})
    swept(store, PLAIN)
    assert 1000.0 < store.provenance[identity(PLAIN)]["seconds"] < 1060.0


def on_disk(store, every, stop=None):
    """A checkpoint, and what is said of it."""
    file = io.StringIO()
    reporter = Reporter(Console(file=file, width=200))
    reporter.conditions([("it", [PLAIN.cost()])])
    return checkpoints.OnDisk(store, PLAIN, JobProgress(reporter, 0, 0, stop or threading.Event()), every), file


def test_it_is_kept_as_often_as_is_asked_and_when_it_is_stopped(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    store, stop, seen = Store(tmp_path), threading.Event(), []
    keeper, _ = on_disk(store, 30.0, stop)

    def arrays():
        # a process that ends meanwhile waits for what it says
        assert status.changing.locked()
        seen.append(now[0])
        return {"loss": np.zeros(3)}

    for now[0] in np.arange(100.0, 200.0, 0.5):
        keeper.keep(3, arrays)
    assert seen == [130.0, 160.0, 190.0]
    stop.set()
    keeper.keep(3, arrays)
    assert seen[-1] == now[0]
    assert not status.changing.locked()


def test_writing_takes_no_more_than_a_hundredth_of_the_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoints, "LARGEST_SHARE", 0.01)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    (keeper, _), seen = on_disk(Store(tmp_path), 1.0), []

    def slow():
        seen.append(now[0])
        now[0] += 0.5
        return {"loss": np.zeros(3)}

    while now[0] < 200.0:
        now[0] += 0.25
        keeper.keep(3, slow)
    assert np.diff(seen).min() >= 50.0
    assert len(seen) == 4


def test_what_the_disk_refuses_is_said_once(tmp_path):
    (tmp_path / "file").write_text("")
    keeper, said = on_disk(Store(tmp_path / "file"), 1e-9)
    for _ in range(3):
        keeper.keep(3, lambda: {"loss": np.zeros(3)})
    assert said.getvalue() == "  it, network 0 has no checkpoint that can be written: Not a directory\n"


def test_a_session_whose_checkpoints_cannot_be_written_is_computed_all_the_same(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    store = Store(tmp_path)
    monkeypatch.setattr(store, "save_checkpoint", full)
    found, said = swept(store, PLAIN, checkpoint=1e-9)
    assert same(found, PLAIN.run(lambda done: None))
    assert said.count("this, network 0 has no checkpoint that can be written: No space left on device") == 1


def test_the_line_that_is_said():
    status.trials.clear()
    assert status.line() == (
        "stopped; what is finished is saved: the same command goes on there, and begins anew what was unfinished"
    )
    status.trials.update({"b, network 0": (0, 7), "a, network 1": (5, 7)})
    begins = "stopped; what is finished is saved: the same command goes on at trial 6 of 7 (a, network 1)"
    assert status.line() == f"{begins} and begins anew b, network 0"
    status.trials.update({f"z, network {i}": (0, 7) for i in range(9)})
    assert status.line() == f"{begins} and begins anew b, network 0; z, network 0; z, network 1; 7 more"
    status.trials.clear()
