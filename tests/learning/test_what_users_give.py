"""What users give to the library, in the kinds that once went wrong; each name is that of the kind."""

from __future__ import annotations

import errno
import itertools
import pickle
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rflo_repro as rr
from rflo_repro.learning import rules, validate

TASK = rr.PeriodicTask(8)


def net(seed=0, **options):
    return rr.Network.random(6, 0, 1, np.random.default_rng(seed), **options)


class Memory:
    """A checkpoint that stays in memory."""

    def __init__(self):
        self.saved = None

    def read(self):
        return self.saved

    def keep(self, done, now):
        self.saved = {name: np.array(value) for name, value in now().items()}


def train(memory, network=None, task=TASK, rule="rflo", eta=0.03, n_trials=40, seed=0, **options):
    rng = np.random.default_rng(seed)
    return rr.train(network or net(), task, rule, eta, n_trials, rng, checkpoint=memory, **options)


OTHERS = [
    ({"network": net(1)}, "net"),
    ({"task": rr.PeriodicTask(9)}, "task"),
    ({"rule": "local"}, "rule"),
    ({"rule": rr.LearningRule("rflo", "random", "leak", trace_tau=3.0)}, "rule"),
    ({"eta": 0.04}, "eta"),
    ({"eta": rr.LearningRates(0.03, 0.03, 0.02)}, "eta"),
    ({"seed": 1}, "rng"),
    ({"optimizer": "adam"}, "optimizer"),
    ({"batch": 2}, "batch"),
    ({"noise": 0.1}, "rng, noise|noise, rng"),
    ({"online": True}, "online"),
    ({"reset_state": False}, "reset_state"),
]


@pytest.mark.parametrize(("other", "named"), OTHERS, ids=lambda value: str(value)[:30])
def test_a_checkpoint_of_another_training_is_refused_by_name(other, named):
    memory = Memory()
    train(memory)
    before = dict(memory.saved)
    with pytest.raises(ValueError, match=f"another training, with another ({named})"):
        train(memory, **other)
    assert memory.saved == before


def test_a_checkpoint_of_more_trials_is_refused_and_of_fewer_goes_on():
    memory, whole = Memory(), train(Memory(), n_trials=60)
    train(memory)
    with pytest.raises(ValueError, match="n_trials must be at least the 40 of the checkpoint, got 20"):
        train(memory, n_trials=20)
    assert np.array_equal(train(memory, n_trials=60).loss, whole.loss)


def test_a_training_without_a_generator_of_its_own_goes_on_too():
    memory = Memory()
    rr.train(net(), TASK, "rflo", 0.03, 40, checkpoint=memory)
    assert len(rr.train(net(), TASK, "rflo", 0.03, 60, checkpoint=memory).loss) == 60
    with pytest.raises(ValueError, match="another rng"):
        train(memory)


@dataclass(frozen=True)
class Remembering:
    """Frozen, and yet each trial depends on those before."""

    levels: object = field(default_factory=lambda: itertools.cycle([0.1, 0.5, 0.9]))
    n_in: int = 0
    n_out: int = 1

    def trial(self, rng):
        return np.zeros((5, 0)), np.full((5, 1), next(self.levels))


@dataclass(frozen=True)
class Appending(Remembering):
    """The same, with a list."""

    levels: list = field(default_factory=list)

    def trial(self, rng):
        self.levels.append(len(self.levels) % 7 / 7)
        return np.zeros((5, 0)), np.full((5, 1), self.levels[-1])


@dataclass(frozen=True)
class Counting(Remembering):
    """The same, with a counter inside a tuple."""

    levels: tuple = field(default_factory=lambda: (itertools.count(),))

    def trial(self, rng):
        return np.zeros((5, 0)), np.full((5, 1), next(self.levels[0]) % 7 / 7)


@pytest.mark.parametrize("kind", [Remembering, Appending, Counting])
def test_a_frozen_task_with_a_memory_is_replayed(kind):
    memory = Memory()
    whole = train(Memory(), task=kind(), n_trials=60).loss
    train(memory, task=kind(), n_trials=40)
    assert np.array_equal(train(memory, task=kind(), n_trials=60).loss, whole)


@pytest.mark.parametrize("refusing", ["write_bytes", "replace"])
def test_a_network_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch, refusing):
    path = tmp_path / "network.npz"
    net(0).save(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if refusing == "write_bytes":
        monkeypatch.setattr(Path, "write_bytes", lambda self, data: (self.touch(), full()))
    else:
        monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        net(1).save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["network.npz"]
    net(1).save(path)
    assert np.array_equal(rr.Network.load(path).w_rec, net(1).w_rec)


def test_a_history_says_that_it_exploded_though_every_number_is_finite():
    history = rr.train(net(), rr.PeriodicTask(40), "rflo", 3.0, 300, np.random.default_rng(0))
    assert history.exploded
    assert not rr.train(net(), TASK, "rflo", 0.01, 50).exploded
    assert replace(history, diverged=True, loss=np.array([1.0, np.nan])).exploded


@pytest.mark.parametrize("eta", [lambda trial: 0.01, 0.01], ids=["a function", "a number"])
def test_a_history_can_be_sent_to_another_process(eta):
    history = rr.train(net(), TASK, "rflo", eta, 20, np.random.default_rng(0))
    other = pickle.loads(pickle.dumps(history))
    assert np.array_equal(other.loss, history.loss)
    assert np.array_equal(other.network.w_rec, history.network.w_rec)
    if callable(eta):
        with pytest.raises(ValueError, match="pickled with a task or eta"):
            other.resume(20)
    else:
        assert np.array_equal(other.resume(20).loss, history.resume(20).loss)


def raise_to(power):
    def rule(network, inputs, targets, run):
        return rr.Updates(network.w_in, network.w_rec * 1e200 * np.float64(10.0) ** power, network.w_out, 0.0)

    return rule


@pytest.mark.parametrize("power", [0, 150, 400])
def test_a_rule_of_ones_own_diverges_as_others_do_under_any_treatment_of_warnings(power):
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert rr.train(net(), TASK, raise_to(power), 1.0, 5).diverged
        assert rr.train(net(), TASK, "bptt", 1e300, 5).diverged


class Refusing:
    """An array that lies elsewhere, as a tensor on a device does."""

    def __init__(self, kind):
        self.kind = kind

    def __array__(self, *_, **__):
        raise self.kind("lies on a device")


@pytest.mark.parametrize("kind", [TypeError, RuntimeError, ValueError, AttributeError, NotImplementedError])
@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda bad: rr.run(net(), bad), "inputs"),
        (lambda bad: rr.run(net(), np.zeros((3, 0)), noise=bad), "noise"),
        (lambda bad: rr.weight_updates(net(), np.zeros((3, 0)), bad), "targets"),
        (lambda bad: replace(net(), w_rec=bad), "w_rec"),
        (lambda bad: replace(net(), mask=bad), "mask"),
        (lambda bad: net(h0=bad), "h0"),
        (lambda bad: net(tau=bad), "tau"),
    ],
)
def test_an_array_that_cannot_be_had_is_named(kind, call, named):
    with pytest.raises(ValueError, match=f"^{named} must .*lies on a device"):
        call(Refusing(kind))


@pytest.mark.parametrize(
    "convert", [pd.Series, list, tuple, np.asarray, lambda taus: pd.Series(taus, index=[*"abcdef"])]
)
@pytest.mark.parametrize("name", ["tau", "h0", "bias"])
def test_a_value_a_unit_may_be_a_series_wherever_one_is_taken(convert, name):
    values = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert np.array_equal(getattr(net(**{name: convert(values)}), name), values)


@given(st.sampled_from([*rules.RULES]), st.data())
def test_a_rule_is_found_in_any_case_and_writing(name, data):
    letters = [data.draw(st.sampled_from([c.lower(), c.upper(), "_" if c == "-" else c])) for c in name]
    assert rules.resolve("".join(letters)) is rules.RULES[name]


@pytest.mark.parametrize(
    ("alias", "name"), [("e-prop", "local"), ("E-Prop", "local"), ("eprop-random", None), ("e_prop_random", "rflo")]
)
def test_other_names_of_a_rule(alias, name):
    if name is None:
        with pytest.raises(ValueError, match="did you mean"):
            rules.resolve(alias)
    else:
        asked = rules.resolve(alias)
        assert replace(asked, name=name) == rules.RULES[name]
        histories = [rr.train(net(), TASK, rule, 0.1, 3) for rule in (alias, name)]
        assert [history.rule for history in histories] == [asked.name, name]
        np.testing.assert_array_equal(histories[0].loss, histories[1].loss)


def test_progress_is_a_line_where_it_is_only_asked_for(capsys):
    plain = rr.train(net(), TASK, "rflo", 0.1, 4, progress=False)
    assert capsys.readouterr() == ("", "")
    said = rr.train(net(), TASK, "rflo", 0.1, 4, progress=True).resume(3, progress=True)
    assert capsys.readouterr().err.split("\n")[:2] == [f"\r{n} of {n} trials, 0 s left".ljust(50) for n in (4, 7)]
    np.testing.assert_array_equal(plain.loss, said.loss[:4])
    for wrong in (1, "yes", [True]):
        with pytest.raises(ValueError, match="progress must be True, False or a function"):
            rr.train(net(), TASK, "rflo", 0.1, 4, progress=wrong)


@pytest.mark.parametrize(("given_name", "meant"), [("rlfo", "rflo"), ("bppt", "bptt"), ("snap1", "snap-1")])
def test_a_name_that_is_nearly_one_is_answered_with_it(given_name, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        rr.train(net(), TASK, given_name)


def test_an_optimizer_and_a_phi_are_found_in_any_case():
    assert rr.Optimizer("Adam").method == "adam"
    assert rr.Optimizer("RMSprop").method == "rmsprop"
    assert net(phi="ReLU").phi == "relu"


@pytest.mark.parametrize("kind", [rr.PeriodicTask, rr.IntervalMatchingTask, Remembering])
def test_a_class_in_place_of_a_task_is_told_what_to_write(kind):
    with pytest.raises(ValueError, match=rf"task must be an instance, got the class: write {kind.__name__}\("):
        rr.train(net(), kind)


def test_masked_entries_are_still_refused():
    with pytest.raises(ValueError, match="no masked entries"):
        validate.array("x", np.ma.masked_array([1.0, 2.0], [True, False]), (2,))
