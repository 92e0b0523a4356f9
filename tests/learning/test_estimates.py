"""Random estimates of RTRL: their twins, and their mean over all signs, which is the gradient to rounding."""

import itertools
from dataclasses import replace

import naive
import numpy as np
import pytest
from cases import further

import rflo_repro as rr
from rflo_repro.learning.evaluate import kernel_updates
from rflo_repro.learning.network import children
from rflo_repro.learning.packing import PackedNetwork, one_trial, random_signs

MATRICES = ("w_in", "w_rec", "w_out")
TWINS = {"uoro": naive.uoro_gradient, "kf": naive.kf_gradient}
SIZES = [(7, 3, 2), (9, 0, 1), (33, 1, 2)]
MODELS = [
    {},
    {"output_feedback": True},
    {"phi": "softplus", "density": 0.5},
    {"phi": "relu", "tau": "each", "output_feedback": True},
    {"bias": "each", "density": 0.5, "phi": "sigmoid"},
]


def estimate(form, draws=1, feedback="symmetric"):
    return rr.LearningRule("mine", feedback, "full", form=form, draws=draws)


def signs_of(bits, rule, n_rec):
    """(T, draws, signs) of +1 and -1."""
    return 1.0 - 2.0 * np.unpackbits(bits, axis=-1, bitorder="little")[..., : rule.algorithm.n_signs(n_rec)]


def same(found, wanted, tolerance=1e-12):
    for name, other in (("w_in", "w_in"), ("w_rec", "w"), ("w_out", "w_out")):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, other), rtol=tolerance, atol=tolerance)
    if found.bias is not None:
        np.testing.assert_allclose(found.bias, wanted.bias, rtol=tolerance, atol=tolerance)


def size(update):
    return np.linalg.norm(update.w_rec)


def with_bits(p, rule, bits):
    """The update for these signs, (T, draws, bytes)."""
    bits = np.frombuffer(bits.tobytes(), dtype=np.uint8).reshape(bits.shape)  # as the library has them: read-only
    packed = PackedNetwork(p.net)
    trial = one_trial(packed.inputs(p.inputs), p.targets, signs=bits[None])
    updates, loss = kernel_updates(packed, trial, rule, rule.algorithm)
    return rr.Updates(**updates, loss=loss)


EVERY = list(itertools.product(TWINS, [1, 3], SIZES, MODELS))
USUAL = [("uoro", 3, SIZES[0], MODELS[0]), ("kf", 3, SIZES[2], MODELS[4])]


@pytest.mark.parametrize(
    ("form", "draws", "sizes", "model"), [*USUAL, *further(*(case for case in EVERY if case not in USUAL))], ids=str
)
def test_an_estimate_is_its_twin_with_traces(problem, form, draws, sizes, model):
    each = {"tau": np.linspace(2.0, 9.0, sizes[0]), "bias": np.linspace(-1.0, 1.0, sizes[0])}
    p = problem(1, *sizes, **{name: each[name] if value == "each" else value for name, value in model.items()})
    p.targets[3] = np.nan
    for feedback in ("symmetric", "random"):
        rule = estimate(form, draws, feedback)
        found = rr.weight_updates(p.net, p.inputs, p.targets, rule, rng=np.random.default_rng(3))
        signs = signs_of(random_signs(rule, p.net.n_rec, len(p.inputs), np.random.default_rng(3)), rule, p.net.n_rec)
        twin = TWINS[form](naive.Net.of(p.net), p.inputs, p.targets, signs, feedback == "symmetric")
        same(found, twin)
        # other signs, another estimate
        signs[2, 0, 0] *= -1.0
        other = TWINS[form](naive.Net.of(p.net), p.inputs, p.targets, signs, feedback == "symmetric")
        assert np.linalg.norm(found.w_rec - other.w) > 1e-4 * size(found)


@pytest.mark.parametrize("output_feedback", [False, True])
@pytest.mark.parametrize("form", TWINS)
def test_the_mean_over_all_signs_is_real_time_recurrent_learning(problem, form, output_feedback):
    p = problem(2, 3, 1, 1, n_steps=4, output_feedback=output_feedback)
    exact = rr.weight_updates(p.net, p.inputs, p.targets, "rtrl")
    n_signs = estimate(form).algorithm.n_signs(3)
    # every pattern is one draw: a byte a step holds all its signs
    patterns = np.array(list(itertools.product(range(2**n_signs), repeat=4)), dtype=np.uint8).T[..., np.newaxis].copy()
    assert patterns.shape[1] == {"uoro": 4096, "kf": 256}[form]
    mean = with_bits(p, estimate(form, patterns.shape[1]), patterns)
    for name in MATRICES:
        np.testing.assert_allclose(getattr(mean, name), getattr(exact, name), rtol=0, atol=1e-14 + 1e-13 * size(exact))
    # a third of the patterns, or one of them, will not do; half of them would: all signs turned round are the same
    for some in (patterns[:, : patterns.shape[1] // 3], patterns[:, :1]):
        estimated = with_bits(p, estimate(form, some.shape[1]), some.copy())
        assert np.linalg.norm(estimated.w_rec - exact.w_rec) > 0.05 * size(exact)


@pytest.mark.parametrize("form", TWINS)
def test_draws_are_averaged(problem, form):
    p = problem(4)
    rule = estimate(form, 5)
    bits = random_signs(rule, p.net.n_rec, len(p.inputs), np.random.default_rng(0))
    mean = with_bits(p, rule, bits)
    apart = [with_bits(p, estimate(form), bits[:, r : r + 1].copy()).w_rec for r in range(5)]
    np.testing.assert_allclose(mean.w_rec, np.mean(apart, axis=0), rtol=1e-12, atol=1e-14)
    assert np.linalg.norm(apart[0] - mean.w_rec) > 0.01 * size(mean)


@pytest.mark.parametrize("form", ["uoro", *further("kf")])
@pytest.mark.parametrize("lengths", [(12, 7, 9), *further(((12,),))])
@pytest.mark.parametrize("phi", ["tanh", *further("relu")])
def test_a_batch_in_lockstep_is_the_sum_of_its_trials(form, lengths, phi):
    class Varied:
        n_in, n_out = 2, 1

        def __init__(self):
            self.drawn = []

        def trial(self, rng):
            n_steps = lengths[len(self.drawn) % len(lengths)]
            self.drawn.append((rng.normal(size=(n_steps, 2)), rng.normal(size=(n_steps, 1))))
            return self.drawn[-1]

    rng, task = np.random.default_rng(5), Varied()
    net = rr.Network.random(9, 2, 1, np.random.default_rng(0), phi=phi)
    signs = children(np.random.default_rng(5), 2)[1]
    history = rr.train(net, task, estimate(form, 2), 0.01, 6, rng, batch=3)
    for k in (0, 3):
        updates = [rr.weight_updates(net, *trial, estimate(form, 2), rng=signs) for trial in task.drawn[k : k + 3]]
        np.testing.assert_allclose(history.loss[k : k + 3], [dw.loss for dw in updates], rtol=1e-12)
        net = replace(net, **{n: getattr(net, n) + 0.01 * sum(getattr(dw, n) for dw in updates) for n in MATRICES})
    for name in MATRICES:
        np.testing.assert_allclose(getattr(history.network, name), getattr(net, name), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("form", TWINS)
@pytest.mark.parametrize("options", [{}, *further({"noise": 0.1, "optimizer": rr.Optimizer("adam", clip=1.0)})])
@pytest.mark.parametrize("batch", [2, *further(1)])
def test_more_trials_are_one_longer_call(form, batch, options):
    net, task = rr.Network.random(9, 0, 1, np.random.default_rng(0)), rr.PeriodicTask(60)
    given = {"eta": 0.01, "batch": batch, **options}
    whole = rr.train(net, task, estimate(form, 2), n_trials=12, rng=np.random.default_rng(1), **given)
    part = rr.train(net, task, estimate(form, 2), n_trials=4, rng=np.random.default_rng(1), **given).resume(8)
    assert whole.loss.tobytes() == part.loss.tobytes()
    assert whole.network.w_rec.tobytes() == part.network.w_rec.tobytes()
    other = rr.train(net, task, estimate(form, 2), n_trials=12, rng=np.random.default_rng(2), **given)
    assert whole.network.w_rec.tobytes() != other.network.w_rec.tobytes()


@pytest.mark.parametrize("form", TWINS)
def test_the_task_s_trials_are_the_same_with_signs_and_without(form):
    class Watched(rr.PeriodicTask):
        def trial(self, rng):
            seen.append(rng.bit_generator.state)
            return super().trial(rng)

    net, found = rr.Network.random(9, 0, 1, np.random.default_rng(0)), []
    for rule in (estimate(form), "bptt"):
        seen = []
        rr.train(net, Watched(40), rule, 0.01, 3, np.random.default_rng(1))
        found.append(seen)
    assert found[0] == found[1]


@pytest.mark.parametrize("form", TWINS)
def test_each_learns_the_periodic_task(form):
    net = rr.Network.random(30, 0, 1, np.random.default_rng(1))
    rates, task = rr.LearningRates(0.003, 0.003, 0.03), rr.PeriodicTask(200)
    history = rr.train(net, task, estimate(form), rates, 1000, np.random.default_rng(0))
    readout = rr.train(net, task, "readout-only", 0.03, 1000, np.random.default_rng(0))
    assert not history.diverged
    assert np.median(history.loss[-50:]) < 0.2 * history.loss[0]
    assert np.median(history.loss[-50:]) < 0.8 * np.median(readout.loss[-50:])


@pytest.mark.parametrize("form", TWINS)
def test_estimates_have_no_online_form(problem, repeat, form):
    p = problem(9)
    with pytest.raises(ValueError, match="local in time"):
        rr.train(p.net, repeat((p.inputs, p.targets)), estimate(form), 0.01, 1, online=True)
