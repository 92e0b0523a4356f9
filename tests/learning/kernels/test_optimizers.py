"""Optimisers against their twin, and what clipping promises."""

import math
from dataclasses import asdict, replace

import agreement
import numpy as np
import pytest
from agreement import ORDER, RATES, Case, naive

import rflo_repro as rr

MATRICES = ("w_in", "w_rec", "w_out")
CASES = [
    Case(9, n_in=2, n_out=2, n_steps=20),
    Case(33, n_in=1, n_steps=5, phi="softplus", density=0.5, bias=True, taus=True, signs=True),
]
OPTIMIZERS = [
    rr.Optimizer(method, clip=clip, weight_decay=decay, beta1=0.8, beta2=0.9)
    for method in ("sgd", "momentum", "rmsprop", "adam")
    for clip, decay in ((None, 0.0), (0.01, 0.0), (0.05, 0.3))
]


def twin(case, optimizer, batch, full, rates=RATES):
    inputs, targets = case.trials()
    step = naive.Stepper(**asdict(optimizer))
    return naive.train_trials(case.net(), inputs, targets, ORDER, batch, rates, full, full, True, step)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_an_optimizer_is_its_twin(case, optimizer):
    for kind, batch in (("trials", 1), ("trials", 3), ("exact", 2)):
        if kind == "exact" and case.n > 9:
            continue
        trained = agreement.train(case, kind, batch=batch, width=2, symmetric=True, full=True, optimizer=optimizer)
        agreement.same_session(trained, twin(case, optimizer, batch, full=True))


def test_the_optimizers_differ():
    """Negative control for the tolerance above."""
    case, found = CASES[0], []
    for optimizer in (*OPTIMIZERS, rr.Optimizer("adam", beta1=0.5), rr.Optimizer("adam", epsilon=1.0)):
        found.append(agreement.train(case, optimizer=optimizer).packed.m.copy())
    for i, one in enumerate(found):
        for other in found[:i]:
            assert np.abs(one - other).max() > 1e-6


@pytest.mark.parametrize("masked", [(0.0, 0.02, 0.01), (0.03, 0.0, 0.01), (0.03, 0.02, 0.0)])
def test_a_matrix_that_is_not_trained_neither_moves_nor_counts(masked):
    case, optimizer = CASES[0], rr.Optimizer("momentum", clip=0.01, weight_decay=0.1)
    trained = agreement.train(case, rates=masked, optimizer=optimizer)
    agreement.same_session(trained, twin(case, optimizer, 1, full=False, rates=masked))
    before = agreement.Packed(case.net())
    old, new = before.parts(before.m, before.w_out), trained.packed.parts(trained.packed.m, trained.packed.w_out)
    # the order of parts: w_rec, w_in, w_out
    same = [np.array_equal(a, b) for a, b in zip(old[:3], new[:3], strict=True)]
    assert same == [masked[1] == 0.0, masked[0] == 0.0, masked[2] == 0.0]


def norm(dw):
    return math.sqrt(sum(np.sum(getattr(dw, name) ** 2) for name in MATRICES))


@pytest.mark.parametrize("batch", [1, 4])
def test_clipping_scales_an_update_down_and_never_up(problem, repeat, batch):
    """The norm of all matrices together, with the 1/T, of the sum over a batch."""
    p = problem(0)
    size = batch * norm(rr.weight_updates(p.net, p.inputs, p.targets))
    plain = rr.train(p.net, repeat((p.inputs, p.targets)), eta=0.1, n_trials=batch, batch=batch).network
    for share in (0.1, 0.999, 1.001, 50.0):
        optimizer = rr.Optimizer(clip=share * size)
        clipped = rr.train(
            p.net, repeat((p.inputs, p.targets)), eta=0.1, n_trials=batch, batch=batch, optimizer=optimizer
        ).network
        for name in MATRICES:
            step, moved = (getattr(net, name) - getattr(p.net, name) for net in (plain, clipped))
            np.testing.assert_allclose(moved, min(share, 1.0) * step, rtol=1e-10, atol=1e-15)
            if share > 1.0:  # then nothing is done, to the bit
                assert getattr(plain, name).tobytes() == getattr(clipped, name).tobytes()


def test_an_update_whose_square_is_infinite_is_clipped_too():
    """The feedback makes it that large: the loss is finite still."""
    net = rr.Network.random(30, 0, 1, np.random.default_rng(0), h0=1.0)
    net = replace(net, w_rec=np.zeros_like(net.w_rec), feedback=1e10 * net.feedback)

    class Far:
        n_in, n_out = 0, 1

        def trial(self, rng):
            return np.zeros((5, 0)), np.full((5, 1), 1e150)

    history = rr.train(net, Far(), eta=1.0, n_trials=1, optimizer=rr.Optimizer(clip=0.5))
    with np.errstate(over="ignore"):
        assert not math.isfinite(norm(rr.weight_updates(net, *Far().trial(None))))
    assert not history.diverged
    change = [getattr(history.network, name) - getattr(net, name) for name in MATRICES]
    assert math.sqrt(sum(np.sum(dw**2) for dw in change)) == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("method", ["momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("rule", ["rflo", "bptt"])
def test_training_with_an_optimizer_learns(method, rule):
    net = rr.Network.random(n_rec=30, n_in=0, n_out=1, rng=np.random.default_rng(0))
    history = rr.train(
        net, rr.PeriodicTask(period=200), rule, eta=0.003, n_trials=1000, optimizer=rr.Optimizer(method, clip=1.0)
    )
    assert history.loss[-1] < 0.1 < 0.2 < history.loss[0]


def test_the_name_of_a_method_will_do(problem, noise):
    net = problem(2, n_in=2, n_out=1).net
    one, other = (
        rr.train(net, noise(), n_trials=5, rng=np.random.default_rng(0), optimizer=optimizer).network.w_rec
        for optimizer in ("adam", rr.Optimizer("adam"))
    )
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "adagrad"}, "^method must be one of sgd, momentum, rmsprop, adam, got 'adagrad'"),
        ({"clip": 0.0}, "clip must be above 0"),
        ({"clip": -1.0}, "clip"),
        ({"clip": math.inf}, "clip"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"beta1": 1.0}, "beta1 must be below 1"),
        ({"beta2": 1.5}, "beta2"),
        ({"epsilon": 0.0}, "epsilon must be above 0"),
    ],
)
def test_settings_that_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        rr.Optimizer(**settings)


def test_what_is_no_optimizer(problem, noise):
    net = problem(2, n_in=2, n_out=1).net
    for bad in ("lion", None, 1.0):
        with pytest.raises(ValueError, match="optimizer"):
            rr.train(net, noise(), n_trials=1, optimizer=bad)


def test_masked_synapses_stay_zero_under_every_optimizer_and_dale():
    case = replace(CASES[1], n=9)
    net = case.net()
    for optimizer in OPTIMIZERS:
        trained = agreement.train(case, rates=(0.1, 0.1, 0.1), optimizer=optimizer)
        w, *_ = trained.packed.parts(trained.packed.m, trained.packed.w_out)
        assert not w[~net.mask].any()
        assert (w * net.signs >= 0.0).all()
        assert not np.array_equal(w, net.w)
