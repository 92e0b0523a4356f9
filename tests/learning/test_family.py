"""The rules between RFLO and BPTT, each held by an identity; every identity has a case in which it does not hold."""

from dataclasses import replace

import naive
import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.learning.algorithms import ALGORITHMS
from rflo_repro.learning.evaluate import kernel_updates
from rflo_repro.learning.packing import PackedNetwork, one_trial

MATRICES = ("w_in", "w_rec", "w_out")
LONG_TRACE = rr.LearningRule("rflo-4", "random", "leak", trace_tau=28.0)
RULES = [rr.RULES[name] for name in ("snap-0", "snap-1", "snap-1-random")] + [
    LONG_TRACE,
    rr.LearningRule("block-10", "symmetric", "full", truncation=10),
    rr.LearningRule("local-block-4", "symmetric", "leak", truncation=4),
    rr.LearningRule("published", "symmetric", "full", next_error=True),
]
LOCAL = [rule for rule in RULES if rule.local_in_time]
SIZES = [(7, 3, 2), (9, 0, 1), (33, 1, 2)]


def same(found, wanted, tolerance=1e-12):
    for name in MATRICES:
        np.testing.assert_allclose(getattr(found, name), wanted[name], rtol=tolerance, atol=tolerance)


def parts(update):
    if isinstance(update, rr.Updates):
        return {name: getattr(update, name) for name in MATRICES}
    return {"w_in": update.w_in, "w_rec": update.w, "w_out": update.w_out}


def apart(one, other):
    """Relative distance of two updates of W."""
    return np.linalg.norm(one.w_rec - other.w_rec) / np.linalg.norm(other.w_rec)


def traced(p, rule):
    trial = one_trial(p.inputs, p.targets)
    return kernel_updates(PackedNetwork(p.net), trial, rule, ALGORITHMS["traces"])[0]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("output_feedback", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_filter_is_its_twin(problem, rule, output_feedback, sizes):
    p = problem(1, *sizes, output_feedback=output_feedback)
    wanted = naive.gradient(
        naive.Net.of(p.net), p.inputs, p.targets, rule.feedback == "symmetric", False,
        carry=rule.carry, trace_tau=rule.trace_tau, truncation=rule.truncation, next_error=rule.next_error,
    )  # fmt: skip
    same(rr.weight_updates(p.net, p.inputs, p.targets, rule), parts(wanted))


@pytest.mark.parametrize("rule", LOCAL, ids=lambda rule: rule.name)
@pytest.mark.parametrize("output_feedback", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_trace_is_the_filter(problem, rule, output_feedback, sizes):
    p = problem(2, *sizes, output_feedback=output_feedback)
    same(rr.weight_updates(p.net, p.inputs, p.targets, rule), traced(p, rule))
    twin = naive.trace_gradient(
        naive.Net.of(p.net), p.inputs, p.targets, rule.feedback == "symmetric", rule.carry, rule.trace_tau
    )
    same(rr.weight_updates(p.net, p.inputs, p.targets, rule), parts(twin))


@pytest.mark.parametrize("output_feedback", [False, True])
def test_snap_1_is_real_time_recurrent_learning_that_forgets_other_units(problem, output_feedback):
    p = problem(3, output_feedback=output_feedback)
    found = rr.weight_updates(p.net, p.inputs, p.targets, "snap-1")
    same(found, parts(naive.rtrl_gradient(naive.Net.of(p.net), p.inputs, p.targets, diagonal=True)))
    # the control: what it forgets matters
    exact = naive.rtrl_gradient(naive.Net.of(p.net), p.inputs, p.targets)
    assert np.linalg.norm(exact.w - found.w_rec) > 0.01 * np.linalg.norm(exact.w)


@pytest.mark.parametrize(("snap", "leak"), [("snap-1", "local"), ("snap-1-random", "rflo")])
def test_without_synapses_onto_itself_snap_1_is_the_leak(problem, snap, leak):
    p = problem(4)
    net = replace(p.net, w_rec=p.net.w_rec - np.diag(np.diag(p.net.w_rec)))
    same(rr.weight_updates(net, p.inputs, p.targets, snap), parts(rr.weight_updates(net, p.inputs, p.targets, leak)))
    as_drawn = [rr.weight_updates(p.net, p.inputs, p.targets, rule) for rule in (snap, leak)]
    assert apart(*as_drawn) > 0.01


def test_snap_1_with_random_feedback_that_is_symmetric_is_snap_1(problem):
    p = problem(5)
    net = replace(p.net, feedback=p.net.w_out.T)
    pair = [rr.weight_updates(net, p.inputs, p.targets, rule) for rule in ("snap-1-random", "snap-1")]
    same(pair[0], parts(pair[1]))
    drawn = [rr.weight_updates(p.net, p.inputs, p.targets, rule) for rule in ("snap-1-random", "snap-1")]
    assert apart(*drawn) > 0.1


def test_the_next_step_s_error_in_every_place_of_the_published_notebook(problem):
    """It is BPTT of other targets, those that make each step's error the next one's; Wout has its own."""
    p = problem(8, 30, 2, 2)
    rule = rr.LearningRule("published", "symmetric", "full", next_error=True)
    y = rr.run(p.net, p.inputs).y
    eps = p.targets - y
    other = rr.weight_updates(p.net, p.inputs, y + np.vstack([eps[1:], eps[-1:]]), "bptt")
    found, bptt = (rr.weight_updates(p.net, p.inputs, p.targets, r) for r in (rule, "bptt"))
    for name in ("w_rec", "w_in"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name), rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(found.w_out, bptt.w_out)
    assert apart(found, bptt) > 1e-3
    # a batch in lockstep has it too, and one of different lengths is refused: the last step is not the same for all
    task = one_task(p)
    one = rr.train(p.net, task, rule, 0.01, 4, np.random.default_rng(0), batch=4).network
    np.testing.assert_allclose(one.w_rec, p.net.w_rec + 0.04 * found.w_rec, rtol=1e-10, atol=1e-14)
    short = iter([task.trial_, tuple(part[:-1] for part in task.trial_)])
    task.trial = lambda rng: next(short)
    with pytest.raises(ValueError, match="next_error needs trials of one length in a batch"):
        rr.train(p.net, task, rule, 0.01, 2, batch=2)


@pytest.mark.parametrize("output_feedback", [False, True])
def test_blocks_lie_between_snap_0_and_bptt(problem, output_feedback):
    p = problem(6, output_feedback=output_feedback)

    def blocks(length):
        rule = rr.LearningRule("blocks", "symmetric", "full", truncation=length)
        return rr.weight_updates(p.net, p.inputs, p.targets, rule)

    bptt = rr.weight_updates(p.net, p.inputs, p.targets, "bptt")
    snap_0 = rr.weight_updates(p.net, p.inputs, p.targets, "snap-0")
    n_steps = len(p.inputs)
    for length in (n_steps, n_steps + 1, 10 * n_steps):
        same(blocks(length), parts(bptt), 0.0)
    np.testing.assert_allclose(blocks(1).w_rec, snap_0.w_rec, rtol=1e-12, atol=1e-14)
    assert apart(blocks(n_steps - 1), bptt) > 1e-6
    assert apart(blocks(2), snap_0) > 1e-3


def test_a_trace_with_the_network_s_own_constant_is_rflo(problem):
    p = problem(7)
    own = rr.LearningRule("own", "random", "leak", trace_tau=p.net.tau)
    rflo = rr.weight_updates(p.net, p.inputs, p.targets, "rflo")
    same(rr.weight_updates(p.net, p.inputs, p.targets, own), parts(rflo), 0.0)
    assert apart(rr.weight_updates(p.net, p.inputs, p.targets, LONG_TRACE), rflo) > 0.1
    # with tau = 1 nothing of the past stays in the trace
    nothing = rr.LearningRule("nothing", "random", "leak", trace_tau=1.0)
    immediate = rr.LearningRule("immediate", "random", "none")
    same(
        rr.weight_updates(p.net, p.inputs, p.targets, nothing),
        parts(rr.weight_updates(p.net, p.inputs, p.targets, immediate)),
        0.0,
    )


@pytest.mark.parametrize("rule", LOCAL, ids=lambda rule: rule.name)
def test_online_with_weights_that_hardly_move_adds_up_to_the_trace(problem, rule):
    p = problem(8, n_steps=12)
    task = one_task(p)
    rate = 1e-7
    trained = rr.train(p.net, task, rule, rate, 1, np.random.default_rng(0), online=True)
    wanted = rr.weight_updates(p.net, p.inputs, p.targets, rule)
    for name in MATRICES:
        moved = (getattr(trained.network, name) - getattr(p.net, name)) / rate
        np.testing.assert_allclose(moved, getattr(wanted, name), rtol=1e-4, atol=1e-6)


class one_task:
    def __init__(self, p):
        self.n_in, self.n_out, self.trial_ = p.net.n_in, p.net.n_out, (p.inputs, p.targets)

    def trial(self, rng):
        return self.trial_


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_learns_the_periodic_task(rule):
    net = rr.Network.random(30, 0, 1, np.random.default_rng(1))
    task = rr.PeriodicTask(200)
    # the sum over a short past is small, and wants a larger rate
    rate = 0.3 if rule.carry == "none" or rule.truncation == 4 else 0.01
    history = rr.train(net, task, rule, rr.LearningRates(rate, rate, 0.03), 1000, np.random.default_rng(0))
    readout = rr.train(net, task, "readout-only", 0.03, 1000, np.random.default_rng(0))
    assert not history.diverged
    assert np.median(history.loss[-50:]) < 0.2 * history.loss[0]
    assert np.median(history.loss[-50:]) < 0.8 * np.median(readout.loss[-50:])


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"carry": "half"}, "carry"),
        ({"carry": "full", "trace_tau": 20.0}, "trace_tau"),
        ({"trace_tau": 0.5}, "trace_tau"),
        ({"trace_tau": np.nan}, "trace_tau"),
        ({"trace_tau": "long"}, "trace_tau"),
        ({"truncation": 0}, "truncation"),
        ({"next_error": 1}, "next_error"),
        ({"carry": "full", "feedback": "symmetric", "form": "forward", "next_error": True}, "next_error"),
        ({"truncation": 2.5}, "truncation"),
        ({"carry": "full", "feedback": "symmetric", "form": "forward", "truncation": 5}, "truncation"),
    ],
)
def test_what_makes_no_rule_is_refused_by_name(fields, named):
    with pytest.raises(ValueError, match=named):
        rr.LearningRule(**{"name": "mine", "feedback": "random", "carry": "leak", **fields})


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.local_in_time], ids=lambda rule: rule.name)
def test_blocks_have_no_online_form(problem, rule):
    p = problem(9)
    with pytest.raises(ValueError, match="local in time"):
        rr.train(p.net, one_task(p), rule, 0.01, 1, online=True)
