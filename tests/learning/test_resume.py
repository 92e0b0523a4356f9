"""Trainings that go on from a history or a checkpoint give the same bits as one call."""

import copy
import io
from dataclasses import dataclass, replace

import numpy as np
import pytest
from varied import Varied, same_history

import rflo_repro as rr
from rflo_repro.learning import trial_source

TRAININGS = {
    **{method: {"optimizer": rr.Optimizer(method, clip=0.05, weight_decay=0.01)} for method in
       ("sgd", "momentum", "rmsprop", "adam")},
    "plain": {},
    "batch": {"batch": 2, "optimizer": "adam", "noise": 0.1},
    "mixed batch": {"batch": 2, "task": Varied((5, 12)), "noise": 0.1},
    "online": {"online": True, "reset_state": False, "noise": 0.2},
    "carried on": {"rule": "bptt", "reset_state": False, "noise": 0.2, "optimizer": "momentum"},
    "rtrl": {"rule": "rtrl", "noise": 0.2},
    "eta": {"eta": lambda trial: 0.2 / trial, "snapshots": [1, 5, 6, 11, 12, 30]},
    "missing": {"task": Varied(missing=0.3), "noise": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("name", TRAININGS)
def test_chunks_equal_one_call(net, name):
    options = {"task": Varied(), "eta": 0.1, **TRAININGS[name]}
    net = replace(net, bias=np.full(7, 0.1)) if name in ("adam", "online") else net
    whole = rr.train(net, n_trials=16, rng=np.random.default_rng(9), **options)
    rng = np.random.default_rng(9)
    first = rr.train(net, n_trials=4, rng=rng, **options)
    state = copy.deepcopy(rng.bit_generator.state)
    done = []
    chunks = first.resume(2, progress=done.append).resume(10)
    same_history(chunks, whole)
    assert done[-1] == 6
    assert len(chunks.loss) == 16
    # a history can be resumed again, and the caller's generator is the caller's
    same_history(first.resume(12), whole)
    assert rng.bit_generator.state == state


class Files:
    """Keeps a training as often as it can, each time in a file of its own."""

    def __init__(self, begun=None):
        self.begun, self.files = begun, []

    def read(self):
        return None if self.begun is None else np.load(io.BytesIO(self.begun), allow_pickle=False)

    def keep(self, done, now):
        file = io.BytesIO()
        kept = now()
        assert len(kept["loss"]) == done
        np.savez(file, **kept)
        self.files.append(file.getvalue())


class Remembering(Varied):
    """A task whose trials depend on those before, and which has children of the generator draw."""

    def __init__(self):
        super().__init__()
        self.sum = 0.0

    def trial(self, rng):
        inputs, targets = super().trial(rng.spawn(1)[0])
        self.sum += targets[0, 0] + rng.random()
        return inputs, targets + self.sum


@dataclass(frozen=True)
class Spawning:
    """A task that cannot remember, and has children of the generator draw."""

    n_in, n_out = 2, 1

    def trial(self, rng):
        return Varied().trial(rng.spawn(1)[0])


SAVED = {
    **TRAININGS,
    **{name: {"rule": name} for name in rr.RULES},
    "a task that remembers": {"task": Remembering},
    "children": {"task": Spawning()},
    "a trial drawn ahead": {"task": Varied((5, 12)), "noise": 0.1},
    "a bit generator of arrays": {"task": Varied(), "bits": np.random.MT19937},
}  # fmt: skip


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("block", [0.0, 1e9], ids=["a batch a call", "as many as there are"])
def test_a_training_goes_on_from_whatever_was_saved(net, name, block, monkeypatch):
    monkeypatch.setattr(trial_source, "BLOCK_SECONDS", block)
    options = {"task": Varied(), "eta": 0.1, **SAVED[name]}
    task, bits = options.pop("task"), options.pop("bits", np.random.PCG64)
    net = replace(net, bias=np.full(7, 0.1)) if name in ("adam", "online") else net

    def trained(checkpoint, progress=None):
        fresh = task() if isinstance(task, type) else task
        rng = np.random.Generator(bits(9))
        return rr.train(net, fresh, n_trials=8, rng=rng, checkpoint=checkpoint, progress=progress, **options)

    whole, files = trained(None), Files()
    same_history(trained(files), whole)
    assert len(files.files) == 8 // options.get("batch", 1) or block
    for k, kept in enumerate(files.files, start=1):
        seen, later = [], Files(kept)
        same_history(trained(later, seen.append), whole)
        # and does nothing twice
        assert len(seen) == len(files.files) - k
        assert later.files == files.files[k:]


def test_a_training_that_diverges_does_so_again(net, monkeypatch):
    monkeypatch.setattr(trial_source, "BLOCK_SECONDS", 0.0)
    given = {"task": Varied(), "eta": 3e5, "n_trials": 30}
    files = Files()
    whole = rr.train(net, rng=np.random.default_rng(1), checkpoint=files, **given)
    assert whole.diverged
    assert 0 < len(files.files) < 30
    for kept in files.files:
        same_history(rr.train(net, rng=np.random.default_rng(1), checkpoint=Files(kept), **given), whole)


def test_what_is_no_checkpoint(net):
    for bad in (3, "x", object(), {"loss": np.zeros(3)}):
        with pytest.raises(ValueError, match=r"checkpoint must have methods"):
            rr.train(net, Varied(), n_trials=2, checkpoint=bad)
    files = Files()
    rr.train(net, Varied(), n_trials=2, checkpoint=files)
    with np.load(io.BytesIO(files.files[-1])) as file:
        kept = dict(file)
    for name, other in (("loss", None), ("streams", np.array("{}")), ("network, w_rec", np.zeros((3, 3)))):
        foreign = {**kept, name: other}
        files.read = lambda: {k: v for k, v in foreign.items() if v is not None}  # noqa: B023
        with pytest.raises(ValueError, match=r"checkpoint must have what this training saved"):
            rr.train(net, Varied(), n_trials=2, checkpoint=files)


def test_what_cannot_be_resumed(net):
    history = rr.train(net, Varied(), n_trials=4, batch=2)
    for bad in (0, 3, 1.0, None):
        with pytest.raises(ValueError, match="n_trials"):
            history.resume(bad)
    diverged = rr.train(net, Varied(), eta=1e200, n_trials=10)
    assert diverged.diverged
    with pytest.raises(ValueError, match="diverged"):
        diverged.resume(1)
    with pytest.raises(ValueError, match="by hand"):
        rr.History(history.loss, history.alignment, False, net, net.h0).resume(1)
    assert "_training" not in repr(history)
    assert "\n" not in repr(history)


def test_a_history_is_a_table(net):
    history = rr.train(net, Varied(), n_trials=3)
    frame = history.to_frame()
    assert list(frame.columns) == ["trial", "loss", "alignment"]
    assert frame["trial"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(frame["loss"], history.loss)
