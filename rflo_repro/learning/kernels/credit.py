"""Credit assignment at the end of a trial: the error is filtered backwards in time.

``z(t) = C(t+1) z(t+1) + F eps(t)`` and ``T dW = sum_t [z(t) phi'(u(t)) / tau] s(t-1)^T`` with ``s = [h | x]``. With
the leak alone as the carry C this is Eq. 5-6 with the two sums over time swapped; with the full carry it is Eq.
28-29. `jacobian_diagonal` has the other carries.
"""

from __future__ import annotations

from typing import Any

from . import layout
from .estimates import credit_of_estimate, start_estimate
from .layout import LANES, TERMS_AT_ONCE, Array, Rule, Trials, Updates, Weights, Workspace
from .products import Rows, Scalars, history_product, step_product
from .unit import gain_of, leak_of
from .vector import clear, fma, force_inline, inline_ir, kernel, lane_sum, load, specialise, splat, store

CORNER = 8  # transposing by squares, each line of memory is fetched once


@kernel
def check_rule(rule: Rule) -> None:
    """Raises ValueError for a carry that the backward pass does not know."""
    if rule.carry not in (layout.LEAK, layout.FULL, layout.NONE, layout.DIAGONAL):
        raise ValueError("the carry of this rule has no kernel")


@kernel
def copy_diagonal(effective: Array, diagonal: Array, n_rec: int) -> None:
    """The diagonal of the effective weights, ``W_ii``."""
    for i in range(n_rec):
        diagonal[i] = effective[i, i]


@force_inline
def jacobian_diagonal(weights: Weights, rule: Rule, gain: Any, diagonal: Array, i: int) -> Any:
    """``C_ii(t)`` of the vector of units at i, from their gain ``phi'(u(t)) / tau``.

    For the full carry it is the leak alone: the product with the recurrent weights is added elsewhere.
    """
    if rule.carry == layout.DIAGONAL:
        c = fma(gain, load(diagonal, i), leak_of(weights.units, i))
    elif rule.carry == layout.NONE:
        c = splat(0.0)
    elif rule.trace_tau != 0.0:
        c = splat(1.0 - 1.0 / rule.trace_tau)
    else:
        c = leak_of(weights.units, i)
    return c


@kernel
def transpose_recurrent(effective: Array, back: Array) -> None:
    """``back[a, j] = W_aj``: the full carry sums over postsynaptic units."""
    n = back.shape[0]
    for j0 in range(0, n, CORNER):
        for a0 in range(0, n, CORNER):
            for a in range(a0, min(a0 + CORNER, n)):
                for j in range(j0, min(j0 + CORNER, n)):
                    back[a, j] = effective[j, a]


def _start_filter(
    estimator: Any, weights: Weights, trials: Trials, begin: int, rule: Rule, n_steps: int, width: int, work: Workspace
) -> None:
    """Before the first stretch: no error comes from after the trial."""
    clear(work.z)


def _start_estimate(
    estimator: Any, weights: Weights, trials: Trials, begin: int, rule: Rule, n_steps: int, width: int, work: Workspace
) -> None:
    start_estimate(estimator, weights, trials, begin, rule, n_steps, width, work)


start_backward = specialise(float, _start_filter, _start_estimate)


@inline_ir
def assign_credit(
    weights: Weights, trials: Trials, begin: int, rule: Rule, n_steps: int, width: int, recurrent: bool, readout: bool,
    work: Workspace,
) -> None:  # fmt: skip
    """Add T times the updates of trials `begin` to ``begin + width``, whose history is in `work`, to ``work.updates``.

    `recurrent` and `readout` say which matrices learn. The history is taken a stretch at a time, last stretch first:
    the products over time find it in the cache, where the backward pass has left it.
    """
    dw_out = work.updates.w_out
    n_out, row = dw_out.shape
    n_rec = weights.n_rec
    if recurrent:
        start_backward(work.estimator, weights, trials, begin, rule, n_steps, width, work)
    stretch = max(1, TERMS_AT_ONCE // width)
    last = n_steps
    while last > 0:
        first = max(0, last - stretch)
        rows, n_terms = first * width, (last - first) * width
        sources = Rows(rows * work.source_row, work.source_row)
        if recurrent:
            backward(work.estimator, weights, trials, begin, rule, first, last, n_steps, width, work)
            history_product(
                work.updates.m, work.sources, Scalars(sources.at, sources.step, 1),
                work.credit, Rows(0, work.credit_row), n_terms,
            )  # fmt: skip
        if readout:
            history_product(
                dw_out, work.errors, Scalars(rows * n_out, n_out, 1),
                work.sources, Rows(sources.at + width * sources.step, sources.step), n_terms,
            )  # fmt: skip
        last = first
    # the last vectors of h contain inputs
    for k in range(n_out):
        for i in range(n_rec, row):
            dw_out[k, i] = 0.0


def _filter_back(
    estimator: Any, weights: Weights, trials: Trials, begin: int, rule: Rule, first: int, last: int, n_steps: int,
    width: int, work: Workspace,
) -> None:  # fmt: skip
    """Leave ``z(t) phi'(u(t))/tau`` of the steps from `last` back to `first` in ``work.credit``.

    ``work.z`` is carried into the last of them, and then out of the first.
    """
    sources, credit, errors, z, back = work.sources, work.credit, work.errors, work.z, work.back
    source_row, credit_row, full = work.source_row, work.credit_row, rule.carry == layout.FULL
    feedback = weights.w_out if rule.symmetric else weights.b
    n_out, row = feedback.shape
    units, gains, diagonal = weights.units, work.gains, work.diagonal
    for t in range(last - 1, first - 1, -1):
        to = (t - first) * width * credit_row
        cut = rule.truncation > 0 and t % rule.truncation == 0
        for q in range(width):
            errors_at = (min(t + rule.ahead, n_steps - 1) * width + q) * n_out
            before, after = (t * width + q) * source_row, ((t + 1) * width + q) * source_row
            for j in range(0, row, LANES):
                i = j if t % 2 == 0 else row - LANES - j  # in the order in which the product reads them
                carried = load(z, q * row + i)
                for k in range(n_out):
                    carried = fma(splat(errors[errors_at + k]), load(feedback, k * row + i), carried)
                gain = gain_of(units, sources, before, after, gains, (t * width + q) * row, i)
                store(credit, to + q * credit_row + i, carried * gain)
                if cut:
                    store(z, q * row + i, splat(0.0))
                else:
                    store(z, q * row + i, jacobian_diagonal(weights, rule, gain, diagonal, i) * carried)
        if full and not cut:
            step_product(z, credit, to, credit_row, back, width, t % 2 == 0, False)


def _estimate_back(
    estimator: Any, weights: Weights, trials: Trials, begin: int, rule: Rule, first: int, last: int, n_steps: int,
    width: int, work: Workspace,
) -> None:  # fmt: skip
    credit_of_estimate(estimator, weights, trials, begin, first, last, width, work)


backward = specialise(float, _filter_back, _estimate_back)


@kernel
def add_feedback_path(weights: Weights, updates: Updates) -> None:
    """Add ``B^T dW``: the part of the exact gradient of the readout that passes through the fed-back output."""
    b, dm, dw_out = weights.b, updates.m, updates.w_out
    n_out, row = b.shape
    for k in range(n_out):
        for j in range(weights.n_rec):
            dot = splat(0.0)
            for i in range(0, row, LANES):
                dot = fma(load(b, k * row + i), load(dm, j * row + i), dot)
            dw_out[k, j] += lane_sum(dot)
