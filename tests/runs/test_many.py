"""Trainings beside each other are those one by one."""

import threading

import numpy as np
import pytest

import rflo_repro as rr

TASK = rr.PeriodicTask(30)


def nets(n=5):
    return [rr.Network.random(8, TASK.n_in, TASK.n_out, np.random.default_rng(i)) for i in range(n)]


def rngs(n=5):
    return [np.random.default_rng(100 + i) for i in range(n)]


@pytest.mark.parametrize("jobs", [1, 3, None])
def test_the_same_bits_as_one_by_one(jobs):
    together = rr.train_many(nets(), TASK, "rflo", 0.05, 40, rngs=rngs(), jobs=jobs, noise=0.1)
    for history, net, rng in zip(together, nets(), rngs(), strict=True):
        alone = rr.train(net, TASK, "rflo", 0.05, 40, rng, noise=0.1)
        assert history.loss.tobytes() == alone.loss.tobytes()
        assert history.network.w_rec.tobytes() == alone.network.w_rec.tobytes()


class Remembers:
    """A task whose trials differ from call to call."""

    n_in, n_out = TASK.n_in, TASK.n_out

    def __init__(self):
        self.calls = 0

    def trial(self, rng):
        self.calls += 1
        inputs, targets = TASK.trial(rng)
        return inputs, targets / self.calls


def test_each_has_a_task_of_its_own():
    task = Remembers()
    first, second = rr.train_many([nets(1)[0]] * 2, task, n_trials=20, rngs=rngs(2), jobs=1)
    assert task.calls == 0
    assert first.loss.tobytes() == second.loss.tobytes()


def test_progress_counts_all_trials():
    seen = []
    rr.train_many(nets(3), TASK, n_trials=30, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 90


def test_an_error_ends_all_of_them():
    class Fails(Remembers):
        def trial(self, rng):
            if rng.random() < 0.01:
                raise RuntimeError("no trial")
            return TASK.trial(rng)

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no trial"):
        rr.train_many(nets(), Fails(), n_trials=10**5, rngs=rngs(), jobs=2)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nets": 3}, "nets must be networks"),
        ({"nets": ["net"]}, r"nets\[0\] must be a Network"),
        ({"rngs": rngs(2)}, "one generator of its own for each of the 5 nets, got 2"),
        ({"rngs": rngs(1) * 5}, "one generator of its own"),
        ({"rng": 3}, "train_many takes rngs"),
        ({"checkpoint": 3}, "train_many takes none"),
        ({"jobs": 0}, "jobs must be a whole number"),
        ({"rule": "rfla"}, "rflo"),
    ],
)
def test_what_it_refuses(changes, said):
    with pytest.raises(ValueError, match=said):
        rr.train_many(**{"nets": nets(), "task": TASK, "n_trials": 5, **changes})


def test_no_network():
    assert rr.train_many([], TASK) == []
