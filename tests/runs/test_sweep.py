"""Sweeps: the same numbers however they are run, and nothing that was finished is lost."""

import io
import re
import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
from rich.console import Console

import rflo_repro as rr
from rflo_repro.runs.initialisation import PURPOSES, Initialisation, generator
from rflo_repro.runs.job import Condition, Cost, describe
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.request import Execution, JobError
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import Store
from rflo_repro.runs.sweep import sweep

STARTED: list[tuple[str, int]] = []
FAULTS: dict[tuple[str, int], BaseException] = {}


@dataclass(frozen=True)
class Coin:
    """A job that says when it runs, and raises if it is told to."""

    name: str
    network: int
    n_trials: int = 3

    def cost(self):
        return Cost(self.n_trials, 8, 8, 1e-6)

    def run(self, progress, checkpoint=None):
        STARTED.append((self.name, self.network))
        for trial in range(1, self.n_trials + 1):
            progress(trial)
        if (self.name, self.network) in FAULTS:
            raise FAULTS[self.name, self.network]
        return {"loss": np.array([float(self.network)] * self.n_trials)}


@pytest.fixture(autouse=True)
def fresh():
    STARTED.clear()
    FAULTS.clear()


def coins(*names, n=3):
    return [Condition(name, {"name": name}, tuple(Coin(name, network) for network in range(n))) for name in names]


def quietly(conditions, store, jobs=1, **options):
    console = Console(file=io.StringIO(), width=200)
    reporter = Reporter(console, lambda arrays: f"{len(arrays)} done")
    found = sweep(conditions, store, reporter, Execution(jobs, **options))
    return found, console.file.getvalue()


def session(rule, network=0, **changes):
    task = changes.pop("task", rr.PeriodicTask(20))
    return replace(Session(task, rule, 0.05, 60, Initialisation(9), seed=7, network=network), **changes)


def sessions(n=3):
    return [
        Condition(rule, {"rule": rule}, tuple(session(rule, network) for network in range(n)))
        for rule in ("rflo", "bptt", "local")
    ]


def bits(results):
    return [[{k: (v.dtype.str, v.shape, v.tobytes()) for k, v in a.items()} for a in row] for row in results]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The sessions, one after the other."""
    return bits(quietly(sessions(), Store(tmp_path_factory.mktemp("reference")))[0])


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_the_number_of_threads_does_not_matter(reference, tmp_path, jobs):
    store = Store(tmp_path)
    assert bits(quietly(sessions(), store, jobs)[0]) == reference
    # and neither does reading what is stored
    assert bits(quietly(sessions(), Store(tmp_path), jobs)[0]) == reference
    assert bits(quietly(sessions(), Store(tmp_path), jobs, force=True)[0]) == reference


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("force", [False, True])
def test_what_conditions_share_is_computed_once(tmp_path, jobs, force):
    shared = [replace(c, label=label) for c in coins("one") for label in ("this", "that")]
    found, log = quietly([*shared, *coins("other")], Store(tmp_path), jobs, force=force)
    assert sorted(STARTED) == [(name, network) for name in ("one", "other") for network in range(3)]
    assert bits(found[:1]) == bits(found[1:2]) != bits([[*found[2][1:], found[2][0]]])
    assert [line.split()[0] for line in sorted(log.splitlines())] == ["other", "that", "this"]


def test_the_order_of_the_runs_does_not_matter(reference, tmp_path):
    reverse = [replace(c, jobs=c.jobs[::-1]) for c in sessions()[::-1]]
    found = bits(quietly(reverse, Store(tmp_path))[0])
    assert [row[::-1] for row in found[::-1]] == reference


def test_networks_differ_and_rules_start_alike(reference):
    assert len({network["loss"][2] for row in reference for network in row}) == 9
    first = [[np.frombuffer(network["loss"][2])[0] for network in row] for row in reference]
    np.testing.assert_allclose(first, [first[0]] * 3, rtol=1e-13)
    assert len(set(first[0])) == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_stored_is_not_computed_again(tmp_path, jobs):
    store = Store(tmp_path)
    first, _ = quietly(coins("a", "b"), store, jobs)
    assert sorted(STARTED) == [(name, n) for name in "ab" for n in range(3)]
    STARTED.clear()
    again, log = quietly(coins("a", "b"), store, jobs)
    assert STARTED == []
    assert bits(again) == bits(first)
    assert log.count("(stored)") == 2
    quietly(coins("a", "b", n=4), store, jobs)
    assert sorted(STARTED) == [("a", 3), ("b", 3)]
    STARTED.clear()
    _, log = quietly(coins("a"), store, jobs, force=True)
    assert sorted(STARTED) == [("a", 0), ("a", 1), ("a", 2)]
    assert "(stored)" not in log


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ValueError("no such\ntask"), "b, network 1: ValueError: no such task"),
        (MemoryError(), "b, network 1: MemoryError"),
        (OSError(2, "No such file", "mine.wav"), "b, network 1: FileNotFoundError: [Errno 2] No such file: 'mine.wav'"),
        (StopIteration("[/red]"), "b, network 1: StopIteration: [/red]"),
        (KeyboardInterrupt(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_job_raises_is_said_with_its_name_and_the_others_are_finished(tmp_path, jobs, fault, said):
    store = Store(tmp_path)
    FAULTS["b", 1] = fault
    console = Console(file=io.StringIO(), width=200)
    with pytest.raises(KeyboardInterrupt if said is None else JobError, match=said and re.escape(said)) as failed:
        sweep(coins("a", "b", "c"), store, Reporter(console), Execution(jobs))
    # another thread may still be at its last one
    stored = {(r.name, r.network) for c in coins("a", "b", "c") for r in c.jobs if store.get(r) is not None}
    assert ("b", 1) not in stored
    if said is None:
        assert len(stored) >= 4 - (jobs - 1)  # those before it
    else:
        assert len(stored) == 8
        assert [row if row is None else len(row) for row in failed.value.results] == [3, None, 3]
        assert [line.strip() for line in console.file.getvalue().splitlines() if "network 1" in line] == [said]
    FAULTS.clear()
    STARTED.clear()
    found, _ = quietly(coins("a", "b", "c"), store, jobs)
    assert ("b", 1) in STARTED
    assert stored.isdisjoint(STARTED)
    assert [[a["loss"][0] for a in row] for row in found] == [[0.0, 1.0, 2.0]] * 3


def test_a_run_that_is_interrupted_and_resumed_is_the_run(reference, tmp_path):
    store = Store(tmp_path)
    seen = []

    class Interrupting(Reporter):
        def finished(self, row, column, stored):
            super().finished(row, column, stored)
            seen.append((row, column))
            if len(seen) == 4:
                raise KeyboardInterrupt

    for jobs in (2, 1):
        seen.clear()
        with pytest.raises(KeyboardInterrupt):
            sweep(sessions(), store, Interrupting(Console(file=io.StringIO())), Execution(jobs))
        # each result is on disk before it is reported
        assert all(store.get(sessions()[row].jobs[column]) is not None for row, column in seen)
    assert bits(quietly(sessions(), store, 2)[0]) == reference


def test_threads_under_way_stop_when_the_run_does(tmp_path):
    stopped = threading.Event()
    running = threading.Event()

    @dataclass(frozen=True)
    class Endless:
        name: str = "endless"

        def cost(self):
            return Cost(1, 8, 8, 1e-6)

        def run(self, progress, checkpoint=None):
            running.set()
            try:
                while True:
                    progress(0)
            finally:
                stopped.set()

    @dataclass(frozen=True)
    class Faulty(Endless):
        name: str = "faulty"

        def run(self, progress, checkpoint=None):
            running.wait(10)
            raise KeyboardInterrupt("broken")

    with pytest.raises(KeyboardInterrupt, match="broken"):
        quietly([Condition("x", {}, (Endless(), Faulty()))], Store(tmp_path), jobs=2)
    assert stopped.wait(10)
    assert Store(tmp_path).get(Endless()) is None


def test_damaged_files_are_named_and_computed_again(reference, tmp_path):
    store = Store(tmp_path)
    quietly(sessions(), store)
    path = store.path(sessions()[1].jobs[2])
    path.write_bytes(path.read_bytes()[:100])
    found, log = quietly(sessions(), Store(tmp_path))
    assert bits(found) == reference
    assert str(path) in log
    assert store.get(sessions()[1].jobs[2]) is not None


def test_each_purpose_has_its_own_random_numbers():
    draws = {(seed, network, purpose): generator(seed, network, purpose).random()
             for seed in (0, 1) for network in (0, 1) for purpose in PURPOSES}  # fmt: skip
    assert len(set(draws.values())) == len(draws)
    assert generator(0, 1, "task").random() == draws[0, 1, "task"]
    # two rules at one seed start from the same network, whatever else they draw
    one, other = (session(rule, init=Initialisation(9, h0="uniform")).initial() for rule in ("rflo", "bptt"))
    assert one.w_rec.tobytes() == other.w_rec.tobytes()
    assert one.h0.tobytes() == other.h0.tobytes()
    assert session("rflo").initial().w_rec.tobytes() == one.w_rec.tobytes()


@pytest.mark.parametrize("n", [1, 400])
def test_what_an_initialisation_draws_once_a_network(n):
    task, plain = rr.PeriodicTask(20), Initialisation(n)
    nets = [Initialisation(n, h0="normal", bias=0.5, tau_spread=4.0).draw(task, 7, network) for network in (0, 0, 1)]
    for name in ("h0", "bias", "tau"):
        one, again, other = (getattr(net, name) for net in nets)
        assert one.tobytes() == again.tobytes() != other.tobytes()
    # none moves the draw of another
    assert nets[0].w_rec.tobytes() == plain.draw(task, 7, 0).w_rec.tobytes()
    assert Initialisation(n, bias=0.5).draw(task, 7, 0).bias.tobytes() == nets[0].bias.tobytes()
    assert not Initialisation(n, bias=0.0).draw(task, 7, 0).bias.any()
    assert plain.draw(task, 7, 0).bias is None
    tau = nets[0].tau
    assert 2.5 <= tau.min() <= tau.max() <= 40.0
    if n > 1:
        assert nets[0].h0.std() == pytest.approx(1.0, rel=0.1)
        assert nets[0].bias.std() == pytest.approx(0.5, rel=0.1)
        # log-uniform: as many in each of two equal ratios
        assert np.mean(tau < 10.0) == pytest.approx(0.5, abs=0.1)
        assert np.mean(tau < 5.0) == pytest.approx(0.25, abs=0.1)
    edge = Initialisation(n, tau=3.0, tau_spread=3.0).draw(task, 7, 0).tau
    assert edge.min() >= 1.0
    for bad in (0.9, 10.1, "2", float("nan")):
        with pytest.raises(ValueError, match="tau_spread"):
            Initialisation(n, tau_spread=bad).draw(task, 7, 0)


def test_a_bias_is_kept_with_the_weights():
    one = session("rflo", init=Initialisation(7, bias=0.0, phi="softplus", tau_spread=2.0))
    arrays, after = one.run(lambda trials: None), one.train(lambda trials: None).network
    assert arrays["bias"].tobytes() == after.bias.tobytes()
    assert after.bias.any()
    assert one.trained(arrays).bias.tobytes() == after.bias.tobytes()


def test_a_session_is_what_train_does():
    one = session("rflo", init=Initialisation(7, h0="uniform", dale=True, output_feedback=True))
    net = one.initial()
    assert net.signs.tolist() == [1, 1, 1, 1, -1, -1, -1]
    assert net.output_feedback
    assert np.abs(net.h0).max() <= 1.0
    history = rr.train(net, one.task, "rflo", 0.05, 60, np.random.default_rng(0))
    arrays = one.run(lambda trials: None)
    assert arrays["loss"].tobytes() == history.loss.tobytes()
    np.testing.assert_array_equal(arrays["y"], rr.run(history.network, np.zeros((20, 0))).y)
    assert bool(arrays["diverged"]) is False


def test_a_session_that_diverges_is_a_result(tmp_path):
    diverging = session("rflo", eta=1e6, task=rr.PeriodicTask(40), n_trials=200)
    condition = Condition("x", {}, (diverging, session("rflo")))
    ((one, other),), _ = quietly([condition], Store(tmp_path))
    assert bool(one["diverged"])
    assert np.isnan(one["loss"][-1])
    assert not bool(other["diverged"])
    assert np.isfinite(one["y"]).all()


def test_describe_is_plain_data():
    rates = rr.LearningRates(w_in=0.1, w_rec=0.2, w_out=0.3)
    described = describe(session("rflo", eta=rates))
    assert described["is"] == "Session"
    assert described["task"] == {"is": "PeriodicTask", "period": 20}
    assert described["eta"] == {"is": "LearningRates", "w_in": 0.1, "w_rec": 0.2, "w_out": 0.3}
    assert describe((np.float64(1.5), {1: [np.int64(2)]})) == [1.5, {"1": [2]}]
