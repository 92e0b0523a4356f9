"""FORCE: the readout by recursive least squares, held against its plain twin and against ridge regression."""

from dataclasses import replace

import naive
import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session

MATRICES = ("w_in", "w_rec", "w_out")


def ridge(h, targets, alpha, begun):
    """The readout with the least |y* - Wout h|^2 + alpha |Wout - begun|^2."""
    rest = targets - h @ begun.T
    return begun + np.linalg.solve(alpha * np.eye(h.shape[1]) + h.T @ h, h.T @ rest).T


@pytest.fixture
def case(model, problem):
    p = problem(1, n_rec=9, **{"h0": 0.4, **model})
    q = problem(2, n_rec=9)
    targets = [p.targets.copy(), q.targets.copy()]
    targets[0][3:6] = np.nan
    targets[1][10, 0] = np.nan
    return p.net, [(p.inputs, targets[0]), (q.inputs, targets[1])]


@pytest.mark.parametrize("reset_state", [True, False])
def test_it_is_its_twin(case, repeat, reset_state):
    net, trials = case
    rule = replace(rr.RULES["force"], name="mine", alpha=0.7)
    found = rr.train(net, repeat(*trials), rule, 0.1, 5, np.random.default_rng(0), reset_state=reset_state)
    inputs, targets = map(np.array, zip(*trials, strict=True))
    wanted, inverse = naive.force(naive.Net.of(net), inputs, targets, [0, 1, 0, 1, 0], 0.7, reset_state)
    np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-9)
    np.testing.assert_allclose(found.alignment, wanted.alignment, rtol=1e-9)
    np.testing.assert_allclose(found.state, wanted.state, rtol=1e-9)
    np.testing.assert_allclose(found.network.w_out, wanted.net.w_out, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(found.network.w_rec, net.w_rec)
    np.testing.assert_array_equal(found.network.w_in, net.w_in)
    (inverse_found,) = found._training.moments
    np.testing.assert_allclose(inverse_found[:, :9], inverse, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(inverse_found[:, :9], inverse_found[:, :9].T)
    assert not inverse_found[:, 9:].any()


def test_noise_on_the_units_is_that_of_the_twin(case, repeat):
    net, trials = case
    history = rr.train(net, repeat(*trials), "force", 0.1, 2, np.random.default_rng(0), noise=0.2)
    quiet = rr.train(net, repeat(*trials), "force", 0.1, 2, np.random.default_rng(0))
    assert np.abs(history.network.w_out - quiet.network.w_out).max() > 1e-3
    noise = np.random.default_rng(3).normal(size=(1, *trials[0][0].shape[:1], 9))
    dw = rr.weight_updates(net, *trials[0], "force", noise[0])
    wanted, _ = naive.force(naive.Net.of(net), *(np.array([part]) for part in trials[0]), [0], 1.0, True, noise)
    np.testing.assert_allclose(net.w_out + dw.w_out, wanted.net.w_out, rtol=1e-9, atol=1e-11)
    assert dw.loss == pytest.approx(wanted.loss[0], rel=1e-12)
    assert not dw.w_rec.any()
    assert not dw.w_in.any()


@pytest.mark.parametrize("alpha", [1.0, 30.0])
def test_one_pass_is_ridge_regression(problem, alpha):
    p = problem(3, n_rec=12, n_steps=60)
    h = rr.run(p.net, p.inputs).h
    rule = replace(rr.RULES["force"], name="mine", alpha=alpha)
    found = p.net.w_out + rr.weight_updates(p.net, p.inputs, p.targets, rule).w_out
    wanted = ridge(h, p.targets, alpha, p.net.w_out)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    # the control: half or twice the ridge is another readout
    for other in (alpha / 2, 2 * alpha):
        assert np.abs(found - ridge(h, p.targets, other, p.net.w_out)).max() > 1e-4


def test_p_goes_on_from_trial_to_trial(problem, repeat):
    p, q = problem(4, n_rec=12, n_steps=40), problem(5, n_rec=12, n_steps=40)
    both = rr.train(p.net, repeat((p.inputs, p.targets), (q.inputs, q.targets)), "force", n_trials=2).network.w_out
    h = [rr.run(p.net, one.inputs).h for one in (p, q)]
    wanted = ridge(np.vstack(h), np.vstack([p.targets, q.targets]), 1.0, p.net.w_out)
    np.testing.assert_allclose(both, wanted, rtol=1e-11, atol=1e-12)
    # the control: begun anew, the second trial forgets much of the first
    assert np.abs(both - ridge(h[1], q.targets, 1.0, ridge(h[0], p.targets, 1.0, p.net.w_out))).max() > 1e-3


def test_the_rates_have_no_say(problem, repeat):
    p = problem(6)
    one, other, none = (rr.train(p.net, repeat((p.inputs, p.targets)), "force", eta, 3) for eta in (1e-9, 10.0, 0.0))
    assert one.network.w_out.tobytes() == other.network.w_out.tobytes() == none.network.w_out.tobytes()


def test_online_is_what_it_is_unasked(problem, repeat):
    p = problem(7)
    task = repeat((p.inputs, p.targets))
    asked, unasked = (rr.train(p.net, task, "force", n_trials=3, online=online) for online in (True, False))
    assert asked.network.w_out.tobytes() == unasked.network.w_out.tobytes()
    dw = rr.weight_updates(p.net, p.inputs, p.targets, "force").w_out
    first = rr.train(p.net, repeat((p.inputs, p.targets)), "force", n_trials=1).network.w_out
    np.testing.assert_allclose(first, p.net.w_out + dw, rtol=1e-14)


def test_it_goes_on_with_the_same_bits(case):
    net, trials = case
    task = Shuffled(trials)
    whole = rr.train(net, task, "force", n_trials=9, rng=np.random.default_rng(0), noise=0.1, reset_state=False)
    parts = rr.train(net, task, "force", n_trials=2, rng=np.random.default_rng(0), noise=0.1, reset_state=False)
    parts = parts.resume(3).resume(4)
    assert parts.network.w_out.tobytes() == whole.network.w_out.tobytes()
    assert parts.loss.tobytes() == whole.loss.tobytes()
    assert parts.state.tobytes() == whole.state.tobytes()


class Shuffled:
    """A task that uses its generator."""

    def __init__(self, trials):
        self.trials, self.n_in, self.n_out = trials, trials[0][0].shape[1], trials[0][1].shape[1]

    def trial(self, rng):
        return self.trials[rng.integers(len(self.trials))]


@pytest.mark.parametrize("output_feedback", [False, True])
def test_it_learns_the_periodic_task(output_feedback):
    net = rr.Network.random(30, 0, 1, np.random.default_rng(1), output_feedback=output_feedback)
    history = rr.train(net, rr.PeriodicTask(200), "force", n_trials=50, rng=np.random.default_rng(0))
    by_gradient = rr.train(net, rr.PeriodicTask(200), "readout-only", 0.03, 50, np.random.default_rng(0))
    assert not history.diverged
    assert np.median(history.loss[-10:]) < 0.2 * history.loss[0]
    assert np.median(history.loss[-10:]) < 0.5 * np.median(by_gradient.loss[-10:])


def test_what_cannot_be_is_refused_by_name(problem, noise):
    net, task = problem(2, n_in=2, n_out=1).net, noise()
    with pytest.raises(ValueError, match=r"batch must be 1 with force, .*got 2"):
        rr.train(net, task, "force", n_trials=4, batch=2)
    with pytest.raises(ValueError, match=r"optimizer must be plain sgd with force, .*got 'adam'"):
        rr.train(net, task, "force", n_trials=4, optimizer="adam")
    with pytest.raises(ValueError, match="trains"):
        rr.LearningRule("mine", "random", "leak", form="rls", alpha=1.0)
    with pytest.raises(ValueError, match="trace_tau"):
        replace(rr.RULES["force"], trace_tau=20.0)
    for alpha in (0.0, -1.0, np.nan, np.inf, None, "1"):
        with pytest.raises(ValueError, match=r"^alpha"):
            rr.LearningRule("mine", "random", "leak", trains=("w_out",), form="rls", alpha=alpha)
    with pytest.raises(ValueError, match=r"^alpha"):
        rr.LearningRule("mine", "random", "leak", alpha=1.0)


def test_a_session_counts_its_matrix_and_its_time():
    given = {
        "task": rr.PeriodicTask(200),
        "eta": 0.01,
        "n_trials": 10,
        "init": Initialisation(100),
        "seed": 0,
        "network": 0,
    }
    force, readout = (Session(rule=rule, **given) for rule in ("force", "readout-only"))
    assert force.cost().bytes >= readout.cost().bytes + 8 * 100 * 100
    assert force.cost().seconds > 1.5 * readout.cost().seconds
