"""Copies and pickles of what was checked are checked themselves: nothing gets writeable, or out of step, by being
copied."""

import ast
import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.learning import validate

PACKAGE = Path(rr.__file__).parent
NET = rr.Network.random(5, 4, 2, np.random.default_rng(0), signs=np.array([1.0, 1.0, 1.0, -1.0, -1.0]))
OTHER = rr.Network.random(
    5, 4, 2, np.random.default_rng(0), tau=np.full(5, 3.0), phi="relu", density=0.5, bias=np.ones(5)
)
THINGS = {
    "Network": NET,
    "other Network": OTHER,
    "Loop": rr.Loop.random(NET, np.random.default_rng(1)),
    "LearningRule": rr.RULES["rflo"],
    "LearningRates": rr.LearningRates(0.1, 0.2, 0.3),
    "Optimizer": rr.Optimizer("adam", clip=1.0),
    "PeriodicTask": rr.PeriodicTask(20),
    "IntervalMatchingTask": rr.IntervalMatchingTask(150),
    "Reaching": rr.Reaching(20),
    "MovementTask": rr.MovementTask(rr.Reaching(20), np.array([1.0, 0.0])),
    "MatchToSampleTask": rr.MatchToSampleTask(),
    "EvidenceTask": rr.EvidenceTask(),
    "ContextTask": rr.ContextTask(),
    "FlipFlopTask": rr.FlipFlopTask(),
    "EmbeddedReberTask": rr.EmbeddedReberTask(),
    "SequenceTask": rr.SequenceTask((0, 1, 2), rr.Reaching(20)),
}
WAYS = {"copy": copy.copy, "deepcopy": copy.deepcopy} | {
    f"pickle {protocol}": lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}


def arrays_of(value):
    """Every array within reach: in fields, and in what is cached."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from arrays_of(item)
    elif hasattr(value, "__dict__"):
        for item in vars(value).values():
            yield from arrays_of(item)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", THINGS)
def test_a_copy_is_as_closed_as_the_original(name, way):
    original = THINGS[name]
    if hasattr(original, "trial"):
        original = type(original)(**vars_of(original))
        original.trial(np.random.default_rng(0))  # what it caches
    other = WAYS[way](original)
    assert type(other) is type(original)
    assert repr(other) == repr(original)
    for field, value in vars_of(original).items():
        np.testing.assert_array_equal(getattr(other, field), value, strict=True)
    if name in ("PeriodicTask", "SequenceTask"):
        other.trial(np.random.default_rng(0))
        assert list(arrays_of(other))
    if name != "MovementTask":  # whose cursor moves
        for array in arrays_of(other):
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)


def vars_of(value):
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_task_cannot_be_changed_behind_its_back(way):
    task = rr.PeriodicTask(20)
    wanted = task.trial(np.random.default_rng(0))[1].copy()
    other = WAYS[way](task)
    with pytest.raises(ValueError, match="read-only"):
        other.trial(np.random.default_rng(0))[1][:] *= 2.0
    np.testing.assert_array_equal(other.trial(np.random.default_rng(0))[1], wanted)


@pytest.mark.parametrize("name", THINGS)
def test_a_pickle_that_was_tampered_with_is_refused_or_made_right(name):
    function, (kind, state) = THINGS[name].__reduce_ex__(4)
    for field in state:
        with pytest.raises(ValueError, match=field):
            function(kind, {**state, field: object()})


def test_every_class_that_checks_its_fields_checks_its_copies():
    found = {
        node.name: {ast.unparse(base) for base in node.bases}
        for room in ("learning", "tasks")
        for path in (PACKAGE / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(getattr(item, "name", "") == "__post_init__" for item in node.body)
    }
    assert set(found) == {type(value).__name__ for value in THINGS.values()}
    for name, bases in found.items():
        assert "validate.Checked" in bases, name


class Refilled:
    """A task that writes each trial into one buffer and hands out something read-only that shows it."""

    n_in, n_out = 0, 1

    def __init__(self, how):
        self.how, self.count = how, 0
        self.buffer = np.zeros((12, 1))
        self.view = self.buffer.view()
        self.view.setflags(write=False)
        self.owner = np.zeros((12, 1))
        self.behind = self.owner[:]
        self.owner.setflags(write=False)
        self.inputs = validate.frozen(np.zeros((12, 0)))

    def trial(self, rng):
        self.count += 1
        values = np.sin(np.arange(12.0) * self.count)[:, np.newaxis]
        if self.how == "a view":
            self.buffer[:] = values
            return self.inputs, self.view
        if self.how == "the owner":
            self.behind[:] = values
            return self.inputs, self.owner
        self.owner.setflags(write=True)
        self.owner[:] = values
        self.owner.setflags(write=False)
        return self.inputs, self.owner


class Fresh(Refilled):
    """The same trials in new arrays."""

    def trial(self, rng):
        return tuple(a.copy() for a in super().trial(rng))


@pytest.mark.parametrize("how", ["a view", "the owner", "unlocked for a moment"])
@pytest.mark.parametrize("options", [{}, {"batch": 3}, {"online": True}])
def test_arrays_that_are_refilled_are_taken_as_they_were_handed_out(how, options):
    net = rr.Network.random(6, 0, 1, np.random.default_rng(0))
    seen, wanted = (rr.train(net, task(how), eta=0.1, n_trials=6, **options) for task in (Refilled, Fresh))
    assert seen.loss.tobytes() == wanted.loss.tobytes()
    assert len(set(wanted.loss)) == 6


def test_only_what_can_never_change_is_trusted():
    kept = validate.frozen(np.arange(6.0).reshape(3, 2))
    assert validate.immutable(kept)
    assert validate.immutable(kept[1:].T)
    assert validate.immutable(validate.frozen(np.zeros((5, 0))))
    locked = np.arange(3.0)
    locked.setflags(write=False)
    for value in (locked, locked[:], np.frombuffer(bytearray(16)), np.ma.array(kept), [1.0], None):
        assert not validate.immutable(value)


BIG = rr.Network.random(30, 2, 1, np.random.default_rng(0))


@pytest.mark.parametrize(
    "value",
    [
        BIG,
        rr.Loop.random(BIG, np.random.default_rng(1)),
        rr.run(BIG, np.zeros((50, 2))),
        rr.weight_updates(BIG, np.zeros((50, 2)), np.zeros((50, 1))),
        THINGS["MovementTask"],
        THINGS["SequenceTask"],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_arrays_is_shown_on_one_line(value):
    assert "\n" not in repr(value)
    assert len(repr(value)) < 250
    assert repr(value).startswith(f"{type(value).__name__}(")


def test_a_network_is_shown_by_its_sizes():
    assert repr(BIG).startswith("Network(n_rec=30, n_in=2, n_out=1, tau=10.0, phi='tanh', density=1, ")
