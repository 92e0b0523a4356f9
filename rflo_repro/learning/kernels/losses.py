"""The errors of the outputs in a timestep, and their loss: half the squared error, or the cross-entropy of a softmax.

With the softmax p of the outputs and the probabilities p* that are wanted, the cross-entropy is ``-sum_k p*_k ln p_k``,
in nats, and ``eps = p* - p`` is minus its derivative by y, as it is of the squared error.
"""

from __future__ import annotations

from typing import Any

from .activation import exp_of_minus
from .layout import Array, Workspace
from .normal import logarithm
from .vector import force_inline, kernel, lane_sum, specialise, splat


@force_inline
def error(target: float, y: float) -> float:
    """``eps`` of an output: zero where the target is NaN."""
    return target - y if target == target else 0.0


def _differences(loss: Any, targets: Array, trial: int, t: int, y: Array, at: int) -> float:
    """Put the errors of a step in the place of its outputs, which begin at element `at` of `y`.

    Returns twice the step's loss, unless that follows from each output's error."""
    for k in range(targets.shape[2]):
        y[at + k] = error(targets[trial, t, k], y[at + k])
    return 0.0


@force_inline
def _first(x: Any) -> float:
    """The number of which `x` is eight copies: their sum is exact."""
    return float(lane_sum(x)) / 8.0


def _softmax_differences(loss: Any, targets: Array, trial: int, t: int, y: Array, at: int) -> float:
    n_out = targets.shape[2]
    if targets[trial, t, 0] != targets[trial, t, 0]:
        for k in range(n_out):
            y[at + k] = 0.0
        return 0.0
    largest = y[at]
    for k in range(1, n_out):
        largest = max(largest, y[at + k])
    total, wanted, short = 0.0, 0.0, 0.0
    for k in range(n_out):
        target, below = targets[trial, t, k], largest - y[at + k]
        wanted += target
        short += target * below
        y[at + k] = _first(exp_of_minus(splat(below)))
        total += y[at + k]
    for k in range(n_out):
        y[at + k] = targets[trial, t, k] - y[at + k] / total
    return 2.0 * (short + wanted * _first(logarithm(splat(total))))


put_errors = specialise(float, _differences, _softmax_differences)


def _squared(loss: Any, eps: float, k: int, twice: float) -> float:
    """What output k adds to twice the loss of a step, of which `put_errors` returned `twice`."""
    return eps * eps


def _of_the_step(loss: Any, eps: float, k: int, twice: float) -> float:
    return twice if k == 0 else 0.0


twice_loss = specialise(float, _squared, _of_the_step)


def _no_need(loss: Any, work: Workspace, index: int, twice: float) -> None:
    """Keep the loss of a step, unless it follows from its errors."""


def _keep(loss: Any, work: Workspace, index: int, twice: float) -> None:
    work.losses[index] = twice / 2.0


keep_loss = specialise(float, _no_need, _keep)


def _from_errors(loss: Any, work: Workspace, index: int, n_out: int) -> float:
    """R(t) of the step with this index in the history: minus its loss."""
    squares = 0.0
    for k in range(n_out):
        squares += work.errors[index * n_out + k] * work.errors[index * n_out + k]
    return -0.5 * squares


def _kept(loss: Any, work: Workspace, index: int, n_out: int) -> float:
    return float(-work.losses[index])


reward = specialise(float, _from_errors, _kept)


@kernel
def cross_entropy(targets: Array, y: Array) -> float:
    """The loss of given outputs, the mean over the trial's timesteps. targets: (1, T, n_out). y: as many, overwritten
    by the errors."""
    n_steps, n_out = targets.shape[1:]
    total = 0.0
    for t in range(n_steps):
        total += put_errors(True, targets, 0, t, y, t * n_out)
    return float(total / (2.0 * n_steps))
