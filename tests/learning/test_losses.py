"""The cross-entropy: finite differences hold BPTT, BPTT holds RTRL, and the online form holds the filtered one."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from cases import further
from varied import MATRICES, close, same_network, stepped

import rflo_repro as rr
from rflo_repro.learning.algorithms import ALGORITHMS
from rflo_repro.learning.evaluate import kernel_updates
from rflo_repro.learning.packing import PackedNetwork, one_trial

ENTROPY = {"loss": "cross-entropy"}
PHIS = ["tanh", *further("relu", "softplus", "sigmoid", "identity")]


@dataclass(frozen=True)
class Classes:
    """Random inputs, and for most timesteps a class of three."""

    lengths: tuple[int, ...] = (9,)
    n_in: int = 2
    n_out: int = 3

    def trial(self, rng):
        n_steps = int(rng.choice(self.lengths))
        targets = rng.integers(0, 3, n_steps).astype(float)
        targets[rng.random(n_steps) < 0.3] = np.nan
        return rng.normal(size=(n_steps, 2)), targets


def network(phi="tanh", **options):
    return rr.Network.random(7, 2, 3, np.random.default_rng(4), phi=phi, tau=3.0, readout_scale=3.0, **options)


def trial(seed=0, **options):
    return Classes(**options).trial(np.random.default_rng(seed))


def loss_of(net, inputs, targets):
    """The mean over all timesteps of minus the log of the softmax at the target, by NumPy."""
    y = rr.run(net, inputs).y
    log_p = y - np.log(np.exp(y).sum(axis=1, keepdims=True))
    there = np.flatnonzero(~np.isnan(targets))
    return -log_p[there, targets[there].astype(int)].sum() / len(targets)


def differences(net, inputs, targets, step=1e-6):
    """Minus the gradient of the loss."""
    found = {}
    for name in MATRICES:
        w = getattr(net, name)
        found[name] = np.zeros(w.shape)
        for at in np.ndindex(w.shape):
            if name == "w_rec" and net.mask is not None and not net.mask[at]:
                continue
            bump = np.zeros(w.shape)
            bump[at] = step
            up, down = (loss_of(replace(net, **{name: w + s * bump}), inputs, targets) for s in (1, -1))
            found[name][at] = (down - up) / (2 * step)
    return found


@pytest.mark.parametrize("phi", PHIS)
@pytest.mark.parametrize("options", [{}, *further({"density": 0.5}, {"output_feedback": True}, {"bias": 0.3})], ids=str)
def test_bptt_is_the_gradient(phi, options):
    net, (inputs, targets) = network(phi, **options), trial()
    dw, wanted = rr.weight_updates(net, inputs, targets, "bptt", **ENTROPY), differences(net, inputs, targets)
    assert dw.loss == pytest.approx(loss_of(net, inputs, targets), rel=1e-12)
    for name in MATRICES:
        found = np.linalg.norm(getattr(dw, name) - wanted[name]) / np.linalg.norm(wanted[name])
        assert found < 1e-6, name


@pytest.mark.parametrize(
    "options", [{}, *further({"output_feedback": True}, {"phi": "sigmoid", "density": 0.5})], ids=str
)
def test_rtrl_is_bptt(options):
    net, given = network(**options), trial()
    close(*(rr.weight_updates(net, *given, rule, **ENTROPY) for rule in ("rtrl", "bptt")))


@pytest.mark.parametrize("rule", ["rflo", *further("local", "snap-0", "snap-1")])
def test_traces_are_the_filter(rule):
    net, (inputs, targets) = network(), trial()
    packed, filtered = PackedNetwork(net), rr.weight_updates(net, inputs, targets, rule, **ENTROPY)
    given = one_trial(inputs, probabilities(targets))._replace(loss=True)
    updates, loss = kernel_updates(packed, given, rr.RULES[rule], ALGORITHMS["traces"])
    assert loss == pytest.approx(filtered.loss, rel=1e-13)
    close(rr.Updates(**updates, loss=loss), filtered)


def probabilities(classes):
    found = np.full((len(classes), 3), np.nan)
    for t, c in enumerate(classes):
        if not np.isnan(c):
            found[t] = np.eye(3)[int(c)]
    return found


def test_classes_are_probabilities_of_0_and_1():
    net, (inputs, targets) = network(), trial()
    by_number, by_row = (rr.weight_updates(net, inputs, t, **ENTROPY) for t in (targets, probabilities(targets)))
    assert by_number.loss == by_row.loss
    np.testing.assert_array_equal(by_number.w_rec, by_row.w_rec)


def test_probabilities_between_0_and_1():
    """The gradient is linear in the probabilities, and so is the loss."""
    net, (inputs, targets) = network(), trial()
    other = probabilities(np.where(np.isnan(targets), np.nan, (targets + 1) % 3))
    found = rr.weight_updates(net, inputs, 0.25 * probabilities(targets) + 0.75 * other, "bptt", **ENTROPY)
    one, two = (rr.weight_updates(net, inputs, t, "bptt", **ENTROPY) for t in (probabilities(targets), other))
    np.testing.assert_allclose(found.w_rec, 0.25 * one.w_rec + 0.75 * two.w_rec, rtol=1e-10)
    assert found.loss == pytest.approx(0.25 * one.loss + 0.75 * two.loss)


def test_outputs_that_are_far_apart():
    """No exponential overflows, and the loss of a class that is out of reach is the distance."""
    net = replace(network(), w_out=np.zeros((3, 7)), h0=np.ones(7))
    net = replace(net, w_out=np.outer([1e4, 0.0, -1e4], np.ones(7)), w_rec=np.zeros((7, 7)), w_in=np.zeros((7, 2)))
    inputs, targets = np.zeros((1, 2)), np.array([2.0])
    y = rr.run(net, inputs).y[0]
    assert rr.weight_updates(net, inputs, targets, **ENTROPY).loss == pytest.approx(y[0] - y[2], rel=1e-12)


@pytest.mark.long
@pytest.mark.parametrize("lengths", [(9,), (5, 9)], ids=str)
def test_a_batch_sums_its_trials(lengths):
    net, task = network(), Classes(lengths)
    rng = np.random.default_rng(1)
    trained = rr.train(net, task, "bptt", 0.1, 3, np.random.default_rng(1), batch=3, **ENTROPY).network
    each = [rr.weight_updates(net, *task.trial(rng), "bptt", **ENTROPY) for _ in range(3)]
    close(trained, stepped(net, each, 0.1))


@pytest.mark.parametrize(
    "options", [{}, *further({"optimizer": "adam"}, {"noise": 0.1}, {"optimizer": rr.Optimizer(clip=0.01)})], ids=str
)
@pytest.mark.parametrize("rule", ["rflo", *further("local", "snap-1", "readout-only")])
def test_a_learner_is_online_training(rule, options):
    net, task = network(), Classes()
    history = rr.train(net, task, rule, 0.3, 20, np.random.default_rng(2), online=True, **options, **ENTROPY)
    rng = np.random.default_rng(2)
    learner = rr.Learner(net, rule, 0.3 / 9, rng, **options, **ENTROPY)
    for k in range(20):
        learner.reset()
        loss = 0.0
        for x, target in zip(*task.trial(rng), strict=True):
            learner.step(x)
            learner.learn(target)
            loss += learner.loss / 9
        assert loss == pytest.approx(history.loss[k], rel=1e-12)
    same_network(learner.network, history.network)


def test_a_rule_of_ones_own():
    def own(net, inputs, targets, run):
        return rr.weight_updates(net, inputs, targets, "rflo", **ENTROPY)

    net, task = network(), Classes()
    ours, theirs = (rr.train(net, task, rule, 0.3, 20, np.random.default_rng(3), **ENTROPY) for rule in (own, "rflo"))
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-10)
    inputs, targets = trial()
    found, wanted = (rr.weight_updates(net, inputs, targets, rule, **ENTROPY) for rule in (own, "rflo"))
    assert found.loss == pytest.approx(wanted.loss, rel=1e-12)
    close(found, wanted)


@pytest.mark.long
def test_node_perturbation_follows_the_gradient():
    net, given = network(), trial()
    rule = rr.LearningRule("np", "random", "full", form="perturbation", sigma=1e-3, draws=2000)
    found = rr.weight_updates(net, *given, rule, rng=np.random.default_rng(0), **ENTROPY).w_rec
    wanted = rr.weight_updates(net, *given, "bptt", **ENTROPY).w_rec
    cosine = (found * wanted).sum() / np.linalg.norm(found) / np.linalg.norm(wanted)
    assert cosine > 0.9


@pytest.mark.parametrize("rule", further("uoro", "kf-rtrl"))
def test_estimates_are_the_gradient_on_average(rule):
    net, given = network(), trial()
    rng = np.random.default_rng(0)
    found = np.mean([rr.weight_updates(net, *given, rule, rng=rng, **ENTROPY).w_rec for _ in range(3000)], axis=0)
    wanted = rr.weight_updates(net, *given, "bptt", **ENTROPY).w_rec
    assert np.linalg.norm(found - wanted) < 0.3 * np.linalg.norm(wanted)


def test_it_learns():
    history = rr.train(network(), Memory(), "rflo", 0.3, 3000, np.random.default_rng(1), **ENTROPY)
    before, after = history.loss[:100].mean(), history.loss[-100:].mean()
    assert after < 0.2 * before


@dataclass(frozen=True)
class Memory:
    """Which of two inputs was on at the first timestep, or none, asked for at the last."""

    n_in: int = 2
    n_out: int = 3

    def trial(self, rng):
        which = int(rng.integers(3))
        inputs, targets = np.zeros((5, 2)), np.full(5, np.nan)
        inputs[:2] = np.eye(3)[which, :2]
        targets[-1] = which
        return inputs, targets

    def metric(self, outputs, inputs, targets):
        return float(np.argmax(outputs[-1]) == targets[-1])


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (np.full(9, 3.0), "class numbers from 0 to 2"),
        (np.full(9, -1.0), "class numbers from 0 to 2"),
        (np.full(9, 0.5), "class numbers from 0 to 2"),
        (np.full((9, 3), 0.5), "sum to 1"),
        (np.tile([1.5, -0.5, 0.0], (9, 1)), "sum to 1"),
        (np.tile([np.nan, 0.5, 0.5], (9, 1)), "missing for all classes"),
        (np.zeros((9, 2)), r"shape \(9, 3\)"),
    ],
)
def test_targets_that_are_no_classes(targets, said):
    with pytest.raises(ValueError, match=said):
        rr.weight_updates(network(), np.zeros((9, 2)), targets, **ENTROPY)


def test_what_it_cannot_be():
    net, given = network(), trial()
    with pytest.raises(ValueError, match="did you mean 'cross-entropy'"):
        rr.weight_updates(net, *given, loss="crossentropy")
    with pytest.raises(ValueError, match="need loss='cross-entropy'"):
        rr.weight_updates(net, *given)
    with pytest.raises(ValueError, match="least squares"):
        rr.weight_updates(net, *given, "force", **ENTROPY)
    with pytest.raises(ValueError, match="least squares"):
        rr.train(net, Classes(), "force", **ENTROPY)
    with pytest.raises(ValueError, match="at least two outputs"):
        rr.weight_updates(rr.Network.random(5, 2, 1, np.random.default_rng(0)), given[0], given[1], **ENTROPY)
