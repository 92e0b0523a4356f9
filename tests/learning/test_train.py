"""What `train` promises, held against `weight_updates` and plain NumPy."""

import math
from dataclasses import fields, replace

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import rflo_repro as rr
from rflo_repro.learning import trial_source
from rflo_repro.learning.network import children

MATRICES = ("w_in", "w_rec", "w_out")
LOCAL = [name for name, rule in rr.RULES.items() if rule.local_in_time]
AFTER_THE_TRIAL = [name for name, rule in rr.RULES.items() if rule.form != "rls"]


def bits(net):
    return {f.name: np.asarray(getattr(net, f.name)).tobytes() for f in fields(net)}


def same_bits(one, other):
    return (
        one.loss.tobytes() == other.loss.tobytes()
        and one.alignment.tobytes() == other.alignment.tobytes()
        and one.diverged == other.diverged
        and bits(one.network) == bits(other.network)
        and one.state.tobytes() == other.state.tobytes()
    )


def stepped(net, dw, eta):
    """The network after an update, in plain NumPy."""
    return replace(net, **{name: getattr(net, name) + eta * getattr(dw, name) for name in MATRICES})


def close(one, other):
    for name in MATRICES:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-13)


def stream_of_signs(seed):
    """What `train` draws the signs of a rule by chance from, given a generator of this seed."""
    return children(np.random.default_rng(seed), 2)[1]


@pytest.mark.parametrize("rule", AFTER_THE_TRIAL)
@pytest.mark.parametrize("output_feedback", [False, True])
def test_a_step_adds_eta_times_the_update(problem, repeat, rule, output_feedback):
    p = problem(0, output_feedback=output_feedback)
    history = rr.train(p.net, repeat((p.inputs, p.targets)), rule, eta=0.05, n_trials=3, rng=np.random.default_rng(0))
    net, signs = p.net, stream_of_signs(0)
    for k in range(3):
        dw = rr.weight_updates(net, p.inputs, p.targets, rule, rng=signs)
        assert history.loss[k] == pytest.approx(dw.loss, rel=1e-12)  # before the update
        assert history.alignment[k] == pytest.approx(net.alignment, rel=1e-12)
        net = stepped(net, dw, 0.05)
    close(history.network, net)
    assert not history.diverged
    np.testing.assert_array_equal(history.state, p.net.h0)


def test_loss_and_alignment_are_not_those_after_the_update(problem, repeat):
    # Negative control: the tolerance of the test above would not forgive an update made too early.
    p = problem(0)
    history = rr.train(p.net, repeat((p.inputs, p.targets)), eta=0.05, n_trials=1)
    after = history.network
    assert abs(rr.weight_updates(after, p.inputs, p.targets).loss - history.loss[0]) > 1e-6
    assert abs(after.alignment - history.alignment[0]) > 1e-6


@pytest.mark.parametrize("rule", AFTER_THE_TRIAL)
@pytest.mark.parametrize("reset_state", [True, False])
def test_a_batch_is_summed(problem, repeat, rule, reset_state):
    p = problem(1)
    others = [problem(seed) for seed in (11, 12, 13, 14)]
    trials = [(q.inputs, q.targets) for q in (p, *others)]
    rng = np.random.default_rng(0)
    history = rr.train(p.net, repeat(*trials), rule, 0.05, n_trials=5, rng=rng, batch=5, reset_state=reset_state)
    net, updates, signs = p.net, [], stream_of_signs(0)
    for inputs, targets in trials:
        updates.append(rr.weight_updates(net, inputs, targets, rule, rng=signs))
        if not reset_state:
            net = replace(net, h0=rr.run(net, inputs).h[-1])
    total = rr.Updates(**{k: sum(getattr(dw, k) for dw in updates) for k in MATRICES}, loss=0.0)
    close(history.network, stepped(p.net, total, 0.05))
    np.testing.assert_allclose(history.loss, [dw.loss for dw in updates], rtol=1e-12)
    assert len(set(history.alignment)) == 1


@pytest.mark.parametrize("online", [False, True])
@pytest.mark.parametrize("trains", [(), ("w_out",), ("w_in", "w_rec"), ("w_rec",)])
def test_what_a_rule_does_not_train_keeps_every_bit(problem, noise, trains, online):
    rule = rr.LearningRule("mine", "random", "leak", trains=trains)
    net = problem(2, n_in=2, n_out=1).net
    for options in ({}, {"reset_state": False}, {} if online else {"batch": 4}):
        after = rr.train(net, noise(), rule, 0.1, 8, np.random.default_rng(0), online, **options).network
        changed = {name for name in MATRICES if bits(net)[name] != bits(after)[name]}
        assert changed == set(trains)
    dw = rr.weight_updates(net, *noise().trial(np.random.default_rng(0)), rule)
    assert {name for name in MATRICES if np.any(getattr(dw, name))} == set(trains)


def test_each_matrix_has_its_rate(problem, repeat):
    p = problem(3)
    rates = rr.LearningRates(w_in=0.3, w_rec=0.02, w_out=0.0)
    for rule in ("rflo", "bptt", "rtrl"):
        after = rr.train(p.net, repeat((p.inputs, p.targets)), rule, rates, n_trials=1).network
        dw = rr.weight_updates(p.net, p.inputs, p.targets, rule)
        for name in MATRICES:
            wanted = getattr(p.net, name) + getattr(rates, name) * getattr(dw, name)
            np.testing.assert_allclose(getattr(after, name), wanted, rtol=1e-12, atol=1e-13)
        assert bits(after)["w_out"] == bits(p.net)["w_out"]


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, True, "0.1", None, 1j])
def test_a_rate_that_is_none(problem, noise, value):
    net = problem(2, n_in=2, n_out=1).net
    with pytest.raises(ValueError, match="eta"):
        rr.LearningRates(w_in=0.1, w_rec=value, w_out=0.1)
    with pytest.raises(ValueError, match="eta"):
        rr.train(net, noise(), eta=value, n_trials=1)


@pytest.mark.parametrize("rule", ["rflo", "local"])
@pytest.mark.parametrize("reset_state", [True, False])
@pytest.mark.parametrize("dale", [False, True])
@pytest.mark.parametrize("output_feedback", [False, True])
def test_online_changes_the_weights_at_every_step(problem, repeat, rule, reset_state, dale, output_feedback):
    signs = np.array([1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0]) if dale else None
    p, q = (problem(seed, signs=signs, output_feedback=output_feedback) for seed in (4, 5))
    trials = [(p.inputs, p.targets), (q.inputs, q.targets)]
    eta = 0.5
    found = rr.train(p.net, repeat(*trials), rule, eta, 2, online=True, reset_state=reset_state)
    inputs, targets = map(np.array, zip(*trials, strict=True))
    net = replace(naive.Net.of(p.net), signs=np.zeros(0) if signs is None else signs)
    wanted = naive.train_online(net, inputs, targets, [0, 1], (eta,) * 3, rule == "local", reset_state)
    for name, other in (("w_in", "w_in"), ("w_rec", "w"), ("w_out", "w_out")):
        np.testing.assert_allclose(getattr(found.network, name), getattr(wanted.net, other), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-10)
    # Negative control: updates at the end of the trial are something else.
    other = rr.train(p.net, repeat(*trials), rule, eta, 2, reset_state=reset_state)
    assert np.abs(other.network.w_rec - found.network.w_rec).max() > 1e-6


def test_online_with_small_rates_is_the_update_of_the_trial(problem, repeat):
    p = problem(6)
    eta = 1e-7
    after = rr.train(p.net, repeat((p.inputs, p.targets)), "rflo", eta, 1, online=True).network
    dw = rr.weight_updates(p.net, p.inputs, p.targets, "rflo")
    for name in MATRICES:
        found = (getattr(after, name) - getattr(p.net, name)) / eta
        np.testing.assert_allclose(found, getattr(dw, name), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("options", [{"rule": "rflo"}, {"rule": "rflo", "online": True}, {"rule": "rtrl"}])
def test_the_state_is_carried_on_when_it_is_not_reset(problem, repeat, options):
    p, q = problem(7), problem(8)
    task = repeat((p.inputs, p.targets), (q.inputs, q.targets))
    carried = rr.train(p.net, task, eta=0.0, n_trials=2, reset_state=False, **options)
    whole = rr.run(p.net, np.vstack([p.inputs, q.inputs]))
    np.testing.assert_allclose(carried.state, whole.h[-1], rtol=0, atol=1e-13)
    eps = q.targets - whole.y[len(p.inputs) :]
    assert carried.loss[1] == pytest.approx(np.sum(eps**2) / (2 * len(eps)), rel=1e-12)
    # Negative control: reset, the second trial starts at h0.
    reset = rr.train(p.net, task, eta=0.0, n_trials=2, **options)
    assert reset.loss[1] == pytest.approx(rr.weight_updates(p.net, q.inputs, q.targets).loss, rel=1e-12)
    assert abs(reset.loss[1] - carried.loss[1]) > 1e-6
    np.testing.assert_array_equal(reset.state, p.net.h0)


@pytest.mark.parametrize("rule", list(rr.RULES))
@pytest.mark.parametrize("online", [False, True])
@given(power=st.floats(1.0, 308.0), batch=st.sampled_from([1, 2]))
@example(power=1.0, batch=1)
@example(power=1.5, batch=2)
@example(power=308.0, batch=1)
def test_a_divergence_is_reported_and_ends_the_training(problem, noise, rule, online, power, batch):
    if online and rule not in LOCAL:
        return
    batch = 1 if online or rule not in AFTER_THE_TRIAL else batch
    net = problem(9, n_rec=5, n_in=2, n_out=1).net
    n_trials = 40
    history = rr.train(net, noise(), rule, 10.0**power, n_trials, np.random.default_rng(0), online, batch)
    assert history.loss.shape == history.alignment.shape == (n_trials,)
    good = np.isfinite(history.loss)
    n_good = int(np.argmin(good)) if not good.all() else n_trials
    assert not good[n_good:].any()  # once it is NaN it stays NaN
    assert np.isnan(history.loss[n_good:]).all()
    assert history.diverged or n_good == n_trials
    assert np.isnan(history.alignment[min(n_good + 1, n_trials) :]).all()
    for name in MATRICES:
        assert np.isfinite(getattr(history.network, name)).all()
    if rule == "untrained":
        assert bits(history.network) == bits(net)


@pytest.mark.parametrize("options", [{}, {"batch": 5}, {"online": True}, {"rule": "rtrl"}, {"reset_state": False}])
def test_a_rate_far_too_large_diverges_and_a_small_one_does_not(problem, noise, options):
    net = problem(9, n_rec=5, n_in=2, n_out=1).net
    large = rr.train(net, noise(), eta=1e6, n_trials=200, rng=np.random.default_rng(0), **options)
    assert large.diverged
    assert np.isnan(large.loss[-1])
    assert np.isfinite(large.loss[0])
    small = rr.train(net, noise(), eta=0.01, n_trials=200, rng=np.random.default_rng(0), **options)
    assert not small.diverged
    assert np.isfinite(small.loss).all()
    assert np.isfinite(small.alignment).all()


def test_the_weights_after_a_divergence_are_the_last_that_were_finite(problem, noise):
    net = problem(9, n_rec=5, n_in=2, n_out=1).net
    history = rr.train(net, noise(), eta=1e6, n_trials=200, rng=np.random.default_rng(0))
    n_good = int(np.isfinite(history.loss).sum())
    shorter = [rr.train(net, noise(), eta=1e6, n_trials=n, rng=np.random.default_rng(0)) for n in (n_good - 1, n_good)]
    # what was not finite is the update of the last trial with a loss, or the loss of the one after it
    before = shorter[0] if shorter[1].diverged else shorter[1]
    assert not before.diverged
    np.testing.assert_array_equal(before.loss, history.loss[: len(before.loss)])
    assert bits(before.network) == bits(history.network)


@pytest.mark.parametrize("rule", list(rr.RULES))
def test_the_network_itself_is_unchanged(problem, noise, rule):
    net = problem(10, n_in=2, n_out=1).net
    before = bits(net)
    history = rr.train(net, noise(), rule, 0.5, 5, np.random.default_rng(0), reset_state=False)
    rr.run(net, np.ones((4, 2)))
    rr.weight_updates(net, np.ones((4, 2)), np.ones((4, 1)), rule)
    assert bits(net) == before
    for name in (*MATRICES, "feedback", "h0"):
        assert not np.shares_memory(getattr(net, name), getattr(history.network, name)) or name in ("feedback", "h0")
    assert bits(history.network)["h0"] == before["h0"]
    assert bits(history.network)["feedback"] == before["feedback"]


@pytest.mark.parametrize("options", [{}, {"batch": 2}, {"online": True}, {"rule": "bptt"}, {"rule": "rtrl"}])
def test_signs_are_kept_after_every_update(problem, noise, options):
    signs = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
    net = problem(11, n_in=2, n_out=1, signs=signs).net
    batch = options.get("batch", 1)

    def trained(start, n_trials):
        return rr.train(start, noise(), eta=5.0, n_trials=n_trials, rng=np.random.default_rng(0), **options).network

    for n_trials in range(batch, 7 * batch, batch):
        assert (trained(net, n_trials).w_rec * signs >= 0.0).all()
    # Negative control: nothing else keeps them.
    assert (trained(replace(net, signs=None), 6 * batch).w_rec * signs < 0.0).any()


def test_clipping_is_the_update_and_then_zero_for_a_wrong_sign(problem, repeat):
    signs = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
    p = problem(11, signs=signs)
    after = rr.train(p.net, repeat((p.inputs, p.targets)), eta=1.0, n_trials=1).network
    free = p.net.w_rec + rr.weight_updates(p.net, p.inputs, p.targets).w_rec
    np.testing.assert_allclose(after.w_rec, np.where(free * signs > 0.0, free, 0.0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("options", [{}, {"batch": 3}, {"online": True}, {"rule": "rtrl"}, {"reset_state": False}])
def test_shared_read_only_arrays_and_fresh_ones_give_the_same_bits(problem, repeat, options):
    p = problem(12)
    trial = (p.inputs, p.targets)
    fresh = rr.train(p.net, repeat(trial), eta=0.1, n_trials=12, **options)
    assert same_bits(fresh, rr.train(p.net, repeat(trial, shared=True), eta=0.1, n_trials=12, **options))
    # and so do shared arrays of several kinds of trial
    q = problem(13)
    several = [trial, (q.inputs, q.targets), trial]
    mixed = rr.train(p.net, repeat(*several), eta=0.1, n_trials=12, **options)
    assert same_bits(mixed, rr.train(p.net, repeat(*several, shared=True), eta=0.1, n_trials=12, **options))
    assert not same_bits(fresh, mixed)


def test_an_array_that_is_written_into_again_is_taken_as_it_was(problem):
    """A task may hand out one writable array and fill it anew each time."""
    p = problem(12)

    class Reusing:
        n_in, n_out = 3, 2
        inputs, targets = np.empty_like(p.inputs), np.empty_like(p.targets)

        def trial(self, rng):
            self.inputs[:] = rng.normal(size=self.inputs.shape)
            self.targets[:] = rng.normal(size=self.targets.shape)
            return self.inputs, self.targets

    class Fresh(Reusing):
        def trial(self, rng):
            inputs, targets = super().trial(rng)
            return inputs.copy(), targets.copy()

    one, other = (
        rr.train(p.net, task, eta=0.1, n_trials=9, rng=np.random.default_rng(3)) for task in (Reusing(), Fresh())
    )
    assert same_bits(one, other)


@pytest.mark.parametrize("options", [{}, {"batch": 4}, {"online": True}, {"rule": "rtrl"}, {"reset_state": False}])
def test_how_trials_are_put_into_blocks_does_not_matter(problem, noise, monkeypatch, options):
    net = problem(14, n_in=2, n_out=1).net
    found, calls = [], []
    for seconds, floats in ((1e-12, 10**9), (1e9, 10**9), (1e9, 1), (3e-5, 10**9)):
        monkeypatch.setattr(trial_source, "BLOCK_SECONDS", seconds)
        monkeypatch.setattr(trial_source, "BLOCK_FLOATS", floats)
        done = []
        rng = np.random.default_rng(1)
        found.append(rr.train(net, noise(), eta=0.2, n_trials=24, rng=rng, progress=done.append, **options))
        assert done[-1] == 24
        assert done == sorted(done)
        calls.append(len(done))
    assert all(same_bits(found[0], other) for other in found[1:])
    assert calls[0] > calls[1] == 1  # the blocks did differ


def test_a_block_that_diverges_within_it_is_the_same_in_small_blocks(problem, noise, monkeypatch):
    net = problem(9, n_rec=5, n_in=2, n_out=1).net
    found = []
    for seconds in (1e-12, 1e9):
        monkeypatch.setattr(trial_source, "BLOCK_SECONDS", seconds)
        found.append(rr.train(net, noise(), eta=1e6, n_trials=200, rng=np.random.default_rng(0)))
    assert found[0].diverged
    assert same_bits(*found)


def test_trials_of_different_length(problem, repeat):
    p, q = problem(15, n_steps=9), problem(16, n_steps=30)
    trials = [(p.inputs, p.targets), (q.inputs, q.targets)]
    history = rr.train(p.net, repeat(*trials), eta=0.1, n_trials=4)
    net = p.net
    for k in range(4):
        dw = rr.weight_updates(net, *trials[k % 2])
        assert history.loss[k] == pytest.approx(dw.loss, rel=1e-12)
        net = stepped(net, dw, 0.1)
    close(history.network, net)


def test_what_progress_raises_ends_the_training(problem, noise, monkeypatch):
    monkeypatch.setattr(trial_source, "BLOCK_SECONDS", 1e-12)
    net = problem(17, n_in=2, n_out=1).net
    done = []

    def progress(n_trials):
        done.append(n_trials)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rr.train(net, noise(), n_trials=1000, rng=np.random.default_rng(0), progress=progress)
    assert done == [1, 2, 3]


def test_the_generator_decides_the_trials(problem, noise):
    net = problem(18, n_in=2, n_out=1).net
    one, same, other = (rr.train(net, noise(), n_trials=6, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert same_bits(one, same)
    assert not same_bits(one, other)
    unseeded = [rr.train(net, noise(), n_trials=6) for _ in range(2)]
    assert not same_bits(*unseeded)
    rng = np.random.default_rng(0)
    for k in range(6):
        trial = noise().trial(rng)
        if k == 0:
            assert one.loss[0] == pytest.approx(rr.weight_updates(net, *trial).loss, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "backprop"}, "rule"),
        ({"rule": None}, "rule"),
        ({"n_trials": 0}, "n_trials"),
        ({"n_trials": 2.0}, "n_trials"),
        ({"n_trials": True}, "n_trials"),
        ({"batch": 0}, "batch"),
        ({"n_trials": 7, "batch": 2}, "multiple"),
        ({"rule": "bptt", "online": True}, "local"),
        ({"rule": "rtrl", "online": True}, "local"),
        ({"online": True, "batch": 2, "n_trials": 2}, "batch"),
        ({"online": 1}, "online"),
        ({"reset_state": "no"}, "reset_state"),
        ({"rng": 0}, "rng"),
        ({"rng": np.random.RandomState(0)}, "rng"),
    ],
)
def test_arguments_that_are_refused(problem, noise, options, message):
    net = problem(19, n_in=2, n_out=1).net
    with pytest.raises(ValueError, match=message):
        rr.train(net, noise(), **{"n_trials": 2, **options})


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.zeros((5, 1)), np.zeros((5, 1)), "inputs"),
        (np.zeros((5, 2)), np.zeros((4, 1)), "targets"),
        (np.zeros((5, 2)), np.zeros((5, 2)), "targets"),
        (np.zeros((0, 2)), np.zeros((0, 1)), "inputs"),
        (np.full((5, 2), math.nan), np.zeros((5, 1)), "inputs"),
        (np.zeros((5, 2)), np.full((5, 1), math.inf), "targets must be finite or NaN"),
        (np.zeros((5, 2), dtype=complex), np.zeros((5, 1)), "inputs"),
        (np.zeros((5, 2), dtype=object), np.zeros((5, 1)), "inputs"),
        ("trial", np.zeros((5, 1)), "inputs"),
    ],
)
def test_trials_that_are_refused(problem, inputs, targets, message):
    class Task:
        n_in, n_out = 2, 1

        def trial(self, rng):
            return inputs, targets

    net = problem(19, n_in=2, n_out=1).net
    with pytest.raises(ValueError, match=message):
        rr.train(net, Task(), n_trials=1)
    with pytest.raises(ValueError, match=message):
        rr.weight_updates(net, inputs, targets)


@pytest.mark.parametrize("given", [None, 3, (), (np.zeros((5, 2)),), (1, 2, 3), np.float64(1.0)])
def test_trials_that_are_no_pair(problem, given):
    class Task:
        n_in, n_out = 2, 1

        def trial(self, rng):
            return given

    with pytest.raises(ValueError, match=r"^task\.trial must return inputs and targets, got "):
        rr.train(problem(19, n_in=2, n_out=1).net, Task(), n_trials=1)


def test_a_task_without_trials_and_a_network_that_is_none(problem, noise):
    class Task:
        n_in, n_out, trial = 2, 1, None

    p = problem(19, n_in=2, n_out=1)
    with pytest.raises(ValueError, match=r"^task must have a method trial"):
        rr.train(p.net, Task(), n_trials=1)  # type: ignore[arg-type]
    for net in (None, "net", p.net.w_rec):
        with pytest.raises(ValueError, match=r"^net must be a Network, got "):
            rr.train(net, noise(), n_trials=1)
        with pytest.raises(ValueError, match=r"^net must be a Network, got "):
            rr.weight_updates(net, p.inputs, p.targets)


@pytest.mark.parametrize("sizes", [{"n_in": 3}, {"n_out": 2}, {"n_in": "2"}, {"n_in": np.full(2, 2)}, {"n_out": 1.0}])
def test_a_task_of_another_size_is_refused(problem, noise, sizes):
    net = problem(19, n_in=2, n_out=1).net
    with pytest.raises(ValueError, match=r"task\.n_"):
        rr.train(net, noise(**{"n_in": 2, "n_out": 1, **sizes}), n_trials=1)


def test_trials_may_be_of_any_real_kind_and_layout(problem, repeat):
    p = problem(20)
    wide = np.asfortranarray(np.repeat(p.inputs, 2, axis=0))[::2]
    reference = rr.weight_updates(p.net, p.inputs, p.targets)
    found = rr.weight_updates(p.net, wide, p.targets[::-1][::-1].tolist())
    assert all(getattr(found, name).tobytes() == getattr(reference, name).tobytes() for name in MATRICES)
    ones = [rr.run(p.net, np.ones((5, 3), dtype=kind)).y for kind in (float, np.float32, int, bool)]
    assert all(np.array_equal(ones[0], other) for other in ones[1:])


@pytest.mark.parametrize("rule", ["bptt", "rflo"])
def test_training_learns(rule):
    net = rr.Network.random(n_rec=30, n_in=0, n_out=1, rng=np.random.default_rng(0))
    history = rr.train(net, rr.PeriodicTask(period=200), rule, eta=0.03, n_trials=1500)
    assert history.loss[-1] < 0.05 < 0.2 < history.loss[0]
    untrained = rr.train(net, rr.PeriodicTask(period=200), "untrained", eta=0.03, n_trials=20)
    assert len(set(untrained.loss)) == 1


def test_rflo_aligns_the_readout_with_the_feedback():
    net = rr.Network.random(n_rec=30, n_in=0, n_out=1, rng=np.random.default_rng(0))
    history = rr.train(net, rr.PeriodicTask(period=200), "rflo", eta=0.03, n_trials=1500)
    assert history.alignment[-1] > history.alignment[0] + 0.2
