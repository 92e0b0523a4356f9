"""Rules of the user's own, as functions."""

import math
from dataclasses import replace

import numpy as np
import pytest
from varied import MATRICES, Varied, same_history, same_network

import rflo_repro as rr


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
