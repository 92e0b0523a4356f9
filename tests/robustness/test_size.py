"""What is too large is refused before anything is made; what is large is begun at once, and something always moves."""

import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cases import further
from click.testing import CliRunner
from rich.console import Console

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.learning.kernels import layout
from rflo_repro.runs import learning_curves, size, system
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Condition
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.request import Request, RequestError
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import Store
from rflo_repro.runs.sweep import sweep

GIB = 2.0**30
SESSION = Session(rr.PeriodicTask(20), "rflo", 0.01, 100, Initialisation(9), seed=0, network=0)


def check(session, n=1, jobs=1):
    conditions = [Condition("c", {}, tuple(replace(session, network=i) for i in range(min(n, 10))))]
    size.check_size(conditions, max(1, n // 10), jobs, Request())


@pytest.fixture
def a_machine(monkeypatch):
    """One with 8 GiB."""
    monkeypatch.setattr(system, "memory", lambda: 8 * GIB)


@pytest.mark.parametrize(
    ("session", "n", "jobs"),
    [
        pytest.param(replace(SESSION, rule="rtrl", init=Initialisation(3000), n_trials=1), 1, 1, id="arrays of RTRL"),
        pytest.param(replace(SESSION, rule="rtrl", init=Initialisation(600), n_trials=1), 2, 2, id="of two at a time"),
        pytest.param(replace(SESSION, rule=replace(rr.RULES["rtrl"], name="mine"), init=Initialisation(3000)), 1, 1,
                     id="of a rule of one's own"),
        pytest.param(replace(SESSION, rule=rr.LearningRule("mine", "symmetric", "full", form="uoro", draws=20_000_000)),
                     1, 1, id="the draws of a rule by chance"),
        pytest.param(replace(SESSION, n_trials=10_000_000), 40, 1, id="what is kept of finished sessions"),
        pytest.param(replace(SESSION, task=rr.SequenceTask((0, 1), rr.Reaching(20_000)), n_trials=1), 10_000, 1,
                     id="their outputs"),
        pytest.param(replace(SESSION, init=Initialisation(20_000)), 1, 1, id="weights"),
        pytest.param(replace(SESSION, task=rr.PeriodicTask(10_000_000), init=Initialisation(30)), 1, 2, id="histories"),
        pytest.param(replace(SESSION, task=rr.IntervalMatchingTask(10_000_000), batch=2), 1, 1, id="those of a batch"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_for_memory(a_machine, session, n, jobs):
    with pytest.raises(RequestError, match="GiB of memory"):
        check(session, n, jobs)


@pytest.mark.parametrize(
    "session",
    [
        replace(SESSION, init=Initialisation(2000), task=rr.PeriodicTask(10_000), n_trials=100_000_000),
        replace(SESSION, rule="rtrl", init=Initialisation(300), task=rr.PeriodicTask(2000), n_trials=1_000_000),
        replace(SESSION, rule="kf-rtrl", init=Initialisation(1000), task=rr.PeriodicTask(2000), n_trials=9_000_000),
    ],
    ids=["rflo", "rtrl", "kf-rtrl"],
)
def test_what_takes_more_than_a_year_is_refused_for_time(a_machine, session):
    with pytest.raises(RequestError, match="years on 2 threads"):
        check(session, 1, 2)


def test_what_fits_is_not_refused(a_machine):
    check(replace(SESSION, rule="rtrl", init=Initialisation(300)))
    check(replace(SESSION, n_trials=3_000_000), 8)
    check(replace(SESSION, init=Initialisation(200), n_trials=10_000, task=rr.PeriodicTask(1600)), 100, 64)


def test_what_is_kept_is_what_a_session_returns():
    arrays = SESSION.run(lambda trials: None)
    assert SESSION.cost().saved == pytest.approx(sum(a.nbytes for a in arrays.values()), abs=64)


def n_bytes_of(work):
    """Bytes of all arrays in a workspace."""
    return work.nbytes if isinstance(work, np.ndarray) else sum(map(n_bytes_of, work)) if isinstance(work, tuple) else 0


def test_the_memory_of_rtrl_is_what_was_counted():
    session = replace(SESSION, rule="rtrl", task=rr.PeriodicTask(2), n_trials=1, init=Initialisation(160))
    allocated = n_bytes_of(layout.exact_workspace(160, 0, 1))
    assert allocated > 16 * 160**3
    assert allocated <= session.cost().bytes < 1.25 * allocated


def test_very_many_networks_are_refused_before_they_are_made(a_machine):
    started = time.process_time()
    run = CliRunner().invoke(cli, ["fig2", "--networks", "100000"])
    assert run.exit_code == 2
    assert "Error: Invalid value for '--networks': 100000 needs about" in run.output
    assert time.process_time() - started < 5.0
    assert not Path("results").exists()


@pytest.mark.parametrize("share", [0.2, *further(1.0)])
def test_twenty_thousand_conditions_are_set_up_in_about_a_second_and_four_thousand_read_in_ten(tmp_path, share):
    n, n_stored = round(20_000 * share), round(1000 * share)
    store = Store(tmp_path / "stored")
    conditions = [Condition(f"eta={i}", {"eta": i}, (replace(SESSION, eta=1e-6 * i, n_trials=20),)) for i in range(n)]
    arrays = conditions[0].jobs[0].run(lambda trials: None)
    made = {"date": "", "seconds": 0.0, "commit": None, "source_changed": None, "versions": {}, "machine": {}}
    for condition in conditions[:n_stored]:
        store.put(condition.jobs[0], arrays, made)
    started = time.process_time()
    size.check_size(conditions, 1, 1, Request())
    with Reporter(Console(file=io.StringIO())) as reporter:
        reporter.conditions([(c.label, [job.cost() for job in c.jobs]) for c in conditions])
    assert time.process_time() - started < 3.0 * share
    started = time.process_time()
    fresh = Store(tmp_path / "stored")
    found = sweep(conditions[:n_stored], fresh, Reporter(Console(file=io.StringIO()), learning_curves.summary))
    assert time.process_time() - started < 7.5 * share  # a quarter of the four thousand, on a slow machine
    assert np.array_equal(found[-1][0]["loss"], arrays["loss"])


@pytest.mark.parametrize("n_rec", ["1000000000", "1" + "0" * 400, "100000"])
def test_the_bench_refuses_sizes_that_do_not_fit(a_machine, n_rec):
    run = CliRunner().invoke(cli, ["bench", "--n-rec", n_rec])
    assert run.exit_code == 2
    (error,) = [line for line in run.output.splitlines() if line.startswith("Error: ")]
    assert error.startswith("Error: Invalid value for '--n-rec': " + n_rec[:10])
    assert list(Path().iterdir()) == []
