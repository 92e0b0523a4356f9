"""A learner does, step by step, what `train(..., online=True)` does with whole trials."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, fields, replace

import naive
import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.learning.kernels import steps

N_STEPS = 18


@dataclass(frozen=True)
class Given:
    """Random inputs and targets, some of which are missing."""

    n_in: int = 2
    n_out: int = 2

    def trial(self, rng):
        targets = rng.uniform(-1.0, 1.0, (N_STEPS, self.n_out))
        targets[rng.random(targets.shape) < 0.3] = np.nan
        targets[5:8] = np.nan
        return rng.uniform(-1.0, 1.0, (N_STEPS, self.n_in)), targets


TASK = Given()
TRACE = rr.LearningRule("trace", "random", "leak", trace_tau=4.0)
RULES = ["rflo", "local", "snap-0", "snap-1", "snap-1-random", "readout-only", "recurrent-only", TRACE, "force"]
OPTIMIZERS = [
    "sgd", "adam", "rmsprop", rr.Optimizer(clip=0.05), rr.Optimizer("momentum", clip=0.1, weight_decay=0.2),
]  # fmt: skip
NETWORKS = {
    "plain": {},
    "sparse": {"density": 0.5},
    "signs": {"signs": np.where(np.arange(13) < 7, 1.0, -1.0)},
    "bias": {"bias": np.linspace(-0.5, 0.5, 13)},
    "readout fed back": {"output_feedback": True},
    "units": {"phi": "softplus", "tau": np.linspace(2.0, 20.0, 13)},
}


def network(kind="plain", n_rec=13):
    return rr.Network.random(n_rec, TASK.n_in, TASK.n_out, np.random.default_rng(1), **NETWORKS[kind])


def step_by_step(net, rule, n_trials, task=TASK, eta=0.3, seed=3, **options):
    """The learner after these trials, and the loss of each."""
    rng = np.random.default_rng(seed)
    learner, losses = rr.Learner(net, rule, eta / N_STEPS, rng, **options), []
    for _ in range(n_trials):
        learner.reset()
        loss = 0.0
        for x, target in zip(*task.trial(rng), strict=True):
            learner.step(x)
            learner.learn(target)
            loss += learner.loss
        losses.append(loss / N_STEPS)
    return learner, losses


def same(one, other):
    for name in ("w_in", "w_rec", "w_out", "bias"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None and b is None) or np.array_equal(a, b), name


def compare(net, rule, n_trials=4, eta=0.3, **options):
    rng = np.random.default_rng(3)
    trained = rr.train(net, TASK, rule, eta, n_trials, rng, online=rule != "force", **options)
    learner, losses = step_by_step(net, rule, n_trials, eta=eta, **options)
    same(learner.network, trained.network)
    np.testing.assert_allclose(losses, trained.loss, rtol=1e-12)
    assert not np.array_equal(learner.network.w_out, net.w_out) or rule == "recurrent-only"
    assert learner.alignment == learner.network.alignment


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: getattr(rule, "name", rule))
def test_every_rule_is_online_training_to_the_bit(rule):
    compare(network(), rule)


@pytest.mark.parametrize("optimizer", OPTIMIZERS[1:], ids=str)
def test_every_optimizer(optimizer):
    compare(network(), "rflo", eta=0.05, optimizer=optimizer)


@pytest.mark.parametrize("optimizer", [rr.Optimizer(), *(o for o in OPTIMIZERS if not isinstance(o, str))], ids=str)
def test_an_optimizer_takes_each_steps_term_of_eq_5_as_plain_numpy_does(optimizer):
    net, (inputs, targets) = network(), TASK.trial(np.random.default_rng(0))
    stepper = naive.Stepper(**{f.name: getattr(optimizer, f.name) for f in fields(optimizer)})
    learner = rr.Learner(net, "rflo", 0.1, optimizer=optimizer)
    w = {name: getattr(net, name) for name in ("w_in", "w_rec", "w_out")}
    p, q, h = np.zeros((13, 13)), np.zeros((13, 2)), net.h0
    for x, target in zip(inputs, targets, strict=True):
        u = w["w_rec"] @ h + w["w_in"] @ x
        gain = (1 - np.tanh(u) ** 2) / net.tau
        p, q = (1 - 1 / net.tau) * p + np.outer(gain, h), (1 - 1 / net.tau) * q + np.outer(gain, x)
        h = (1 - 1 / net.tau) * h + np.tanh(u) / net.tau
        eps = np.where(np.isnan(target), 0.0, target - w["w_out"] @ h)
        back = (net.feedback @ eps)[:, None]
        w = stepper(w, {"w_in": back * q, "w_rec": back * p, "w_out": np.outer(eps, h)}, dict.fromkeys(w, 0.1))
        learner.step(x)
        learner.learn(target)
    for name, expected in w.items():
        np.testing.assert_allclose(getattr(learner.network, name), expected, atol=1e-11)
        assert not np.allclose(expected, getattr(net, name), atol=1e-4)


@pytest.mark.parametrize("kind", [*NETWORKS][1:])
def test_every_kind_of_network(kind):
    compare(network(kind), "snap-1" if kind == "readout fed back" else "local")


def test_noise_has_the_stream_that_training_has():
    compare(network(), "rflo", noise=0.2)
    same(
        step_by_step(network(), "rflo", 30, noise=0.2)[0].network,
        step_by_step(network(), "rflo", 30, noise=0.2)[0].network,
    )


@pytest.mark.long
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("rule", RULES[:-1], ids=lambda rule: getattr(rule, "name", rule))
@pytest.mark.parametrize("kind", NETWORKS)
def test_all_of_them_together(rule, optimizer, kind):
    compare(network(kind), rule, eta=0.05, optimizer=optimizer, noise=0.1)


def test_ten_thousand_steps():
    compare(network(), "rflo", 10_000 // N_STEPS + 1, eta=0.05)


def test_learn_may_be_left_out_and_said_twice():
    """Traces move at every step, whether or not anything is learned from it."""
    net, rng = network(), np.random.default_rng(0)
    inputs, targets = TASK.trial(rng)
    learner = rr.Learner(net, "rflo", 0.1)
    p = np.zeros((13, 13))
    h = np.full(13, net.h0)
    w, w_out = net.w_rec.copy(), net.w_out.copy()
    for t, (x, target) in enumerate(zip(inputs, np.nan_to_num(targets), strict=True)):
        u = w @ h + learner.network.w_in @ x
        p = (1 - 1 / net.tau) * p + ((1 - np.tanh(u) ** 2) / net.tau)[:, None] * h
        h = (1 - 1 / net.tau) * h + np.tanh(u) / net.tau
        np.testing.assert_allclose(learner.step(x), w_out @ h, atol=1e-12)
        np.testing.assert_allclose(learner.h, h, atol=1e-12)
        for _ in range((0, 1, 2)[t % 3]):
            eps = target - w_out @ h
            learner.learn(target)
            # the outputs that `learn` compares are those of the step
            eps = target - learner.y
            w, w_out = w + 0.1 * (net.feedback @ eps)[:, None] * p, w_out + 0.1 * np.outer(eps, h)
            np.testing.assert_allclose(learner.network.w_rec, w, atol=1e-12)
            np.testing.assert_allclose(learner.network.w_out, w_out, atol=1e-12)


def test_an_error_of_ones_own_is_what_a_target_gives():
    net, (inputs, targets) = network(), TASK.trial(np.random.default_rng(0))
    by_target, by_error = rr.Learner(net, eta=0.1), rr.Learner(net, eta=0.1)
    for x, target in zip(inputs, targets, strict=True):
        y = by_target.step(x)
        by_error.step(x)
        by_target.learn(target)
        by_error.learn(error=target - y)
        assert by_error.loss == by_target.loss
    same(by_target.network, by_error.network)


def test_traces_of_a_matrix_run_on_while_its_rate_is_zero():
    net, (inputs, targets) = network(), TASK.trial(np.random.default_rng(0))
    learner = rr.Learner(net, "rflo", 0.0)
    frozen = rr.Learner(net, "rflo", 0.0)
    for x, target in zip(inputs[:9], np.zeros_like(targets), strict=False):
        learner.step(x)
        learner.learn(target)
        frozen.step(x)
    same(learner.network, net)
    learner.eta = frozen.eta = {"w_in": 0.1, "w_rec": 0.2, "w_out": 0.0}
    for one in (learner, frozen):
        one.step(inputs[9])
        one.learn([1.0, 1.0])
    same(learner.network, frozen.network)
    assert not np.array_equal(learner.network.w_rec, net.w_rec)
    assert np.array_equal(learner.network.w_out, net.w_out)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda learner: pickle.loads(pickle.dumps(learner))])
def test_a_copy_goes_on_by_itself(copied):
    net, (inputs, targets) = network(), TASK.trial(np.random.default_rng(0))
    learner = rr.Learner(net, "rflo", 0.1, np.random.default_rng(0), noise=0.1)
    learner.step(inputs[0])
    twin = copied(learner)
    for one in (learner, twin):
        one.learn(targets[0])
        one.step(inputs[1])
    same(learner.network, twin.network)
    assert np.array_equal(learner.h, twin.h)
    twin.step(inputs[2])
    assert not np.array_equal(learner.h, twin.h)


def test_what_is_given_may_be_a_number_or_a_list():
    net = rr.Network.random(8, 1, 1, np.random.default_rng(0))
    one, other = rr.Learner(net), rr.Learner(net)
    one.step(0.5)
    one.learn(1.0)
    other.step(np.array([0.5]))
    other.learn(np.array([1.0]))
    same(one.network, other.network)
    rr.Learner(rr.Network.random(8, 0, 1, np.random.default_rng(0))).step()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda learner: learner.step([1.0]), r"x must have shape \(2,\)"),
        (lambda learner: learner.step([1.0, np.nan]), "x must be finite"),
        (lambda learner: learner.step(np.array([1.0, np.inf])), "x must be finite"),
        (lambda learner: learner.learn([1.0]), r"target must have shape \(2,\)"),
        (lambda learner: learner.learn(np.array([1.0, -np.inf])), "target must"),
        (lambda learner: learner.learn(error=np.array([1.0, np.inf])), "error must"),
        (lambda learner: learner.learn(), "not both"),
        (lambda learner: learner.learn([1.0, 1.0], error=[1.0, 1.0]), "not both"),
    ],
)
def test_what_is_refused_changes_nothing(call, said):
    learner = rr.Learner(network(), eta=0.1)
    learner.step([1.0, 1.0])
    before = learner.network, learner.h
    with pytest.raises(ValueError, match=said):
        call(learner)
    same(learner.network, before[0])
    assert np.array_equal(learner.h, before[1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rule": "bptt"}, "local in time"),
        ({"rule": "force", "optimizer": "adam"}, "plain sgd with force"),
        ({"eta": {"w_rec": 0.1}}, "w_in, w_rec, w_out"),
        ({"eta": -1.0}, "eta"),
        ({"noise": -1.0}, "noise"),
    ],
)
def test_a_learner_that_cannot_be(options, said):
    with pytest.raises(ValueError, match=said):
        rr.Learner(network(), **options)
    with pytest.raises(ValueError, match="call step first"):
        rr.Learner(network()).learn([0.0, 0.0])


def test_a_rate_that_is_too_high_is_said_and_never_a_number_that_is_none():
    learner = rr.Learner(network(), eta=1e200)

    def until_it_fails():
        for _ in range(10):
            learner.step([1.0, 1.0])
            learner.learn([1.0, -1.0])

    with pytest.raises(FloatingPointError, match=r"eta is too high, got 1e\+200"):
        until_it_fails()


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_network_that_was_given_stays(kind):
    net = network(kind)
    before = replace(net)
    step_by_step(net, "rflo", 1)
    same(net, before)


def test_the_parts_of_memory_do_not_overlap():
    net = network("units")
    learner = rr.Learner(net, "rflo", optimizer="adam")
    seen = np.zeros(len(learner._memory), dtype=int)
    for k in range(steps.SCALARS + 1):
        start, length = learner._places[steps.N_NUMBERS + 2 * k :][:2]
        seen[start : start + length] += 1
    assert seen.max() == 1
