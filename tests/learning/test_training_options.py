"""What else `train` can be asked for: targets that are missing, trials of different lengths, noise, rates that change,
snapshots, rules of one's own, and going on."""

from __future__ import annotations

import copy
import io
import math
from dataclasses import dataclass, replace

import naive
import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.learning import exact_math, trial_source
from rflo_repro.learning.packing import PackedNetwork
from rflo_repro.learning.settings import Settings

MATRICES = ("w_in", "w_rec", "w_out")


def same_history(one, other):
    assert one.loss.tobytes() == other.loss.tobytes()
    assert one.alignment.tobytes() == other.alignment.tobytes()
    assert one.state.tobytes() == other.state.tobytes()
    assert one.diverged == other.diverged
    same_network(one.network, other.network)
    assert [trial for trial, _ in one.snapshots] == [trial for trial, _ in other.snapshots]
    for (_, a), (_, b) in zip(one.snapshots, other.snapshots, strict=True):
        same_network(a, b)


def same_network(one, other):
    for name in (*MATRICES, "bias", "h0"):
        assert np.asarray(getattr(one, name)).tobytes() == np.asarray(getattr(other, name)).tobytes()


def stepped(net, updates, eta):
    return replace(net, **{k: getattr(net, k) + eta * sum(getattr(dw, k) for dw in updates) for k in MATRICES})


def close(one, other):
    for name in MATRICES:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-10, atol=1e-12)


class Varied:
    """Trials of random numbers, a few of different lengths, with targets missing."""

    n_in, n_out = 2, 1

    def __init__(self, lengths=(12,), missing=0.0):
        self.lengths, self.missing = lengths, missing

    def trial(self, rng):
        n_steps = int(rng.choice(self.lengths))
        targets = rng.normal(size=(n_steps, 1))
        targets[rng.random(n_steps) < self.missing] = math.nan
        return rng.normal(size=(n_steps, 2)), targets


@pytest.fixture
def net(problem):
    return problem(21, n_in=2, n_out=1).net


@pytest.mark.parametrize("rule", ["rflo", "bptt", "rtrl"])
@pytest.mark.parametrize("reset_state", [True, False])
@pytest.mark.parametrize("phi", ["tanh", "relu"])
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
        Settings(Varied(), rr.RULES["rflo"], 0.1, False, 1, True, rr.Optimizer(), 0.3, ()),
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


COURSES = {
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


@pytest.mark.parametrize("name", COURSES)
def test_chunks_equal_one_call(net, name):
    options = {"task": Varied(), "eta": 0.1, **COURSES[name]}
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


KEPT = {
    **COURSES,
    **{name: {"rule": name} for name in rr.RULES},
    "a task that remembers": {"task": Remembering},
    "children": {"task": Spawning()},
    "a trial drawn ahead": {"task": Varied((5, 12)), "noise": 0.1},
    "a bit generator of arrays": {"task": Varied(), "bits": np.random.MT19937},
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("block", [0.0, 1e9], ids=["a batch a call", "as many as there are"])
def test_a_training_goes_on_from_whatever_was_kept(net, name, block, monkeypatch):
    monkeypatch.setattr(trial_source, "BLOCK_SECONDS", block)
    options = {"task": Varied(), "eta": 0.1, **KEPT[name]}
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


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch": 2, "noise": 0.2},
        {"reset_state": False},
        {"optimizer": rr.Optimizer("adam", clip=0.01)},
        {"task": Varied((4, 9), missing=0.2), "batch": 2},
    ],
)
@pytest.mark.parametrize("model", [{}, {"phi": "softplus", "bias": np.full(7, 0.2)}], ids=str)
def test_a_rule_of_ones_own_is_trained_like_any_other(net, options, model):
    """One that computes what a rule does gives what it gives."""
    net = replace(net, **model)
    noise = options.get("noise")

    def mine(net, inputs, targets, run):
        np.testing.assert_array_equal(run.h.shape, (len(inputs), net.n_rec))
        if noise is None:
            np.testing.assert_array_equal(run.y, rr.run(net, inputs).y)
            return rr.weight_updates(net, inputs, targets, "local")
        u = np.vstack([net.h0, run.h])
        f = net.tau * (u[1:] - u[:-1]) + u[:-1]
        gain = (1.0 - f**2) if net.phi == "tanh" else 1.0 - np.exp(-f)
        eps, z = targets - run.y, np.zeros(net.n_rec)
        credit = np.zeros_like(run.h)
        for t in reversed(range(len(inputs))):
            z = z + net.w_out.T @ eps[t]
            credit[t] = z * gain[t] / net.tau
            z = (1.0 - 1.0 / net.tau) * z
        n = len(inputs)
        bias = None if net.bias is None else credit.sum(0) / n
        return rr.Updates(credit.T @ inputs / n, credit.T @ u[:-1] / n, eps.T @ run.h / n, 0.0, bias)

    given = {"task": Varied(), "eta": 0.1, "n_trials": 6, **options}
    found = rr.train(net, rule=mine, rng=np.random.default_rng(0), **given)
    wanted = rr.train(net, rule="local", rng=np.random.default_rng(0), **given)
    np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-9)
    np.testing.assert_allclose(found.alignment, wanted.alignment, rtol=1e-9)
    np.testing.assert_allclose(found.state, wanted.state, rtol=1e-9, atol=1e-12)
    for name in (*MATRICES, *(["bias"] if model else [])):
        np.testing.assert_allclose(getattr(found.network, name), getattr(wanted.network, name), rtol=1e-8, atol=1e-11)
    same_history(rr.train(net, rule=mine, rng=np.random.default_rng(0), **{**given, "n_trials": 2}).resume(4), found)


def test_rules_of_ones_own_that_are_refused(net):
    class Wrong:
        def __init__(self, made):
            self.made = made

        def __call__(self, net, inputs, targets, run):
            return self.made

    good = rr.weight_updates(net, *Varied().trial(np.random.default_rng(0)))
    masked = np.ma.masked_less(good.w_rec, 0.0)
    wrong = {"w_in": [good.w_in[:, :1], None], "w_rec": [good.w_rec.ravel(), masked, good.w_rec * 1j], "w_out": ["x"]}
    for made in (None, 1.0, *(replace(good, **{name: value}) for name in wrong for value in wrong[name])):
        with pytest.raises(ValueError, match="what rule returns"):
            rr.train(net, Varied(), Wrong(made), n_trials=1)
    with pytest.raises(ValueError, match="online needs a rule that is local in time"):
        rr.train(net, Varied(), Wrong(good), n_trials=1, online=True)
    infinite = replace(good, w_rec=np.full_like(good.w_rec, math.inf))
    history = rr.train(net, Varied(), Wrong(infinite), n_trials=3)
    assert history.diverged
    same_network(history.network, net)
