"""The losses that a network is trained to lower, and the targets that each of them takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from rflo_repro.learning import exact_math, kernels, validate
from rflo_repro.learning.task import LOSSES
from rflo_repro.learning.validate import Array

# how far from 1 the sum of the probabilities of a timestep may be
ROUNDING = 1e-9


def checked(loss: Any) -> str:
    """The name of a loss. Raises ValueError."""
    return validate.one_of("loss", loss, LOSSES)


def targets_of(loss: str, targets: Any, n_steps: int, n_out: int) -> Array:
    """A trial's targets (T, Ny), checked and copied; class numbers become probabilities of 0 and 1. Raises
    ValueError."""
    n_dim = validate.as_array("targets", targets, f"an array of shape ({n_steps}, {n_out})").ndim
    if loss == "squared":
        if n_dim == 1 and n_out > 1:
            raise ValueError(
                f"targets must have shape ({n_steps}, {n_out}), got one number a timestep; class numbers need "
                "loss='cross-entropy'"
            )
        return validate.array("targets", targets, (n_steps, n_out), missing=True)
    if n_out < 2:
        raise ValueError(f"cross-entropy needs at least two outputs, one for each class, got {n_out}")
    if n_dim == 1:
        return _one_hot(validate.array("targets", targets, (n_steps,), missing=True), n_out)
    probabilities = validate.array("targets", targets, (n_steps, n_out), missing=True)
    missing = np.isnan(probabilities)
    if (missing.any(axis=1) != missing.all(axis=1)).any():
        raise ValueError("targets must be missing for all classes of a timestep or for none, with cross-entropy")
    there = probabilities[~missing.any(axis=1)]
    if (there < 0.0).any() or (np.abs(there.sum(axis=1) - 1.0) > ROUNDING).any():
        raise ValueError("targets must be class numbers, or probabilities that sum to 1 in each timestep")
    return probabilities


def _one_hot(classes: Array, n_out: int) -> Array:
    there = np.flatnonzero(~np.isnan(classes))
    numbers = classes[there].astype(np.int64)
    if (numbers != classes[there]).any() or (numbers < 0).any() or (numbers >= n_out).any():
        raise ValueError(f"targets must be class numbers from 0 to {n_out - 1}, or NaN where there is none")
    probabilities = np.full((len(classes), n_out), np.nan)
    probabilities[there] = np.eye(n_out)[numbers]
    return probabilities


def switch(loss: str) -> float | bool:
    """As `kernels.Trials` takes it."""
    return 0.0 if loss == "squared" else True


def of_outputs(loss: str, targets: Array, y: Array) -> float:
    """L of a trial's outputs (T, Ny), averaged over its T timesteps: Eq. 2, or the cross-entropy in nats."""
    if loss != "squared":
        return float(kernels.cross_entropy(targets[None], y.ravel().copy()))
    eps = np.where(np.isnan(targets), 0.0, targets - y)
    # numbers that overflow are a divergence, however warnings are treated
    with np.errstate(over="ignore", invalid="ignore"):
        return float(exact_math.sum(np.ravel(eps * eps)) / (2.0 * len(y)))
