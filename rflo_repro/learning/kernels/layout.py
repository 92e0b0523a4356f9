"""The memory layout of weights and histories, and the data types of the kernels.

Every row is padded with zeros to a whole number of vectors, so that no loop has a remainder. Both
matrices of a network are one array ``m`` of shape ``(n_rec + n_in, padded(n_rec))``: row ``j < n_rec`` is ``w_rec[:,
j]`` and row ``n_rec + c`` is ``w_in[:, c]``. A time step is then one sum over the rows of ``m`` times the source
vector ``[h(t-1) | x(t)]``, and the gradient of both matrices is one product over time in the same layout.

In a source row ``x(t)`` follows the ``n_rec`` elements of ``h(t-1)`` at once, where other rows have padding. Loops over
whole vectors of ``h`` write there before x is put in, and read x there afterwards; these results are never used.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..validate import Array as Array

LANES = 8
"""Doubles in a vector: one cache line."""

TERMS_AT_ONCE = 64
"""Rows of a history in one product: a tile's share of them stays in the nearest cache for all rows of the sum."""

_ALIGNMENT = 8 * LANES

Indices = NDArray[np.int64]
Bits = NDArray[np.uint8]

LEAK, FULL, NONE, DIAGONAL = 0, 1, 2, 3
CARRIES = {"leak": LEAK, "full": FULL, "none": NONE, "diagonal": DIAGONAL}
"""The kernels' number of each carry of a rule."""

TANH, RELU, SOFTPLUS, SIGMOID, IDENTITY = range(5)
PHIS = {"tanh": TANH, "relu": RELU, "softplus": SOFTPLUS, "sigmoid": SIGMOID, "identity": IDENTITY}
"""The kernels' number of each activation function."""

SGD, MOMENTUM, RMSPROP, ADAM = range(4)
METHODS = {"sgd": SGD, "momentum": MOMENTUM, "rmsprop": RMSPROP, "adam": ADAM}
"""The kernels' number of each method of an optimiser."""


def padded(n: int) -> int:
    """`n` rounded up to a whole number of vectors."""
    return -(-n // LANES) * LANES


def aligned_zeros(*shapes: tuple[int, ...]) -> list[Array]:
    """An array of zeros for each shape: C-contiguous float64, each starting on a cache line, so that no row of whole
    vectors straddles two. They are cut from one piece of memory: how they lie to one another is always the same."""
    starts = [0]
    for shape in shapes:
        starts.append(starts[-1] + padded(prod(shape)))
    raw = np.zeros(8 * starts[-1] + _ALIGNMENT, dtype=np.uint8)
    offset = -raw.ctypes.data % _ALIGNMENT
    flat = raw[offset : offset + 8 * starts[-1]].view(np.float64)
    return [flat[start : start + prod(shape)].reshape(shape) for start, shape in zip(starts[:-1], shapes, strict=True)]


class Units(NamedTuple):
    """Units of any kind: other than tanh, with time constants of their own, or with a mask. The padding is zero."""

    phi: int
    """One of `PHIS`."""
    rate: Array
    """(padded,): 1/tau of each unit."""
    leak: Array
    """(padded,): 1 - 1/tau of each unit."""
    mask: Array
    """Like `m`, or like its recurrent rows: 1 where there is a synapse, else 0; or (0, padded): there is no mask."""
    out_mask: Array
    """The same of `w_out`."""


class Weights(NamedTuple):
    """A network. Training changes `m`, `w_out` and, where states are carried on, `state` in place."""

    n_rec: int
    m: Array
    """(n_rec + n_in, padded)."""
    effective: Array
    """The weights of a step: `m` itself or, where the output is fed back, an array of its own with ``W + B Wout`` in
    place of W, see `dynamics.update_effective_weights`."""
    w_out: Array
    """(n_out, padded)."""
    b: Array
    """(n_out, padded): B transposed, the feedback weights of rules that are not symmetric."""
    signs: Array
    """(n_rec,) of +1 and -1, or (0,): Dale's law, see `updates.apply_update`."""
    state: Array
    """(padded,): where a trial starts."""
    units: float | Units
    """The time constant of tanh units without a mask, or `Units`; the kernels are compiled for each by itself."""
    output_feedback: bool
    """Whether the output of the step before is fed back: ``u(t) += B y(t-1)``."""


class Trials(NamedTuple):
    """The trials of a session, each one of S distinct ones."""

    inputs: Array
    """(S, T, n_in)."""
    targets: Array
    """(S, T, n_out). NaN: no error."""
    order: Indices
    """(K,): which of them trial k is; K is a multiple of `batch`."""
    batch: int
    """Trials whose updates are summed and applied together."""
    reset_state: bool
    """Whether every trial starts at `Weights.state`; otherwise the first does, and `state` ends where the last did."""
    noise: Array = np.zeros((0, 0, 0))
    """(K, T, n_rec): added to u(t) of trial k, for `Units` alone; or (0, 0, 0): none."""
    lengths: Indices | float = 0.0
    """(S,): the timesteps of each, after which its targets are NaN. Or 0.0: all have T, as online trials do, and the
    kernels are compiled for that case."""
    signs: Bits = np.zeros((0, 0, 0, 0), dtype=np.uint8)
    """(K, T, draws, bytes): Rademacher signs of trial k, for stochastic rules; sign i is minus where bit i % 8 of byte
    i // 8 is set."""
    loss: float | bool = 0.0
    """Half the squared error, or, where it is True, the cross-entropy of the softmax: the kernels are compiled for each
    by itself."""


class Rule(NamedTuple):
    """The switches of a rule."""

    symmetric: bool
    """F = Wout^T in place of B."""
    carry: int
    """C, one of `CARRIES`: nothing (SnAp-0), the leak alone (RFLO, Eq. 5-6), the diagonal of the Jacobian (SnAp-1), or
    all of it (BPTT, Eq. 28-29; RTRL, Eq. 11)."""
    trace_tau: float = 0.0
    """With the leak alone: the time constant of the trace, or 0 for the network's own."""
    truncation: int = 0
    """No error is carried out of a block of so many steps; 0: the trial is one block."""
    ahead: int = 0
    """A step takes the error of so many steps later; the last ones take that of the last."""


class Perturbation(NamedTuple):
    """The switches of a rule that learns from rewards, see `rewards`."""

    sigma: float
    """Size of the perturbation."""
    at_end: bool
    """Whether there is one reward, at the end of the trial, instead of one a step."""
    carry: int
    """C, one of `CARRIES`: 0, the leak, or, for all of it, 1."""
    trace_tau: float
    """As in `Rule`."""


class Rates(NamedTuple):
    """Learning rates. A matrix whose rate is zero does not change."""

    w_in: float
    w_rec: float
    w_out: float


class Optimizer(NamedTuple):
    """Takes the place of `Rates` where an update is more than a rate times the gradient."""

    w_in: float
    w_rec: float
    w_out: float
    method: int
    """One of `METHODS`."""
    clip: float
    """The largest Euclidean norm of an update, all trained matrices together; infinite: any."""
    weight_decay: float
    beta1: float
    beta2: float
    epsilon: float
    first: Updates
    """Running sums or means of the updates."""
    second: Updates
    """Running means of their squares."""
    powers: Array
    """(2,): `beta1` and `beta2` to the power of the number of updates."""


class LeastSquares(NamedTuple):
    """Takes the place of `Rates` where the readout, and nothing else, learns by recursive least squares."""

    inverse: Array
    """(n_rec, padded): P, the inverse of ``alpha I + sum_t h h^T``, symmetric to the bit. Training changes it."""
    gain: Array
    """(padded,): ``P h / (1 + h.P h)`` of a step; zero where there is no target."""
    w_in: float = 0.0
    w_rec: float = 0.0


class Record(NamedTuple):
    """What is recorded of each trial before its batch's update; unchanged beyond a batch that diverged."""

    loss: Array
    """(K,): L, Eq. 2."""
    alignment: Array
    """(K,): of Wout with B."""


class Updates(NamedTuple):
    """Changes of the weights, in their layout."""

    m: Array
    w_out: Array


class Uoro(NamedTuple):
    """Scratch memory of unbiased online recurrent optimisation: a row for each draw of each trial of a step."""

    a: Array
    """Rows as far apart as those of the sources, whose rows of a step come before: ``A(t)``, with zeros where a source
    row has inputs."""
    u: Array
    """Rows, padded, after those of a step: ``W A(t-1)``."""
    is_unit: Array
    """(padded,): 1 for a unit and 0 in the padding."""
    gain: Array
    """(padded,): ``phi'(u(t)) / tau``, zero in the padding."""
    squares: Array
    """(rows,): the mean of ``|B(t)|^2`` over the signs of the steps so far."""
    shrink: Array
    """n_steps rows: ``1 / r0(t)``."""
    scale: Array
    """n_steps rows: ``1 / r1(t)``, divided by the number of draws."""
    effect: Array
    """n_steps rows of n_out: ``F^T A(t)``; with symmetric feedback, the effect of A(t) on the outputs."""
    share: Array
    """n_steps rows: ``zeta(t)`` times the scale."""


class Factors(NamedTuple):
    """Scratch memory of Kronecker-factored real-time recurrent learning, one draw of one trial at a time."""

    b: Array
    """(n_rec, padded): B(t) transposed."""
    through: Array
    """(n_rec, padded): the same one step later, through the recurrent weights."""
    a: Array
    """(padded,): A(t), as long as a source."""
    gain: Array
    """(padded,): ``phi'(u(t)) / tau``, zero in the padding."""
    q: Array
    """(padded,): ``F eps(t)``, and on the way back the filtered ``B^T q``."""
    effect: Array
    """n_steps rows, padded: ``B(t)^T q(t)``."""
    decay: Array
    """(n_steps,): the factor of ``A(t-1)`` in A(t)."""
    share: Array
    """(n_steps,): the factor of ``s(t)`` in A(t), divided by the number of draws."""
    credit: Array
    """n_steps width rows, padded: the estimate of ``z(t) phi'(u(t)) / tau``, the mean over draws."""


class Workspace(NamedTuple):
    """Scratch memory of trials whose error is filtered backwards when they have ended.

    A history holds one row for each trial of a step, step after step; `width` trials advance in lockstep.
    """

    width: int
    source_row: int
    """Distance between two rows of `sources`."""
    credit_row: int
    """Distance between two rows of `credit`."""
    sources: Array
    """(n_steps + 1) width rows: ``[h(t) | x(t+1)]``."""
    errors: Array
    """n_steps width rows of n_out: the outputs, then ``eps(t)``."""
    losses: Array
    """n_steps width: the loss of each step, for the cross-entropy alone."""
    credit: Array
    """``z(t) phi'(u(t)) / tau`` for a stretch of the history."""
    gains: Array
    """n_steps width rows, padded: ``phi'(u(t)) / tau``, for `Units` alone: that of tanh follows from the states."""
    u: Array
    """width rows, padded: ``u(t)`` of the step on the way forward."""
    z: Array
    """(width, padded): ``C(t) z(t)``, carried out of the step in the backward pass."""
    updates: Updates
    """T times the update, summed over a batch."""
    back: Array
    """(n_rec, padded): the recurrent weights transposed, for the full carry."""
    diagonal: Array
    """(padded,): ``W_ii`` of the effective weights, for the diagonal carry."""
    estimator: float | Uoro | Factors = 0.0
    """The further memory of UORO or KF-RTRL, or 0.0: the kernels are compiled without either."""


class RewardWorkspace(NamedTuple):
    """Scratch memory of rules that learn from rewards."""

    runs: Workspace
    """Of the unperturbed trials, then of the perturbed ones."""
    noise: Array
    """(width, n_steps, n_rec): what is added to the pre-activations of perturbed trials."""
    baseline: Array
    """n_steps width: ``Rbar(t)``."""
    advantages: Array
    """n_steps width: ``R(t) - Rbar(t)``."""
    loss: Array
    """(width,): of perturbed trials."""
    decay: Array
    """(padded,): C."""
    state: Array
    """(padded,): where an unperturbed trial ended."""


class TraceWorkspace(NamedTuple):
    """Scratch memory of the online rule."""

    source_row: int
    sources: Array
    """Two rows: ``[h(t-1) | x(t)]`` and ``[h(t) | x(t+1)]``, which change places at every step."""
    u: Array
    """(padded,): ``u(t)``, then a partial sum of ``u(t+1)``."""
    gain: Array
    """(padded,): ``phi'(u(t)) / tau``."""
    credit: Array
    """(padded,): ``F eps(t)``."""
    decay: Array
    """(padded,): ``C_ii(t)``, by which a unit's traces decay."""
    y: Array
    """(n_out,): the last output."""
    errors: Array
    """(n_out,): ``eps(t)``."""
    state: Array
    """(padded,): where the trial starts, then where it ended."""
    traces: Array
    """Like `m`: the eligibility traces p and q of Eq. 6."""
    before: Updates
    """The weights at the start of the trial."""
    step: Updates
    """The step's term of Eq. 5, for an optimiser."""


class ExactWorkspace(NamedTuple):
    """Scratch memory of real-time recurrent learning."""

    source_row: int
    sources: Array
    """Two rows, as in `TraceWorkspace`."""
    u: Array
    gain: Array
    credit: Array
    errors: Array
    state: Array
    """(padded,), but for the errors, (n_out,), each as in `TraceWorkspace`."""
    sensitivity: Array
    """Row (j, r), element i: ``d h_i / d m[j, r]``."""
    through: Array
    """The same one step later, through the recurrent weights."""
    updates: Updates
    """T times the update, summed over a batch."""


def _stride(n: int) -> int:
    # rows whose distance is a power of two would compete for a few sets of the cache; an odd number of lines does not
    row = padded(n)
    return row if row // LANES % 2 or row < 16 * LANES else row + LANES


def units(phi: str, tau: Array, mask: NDArray[Any], out_mask: NDArray[Any]) -> Units:
    """Units of any kind. tau: (n_rec,); mask: rows of `m`, and out_mask: of `w_out`, without padding; no rows: none."""
    n = len(tau)
    row = padded(n)
    rate, leak, synapse, out = aligned_zeros((row,), (row,), (len(mask), row), (len(out_mask), row))
    rate[:n], leak[:n], synapse[:, :n], out[:, :n] = 1.0 / tau, 1.0 - 1.0 / tau, mask, out_mask
    return Units(PHIS[phi], rate, leak, synapse, out)


def weights(n_rec: int, n_in: int, n_out: int, signs: Array, units: float | Units, output_feedback: bool) -> Weights:
    """A network of zeros, to be filled."""
    row = padded(n_rec)
    matrix, readout = (n_rec + n_in, row), (n_out, row)
    own = [matrix] if output_feedback else []
    m, w_out, b, state, *effective = aligned_zeros(matrix, readout, readout, (row,), *own)
    return Weights(n_rec, m, effective[0] if effective else m, w_out, b, signs, state, units, output_feedback)


def uoro(n_rec: int, n_in: int, n_out: int, n_steps: int, width: int, draws: int) -> Uoro:
    """Scratch memory for so many draws of each trial, to go into that of `workspace`."""
    row, rows = padded(n_rec), width * draws
    memory = Uoro(
        *aligned_zeros(
            ((width + rows) * _stride(n_rec + n_in),), ((width + rows) * row,), (row,), (row,), (rows,),
            (n_steps * rows,), (n_steps * rows,), (n_steps * rows * n_out,), (n_steps * rows,),
        )
    )  # fmt: skip
    memory.is_unit[:n_rec] = 1.0
    return memory


def factors(n_rec: int, n_in: int, n_steps: int, width: int) -> Factors:
    """Scratch memory for Kronecker factors, to go into that of `workspace`."""
    row = padded(n_rec)
    return Factors(
        *aligned_zeros(
            (n_rec, row), (n_rec, row), (padded(n_rec + n_in),), (row,), (row,),
            (n_steps * row,), (n_steps,), (n_steps,), (n_steps * width * row,),
        )
    )  # fmt: skip


def workspace(
    n_rec: int,
    n_in: int,
    n_out: int,
    n_steps: int,
    width: int = 1,
    store_gains: bool = False,
    estimator: float | Uoro | Factors = 0.0,
) -> Workspace:
    """Scratch memory for trials of at most `n_steps` steps, `width` of them advancing in lockstep.

    store_gains: for networks of `Units`. estimator: for UORO and KF-RTRL.
    """
    row = padded(n_rec)
    source_row, credit_row = _stride(n_rec + n_in), _stride(n_rec)
    sources, errors, losses, credit, gains, u, z, m, w_out, back, diagonal = aligned_zeros(
        ((n_steps + 1) * width * source_row,),
        (n_steps * width * n_out,),
        (n_steps * width,),
        (max(TERMS_AT_ONCE, width) * credit_row,),
        (n_steps * width * row if store_gains else 0,),
        (width * row,),
        (width, row),
        (n_rec + n_in, row),
        (n_out, row),
        (n_rec, row),
        (row,),
    )
    updates = Updates(m, w_out)
    return Workspace(
        width, source_row, credit_row, sources, errors, losses, credit, gains, u, z, updates, back, diagonal, estimator
    )


def reward_workspace(n_rec: int, n_in: int, n_out: int, n_steps: int, width: int) -> RewardWorkspace:
    """Scratch memory for rules that learn from rewards; sizes as in `workspace`."""
    row = padded(n_rec)
    noise, baseline, advantages, loss, decay, state = aligned_zeros(
        (width, n_steps, n_rec), (n_steps * width,), (n_steps * width,), (width,), (row,), (row,)
    )
    runs = workspace(n_rec, n_in, n_out, n_steps, width, store_gains=True)
    return RewardWorkspace(runs, noise, baseline, advantages, loss, decay, state)


def moments(n_rec: int, n_in: int, n_out: int) -> tuple[Updates, Updates]:
    """Zeros for both moments of an `Optimizer`."""
    matrix, readout = (n_rec + n_in, padded(n_rec)), (n_out, padded(n_rec))
    m, w_out, m2, w_out2 = aligned_zeros(matrix, readout, matrix, readout)
    return Updates(m, w_out), Updates(m2, w_out2)


def least_squares(n_rec: int, alpha: float) -> LeastSquares:
    """Recursive least squares before the first state: P = I / alpha."""
    inverse, gain = aligned_zeros((n_rec, padded(n_rec)), (padded(n_rec),))
    for i in range(n_rec):
        inverse[i, i] = 1.0 / alpha
    return LeastSquares(inverse, gain)


def trace_workspace(n_rec: int, n_in: int, n_out: int) -> TraceWorkspace:
    """Scratch memory for the online rule."""
    row, source_row = padded(n_rec), padded(n_rec + n_in)
    matrix, readout = (n_rec + n_in, row), (n_out, row)
    sources, u, gain, credit, decay, y, errors, state, traces, m, w_out, step_m, step_w_out = aligned_zeros(
        (2 * source_row,), (row,), (row,), (row,), (row,), (n_out,), (n_out,), (row,),
        matrix, matrix, readout, matrix, readout,
    )  # fmt: skip
    before, step = Updates(m, w_out), Updates(step_m, step_w_out)
    return TraceWorkspace(source_row, sources, u, gain, credit, decay, y, errors, state, traces, before, step)


def exact_workspace(n_rec: int, n_in: int, n_out: int) -> ExactWorkspace:
    """Scratch memory for real-time recurrent learning: two arrays of some ``n_rec^3`` elements."""
    row, source_row = padded(n_rec), padded(n_rec + n_in)
    sensitivities = ((n_rec + n_in) * n_rec, row)
    sources, u, gain, credit, errors, state, sensitivity, through, m, w_out = aligned_zeros(
        (2 * source_row,),
        (row,),
        (row,),
        (row,),
        (n_out,),
        (row,),
        sensitivities,
        sensitivities,
        (n_rec + n_in, row),
        (n_out, row),
    )
    return ExactWorkspace(source_row, sources, u, gain, credit, errors, state, sensitivity, through, Updates(m, w_out))
