"""Node perturbation: its plain twin, and what it tends to when every pattern of signs has its turn."""

import itertools
from dataclasses import replace

import naive
import numpy as np
import pytest
from cases import further

import rflo_repro as rr
from rflo_repro.learning import kernels
from rflo_repro.learning.evaluate import kernel_updates
from rflo_repro.learning.packing import PackedNetwork, one_trial, random_signs
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session

MATRICES = ("w_in", "w_rec", "w_out")
BY_TRIAL, BY_STEP = rr.RULES["node-perturbation"], rr.RULES["reward-hybrid"]
RULES = {
    "trial": replace(BY_TRIAL, name="mine", sigma=0.3, draws=3),
    "step": replace(BY_STEP, name="mine", sigma=0.3, draws=2),
    "step, leak": replace(BY_STEP, name="mine", sigma=0.3, carry="leak"),
    "step, trace": replace(BY_STEP, name="mine", sigma=0.3, carry="leak", trace_tau=20.0),
    "trial, trace": replace(BY_TRIAL, name="mine", sigma=0.3, carry="leak", trace_tau=20.0),
    "step, none": replace(BY_STEP, name="mine", sigma=0.3, carry="none"),
}


def sampled_signs(rule, net, n_steps, rng):
    """(T, draws, N): the signs that a generator gives."""
    bits = np.unpackbits(random_signs(rule, net.n_rec, n_steps, rng), axis=-1, bitorder="little")
    return 1.0 - 2.0 * bits[..., : net.n_rec]


def decay_of(rule, net):
    if rule.carry == "leak":
        return 1 - 1 / (np.asarray(net.tau) if rule.trace_tau is None else rule.trace_tau)
    return {"full": 1.0, "none": 0.0}[rule.carry]


def twin(rule, net, inputs, targets, signs, noise=None):
    exact = rule.carry == "full"
    return naive.reward_gradient(
        naive.Net.of(net), inputs, targets, signs, rule.sigma, decay_of(rule, net), rule.reward == "step", exact, noise
    )


def same(found, wanted, tolerance=1e-9):
    pairs = [(found.w_rec, wanted.w), (found.w_in, wanted.w_in), (found.w_out, wanted.w_out)]
    pairs += [] if found.bias is None else [(found.bias, wanted.bias)]
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
    assert found.loss == pytest.approx(wanted.loss, rel=1e-12)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("noisy", [False, True])
def test_the_filter_is_the_eligibility(problem, rule, model, noisy):
    p = problem(1, n_rec=9, **{"h0": 0.4, **model})
    p.targets[4:7] = np.nan
    p.targets[9, 0] = np.nan
    noise = np.random.default_rng(2).normal(size=(25, 9)) if noisy else None
    signs = sampled_signs(rule, p.net, 25, np.random.default_rng(3))
    found = rr.weight_updates(p.net, p.inputs, p.targets, rule, noise, np.random.default_rng(3))
    wanted = twin(rule, p.net, p.inputs, p.targets, signs, noise)
    same(found, wanted)
    # the control: other signs, and a twin that forgets sooner
    other = rr.weight_updates(p.net, p.inputs, p.targets, rule, noise, np.random.default_rng(4))
    assert np.abs(other.w_rec - wanted.w).max() > 1e-3
    if rule.carry != "none":
        sooner = twin(replace(rule, carry="none", trace_tau=None), p.net, p.inputs, p.targets, signs, noise)
        assert np.abs(sooner.w - wanted.w).max() > 1e-4


EVERY = np.array(list(itertools.product([1.0, -1.0], repeat=12))).reshape(4096, 4, 3).transpose(1, 0, 2)


def mean_of_all(rule, p):
    """The mean of the updates over every pattern of signs: 4096 draws of 4 steps and 3 units."""
    rule = replace(rule, draws=4096)
    bits = np.packbits(EVERY < 0.0, axis=-1, bitorder="little")
    bits.setflags(write=False)  # as the library has them
    trial = one_trial(p.inputs, p.targets, signs=bits[None])
    return kernel_updates(PackedNetwork(p.net, noisy=True), trial, rule, rule.algorithm)[0]


def discounted(net, inputs, targets, decay):
    """BPTT whose carry is `decay` times the exact one."""
    run = naive.forward(net, inputs, targets)
    z, dw = np.zeros(len(net.h0)), np.zeros_like(net.w)
    for t in reversed(range(len(inputs))):
        z = z + net.w_out.T @ run.eps[t]
        credit = z * naive.slope(net, run.u[t]) / net.tau
        dw += np.outer(credit, run.h[t]) / len(inputs)
        z = decay * ((1 - 1 / net.tau) * z + naive.effective(net).T @ credit)
    return dw


@pytest.mark.parametrize("rule", ["node-perturbation", "reward-hybrid", "discounted"])
@pytest.mark.parametrize("output_feedback", [False, True])
def test_over_all_signs_it_tends_to_the_gradient_as_sigma_squared(problem, rule, output_feedback):
    p = problem(6, n_rec=3, n_in=1, n_out=2, n_steps=4, tau=3.0, output_feedback=output_feedback)
    exact = parts(rr.weight_updates(p.net, p.inputs, p.targets, "bptt"))
    wanted = exact
    if rule == "discounted":
        rule = replace(BY_STEP, name="discounted", carry="leak", trace_tau=2.0)
        wanted = {"w_rec": discounted(naive.Net.of(p.net), p.inputs, p.targets, 0.5)}
    else:
        rule = rr.RULES[rule]

    def error(sigma, wanted):
        found = mean_of_all(replace(rule, sigma=sigma), p)
        return {name: np.abs(found[name] - dw).max() / np.abs(dw).max() for name, dw in wanted.items()}

    errors = [error(sigma, wanted) for sigma in (0.04, 0.02, 0.01)]
    for name in set(wanted) - ({"w_out"} if not output_feedback else set()):
        for larger, smaller in itertools.pairwise(errors):
            assert 3.9 < larger[name] / smaller[name] < 4.1
        assert errors[-1][name] < 1e-3
    # the control: a trace that decays is another gradient, whatever sigma
    if rule.name == "discounted":
        assert error(0.01, exact)["w_rec"] > 0.01
    else:
        forgetting = replace(rule, carry="leak", trace_tau=2.0)
        found = mean_of_all(replace(forgetting, sigma=0.01), p)["w_rec"]
        assert np.abs(found - exact["w_rec"]).max() > 0.01 * np.abs(exact["w_rec"]).max()


def parts(update):
    return {name: getattr(update, name) for name in MATRICES}


class Mixed:
    """Trials of 12 steps, or of 12 and 7 in turn."""

    n_in, n_out = 1, 2

    def __init__(self, lengths):
        self.lengths = lengths

    def trial(self, rng):
        n_steps = self.lengths[rng.integers(len(self.lengths))]
        return rng.normal(size=(n_steps, 1)), rng.normal(size=(n_steps, 2))


@pytest.mark.parametrize("rule", ["trial", "step", "step, trace"])
@pytest.mark.parametrize("lengths", [(12,), *further(((12, 7),))], ids=str)
@pytest.mark.parametrize(("batch", "reset_state"), [(1, True), (4, True), (3, False)])
def test_a_training_is_that_of_its_twin(rule, lengths, batch, reset_state):
    rule, task = RULES[rule], Mixed(lengths)
    net = rr.Network.random(9, 1, 2, np.random.default_rng(0), output_feedback=True)
    history = rr.train(net, task, rule, 0.03, 12, np.random.default_rng(1), batch=batch, reset_state=reset_state)
    rng = np.random.default_rng(1)
    signs = rr.learning.network.children(np.random.default_rng(1), 2)[1]
    state, losses = net.h0, []
    for first in range(0, 12, batch):
        updates = []
        for _ in range(first, first + batch):
            inputs, targets = task.trial(rng)
            begun = replace(net, h0=state)
            chance = sampled_signs(rule, net, len(inputs), signs)
            updates.append(twin(rule, begun, inputs, targets, chance))
            losses.append(updates[-1].loss)
            state = state if reset_state else rr.run(begun, inputs).h[-1]
        net = replace(
            net,
            w_rec=net.w_rec + 0.03 * sum(u.w for u in updates),
            w_in=net.w_in + 0.03 * sum(u.w_in for u in updates),
            w_out=net.w_out + 0.03 * sum(u.w_out for u in updates),
        )
    np.testing.assert_allclose(history.loss, losses, rtol=1e-8)
    for name in MATRICES:
        np.testing.assert_allclose(getattr(history.network, name), getattr(net, name), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(history.state, state, rtol=1e-8)


@pytest.mark.parametrize("rule", ["node-perturbation", "reward-hybrid"])
@pytest.mark.parametrize(
    ("lengths", "options"),
    [((12,), {}), *further(((12, 7), {"noise": 0.1, "optimizer": rr.Optimizer("adam", clip=0.5)}))],
)
def test_it_goes_on_with_the_same_bits(rule, lengths, options):
    net = rr.Network.random(9, 1, 2, np.random.default_rng(0))
    given = {"batch": 2, **options}
    whole = rr.train(net, Mixed(lengths), rule, 0.01, 14, np.random.default_rng(1), **given)
    parts = rr.train(net, Mixed(lengths), rule, 0.01, 4, np.random.default_rng(1), **given).resume(6).resume(4)
    assert parts.loss.tobytes() == whole.loss.tobytes()
    for name in MATRICES:
        assert getattr(parts.network, name).tobytes() == getattr(whole.network, name).tobytes()


def test_the_trials_are_those_of_other_rules():
    net = rr.Network.random(9, 1, 2, np.random.default_rng(0))
    one, other = (
        rr.train(net, Mixed((12,)), rule, 0.0, 5, np.random.default_rng(1)) for rule in ("bptt", "node-perturbation")
    )
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-12)


@pytest.mark.parametrize("rule", ["node-perturbation", "reward-hybrid"])
def test_it_learns_the_periodic_task(rule):
    net = rr.Network.random(30, 0, 1, np.random.default_rng(1))
    rates = rr.LearningRates(3e-4, 3e-4, 0.03)
    history = rr.train(net, rr.PeriodicTask(200), rule, rates, 3000, np.random.default_rng(0))
    readout = rr.train(net, rr.PeriodicTask(200), "readout-only", 0.03, 3000, np.random.default_rng(0))
    assert not history.diverged
    assert np.median(history.loss[-50:]) < 0.5 * history.loss[0]
    assert np.median(history.loss[-50:]) < 0.8 * np.median(readout.loss[-50:])


def test_what_cannot_be_is_refused_by_name():
    net = rr.Network.random(9, 1, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"online needs a rule that is local in time .*node-perturbation"):
        rr.train(net, Mixed((12,)), "node-perturbation", 0.01, 2, online=True)
    for fields, named in (
        ({"carry": "diagonal"}, "carry"),
        ({"truncation": 4}, "truncation"),
        ({"reward": "never"}, "reward"),
        ({"sigma": 0.0}, "sigma"),
        ({"form": "filtered", "sigma": None, "reward": "step"}, "reward"),
    ):
        with pytest.raises(ValueError, match=named):
            replace(BY_TRIAL, **fields)


def test_a_session_counts_its_runs():
    given = {
        "task": rr.PeriodicTask(200),
        "eta": 0.01,
        "n_trials": 10,
        "init": Initialisation(100),
        "seed": 0,
        "network": 0,
    }
    one, many, bptt = (Session(rule=rule, **given) for rule in ("reward-hybrid", replace(BY_STEP, draws=9), "bptt"))
    assert many.cost().seconds > 3 * one.cost().seconds > 2.5 * bptt.cost().seconds
    work = kernels.reward_workspace(100, 0, 1, 200, 1)
    allocated = sum(a.nbytes for part in (work, work.runs) for a in part if isinstance(a, np.ndarray))
    assert allocated < one.cost().bytes
