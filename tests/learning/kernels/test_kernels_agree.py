"""Kernels against their plain twins where sizes, shapes and switches matter."""

from dataclasses import replace

import agreement
import pytest
from agreement import Case
from cases import further

from rflo_repro.learning import kernels

# every remainder of a tile, of a vector and of a padded row
SIZES = (1, 7, 8, 9, 30, 33, 100)
ODD = [Case(n, n_in=(0, 1, 3)[i % 3], n_out=1 + i % 2, tau=(10.0, 7.0, 1.0)[i % 3]) for i, n in enumerate(SIZES)]
SHORT = [Case(9, n_in=n_in, n_out=2, n_steps=n_steps) for n_in in (0, 1, 3, 20) for n_steps in (1, 2)]
FED_BACK = [Case(n, n_in=1, n_out=2, output_feedback=True, tau=5.0) for n in (7, 33)]
OTHER = [
    Case(
        (7, 9, 33)[i % 3],
        n_in=(1, 0, 3)[i % 3],
        n_out=2,
        n_steps=5,  # units without a bound grow
        phi=phi,
        density=0.6,
        bias=True,
        taus=True,
        output_feedback=phi in ("tanh", "sigmoid"),  # where it cannot run away
    )
    for i, phi in enumerate(kernels.PHIS)
] + [Case(8, phi="relu", n_steps=5), Case(8, density=0.5), Case(8, bias=True), Case(8, taus=True)]
MISSING = [Case(n, n_in=1, n_out=2, n_steps=12, missing=True) for n in (9, 33)]
CASES = ODD + SHORT + FED_BACK + OTHER + MISSING
NOISY = [
    Case(9, n_in=1, n_out=2, n_steps=12, noise=True, missing=True),
    Case(33, n_steps=5, phi="softplus", noise=True, bias=True),
]
SIGNED = [Case(9, n_in=1, signs=True, density=0.5), Case(33, n_steps=5, phi="softplus", signs=True, density=0.5)]


def each_compiled(cases):
    """The paper's units in `make test`, others, which compile a kernel anew, in `make test-long`."""
    plain = [c for c in cases if c.phi == "tanh" and c.density == 1.0 and not (c.taus or c.noise)]
    return [*plain, *further(*(c for c in cases if c not in plain))]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward(case):
    agreement.check_forward(case)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_gradient(case, symmetric, full):
    agreement.check_gradient(case, symmetric, full)


@pytest.mark.parametrize("case", each_compiled(CASES), ids=str)
@pytest.mark.parametrize("symmetric", [False, True])
def test_trace_gradient(case, symmetric):
    agreement.check_trace_gradient(case, symmetric)


@pytest.mark.parametrize("case", each_compiled([c for c in CASES if c.n < 30]), ids=str)
def test_rtrl_gradient(case):
    agreement.check_rtrl_gradient(replace(case, n_steps=min(case.n_steps, 20)))


@pytest.mark.parametrize("case", CASES + SIGNED + NOISY, ids=str)
@pytest.mark.parametrize("reset_state", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_train_trials(case, full, reset_state):
    agreement.check_train_trials(case, full=full, reset_state=reset_state)


@pytest.mark.parametrize("case", CASES + SIGNED + NOISY, ids=str)
@pytest.mark.parametrize("reset_state", [False, True])
def test_train_online(case, reset_state):
    agreement.check_train_online(case, symmetric=case.n % 2 == 0, reset_state=reset_state)


@pytest.mark.parametrize("case", each_compiled([c for c in CASES + SIGNED + NOISY if c.n < 30]), ids=str)
@pytest.mark.parametrize("reset_state", [False, True])
def test_train_exact(case, reset_state):
    agreement.check_train_exact(replace(case, n_steps=min(case.n_steps, 20)), 3, reset_state)


@pytest.mark.parametrize("n_steps", [1, 50, 130])
@pytest.mark.parametrize("n", [9, 30, 130])
def test_histories_longer_than_a_stretch_and_wider_than_a_tile(n, n_steps):
    agreement.check_gradient(Case(n, n_in=1, n_steps=n_steps), symmetric=False, full=True)


def test_weights_that_come_from_far_away():
    """Beyond a few hundred kilobytes the rows are read in another order."""
    case = Case(300, n_in=2, n_steps=5)
    agreement.check_gradient(case, symmetric=True, full=True)
    agreement.check_train_trials(case, batch=2, width=2, full=True)


def test_a_wrong_rule_does_not_pass():
    """The tolerance tells the rules apart: leak for full carry, one feedback for the other, x(t-1) for x(t)."""
    case = Case(9, n_in=1, n_out=2)
    net, (inputs, targets) = case.net(), case.trials()
    right = agreement.naive.gradient(net, inputs[0], targets[0], True, True)
    wrong = [
        agreement.naive.gradient(net, inputs[0], targets[0], True, False),
        agreement.naive.gradient(net, inputs[0], targets[0], False, True),
        agreement.naive.gradient(net, agreement.np.roll(inputs[0], 1, axis=0), targets[0], True, True),
    ]
    for other in wrong:
        with pytest.raises(AssertionError, match="off by"):
            agreement.close(other.w, right.w)
