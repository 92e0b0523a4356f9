"""Options of `train`: missing targets, trials of different lengths, noise, learning rates that change, snapshots."""

import math
from dataclasses import replace

import naive
import numpy as np
import pytest
from cases import further
from varied import MATRICES, Varied, close, same_history, same_network, stepped

import rflo_repro as rr
from rflo_repro.learning import exact_math, trial_source
from rflo_repro.learning.packing import PackedNetwork
from rflo_repro.learning.settings import Settings


@pytest.mark.parametrize("rule", ["rflo", "bptt", "rtrl"])
@pytest.mark.parametrize("reset_state", [True, False])
@pytest.mark.parametrize("phi", ["tanh", *further("relu")])
def test_a_batch_may_hold_trials_of_different_lengths(net, rule, reset_state, phi, repeat):
    net = replace(net, phi=phi, w_rec=0.5 * net.w_rec)
    rng = np.random.default_rng(1)
    trials = [Varied((n,)).trial(rng) for n in (9, 30, 1, 30, 12, 12)]
    history = rr.train(net, repeat(*trials), rule, eta=0.1, n_trials=6, batch=3, reset_state=reset_state)
    now, state, losses = net, net.h0, []
    for first in (0, 3):
        updates = []
        for inputs, targets in trials[first : first + 3]:
            begun = replace(now, h0=net.h0 if reset_state else state)
            updates.append(rr.weight_updates(begun, inputs, targets, rule))
            state = rr.run(begun, inputs).h[-1]
        losses += [dw.loss for dw in updates]
        now = stepped(now, updates, 0.1)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-10)
    close(history.network, now)
    np.testing.assert_allclose(history.state, net.h0 if reset_state else state, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reset_state", [True, False])
@pytest.mark.parametrize("output_feedback", [True, False])
@pytest.mark.parametrize("rule", ["rflo", "bptt", "of one's own"])
def test_trials_of_different_lengths_and_a_rule_of_ones_own_have_a_twin(repeat, rule, output_feedback, reset_state):
    """The session of `naive`, whose trials may have any length: softplus, mask, bias, a tau a unit, missing targets."""
    rng = np.random.default_rng(3)
    net = rr.Network.random(9, 2, 1, rng, phi="softplus", density=0.5, bias=rng.normal(size=9),
                            tau=rng.uniform(1.0, 9.0, 9), output_feedback=output_feedback)  # fmt: skip
    trials = [Varied((n,), missing=0.2).trial(rng) for n in (9, 30, 1, 30, 12, 12)]

    def mine(net, inputs, targets, run):
        made = naive.gradient(naive.Net.of(net), inputs, targets, symmetric=True, full=False)
        return rr.Updates(made.w_in, made.w, made.w_out, made.loss, made.bias)

    asked, symmetric, full = {"rflo": ("rflo", False, False), "bptt": ("bptt", True, True)}.get(
        rule, (mine, True, False)
    )
    found = rr.train(net, repeat(*trials), asked, 0.1, 6, batch=3, reset_state=reset_state)
    inputs, targets = zip(*trials, strict=True)
    wanted = naive.train_trials(
        naive.Net.of(net), inputs, targets, range(6), 3, (0.1, 0.1, 0.1), symmetric, full, reset_state
    )
    np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-10)
    np.testing.assert_allclose(found.alignment, wanted.alignment, rtol=1e-10)
    np.testing.assert_allclose(found.state, wanted.state, rtol=1e-9, atol=1e-12)
    for name in (*MATRICES, "bias"):
        other = getattr(wanted.net, "w" if name == "w_rec" else name)
        np.testing.assert_allclose(getattr(found.network, name), other, rtol=1e-9, atol=1e-12)


def test_a_mixed_batch_does_not_depend_on_its_neighbours(net, monkeypatch):
    found = []
    for seconds in (1e-12, 1e9):
        monkeypatch.setattr(trial_source, "BLOCK_SECONDS", seconds)
        task = Varied((3, 12, 12, 12))
        found.append(rr.train(net, task, "bptt", 0.1, 40, np.random.default_rng(3), batch=2, noise=0.1))
    same_history(*found)


@pytest.mark.parametrize("options", [{}, {"online": True}, {"rule": "rtrl"}])
def test_nothing_is_learned_where_there_are_no_targets(net, options):
    history = rr.train(net, Varied(missing=1.0), eta=1.0, n_trials=3, **options)
    assert not history.loss.any()
    assert not history.diverged
    for name in MATRICES:
        np.testing.assert_array_equal(getattr(history.network, name), getattr(net, name))


def test_the_loss_counts_all_timesteps(net):
    inputs, targets = Varied().trial(np.random.default_rng(0))
    whole = rr.weight_updates(net, inputs, targets).loss
    targets[3:] = math.nan
    y = rr.run(net, inputs).y
    wanted = np.sum((targets[:3] - y[:3]) ** 2) / (2 * len(inputs))
    assert rr.weight_updates(net, inputs, targets).loss == pytest.approx(wanted, rel=1e-12)
    assert wanted < whole


def test_a_state_that_is_not_finite_is_seen_without_targets(net):
    task = Varied(missing=1.0)
    net = replace(net, phi="identity", w_rec=1e150 * np.ones_like(net.w_rec))
    assert rr.train(net, task, eta=0.1, n_trials=3).diverged


@pytest.mark.parametrize("options", [{}, {"batch": 2}, {"online": True}, {"rule": "rtrl", "batch": 2}])
def test_eta_may_be_a_function_of_the_trial(net, options):
    batch = options.get("batch", 1)
    seen = []

    def eta(trial):
        seen.append(trial)
        return rr.LearningRates(0.1 / trial, 0.3, 0.0) if trial < 5 else 0.05

    history = rr.train(net, Varied(), eta=eta, n_trials=8, rng=np.random.default_rng(0), **options)
    assert set(seen) == set(range(1, 9, batch))
    task, now, state = Varied(), net, []
    rng = np.random.default_rng(0)
    for first in range(1, 9, batch):
        part = rr.train(now, task, eta=eta(first), n_trials=batch, rng=rng, **options)
        now = part.network
        state.append(part.loss)
    assert np.concatenate(state).tobytes() == history.loss.tobytes()
    same_network(now, history.network)
    constant = rr.train(net, Varied(), eta=lambda trial: 0.05, n_trials=8, rng=np.random.default_rng(0), **options)
    same_history(constant, rr.train(net, Varied(), eta=0.05, n_trials=8, rng=np.random.default_rng(0), **options))
    for bad in (-1.0, math.nan, "0.1", None):
        with pytest.raises(ValueError, match="eta"):
            rr.train(net, Varied(), eta=lambda trial, bad=bad: bad, n_trials=1)


@pytest.mark.parametrize("options", [{}, {"batch": 2}, {"online": True}, {"rule": "bptt"}, {"rule": "rtrl"}])
def test_noise_has_a_stream_of_its_own(net, options):
    drawn = []

    class Watched(Varied):
        def trial(self, rng):
            drawn.append(super().trial(rng))
            return drawn[-1]

    rngs = [np.random.default_rng(5) for _ in range(3)]
    quiet = rr.train(net, Watched(), eta=0.1, n_trials=4, rng=rngs[0], **options)
    noisy = rr.train(net, Watched(), eta=0.1, n_trials=4, rng=rngs[1], noise=0.5, **options)
    again = rr.train(net, Watched(), eta=0.1, n_trials=4, rng=rngs[2], noise=0.5, **options)
    same_history(noisy, again)
    assert abs(noisy.loss - quiet.loss).min() > 1e-6
    assert rngs[0].bit_generator.state == rngs[1].bit_generator.state
    for one, other in zip(drawn[:4], drawn[4:8], strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_noise_is_what_it_says(net):
    """Of the standard deviation that was asked for, independent over steps, units and trials, and of every block."""
    source = trial_source.TrialSource(
        Settings(Varied(), rr.RULES["rflo"], 0.1, False, 1, True, rr.Optimizer(), 0.3, (), "squared", 0, None),
        PackedNetwork(net, noisy=True),
        trial_source.Rngs(np.random.default_rng(0), np.random.default_rng(1)),
    )
    noise = np.concatenate([source.block(200).noise for _ in range(2)])
    assert noise.shape == (400, 12, 7)
    np.testing.assert_array_equal(noise, 0.3 * exact_math.normal(np.random.default_rng(1), noise.shape))
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert abs(noise.mean()) < 0.01
    for axis in range(3):
        assert abs(np.mean(noise * np.roll(noise, 1, axis=axis))) < 0.002


def test_noise_of_an_array_is_that_of_the_equations(net):
    inputs, targets = Varied().trial(np.random.default_rng(0))
    noise = np.random.default_rng(1).normal(size=(12, 7))
    plain = naive.forward(naive.Net.of(net), inputs, targets, noise)
    np.testing.assert_allclose(rr.run(net, inputs, noise).h, plain.h[1:], rtol=0, atol=1e-13)
    gradient = naive.differences(net, inputs, targets, noise)
    dw = rr.weight_updates(net, inputs, targets, "bptt", noise=noise)
    for name in MATRICES:
        np.testing.assert_allclose(getattr(dw, name), gradient[name], rtol=1e-5, atol=1e-9)
    for bad in (noise[:-1], noise[:, :-1], np.full_like(noise, np.nan), 0.1):
        for call in (
            lambda bad=bad: rr.run(net, inputs, bad),
            lambda bad=bad: rr.weight_updates(net, inputs, targets, noise=bad),
        ):
            with pytest.raises(ValueError, match="noise"):
                call()


@pytest.mark.parametrize("phi", ["tanh", "softplus"])
def test_trials_in_lockstep_are_each_as_alone(net, phi):
    net = replace(net, phi=phi, bias=np.linspace(-1.0, 1.0, 7))
    rng = np.random.default_rng(0)
    inputs, noise = rng.normal(size=(5, 12, 2)), rng.normal(size=(5, 12, 7))
    for fixed in (None, noise):
        out = rr.run(net, inputs, fixed)
        assert (out.h.shape, out.y.shape) == ((5, 12, 7), (5, 12, 1))
        for k in range(5):
            alone = rr.run(net, inputs[k], None if fixed is None else fixed[k])
            np.testing.assert_allclose(out.h[k], alone.h, rtol=0, atol=1e-12)
            np.testing.assert_allclose(out.y[k], alone.y, rtol=0, atol=1e-12)
    assert rr.run(net, np.zeros((0, 12, 2))).h.shape == (0, 12, 7)
    assert rr.run(net, np.zeros((3, 0, 2))).y.shape == (3, 0, 1)
    with pytest.raises(ValueError, match="inputs"):
        rr.run(net, np.zeros((5, 12, 3)))


@pytest.mark.parametrize("options", [{}, {"batch": 3}, {"online": True}])
def test_snapshots_are_the_networks_before_the_update(net, options):
    given = {"eta": 0.1, "rng": np.random.default_rng(2), **options}
    history = rr.train(net, Varied(), n_trials=12, snapshots=[7, 1, 4, 4, 1000], **given)
    assert [trial for trial, _ in history.snapshots] == [1, 4, 7]
    same_network(history.snapshots[0][1], net)
    given["rng"] = np.random.default_rng(2)
    before = rr.train(net, Varied(), n_trials=6, **given).network
    same_network(history.snapshots[2][1], before)
    given["rng"] = np.random.default_rng(2)
    plain = rr.train(net, Varied(), n_trials=12, **given)
    same_history(replace(history, snapshots=()), plain)
    for bad in ([0], [1.5], 3, "ab"):
        with pytest.raises(ValueError, match="snapshots"):
            rr.train(net, Varied(), n_trials=2, snapshots=bad)
