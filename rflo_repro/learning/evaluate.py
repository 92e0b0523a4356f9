"""A network on given trials: its states and outputs, and the update that a rule makes of one trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rflo_repro.learning import kernels, losses, validate
from rflo_repro.learning.algorithms import Algorithm
from rflo_repro.learning.network import Network
from rflo_repro.learning.packing import (
    NO_NOISE,
    NO_SIGNS,
    LeastSquaresState,
    PackedNetwork,
    new_record,
    one_trial,
    random_signs,
)
from rflo_repro.learning.rules import MATRICES, LearningRule, resolve
from rflo_repro.learning.validate import Array


@dataclass(frozen=True, eq=False, repr=False)
class Run(validate.ShortRepr):
    """What a network did in a trial, or in B trials in lockstep.

    Parameters
    ----------
    h : ndarray
        States, (T, N) or (B, T, N); row k is time k+1.
    y : ndarray
        Outputs, (T, Ny) or (B, T, Ny); row k is time k+1.
    """

    h: Array
    y: Array
    _of: tuple[Network, Array, Array] | None = field(default=None, repr=False)

    @property
    def u(self) -> Array:
        """Pre-activations, (T, N) or (B, T, N): u(t) = W h(t-1) + Win x(t) and what else is added, computed again from
        the states, up to rounding.

        Raises
        ------
        AttributeError
            For a run that was made by hand.
        """
        if self._of is None:
            raise AttributeError("u is known for what `run` returned alone")
        net, inputs, noise = self._of
        before = np.concatenate([np.broadcast_to(net.h0, self.h[..., :1, :].shape), self.h[..., :-1, :]], axis=-2)
        u = before @ net.w_rec.T + inputs @ net.w_in.T
        if net.bias is not None:
            u += net.bias
        if net.output_feedback:
            u += (before @ net.w_out.T) @ net.feedback.T
        return u + noise if noise.size > 0 else u


@dataclass(frozen=True, eq=False, repr=False)
class Updates(validate.ShortRepr):
    """One trial's weight changes at learning rate 1, with the 1/T of Eq. 15.

    Parameters
    ----------
    w_in, w_rec, w_out : ndarray
        (N, Nx), (N, N) and (Ny, N); zero where the rule does not train a matrix.
    loss : float
        L of Eq. 2: half the squared error summed over outputs, averaged over the trial's T timesteps.
    bias : ndarray or None
        (N,), trained where `w_in` is; None for a network without a bias.
    """

    w_in: Array
    w_rec: Array
    w_out: Array
    loss: float
    bias: Array | None = None


Rule = Callable[[Network, Array, Array, Run], Updates]
"""The user's own rule: from a network, a trial's inputs (T, Nx) and targets (T, Ny), and its Run to the updates."""


def checked_trial(inputs: Any, targets: Any, net: Network, loss: str) -> tuple[Array, Array]:
    """One trial's arrays, (T, Nx) and (T, Ny), checked and copied. Raises ValueError."""
    inputs = validate.array("inputs", inputs, (None, net.n_in))
    if inputs.shape[0] < 1:
        raise ValueError("inputs must have at least one timestep, got shape " + str(inputs.shape))
    return inputs, losses.targets_of(loss, targets, len(inputs), net.n_out)


def _checked_noise(noise: Any, shape: tuple[int, ...]) -> Array:
    """Noise of this shape, checked; of size zero if there is none. Raises ValueError."""
    return np.zeros((0,) * len(shape)) if noise is None else validate.array("noise", noise, shape)


def run(net: Network, inputs: Array, noise: Array | None = None) -> Run:
    """Run a network from its h0 (Eq. 1).

    Parameters
    ----------
    net : Network
        The network.
    inputs : ndarray
        (T, Nx), or (B, T, Nx) for B trials in lockstep; row k is time k+1. Without inputs: ``np.zeros((T, 0))``.
    noise : ndarray, optional
        (T, N) or (B, T, N), added to the pre-activations u of the units.

    Returns
    -------
    Run
        The states (T, N) and outputs (T, Ny), or those of B trials.

    Raises
    ------
    ValueError
        For a wrong shape, or a value that is not finite.
    """
    net = validate.instance("net", net, Network)
    several = validate.as_array("inputs", inputs, "an array of shape (T, Nx) or (B, T, Nx)").ndim == 3
    inputs = validate.array("inputs", inputs, (None, None, net.n_in) if several else (None, net.n_in))
    noise = _checked_noise(noise, (*inputs.shape[:-1], net.n_rec))
    inputs, noise = (inputs, noise) if several else (inputs[None], noise[None])
    n_trials, n_steps = inputs.shape[:2]
    packed = PackedNetwork(net, noisy=noise.size > 0)
    work = packed.workspace(n_steps, max(1, n_trials))
    if n_trials > 0:
        trials = kernels.Trials(
            np.stack([packed.inputs(trial) for trial in inputs]),
            np.zeros((n_trials, n_steps, net.n_out)),  # targets of zero: the error is minus the output
            np.arange(n_trials),
            batch=n_trials,
            reset_state=True,
            noise=noise if noise.size > 0 else NO_NOISE,
        )
        kernels.forward(packed.weights, trials, new_record(n_trials), work)
    # step after step, a row for each trial
    states = work.sources.reshape(n_steps + 1, work.width, work.source_row)[1:, :n_trials, : net.n_rec]
    outputs = -work.errors.reshape(n_steps, work.width, net.n_out)[:, :n_trials]
    h, y = states.transpose(1, 0, 2).copy(), outputs.transpose(1, 0, 2).copy()
    if several:
        return Run(h, y, (net, inputs, noise))
    return Run(h[0], y[0], (net, inputs[0], noise[0]))


def weight_updates(
    net: Network,
    inputs: Array,
    targets: Array,
    rule: str | LearningRule | Rule = "rflo",
    noise: Array | None = None,
    rng: np.random.Generator | None = None,
    loss: str = "squared",
) -> Updates:
    """One trial's update at learning rate 1, with the 1/T of Eq. 15 (Eq. 10, 15 or 23, by the rule).

    For the exact rules it is minus the gradient of the loss, the noise held fixed.

    Parameters
    ----------
    net : Network
        The network, which stays as it is.
    inputs : ndarray
        (T, Nx); row k is time k+1.
    targets : ndarray
        (T, Ny), or (T,) of class numbers with the cross-entropy. Where a target is NaN the error is zero; T counts all
        timesteps.
    rule : str, LearningRule or callable
        A name from `RULES`, a rule, or a function as `train` takes it.
    noise : ndarray, optional
        (T, N), added to the pre-activations u of the units.
    rng : numpy.random.Generator, optional
        For the Rademacher signs of a stochastic rule; a new one by default.
    loss : {"squared", "cross-entropy"}
        As in `train`.

    Returns
    -------
    Updates
        The weight changes, and the trial's loss.

    Raises
    ------
    ValueError
        For a wrong shape, a value that is not finite, or an unknown rule.
    """
    net = validate.instance("net", net, Network)
    loss = losses.checked(loss)
    inputs, targets = checked_trial(inputs, targets, net, loss)
    if not isinstance(rule, (str, LearningRule)) and callable(rule):
        return _own_updates(net, inputs, targets, rule, noise, loss)
    rule = resolve(rule)
    check_fit(rule, loss, net)
    algorithm = rule.algorithm
    n_steps = len(inputs)
    fixed = _checked_noise(noise, (n_steps, net.n_rec))
    rng = np.random.default_rng() if rng is None else validate.generator("rng", rng)
    signs = random_signs(rule, net.n_rec, n_steps, rng)[None] if algorithm.n_signs(net.n_rec) else NO_SIGNS
    packed = PackedNetwork(net, noisy=fixed.size > 0 or algorithm.perturbs)
    trial = one_trial(packed.inputs(inputs), targets, fixed[None] if fixed.size > 0 else NO_NOISE, signs)
    trial = trial._replace(loss=losses.switch(loss))
    updates, found = kernel_updates(packed, trial, rule, algorithm)
    for name, dw in updates.items():
        if (name if name != "bias" else "w_in") not in rule.trains:
            dw[:] = 0.0
    return Updates(**updates, loss=found)


def check_fit(rule: LearningRule, loss: str, net: Network) -> None:
    """Raises ValueError for what a fit by least squares cannot do."""
    if rule.algorithm.least_squares and loss != "squared":
        raise ValueError(f"loss must be 'squared' with {rule.name}, which fits by least squares, got {loss!r}")
    if rule.algorithm.least_squares and net.mask_out is not None:
        raise ValueError(f"mask_out must be None with {rule.name}, which fits the whole readout, got a mask")


def _own_updates(net: Network, inputs: Array, targets: Array, rule: Rule, noise: Array | None, loss: str) -> Updates:
    """What a rule of the user's own makes of one trial, checked. Raises ValueError."""
    seen = run(net, inputs, noise)
    found = losses.of_outputs(loss, targets, seen.y)
    return replace(checked_updates(net, rule(net, inputs, targets, seen)), loss=found)


def checked_updates(net: Network, returned: Any) -> Updates:
    """What a rule of the user's own returned, copied. Raises ValueError unless it is the updates of this network."""
    returned = validate.instance("what rule returns", returned, Updates)
    shapes: dict[str, Any] = {name: getattr(net, name).shape for name in MATRICES}
    if net.bias is not None and returned.bias is not None:
        shapes["bias"] = net.bias.shape
    copies = {
        name: validate.any_array(f"{name} of what rule returns", getattr(returned, name), shape)
        for name, shape in shapes.items()
    }
    return Updates(**copies, loss=returned.loss)


def kernel_updates(
    packed: PackedNetwork, trial: kernels.Trials, rule: LearningRule, algorithm: Algorithm
) -> tuple[dict[str, Array], float]:
    """The updates of all matrices, whether the rule trains them or not, that an algorithm makes of one trial, and L."""
    record = new_record(1)
    summed = kernels.Updates(np.empty_like(packed.weights.m), np.empty_like(packed.weights.w_out))
    fit = [] if rule.alpha is None else [LeastSquaresState(rule.alpha, packed).fit]
    work = algorithm.workspace(kernels, rule, packed, trial.inputs.shape[1], 1)
    update = getattr(kernels, algorithm.update)
    update(packed.weights, trial, algorithm.switches(kernels, rule), record, summed, *fit, work)
    return packed.split(summed), float(record.loss[0])
