"""The ladder of oracles: finite differences hold BPTT, BPTT holds RTRL and the rules that share its parts."""

from dataclasses import replace

import naive
import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.learning import kernels
from rflo_repro.learning.algorithms import ALGORITHMS
from rflo_repro.learning.evaluate import kernel_updates
from rflo_repro.learning.packing import PackedNetwork, one_trial

MATRICES = ("w_in", "w_rec", "w_out")


def distance(found, wanted):
    """Relative error of a matrix, in its norm."""
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


def errors(dw, wanted):
    return {name: distance(dw[name] if isinstance(dw, dict) else getattr(dw, name), wanted[name]) for name in MATRICES}


def parts(update):
    return {"w_in": update.w_in, "w_rec": update.w, "w_out": update.w_out}


def late(inputs):
    """x(t-1) in the place of x(t)."""
    return np.vstack([np.zeros((1, inputs.shape[1])), inputs[:-1]])


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "output-feedback"])
def differentiated(request, problem):
    """Three random problems and their finite differences."""
    made = [problem(seed, output_feedback=request.param) for seed in range(3)]
    return [(p, naive.differences(p.net, p.inputs, p.targets)) for p in made]


def test_bptt_is_the_gradient(differentiated):
    for p, gradient in differentiated:
        dw = rr.weight_updates(p.net, p.inputs, p.targets, "bptt")
        assert max(errors(dw, gradient).values()) < 1e-6


def test_rflo_is_not_the_gradient(differentiated):
    # Negative control: the check above can tell rules apart.
    for p, gradient in differentiated:
        dw = rr.weight_updates(p.net, p.inputs, p.targets, "rflo")
        found = errors(dw, gradient)
        assert found["w_in"] > 0.1
        assert found["w_rec"] > 0.1


@pytest.mark.parametrize("rule", ["local", "random-feedback"])
def test_half_of_rflo_is_not_the_gradient(differentiated, rule):
    for p, gradient in differentiated:
        assert errors(rr.weight_updates(p.net, p.inputs, p.targets, rule), gradient)["w_rec"] > 0.01


def test_the_input_of_the_same_step_belongs_in_the_trace(problem):
    """Eq. 6 and 11 print x(t-1); only x(t) is the gradient."""
    p = problem(5)
    gradient = naive.differences(p.net, p.inputs, p.targets)
    right, wrong = (
        errors(parts(naive.gradient(naive.Net.of(p.net), p.inputs, p.targets, True, True, traced=traced)), gradient)
        for traced in (p.inputs, late(p.inputs))
    )
    assert max(right.values()) < 1e-6
    assert wrong["w_in"] > 0.1
    assert wrong["w_rec"] < 1e-6


def test_the_readout_gradient_goes_through_the_fed_back_output(problem):
    # Negative control: without that path the readout update would be Eq. 23 alone, as it still is for rflo.
    p = problem(1, output_feedback=True)
    gradient = naive.differences(p.net, p.inputs, p.targets)["w_out"]
    assert distance(rr.weight_updates(p.net, p.inputs, p.targets, "bptt").w_out, gradient) < 1e-6
    assert distance(rr.weight_updates(p.net, p.inputs, p.targets, "rflo").w_out, gradient) > 0.01


@pytest.mark.parametrize("sizes", [(1, 0, 1), (1, 1, 1), (4, 2, 3), (8, 3, 2), (9, 0, 1), (17, 1, 5)])
@pytest.mark.parametrize("output_feedback", [False, True])
def test_rtrl_is_bptt(problem, sizes, output_feedback):
    n_rec, n_in, n_out = sizes
    for tau in (1.0, 7.0):
        p = problem(3, n_rec, n_in, n_out, tau=tau, output_feedback=output_feedback)
        forward = rr.weight_updates(p.net, p.inputs, p.targets, "rtrl")
        backward = rr.weight_updates(p.net, p.inputs, p.targets, "bptt")
        assert forward.loss == pytest.approx(backward.loss, rel=1e-13)
        for name in MATRICES:
            np.testing.assert_allclose(getattr(forward, name), getattr(backward, name), rtol=1e-10, atol=1e-10)


def trace_form(net, inputs, targets, rule, noise=None):
    """The update, and the loss, by eligibility traces that run forward."""
    packed = PackedNetwork(net, noisy=noise is not None)
    trial = one_trial(packed.inputs(inputs), targets, *([] if noise is None else [noise[None]]))
    return kernel_updates(packed, trial, rr.RULES[rule], ALGORITHMS["traces"])


@pytest.mark.parametrize("rule", ["rflo", "local"])
@pytest.mark.parametrize("output_feedback", [False, True])
def test_the_trace_form_is_the_filtered_form(problem, rule, output_feedback):
    """Swapping the two sums over time of Eq. 5-6 changes nothing but the rounding."""
    for sizes in ((7, 3, 2), (8, 0, 1), (21, 2, 3)):
        p = problem(2, *sizes, output_feedback=output_feedback)
        filtered = rr.weight_updates(p.net, p.inputs, p.targets, rule)
        traced, loss = trace_form(p.net, p.inputs, p.targets, rule)
        assert loss == pytest.approx(filtered.loss, rel=1e-13)
        for name in MATRICES:
            np.testing.assert_allclose(traced[name], getattr(filtered, name), rtol=1e-10, atol=1e-10)


def test_rflo_is_the_printed_rule(problem):
    """Eq. 5, 6 and 15, with x(t) in the trace q; with x(t-1) only the input update differs."""
    p = problem(4)
    dw = rr.weight_updates(p.net, p.inputs, p.targets, "rflo")
    right, wrong = (
        errors(dw, parts(naive.trace_gradient(naive.Net.of(p.net), p.inputs, p.targets, False, traced=traced)))
        for traced in (p.inputs, late(p.inputs))
    )
    assert max(right.values()) < 1e-10
    assert wrong["w_in"] > 0.1
    assert wrong["w_rec"] < 1e-10


@pytest.mark.parametrize("output_feedback", [False, True])
def test_random_feedback_that_is_symmetric_is_bptt(problem, output_feedback):
    p = problem(6, output_feedback=output_feedback)
    net = replace(p.net, feedback=p.net.w_out.T)
    for pair in (("random-feedback", "bptt"), ("rflo", "local")):
        one, other = (rr.weight_updates(net, p.inputs, p.targets, rule) for rule in pair)
        for name in MATRICES:
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-14)
    # Negative control: with a feedback that is not, they differ.
    one, other = (rr.weight_updates(p.net, p.inputs, p.targets, rule) for rule in ("random-feedback", "bptt"))
    assert distance(one.w_rec, other.w_rec) > 0.1


def test_without_recurrent_weights_nothing_is_nonlocal(problem):
    p = problem(7)
    net = replace(p.net, w_rec=np.zeros_like(p.net.w_rec))
    for pair in (("rflo", "random-feedback"), ("local", "bptt")):
        one, other = (rr.weight_updates(net, p.inputs, p.targets, rule) for rule in pair)
        for name in MATRICES:
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-14)
    one, other = (rr.weight_updates(p.net, p.inputs, p.targets, r) for r in ("rflo", "random-feedback"))
    assert distance(one.w_rec, other.w_rec) > 0.1


def test_run_is_equation_1(problem):
    for output_feedback in (False, True):
        for sizes in ((1, 0, 1), (7, 3, 2), (16, 1, 4), (33, 5, 1)):
            p = problem(8, *sizes, output_feedback=output_feedback)
            out = rr.run(p.net, p.inputs)
            plain = naive.forward(naive.Net.of(p.net), p.inputs, p.targets)
            np.testing.assert_allclose(out.h, plain.h[1:], rtol=0, atol=1e-12)
            np.testing.assert_allclose(out.y, plain.y, rtol=0, atol=1e-12)
            loss = rr.weight_updates(p.net, p.inputs, p.targets).loss
            assert loss == pytest.approx(plain.loss, rel=1e-12)


def test_at_tau_1_nothing_leaks(problem):
    p = problem(9, tau=1.0)
    dw = rr.weight_updates(p.net, p.inputs, p.targets, "bptt")
    assert max(errors(dw, naive.differences(p.net, p.inputs, p.targets)).values()) < 1e-6


def test_one_step_and_no_step(problem):
    p = problem(10, n_steps=1)
    dw = rr.weight_updates(p.net, p.inputs, p.targets, "bptt")
    local = rr.weight_updates(p.net, p.inputs, p.targets, "local")
    np.testing.assert_allclose(dw.w_rec, local.w_rec, rtol=1e-13)  # no later step to hear from
    assert rr.run(p.net, np.zeros((0, 3))).h.shape == (0, 7)
    with pytest.raises(ValueError, match="inputs"):
        rr.weight_updates(p.net, np.zeros((0, 3)), np.zeros((0, 2)))


ALL = (*MATRICES, "bias")


@pytest.fixture(scope="module", params=[(phi, back) for phi in kernels.PHIS for back in (False, True)], ids=str)
def other_model(request, problem):
    """Every activation function, masked, with biases and a time constant for each unit, noise held fixed, targets that
    are not all there; and its finite differences."""
    phi, output_feedback = request.param
    rng = np.random.default_rng(40)
    p = problem(
        30, 7, 3, 2, tau=rng.uniform(1.0, 9.0, 7), phi=phi, density=0.6, bias=rng.normal(size=7), g=1.0,
        output_feedback=output_feedback, readout_scale=0.3,
    )  # fmt: skip
    # a window without targets, and a step with one of two
    p.targets[5:12], p.targets[20, 1] = np.nan, np.nan
    noise = rng.normal(size=(len(p.inputs), 7))
    return p, noise, naive.differences(p.net, p.inputs, p.targets, noise)


def test_bptt_is_the_gradient_of_every_model(other_model):
    p, noise, gradient = other_model
    dw = rr.weight_updates(p.net, p.inputs, p.targets, "bptt", noise)
    assert not dw.w_rec[~p.net.mask].any()
    for name in ALL:
        assert distance(getattr(dw, name), gradient[name]) < 1e-6
    # Negative control: a rule that is not the gradient is far from it.
    others = [rr.weight_updates(p.net, p.inputs, p.targets, "rflo", noise)]
    others += [rr.weight_updates(p.net, p.inputs, p.targets, "bptt")]
    others += [rr.weight_updates(p.net, p.inputs, np.nan_to_num(p.targets), "bptt", noise)]
    assert all(distance(other.bias, gradient["bias"]) > 1e-3 for other in others)


def test_rtrl_is_bptt_and_trace_is_filter_in_every_model(other_model):
    p, noise, _ = other_model
    backward = rr.weight_updates(p.net, p.inputs, p.targets, "bptt", noise)
    forward = rr.weight_updates(p.net, p.inputs, p.targets, "rtrl", noise)
    assert forward.loss == pytest.approx(backward.loss, rel=1e-12)
    for name in ALL:
        assert distance(getattr(forward, name), getattr(backward, name)) < 1e-10
    for rule in ("rflo", "local"):
        filtered = rr.weight_updates(p.net, p.inputs, p.targets, rule, noise)
        traced, _ = trace_form(p.net, p.inputs, p.targets, rule, noise)
        for name in ALL:
            assert distance(traced[name], getattr(filtered, name)) < 1e-10


def test_what_a_model_is_made_of_matters(problem):
    """Negative control: each activation function, time constant and bias gives another gradient."""
    p = problem(31, bias=np.full(7, 0.3))
    nets = [replace(p.net, phi=phi) for phi in kernels.PHIS]
    nets += [replace(p.net, tau=np.arange(2.0, 9.0)), replace(p.net, bias=None)]
    found = [rr.weight_updates(net, p.inputs, p.targets, "bptt").w_rec for net in nets]
    for i, one in enumerate(found):
        for other in found[:i]:
            assert distance(one, other) > 1e-3


def test_a_constant_input_is_a_bias(problem):
    p = problem(32, bias=np.linspace(-1.0, 1.0, 7))
    ones = np.column_stack([p.inputs, np.ones(len(p.inputs))])
    with_input = replace(p.net, bias=None, w_in=np.column_stack([p.net.w_in, p.net.bias]))
    for rule in rr.RULES:
        dw, wanted = (
            rr.weight_updates(p.net, p.inputs, p.targets, rule, rng=np.random.default_rng(0)),
            rr.weight_updates(with_input, ones, p.targets, rule, rng=np.random.default_rng(0)),
        )
        np.testing.assert_array_equal(dw.bias, wanted.w_in[:, -1])
        np.testing.assert_array_equal(dw.w_in, wanted.w_in[:, :-1])


def test_one_time_constant_for_all_or_the_same_for_each(problem):
    p = problem(33)
    one = rr.weight_updates(p.net, p.inputs, p.targets, "bptt")
    each = rr.weight_updates(replace(p.net, tau=np.full(7, p.net.tau)), p.inputs, p.targets, "bptt")
    for name in MATRICES:
        np.testing.assert_allclose(getattr(one, name), getattr(each, name), rtol=1e-9, atol=1e-12)
