"""Environments of NeuroGym as tasks: with an environment of the same kind here, with the package's own where it is."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import rflo_repro as rr


class Decision:
    """What an environment of NeuroGym has, and no more: fixation, then the input that was on."""

    observation_space = SimpleNamespace(shape=(3,))
    action_space = SimpleNamespace(n=3)

    def seed(self, seed):
        self.rng = np.random.RandomState(seed)

    def new_trial(self):
        choice = self.rng.randint(2)
        self.ob = np.zeros((self.rng.randint(6, 9), 3), dtype=np.float32)
        self.ob[:-2, 0] = 1.0
        self.ob[1:4, 1 + choice] = 1.0
        self.gt = np.zeros(len(self.ob), dtype=np.int64)
        self.gt[-2:] = 1 + choice


def test_it_is_learned():
    task = rr.from_neurogym(SimpleNamespace(unwrapped=Decision()))
    net = rr.Network.random(20, task.n_in, task.n_out, np.random.default_rng(0), tau=2.0)
    options = {"loss": "cross-entropy"}
    history = rr.train(net, task, "rflo", 0.3, 1500, np.random.default_rng(1), **options)
    assert rr.evaluate(net, task, 100, np.random.default_rng(2), **options).metric < 0.8
    assert rr.evaluate(history.network, task, 100, np.random.default_rng(2), **options).metric > 0.95


def test_the_same_generator_gives_the_same_trials():
    task = rr.from_neurogym(Decision())
    (a, b), (c, d) = (task.trial(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(b, d)
    assert a.dtype == b.dtype == np.float64


def test_one_hot_targets_are_the_classes():
    by_class, by_row = rr.from_neurogym(Decision()), rr.from_neurogym(Decision(), targets="one-hot")
    for seed in range(10):
        (inputs, classes), (_, rows) = (task.trial(np.random.default_rng(seed)) for task in (by_class, by_row))
        np.testing.assert_array_equal(np.argmax(rows, axis=1), classes)
        assert (rows.sum(axis=1) == 1.0).all()
        for task, targets in ((by_class, classes), (by_row, rows)):
            assert task.metric(rows, inputs, targets) == 1.0
            assert task.metric(-rows, inputs, targets) == 0.0


def test_a_trial_without_a_decision():
    task = rr.from_neurogym(Decision())
    inputs, still = np.zeros((5, 3)), np.eye(3)[np.zeros(5, dtype=int)]
    assert task.metric(still, inputs, np.zeros(5)) == 1.0
    assert task.metric(np.eye(3)[np.full(5, 2)], inputs, np.zeros(5)) == 0.0


def changed(**attributes):
    return type("Changed", (Decision,), attributes)()


def no_truth(self):
    raise AttributeError("no gt")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (3, "NeuroGym environment of trials"),
        (changed(new_trial=None), "without new_trial"),
        (changed(action_space=SimpleNamespace()), "discrete actions"),
        (changed(observation_space=SimpleNamespace(shape=(2, 2))), "observations that are vectors"),
        (changed(new_trial=no_truth), "a trial with a ground truth: AttributeError: no gt"),
        (changed(action_space=SimpleNamespace(n=1)), "the number of an action"),
    ],
)
def test_what_is_no_such_environment(env, said):
    with pytest.raises(ValueError, match=said):
        rr.from_neurogym(env)


def test_targets_that_there_are_not():
    with pytest.raises(ValueError, match="targets must be one of classes, one-hot"):
        rr.from_neurogym(Decision(), targets="numbers")


LEARNED = """
import neurogym, numpy as np, rflo_repro as rr
for name in ("PerceptualDecisionMaking-v0", "MultiSensoryIntegration-v0", "GoNogo-v0"):
    task = rr.from_neurogym(neurogym.make(name, dt=20))
    net = rr.Network.random(50, task.n_in, task.n_out, np.random.default_rng(0), tau=5.0)
    history = rr.train(net, task, "rflo", 0.03, 3000, np.random.default_rng(1), loss="cross-entropy")
    before, after = (
        rr.evaluate(n, task, 200, np.random.default_rng(2), loss="cross-entropy") for n in (net, history.network)
    )
    print(name, before.metric, after.metric, history.loss[-100:].mean() / history.loss[:100].mean(), sep=",")
"""


@pytest.mark.long
def test_three_environments_of_the_package(tmp_path):
    pytest.importorskip("neurogym", reason="needs `pip install neurogym torch` (neurogym 2.3.1 imports torch unasked)")
    ran = subprocess.run([sys.executable, "-c", LEARNED], capture_output=True, text=True, cwd=tmp_path, check=True)
    lines = [line.split(",") for line in ran.stdout.splitlines() if line.count(",") == 3]
    assert len(lines) == 3
    for name, before, after, share in lines:
        assert float(after) > max(0.7, float(before)), name
        assert float(share) < 0.3, name
