"""The public API, as it is promised."""

import dataclasses
import importlib.metadata
import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest

import rflo_repro as rr


def test_a_random_network_a_run_an_update_a_training():
    net = rr.Network.random(n_rec=30, n_in=0, n_out=1, rng=np.random.default_rng(0), g=1.5, tau=10.0)
    assert (net.w_in.shape, net.w_rec.shape, net.w_out.shape) == ((30, 0), (30, 30), (1, 30))
    assert (net.feedback.shape, net.h0.shape) == ((30, 1), (30,))
    assert (net.tau, net.output_feedback, net.signs) == (10.0, False, None)

    inputs, targets = np.zeros((200, 0)), np.zeros((200, 1))
    out = rr.run(net, inputs)
    assert out.h.shape == (200, 30)
    assert out.y.shape == (200, 1)
    np.testing.assert_allclose(out.y, out.h @ net.w_out.T, rtol=0, atol=1e-13)
    # row k is time k+1: the first row is one step after h0
    first = net.h0 + (-net.h0 + np.tanh(net.w_rec @ net.h0)) / net.tau
    np.testing.assert_allclose(out.h[0], first, rtol=0, atol=1e-14)

    dw = rr.weight_updates(net, inputs, targets, rule="rflo")
    assert (dw.w_in.shape, dw.w_rec.shape, dw.w_out.shape) == ((30, 0), (30, 30), (1, 30))
    assert dw.loss == pytest.approx(np.mean(out.y**2) / 2)

    task = rr.PeriodicTask(period=200)
    history = rr.train(net, task, rule="rflo", eta=0.03, n_trials=50, rng=np.random.default_rng(0), online=False,
                       batch=1, reset_state=True)  # fmt: skip
    assert history.loss.shape == history.alignment.shape == (50,)
    assert history.diverged is False
    assert isinstance(history.network, rr.Network)
    assert history.network is not net
    assert history.loss[0] == pytest.approx(rr.weight_updates(net, *task.trial(np.random.default_rng(0))).loss)
    assert history.alignment[0] == pytest.approx(net.alignment)
    assert history.loss[-1] < history.loss[0]


def test_a_network_of_given_weights():
    rng = np.random.default_rng(1)
    net = rr.Network(
        w_in=rng.normal(size=(5, 2)),
        w_rec=np.abs(rng.normal(size=(5, 5))) * [1, 1, 1, -1, -1],
        w_out=rng.normal(size=(3, 5)),
        feedback=rng.normal(size=(5, 3)),
        h0=np.zeros(5),
        tau=10.0,
        output_feedback=True,
        signs=[1, 1, 1, -1, -1],
    )
    assert (net.n_rec, net.n_in, net.n_out) == (5, 2, 3)
    assert net.output_feedback is True
    assert rr.run(net, rng.normal(size=(7, 2))).y.shape == (7, 3)
    assert dataclasses.is_dataclass(net)


def test_learning_rates_and_batches():
    net = rr.Network.random(n_rec=6, n_in=0, n_out=1, rng=np.random.default_rng(0))
    rates = rr.LearningRates(w_in=0.0, w_rec=0.01, w_out=0.1)
    history = rr.train(net, rr.PeriodicTask(20), eta=rates, n_trials=10, batch=5)
    assert len(set(history.loss)) == 2


class Integrator:
    """Anything with n_in, n_out and trial(rng) is a task: here the sum of the inputs so far."""

    n_in = 1
    n_out = 1

    def trial(self, rng):
        inputs = rng.normal(size=(40, 1))
        return inputs, np.cumsum(inputs, axis=0) / 40


def test_a_task_of_ones_own():
    net = rr.Network.random(n_rec=20, n_in=1, n_out=1, rng=np.random.default_rng(0), tau=5.0)
    history = rr.train(net, Integrator(), rule="rflo", eta=0.02, n_trials=400, rng=np.random.default_rng(1))
    assert np.median(history.loss[-50:]) < np.median(history.loss[:50]) / 2
    assert isinstance(Integrator(), rr.Task)


def test_a_rule_of_ones_own():
    rule = rr.LearningRule("readout, exactly", feedback="symmetric", carry="full", trains=("w_out",))
    net = rr.Network.random(n_rec=10, n_in=0, n_out=1, rng=np.random.default_rng(0))
    history = rr.train(net, rr.PeriodicTask(30), rule=rule, eta=0.1, n_trials=20)
    assert history.loss[-1] < history.loss[0]
    np.testing.assert_array_equal(history.network.w_rec, net.w_rec)


def test_rules_lists_those_known():
    assert all(isinstance(rule, rr.LearningRule) for rule in rr.RULES.values())
    net = rr.Network.random(n_rec=4, n_in=0, n_out=1, rng=np.random.default_rng(0))
    for name in rr.RULES:
        assert math.isfinite(rr.train(net, rr.PeriodicTask(10), rule=name, n_trials=2).loss[-1])


def test_every_public_name_is_there_and_explained():
    for name in rr.__all__:
        value = getattr(rr, name)
        if name not in ("RULES", "__version__"):
            assert inspect.getdoc(value), name
    assert dir(rr) == sorted(rr.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rr.nothing  # noqa: B018
    namespace = {}
    exec("from rflo_repro import *", namespace)
    assert set(rr.__all__) <= set(namespace)


def documented(value, section):
    """The names, or types, that a section of a numpydoc docstring lists."""
    lines = inspect.getdoc(value).splitlines()
    if section not in lines:
        return []
    start = lines.index(section)
    assert lines[start + 1] == "-" * len(section)
    body = lines[start + 2 :]
    # the line before the next underline is the next heading
    end = next((i - 1 for i, line in enumerate(body) if line.startswith("---")), len(body))
    entries = [line for line in body[:end] if line and not line.startswith(" ")]
    return [name.strip(" *") for entry in entries for name in entry.partition(" : ")[0].split(",")]


def public():
    """Functions and classes that users call, and the methods of these classes."""
    for name in sorted(set(rr.__all__) - {"RULES", "__version__", "Task"}):
        value = getattr(rr, name)
        yield pytest.param(value, id=name)
        if isinstance(value, type):
            for method, function in vars(value).items():
                function = getattr(function, "__func__", function)
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield pytest.param(function, id=f"{name}.{method}")


@pytest.mark.parametrize("value", [*public()])
def test_the_docstrings_are_numpydoc(value):
    """Every parameter is explained, in its order, and so is what comes back."""
    signature = inspect.signature(value)
    names = [name for name in signature.parameters if name not in ("self", "cls") and not name.startswith("_")]
    assert documented(value, "Parameters") == names
    if inspect.isfunction(value) and signature.return_annotation not in ("None", None):
        assert documented(value, "Returns")
    raised = ("ValueError", "OSError", "ImportError", "FloatingPointError")
    assert all(entry in raised for entry in documented(value, "Raises"))
    assert "Raises ValueError" not in inspect.getdoc(value)


def test_every_public_name_is_in_the_reference():
    page = (Path(__file__).parents[1] / "docs" / "reference" / "api.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^\.\. auto(?:class|function|data):: (\w+)$", page, flags=re.M)
    assert sorted(listed) == sorted(set(rr.__all__) - {"__version__"})


def test_defaults_are_those_promised():
    defaults = {name: p.default for name, p in inspect.signature(rr.train).parameters.items()}
    assert (defaults["online"], defaults["batch"], defaults["reset_state"]) == (False, 1, True)
    assert (defaults["n_trials"], defaults["rule"]) == (10_000, "rflo")
    assert inspect.signature(rr.weight_updates).parameters["rule"].default == "rflo"
    random = inspect.signature(rr.Network.random).parameters
    assert (random["g"].default, random["tau"].default) == (1.5, 10.0)


def test_the_version_is_the_distributions():
    assert importlib.metadata.version("rflo-repro") == rr.__version__
