"""What training promises beyond the numbers of its twin: batches, masks, signs, divergence."""

from dataclasses import replace

import numpy as np
import pytest
from agreement import (
    ORDER,
    Case,
    Packed,
    check_train_online,
    check_train_trials,
    close,
    one_trial,
    record,
    switches,
    train,
    update,
)

from rflo_repro.learning import kernels

KINDS = ("trials", "online", "exact")


@pytest.mark.parametrize("n", [1, 7, 30, 33])
@pytest.mark.parametrize("batch", [2, 3, 6])
@pytest.mark.parametrize("width", [1, 2, 3, 6, 7])
def test_batches_are_summed_however_wide_the_lockstep(n, batch, width):
    check_train_trials(Case(n, n_in=2, n_out=2), batch, width, full=True)


def test_lockstep_is_one_after_the_other():
    case = Case(33, n_in=1, n_trials=10)
    order = list(range(10)) * 3
    together = train(case, order=order, batch=10, width=10, full=True)
    apart = train(case, order=order, batch=10, width=1, full=True)
    close(together.packed.m, apart.packed.m, 1e-12)
    close(together.loss, apart.loss, 1e-12)
    assert together.n_good == apart.n_good == 30


def test_a_batch_is_applied_once():
    case = Case(9)
    batched, single = train(case, batch=2), train(case, batch=1)
    assert batched.alignment[0] == batched.alignment[1]
    assert single.alignment[0] != single.alignment[1]
    assert batched.loss[0] == single.loss[0]
    assert batched.loss[1] != single.loss[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [(0.0, 0.02, 0.01), (0.03, 0.0, 0.01), (0.03, 0.02, 0.0), (0.0, 0.0, 0.01)])
def test_a_masked_matrix_does_not_move_by_a_bit(kind, masked):
    case = Case(9, n_in=2, signs=True)
    # -0.0 would become 0.0 if nothing were added to it, and a wrong sign would be clipped
    net = case.net()
    w, w_in, w_out = net.w.copy(), net.w_in.copy(), net.w_out.copy()
    w[0, 0], w[0, 1], w_in[0, 0], w_out[0, 0] = -0.0, 1e-3, -0.0, -0.0
    trained = train(case, kind, rates=masked, net=replace(net, w=w, w_in=w_in, w_out=w_out))
    assert trained.n_good == len(ORDER)
    before = (w_in, w, w_out)
    after_w, after_in, after_out, _ = trained.packed.parts(trained.packed.m, trained.packed.w_out)
    for rate, old, new in zip(masked, before, (after_in, after_w, after_out), strict=True):
        same = np.ascontiguousarray(new).tobytes() == old.tobytes()
        assert same == (rate == 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_weight_changes_sign(kind):
    case = Case(9, n_in=1, signs=True, n_steps=20)
    signed = train(case, kind, rates=(10.0, 10.0, 0.1))
    w, *_ = signed.packed.parts(signed.packed.m, signed.packed.w_out)
    assert np.all(w * case.net().signs >= 0)
    assert np.any(w == 0)
    free = train(case, kind, rates=(10.0, 10.0, 0.1), net=replace(case.net(), signs=np.zeros(0)))
    w, *_ = free.packed.parts(free.packed.m, free.packed.w_out)
    assert np.any(w * case.net().signs < 0)


@pytest.mark.parametrize("n", [7, 8, 33])
def test_signs_as_in_the_twin(n):
    check_train_trials(Case(n, n_in=1, signs=True), batch=2)
    check_train_online(Case(n, n_in=1, signs=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.inf, 1e200])
def test_what_is_not_finite_ends_the_training(kind, bad):
    case = Case(9, n_in=1)
    _, targets = case.trials()
    targets[1, 7] = bad  # the third trial in ORDER; 1e200 squared is infinite
    stopped = train(case, kind, targets=targets)
    fine = train(case, kind, order=ORDER[:2])
    assert stopped.n_good == 2
    assert np.array_equal(stopped.packed.m, fine.packed.m)
    assert np.array_equal(stopped.packed.w_out, fine.packed.w_out)
    assert np.array_equal(stopped.loss[:2], fine.loss)
    assert not np.isfinite(stopped.loss[2])
    assert np.all(np.isnan(stopped.loss[3:]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_that_is_not_finite_is_not_applied(kind):
    case = Case(9, n_in=1)
    stopped = train(case, kind, rates=(0.0, 0.0, 1e308), targets=1e3 * case.trials()[1])
    assert stopped.n_good == 0
    before = Packed(case.net())
    assert np.array_equal(stopped.packed.m, before.m)
    assert np.array_equal(stopped.packed.w_out, before.w_out)


@pytest.mark.parametrize("kind", ["trials", "exact"])
def test_a_bad_trial_spoils_its_whole_batch(kind):
    case = Case(9)
    _, targets = case.trials()
    targets[0, 0] = np.inf  # the second trial in ORDER
    stopped = train(case, kind, batch=3, width=3, targets=targets)
    assert stopped.n_good == 0
    assert np.array_equal(stopped.packed.m, Packed(case.net()).m)
    assert np.isfinite(stopped.loss[[0, 2]]).all()


def test_a_workspace_can_be_used_again_after_a_divergence():
    case = Case(9, n_in=3)
    inputs, targets = case.trials()
    work = kernels.workspace(9, 3, 1, case.n_steps, 3)

    def losses(factor):
        weights, written = Packed(case.net()).weights, record(3)
        weights.m[:] *= factor
        trials = kernels.Trials(inputs, targets, np.arange(3), 3, True)
        kernels.train_trials(weights, trials, switches(False, True), kernels.Rates(0.1, 0.1, 0.1), written, work)
        return written.loss

    before = losses(1.0)
    assert not np.isfinite(losses(np.nan)).any()
    assert np.array_equal(losses(1.0), before)


def test_alignment_without_a_readout_is_nan():
    case = Case(9)
    trained = train(case, rates=(0.0, 0.0, 0.0), net=replace(case.net(), w_out=np.zeros((1, 9))))
    assert np.isnan(trained.alignment).all()
    assert trained.n_good == len(ORDER)


def test_online_with_still_weights_is_the_trace_gradient():
    """A rate so small that the weights stand still: what is added up is the gathered update."""
    case = Case(9, n_in=1)
    rate = 1e-7
    trained = train(case, "online", order=[0], rates=(rate, rate, rate))
    still = update(case, "trace", False, False)
    close((trained.packed.m - still.packed.m) / rate, still.updates.m, 1e-6)
    close((trained.packed.w_out - still.packed.w_out) / rate, still.updates.w_out, 1e-6)


def test_apply_update_tells_whether_it_did():
    net = replace(Case(2, n_in=1).net(), w=np.ones((2, 2)), w_in=np.ones((2, 1)), w_out=np.ones((1, 2)))
    packed = Packed(replace(net, signs=np.array([1.0, -1.0])))
    updates = kernels.Updates(np.full((3, 8), 2.0), np.full((1, 8), -2.0))
    rates = kernels.Rates(w_in=0.5, w_rec=0.25, w_out=1.0)
    assert kernels.apply_update(packed.weights, updates, rates)
    assert np.all(packed.m[0, :2] == 1.5)
    assert np.all(packed.m[1, :2] == 0.0)
    assert np.all(packed.m[2, :2] == 2.0)
    assert np.all(packed.w_out[0, :2] == -1.0)
    updates.w_out[0, 5] = np.inf
    assert not kernels.apply_update(packed.weights, updates, rates)
    assert np.all(packed.m[0, :2] == 1.5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("carry", [-1, 4, 7])
def test_an_unknown_carry_is_an_error(kind, carry):
    case = Case(3)
    packed, (inputs, targets) = Packed(case.net()), case.trials()
    rule = kernels.Rule(True, carry)
    trials = kernels.Trials(inputs, targets, np.zeros(1, dtype=np.int64), 1, True)
    workspace = {
        "trials": lambda: kernels.workspace(*packed.sizes, case.n_steps),
        "online": lambda: kernels.trace_workspace(*packed.sizes),
        "exact": lambda: kernels.exact_workspace(*packed.sizes),
    }[kind]()
    train = {"trials": kernels.train_trials, "online": kernels.train_online, "exact": kernels.train_exact}[kind]
    compute = {"trials": kernels.gradient, "online": kernels.trace_gradient, "exact": kernels.rtrl_gradient}[kind]
    with pytest.raises(ValueError, match="carry"):
        train(packed.weights, trials, rule, kernels.Rates(0.1, 0.1, 0.1), record(1), workspace)
    updates = kernels.Updates(np.zeros_like(packed.m), np.zeros_like(packed.w_out))
    with pytest.raises(ValueError, match="carry"):
        compute(packed.weights, trials, rule, record(1), updates, workspace)


def test_real_time_recurrent_learning_is_the_exact_rule_alone():
    case = Case(3)
    packed, written = Packed(case.net()), record(1)
    updates = kernels.Updates(np.zeros_like(packed.m), np.zeros_like(packed.w_out))
    with pytest.raises(ValueError, match="symmetric"):
        kernels.rtrl_gradient(
            packed.weights, one_trial(*case.trials()), switches(False, True), written, updates,
            kernels.exact_workspace(*packed.sizes),
        )  # fmt: skip
