"""Stochastic estimates of the dependence of a state on the weights, in place of RTRL's N^3 numbers.

Unbiased online recurrent optimisation (UORO), for N Rademacher signs nu(t) a step and D(t) = phi'(u(t)) / tau:

    A(t) = r0 J(t) A(t-1) + r1 nu(t),     B(t) = B(t-1) / r0 + (nu D)(t) s(t)^T / r1,     dM = sum_t (q . A)(t) B(t)

The mean of A B^T over the signs is what RTRL carries. B need not be stored: with the sums over time swapped,

    zeta(t) = q(t) . A(t) + zeta(t+1) / r0(t+1),     dM = sum_t zeta(t) (nu D)(t) / r1(t) s(t)^T

which is a scalar for each draw in place of the filtered error. r0 and r1 keep A and B of one size: in r0 the mean
of ``|B|^2`` over the signs stands for ``|B|^2``, and the estimate stays unbiased.

Kronecker-factored RTRL (KF-RTRL), for two signs a step, a matrix B of states by pre-activations and a vector A:

    A(t) = nu0 r0 A(t-1) + nu1 r1 s(t),     B(t) = nu0 J(t) B(t-1) / r0 + nu1 diag D(t) / r1,     dM = sum_t B^T q A^T

Swapped, with ``w(t) = B(t)^T q(t) + nu0 r0(t+1) w(t+1)``, it is ``dM = sum_t nu1 r1(t) w(t) s(t)^T``.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from .layout import LANES, Array, Factors, Rule, Trials, Uoro, Weights, Workspace
from .products import Extent, Rows, Scalars, products, step_product
from .unit import gain_of, leak_of
from .vector import clear, copy_part, copysign_bits, fma, force_inline, kernel, lane_sum, load, specialise, splat, store


def start_estimates(memory: Any) -> None:
    clear(memory.a)
    for k in range(len(memory.squares)):
        memory.squares[k] = 0.0


def accumulate_with_estimates(
    memory: Any, u: Array, sources: Array, before: int, source_row: int, effective: Array, width: int, upwards: bool,
    afresh: bool,
) -> None:  # fmt: skip
    """One product for the states and A: the weights are read once for all."""
    clear(memory.u)
    if not afresh:
        copy_part(u, 0, memory.u, 0, width * effective.shape[1])
    copy_part(sources, before, memory.a, 0, width * source_row)
    step_product(memory.u, memory.a, 0, source_row, effective, len(memory.u) // effective.shape[1], upwards, False)
    copy_part(memory.u, 0, u, 0, width * effective.shape[1])


def estimate_step(
    memory: Any, weights: Weights, trials: Trials, first: int, width: int, rule: Rule, t: int, work: Workspace
) -> None:
    uoro_step(memory, weights, trials, first, width, rule, t, work)


@kernel
def uoro_step(
    memory: Uoro, weights: Weights, trials: Trials, first: int, width: int, rule: Rule, t: int, work: Workspace
) -> None:
    """Compute A(t) of all draws, and store what the backward pass needs of step t."""
    sources, source_row, signs, units = work.sources, work.source_row, trials.signs, weights.units
    a, u, is_unit, gain = memory.a, memory.u, memory.is_unit, memory.gain
    feedback = weights.w_out if rule.symmetric else weights.b
    n_out, row = feedback.shape
    longest, draws, n_bytes = signs.shape[1:]
    filled = -(-weights.m.shape[0] // LANES) * LANES
    for p in range(width):
        before, after = (t * width + p) * source_row, ((t + 1) * width + p) * source_row
        of_gain, of_source = splat(0.0), splat(0.0)
        for i in range(0, row, LANES):
            d = load(is_unit, i) * gain_of(units, sources, before, after, work.gains, (t * width + p) * row, i)
            store(gain, i, d)
            of_gain = fma(d, d, of_gain)
        for i in range(0, filled, LANES):
            s = load(sources, before + i)
            of_source = fma(s, s, of_source)
        r1_squared = sqrt(lane_sum(of_gain) * lane_sum(of_source) / weights.n_rec)
        r1 = sqrt(r1_squared) if r1_squared > 0.0 else 1.0
        for r in range(draws):
            k = p * draws + r
            a_at, u_at = (work.width + k) * source_row, (work.width + k) * row
            carried = splat(0.0)
            for i in range(0, row, LANES):
                ja = fma(load(gain, i), load(u, u_at + i), leak_of(units, i) * load(a, a_at + i))
                store(a, a_at + i, ja)
                carried = fma(ja, ja, carried)
            of_a, of_b = lane_sum(carried), memory.squares[k]
            r0 = sqrt(sqrt(of_b / of_a)) if of_a > 0.0 and of_b > 0.0 else 1.0
            memory.squares[k] = of_b / (r0 * r0) + weights.n_rec * r1_squared
            at = (((first + p) * longest + t) * draws + r) * n_bytes
            for i in range(0, row, LANES):
                nu = copysign_bits(load(is_unit, i), signs, at + i // LANES)
                store(a, a_at + i, fma(splat(r0), load(a, a_at + i), splat(r1) * nu))
            here = (t * width + p) * draws + r
            memory.shrink[here] = 1.0 / r0
            memory.scale[here] = 1.0 / (r1 * draws)
            for j in range(n_out):
                effect = splat(0.0)
                for i in range(0, row, LANES):
                    effect = fma(load(feedback, j * row + i), load(a, a_at + i), effect)
                memory.effect[here * n_out + j] = lane_sum(effect)


@kernel
def uoro_filter(memory: Uoro, weights: Weights, trials: Trials, n_steps: int, width: int, work: Workspace) -> None:
    """Compute zeta(t) of all draws, once the errors are known."""
    n_out, draws = weights.w_out.shape[0], trials.signs.shape[2]
    for p in range(width):
        for r in range(draws):
            zeta = 0.0
            for t in range(n_steps - 1, -1, -1):
                here = (t * width + p) * draws + r
                for j in range(n_out):
                    zeta += work.errors[(t * width + p) * n_out + j] * memory.effect[here * n_out + j]
                memory.share[here] = zeta * memory.scale[here]
                zeta *= memory.shrink[here]


@kernel
def uoro_back(
    memory: Uoro, weights: Weights, trials: Trials, begin: int, first: int, last: int, width: int, work: Workspace
) -> None:
    """``zeta(t) (nu D)(t) / r1(t)`` of the steps from `first` to `last`, the mean over draws, into ``work.credit``."""
    is_unit, share, sources, source_row = memory.is_unit, memory.share, work.sources, work.source_row
    signs, units, row = trials.signs, weights.units, len(is_unit)
    longest, draws, n_bytes = signs.shape[1:]
    for t in range(first, last):
        for p in range(width):
            before, after = (t * width + p) * source_row, ((t + 1) * width + p) * source_row
            to = ((t - first) * width + p) * work.credit_row
            at = ((begin + p) * longest + t) * draws * n_bytes
            for i in range(0, row, LANES):
                mean = splat(0.0)
                for r in range(draws):
                    nu = copysign_bits(load(is_unit, i), signs, at + r * n_bytes + i // LANES)
                    mean = fma(splat(share[(t * width + p) * draws + r]), nu, mean)
                d = gain_of(units, sources, before, after, work.gains, (t * width + p) * row, i)
                store(work.credit, to + i, d * mean)


@force_inline
def project_error(weights: Weights, rule: Rule, errors: Array, errors_at: int, to: Array) -> None:
    """``F eps`` of one trial and step."""
    feedback = weights.w_out if rule.symmetric else weights.b
    n_out, row = feedback.shape
    for i in range(0, row, LANES):
        q = splat(0.0)
        for k in range(n_out):
            q = fma(splat(errors[errors_at + k]), load(feedback, k * row + i), q)
        store(to, i, q)


@kernel
def squares(a: Array) -> float:
    """The sum of the squares of an array of whole vectors."""
    of_all = splat(0.0)
    for i in range(0, a.size, LANES):
        of_all = fma(load(a, i), load(a, i), of_all)
    return float(lane_sum(of_all))


@force_inline
def balance(one: float, other: float) -> float:
    """The factor that makes two vectors of these squared norms equally long, if the first is divided and the second
    multiplied by it; 1 if one of them is zero."""
    return sqrt(sqrt(one / other)) if one > 0.0 and other > 0.0 else 1.0


@kernel
def factors_step(
    memory: Factors, weights: Weights, trials: Trials, k_trial: int, p: int, width: int, r: int, rule: Rule, t: int,
    work: Workspace,
) -> None:  # fmt: skip
    """A(t) and B(t) of draw r of trial `k_trial`, which is number p in lockstep, and B(t)^T q(t)."""
    n_rec, units, sources = weights.n_rec, weights.units, work.sources
    a, b, through, gain, q, row = memory.a, memory.b, memory.through, memory.gain, memory.q, len(memory.q)
    before, after = (t * width + p) * work.source_row, ((t + 1) * width + p) * work.source_row
    project_error(weights, rule, work.errors, (t * width + p) * weights.w_out.shape[0], q)
    for i in range(0, row, LANES):
        store(gain, i, gain_of(units, sources, before, after, work.gains, (t * width + p) * row, i))
    for i in range(n_rec, row):
        gain[i] = 0.0
    clear(through)
    products(
        through,
        Rows(0, row),
        b,
        Scalars(0, 1, row),
        weights.effective,
        Rows(0, row),
        Extent(n_rec, row // LANES, n_rec),
    )
    of_source = splat(0.0)
    for i in range(0, len(a), LANES):
        of_source = fma(load(sources, before + i), load(sources, before + i), of_source)
    for j in range(n_rec):
        for i in range(0, row, LANES):
            leaked = leak_of(units, i) * load(b, j * row + i)
            store(b, j * row + i, fma(load(gain, i), load(through, j * row + i), leaked))
    byte = trials.signs[k_trial, t, r, 0]
    nu0, nu1 = 1.0 - 2.0 * (byte & 1), 1.0 - 2.0 * (byte >> 1 & 1)
    r0, r1 = nu0 * balance(squares(b), squares(a)), nu1 * balance(squares(gain), lane_sum(of_source))
    for i in range(0, len(a), LANES):
        store(a, i, fma(splat(r0), load(a, i), splat(r1) * load(sources, before + i)))
    for j in range(n_rec):
        effect = splat(0.0)
        for i in range(0, row, LANES):
            store(b, j * row + i, splat(1.0 / r0) * load(b, j * row + i))
        b[j, j] += gain[j] / r1
        for i in range(0, row, LANES):
            effect = fma(load(q, i), load(b, j * row + i), effect)
        memory.effect[t * row + j] = lane_sum(effect)
    memory.decay[t], memory.share[t] = r0, r1 / trials.signs.shape[2]


@kernel
def factors_forward(
    memory: Factors, weights: Weights, trials: Trials, begin: int, rule: Rule, n_steps: int, width: int, work: Workspace
) -> None:
    """All draws of trials `begin` to ``begin + width``, forward through `work`, then filtered backwards."""
    row, filtered = len(memory.q), memory.q
    clear(memory.credit)
    for p in range(width):
        for r in range(trials.signs.shape[2]):
            clear(memory.a)
            clear(memory.b)
            for t in range(n_steps):
                factors_step(memory, weights, trials, begin + p, p, width, r, rule, t, work)
            clear(filtered)
            for t in range(n_steps - 1, -1, -1):
                to = (t * width + p) * row
                for i in range(0, row, LANES):
                    w = load(memory.effect, t * row + i) + load(filtered, i)
                    store(memory.credit, to + i, fma(splat(memory.share[t]), w, load(memory.credit, to + i)))
                    store(filtered, i, splat(memory.decay[t]) * w)


@kernel
def factors_back(memory: Factors, first: int, last: int, width: int, work: Workspace) -> None:
    """The credit of the steps from `first` to `last` into ``work.credit``."""
    row = len(memory.q)
    for k in range((last - first) * width):
        copy_part(memory.credit, (first * width + k) * row, work.credit, k * work.credit_row, row)


def _start_uoro(
    memory: Any, weights: Weights, trials: Trials, begin: int, rule: Rule, n_steps: int, width: int, work: Workspace
) -> None:
    uoro_filter(memory, weights, trials, n_steps, width, work)


def _start_factors(
    memory: Any, weights: Weights, trials: Trials, begin: int, rule: Rule, n_steps: int, width: int, work: Workspace
) -> None:
    factors_forward(memory, weights, trials, begin, rule, n_steps, width, work)


def _uoro_credit(
    memory: Any, weights: Weights, trials: Trials, begin: int, first: int, last: int, width: int, work: Workspace
) -> None:
    uoro_back(memory, weights, trials, begin, first, last, width, work)


def _factors_credit(
    memory: Any, weights: Weights, trials: Trials, begin: int, first: int, last: int, width: int, work: Workspace
) -> None:
    factors_back(memory, first, last, width, work)


start_estimate = specialise(Uoro, _start_uoro, _start_factors)
credit_of_estimate = specialise(Uoro, _uoro_credit, _factors_credit)
