"""Networks, trials and optimisers as the kernels take them: padded arrays, which training changes in place."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import kernels
from rflo_repro.learning.network import Network
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.rules import LearningRule
from rflo_repro.learning.validate import Array

Signs = npt.NDArray[np.uint8]

NO_NOISE: Array = np.zeros((0, 0, 0))
NO_SIGNS: Signs = np.zeros((0, 0, 0, 0), dtype=np.uint8)


class PackedNetwork:
    """A network's weights in the kernels' padded layout. A bias is the last input, which is always 1.

    noisy: whether anything is added to the pre-activations of the units.
    sizes: N, the inputs with that of the bias, and Ny.
    """

    def __init__(self, net: Network, noisy: bool = False) -> None:
        n = net.n_rec
        self.net = net
        self.sizes = n, net.n_in + (net.bias is not None), net.n_out
        signs = np.zeros(0) if net.signs is None else net.signs.copy()
        self.weights = w = kernels.weights(*self.sizes, signs, _units(net, noisy), net.output_feedback)
        w.m[:n, :n], w.m[n : n + net.n_in, :n] = net.w_rec.T, net.w_in.T
        if net.bias is not None:
            w.m[-1, :n] = net.bias
        w.w_out[:, :n], w.b[:, :n], w.state[:n] = net.w_out, net.feedback.T, net.h0

    def workspace(
        self, n_steps: int, width: int = 1, estimator: float | kernels.Uoro | kernels.Factors = 0.0
    ) -> kernels.Workspace:
        """Scratch memory for trials of so many timesteps, `width` of them in lockstep."""
        store_gains = isinstance(self.weights.units, kernels.Units)
        return kernels.workspace(*self.sizes, n_steps, width, store_gains, estimator)

    def inputs(self, inputs: Array) -> Array:
        """A trial's inputs (T, Nx) with that of the bias."""
        return inputs if self.net.bias is None else np.column_stack([inputs, np.ones(len(inputs))])

    def split(self, updates: kernels.Updates) -> dict[str, Array]:
        """Arrays in the kernels' layout as a matrix each, by the names of `Network`."""
        n, n_in = self.net.n_rec, self.net.n_in
        parts = {
            "w_in": updates.m[n : n + n_in, :n].T.copy(),
            "w_rec": updates.m[:n, :n].T.copy(),
            "w_out": updates.w_out[:, :n].copy(),
        }
        return parts if self.net.bias is None else {**parts, "bias": updates.m[-1, :n].copy()}

    def network(self) -> Network:
        """The network with its present weights."""
        w: dict[str, Any] = {**self.split(kernels.Updates(self.weights.m, self.weights.w_out))}
        return replace(self.net, **w)


def _units(net: Network, noisy: bool) -> float | kernels.Units:
    """The time constant alone for the paper's units without noise, whose kernels need nothing else."""
    masks = (net.mask_in, net.mask, net.mask_out)
    if not noisy and net.phi == "tanh" and all(mask is None for mask in masks) and isinstance(net.tau, float):
        return net.tau
    n = net.n_rec
    rows = [] if net.mask is None and net.mask_in is None else [np.ones((n, n)) if net.mask is None else net.mask.T]
    if net.mask_in is not None:
        rows += [net.mask_in.T, np.ones((int(net.bias is not None), n))]
    synapses = np.vstack([np.ones((0, n)), *rows])
    out = np.ones((0, n)) if net.mask_out is None else net.mask_out
    return kernels.units(net.phi, np.broadcast_to(net.tau, (n,)), synapses, out)


def random_signs(rule: LearningRule, n_rec: int, n_steps: int, rng: np.random.Generator) -> Signs:
    """(T, draws, bytes): the Rademacher signs of one trial, a bit each."""
    shape = n_steps, rule.draws, -(-rule.algorithm.n_signs(n_rec) // 8)
    return np.frombuffer(rng.bytes(math.prod(shape)), dtype=np.uint8).reshape(shape)


def one_trial(inputs: Array, targets: Array, noise: Array = NO_NOISE, signs: Signs = NO_SIGNS) -> kernels.Trials:
    """A session of one trial, (T, inputs) and (T, Ny); noise is (1, T, N) and signs (1, T, draws, bytes)."""
    return kernels.Trials(inputs[None], targets[None], np.zeros(1, dtype=np.int64), 1, True, noise, signs=signs)


def new_record(n_trials: int) -> kernels.Record:
    """NaN for the loss and the alignment of each trial."""
    return kernels.Record(loss=np.full(n_trials, math.nan), alignment=np.full(n_trials, math.nan))


class GradientState:
    """An optimiser between batches: its moments, if it has any."""

    def __init__(self, optimizer: Optimizer, packed: PackedNetwork) -> None:
        self.optimizer = optimizer
        if not optimizer.plain:
            self.first, self.second = kernels.moments(*packed.sizes)
            self.powers = np.ones(2)

    def at(self, rates: kernels.Rates) -> kernels.Rates | kernels.Optimizer:
        """What the kernels take for it: the rates alone where an update is just added."""
        o = self.optimizer
        if o.plain:
            return rates
        return kernels.Optimizer(
            *rates,
            method=kernels.METHODS[o.method],
            clip=math.inf if o.clip is None else o.clip,
            weight_decay=o.weight_decay,
            beta1=o.beta1,
            beta2=o.beta2,
            epsilon=o.epsilon,
            first=self.first,
            second=self.second,
            powers=self.powers,
        )

    @property
    def moments(self) -> list[Array]:
        """All that it remembers, which a resumed training needs."""
        return [] if self.optimizer.plain else [*self.first, *self.second, self.powers]


class LeastSquaresState:
    """Recursive least squares between trials, in place of an optimiser."""

    def __init__(self, alpha: float, packed: PackedNetwork) -> None:
        self.fit = kernels.least_squares(packed.net.n_rec, alpha)

    def at(self, rates: kernels.Rates) -> kernels.LeastSquares:
        """What the kernels take for it, whatever the rates."""
        return self.fit

    @property
    def moments(self) -> list[Array]:
        """All that it remembers: the inverse correlation matrix P."""
        return [self.fit.inverse]


def optimizer_state(
    rule: LearningRule | Any, optimizer: Optimizer, packed: PackedNetwork
) -> GradientState | LeastSquaresState:
    """The state of an optimiser, or of a rule's recursive least squares, before the first trial."""
    if isinstance(rule, LearningRule) and rule.alpha is not None:
        return LeastSquaresState(rule.alpha, packed)
    return GradientState(optimizer, packed)
