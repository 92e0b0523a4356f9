"""The library as it is offered to those who bring a model of their own: each line as it is promised."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import rflo_repro as rr

# What a reader is shown, with the names that it takes for granted.
NETWORK = """
net = rr.Network.random(n_rec=100, n_in=3, n_out=2, rng=rng, g=1.5, tau=10.0, phi="softplus", density=0.2)
net.save("net.npz"); rr.Network.load("net.npz")
repr(net)
"""
TRAINING = """
history = rr.train(net, task, rule, eta, n_trials, rng=rng,
                   optimizer=rr.Optimizer("adam", clip=1.0),
                   noise=0.05,
                   snapshots=[1, 10, 100, 1000])
history = history.resume(n_trials=5000)
out = rr.run(net, inputs)
rr.train(net, task, rule=my_rule, n_trials=3)
"""
TRAINED = """
rr.trained("fig2", rule="rflo", period=20, network=4)
"""
SWEEP = """
name = "lines"
networks = 2
trials = 4
[grid]
rule = "rflo"
task = "mine"
n_rec = [5, 7]
eta = 0.01
eta_in = 0.02
eta_rec = 0.03
eta_out = 0.04
online = false
batch = 2
h0 = 0.1
phi = "softplus"
density = 0.5
optimizer = "adam"
noise = 0.05
n_trials = 4
[tasks.mine]
is = "my_module:MyTask"
[plot]
x = "n_rec"
y = "final_loss"
lines = "rule"
"""
MY_MODULE = """
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MyTask:
    n_steps: int = 10
    n_in = 0
    n_out = 1

    def trial(self, rng):
        return np.zeros((10, 0)), np.ones((10, 1))
"""


@dataclass(frozen=True)
class Task:
    """Three inputs, two outputs, and no target at first."""

    n_in: int = 3
    n_out: int = 2

    def trial(self, rng):
        targets = np.full((8, 2), 0.3)
        targets[:3] = np.nan
        return rng.normal(size=(8, 3)), targets


def my_rule(net, inputs, targets, run):
    return rr.weight_updates(net, inputs, targets, "local")


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Runs lines with the names that they take for granted; what they leave."""
    monkeypatch.chdir(tmp_path)

    def run(text, **names):
        known = {"rr": rr, "np": np, "rng": np.random.default_rng(0), **names}
        exec(text, known)
        return known

    return run


def test_the_lines_of_a_network(lines):
    net = lines(NETWORK)["net"]
    assert repr(net).startswith("Network(n_rec=100, n_in=3, n_out=2, tau=10.0, phi='softplus', density=0.19")
    assert "\n" not in repr(net)
    again = rr.Network.load("net.npz")
    for other in (again, copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.w_rec.tobytes() == net.w_rec.tobytes()
        assert (other.mask == net.mask).all()
        assert not other.w_rec.flags.writeable


def test_the_lines_of_a_training(lines):
    net = rr.Network.random(n_rec=12, n_in=3, n_out=2, rng=np.random.default_rng(1), phi="softplus", density=0.5)
    inputs = np.zeros((4, 6, 3))
    known = lines(
        TRAINING, net=net, task=Task(), rule="rflo", eta=lambda trial: 1e-3 / trial, n_trials=1000, inputs=inputs,
        my_rule=my_rule,
    )  # fmt: skip
    history, out = known["history"], known["out"]
    assert len(history.loss) == 6000
    assert [trial for trial, _ in history.snapshots] == [1, 10, 100, 1000]
    assert (out.h.shape, out.y.shape) == ((4, 6, 12), (4, 6, 2))
    assert list(history.to_frame().columns) == ["trial", "loss", "alignment"]
    assert not history.network.w_rec[~net.mask].any()


@pytest.mark.parametrize("line", ["online=True", "optimizer='adam', online=True"])
def test_what_acts_at_the_end_of_a_trial_is_refused_within_it(line, lines):
    text = f"rr.train(net, task, 'rflo', 0.01, 2, rng, {line})"
    net = rr.Network.random(n_rec=5, n_in=3, n_out=2, rng=np.random.default_rng(1))
    if "adam" not in line:
        lines(text, net=net, task=Task())
        return
    with pytest.raises(ValueError, match="optimizer must be plain sgd"):
        lines(text, net=net, task=Task())


def test_the_line_of_a_trained_network(lines):
    # its numbers: tests/studies/test_trained.py
    lines(TRAINED.replace("network=4", "network=1, scale='smoke'"))


def test_the_lines_of_a_sweep(lines, tmp_path):
    from click.testing import CliRunner

    from rflo_repro.cli import cli

    (tmp_path / "my_module.py").write_text(MY_MODULE)
    (tmp_path / "lines.toml").write_text(SWEEP)
    run = CliRunner().invoke(cli, ["sweep", "lines.toml"], prog_name="rflo-repro")
    assert run.exit_code == 0, run.output
    assert list(tmp_path.glob("figures/custom/*lines*.png"))
    assert rr.trained("lines.toml", n_rec=7, network=1).n_rec == 7
