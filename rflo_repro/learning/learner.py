"""Learning while it happens: a network that is moved, and learns, one timestep at a time."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np

from rflo_repro.learning import exact_math, kernels, losses, optimizers, validate
from rflo_repro.learning.evaluate import check_fit
from rflo_repro.learning.kernels import steps
from rflo_repro.learning.network import Network, children
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.packing import PackedNetwork
from rflo_repro.learning.rules import LearningRule, resolve
from rflo_repro.learning.settings import Eta, kernel_rates
from rflo_repro.learning.validate import Array

# Noise is sampled for so many steps at a time: a call for each would take longer than the step
NOISE_STEPS = 256
_NONE = np.zeros(0)


class Learner:
    """A network that learns online, for whoever holds the loop (Eq. 1, 5 and 6).

    `step` moves state and eligibility traces, and `learn` changes the weights; what is not learned from, or is learned
    from later than it happened, is the caller's to say.

    Parameters
    ----------
    net : Network
        Where it begins. The network itself stays as it is.
    rule : str or LearningRule
        A rule that is local in time: `rflo`, `local`, `readout-only`, `snap-0`, `snap-1`, `force`, or one of your own
        with the Jacobian approximation `leak`, `none` or `diagonal`.
    eta : float, LearningRates, or dict
        Learning rate of a step, for all matrices or for each. Eq. 5 has no 1/T: with `eta / T` a trial of T steps
        changes the weights by the same bits as ``train(..., online=True)`` with `eta`.
    rng : numpy.random.Generator, optional
        Where the noise comes from; a stream of its own is derived from a copy of it, as in `train`.
    optimizer : str or Optimizer
        What becomes of a step's update. `clip` bounds the step's term of Eq. 5, without the rate.
    noise : float
        Standard deviation of Gaussian noise that is added to the pre-activation u of every unit at every step.
    loss : {"squared", "cross-entropy"}
        As in `train`; with the cross-entropy a target is the number of a class, or the probability of each.

    Raises
    ------
    ValueError
        For a rule that is not local in time, or a value that is not as said here.

    Examples
    --------
    >>> import numpy as np, rflo_repro as rr
    >>> net = rr.Network.random(30, n_in=1, n_out=1, rng=np.random.default_rng(0))
    >>> learner = rr.Learner(net, rule="rflo", eta=0.001)
    >>> for t in range(1000):
    ...     y = learner.step([1.0])
    ...     learner.learn(np.sin(2 * np.pi * t / 200))
    >>> learner.network.w_rec.shape
    (30, 30)
    """

    def __init__(
        self,
        net: Network,
        rule: str | LearningRule = "rflo",
        eta: Eta = 0.01,
        rng: np.random.Generator | None = None,
        optimizer: str | Optimizer = "sgd",
        noise: float = 0.0,
        loss: str = "squared",
    ) -> None:
        self._net = net = validate.instance("net", net, Network)
        self._rule = rule = resolve(rule)
        if not rule.local_in_time:
            needed = "must be local in time (no carry 'full', no truncation, no next_error)"
            raise ValueError(f"rule {needed}, got {validate.short_repr(rule.name)}")
        self._noise = validate.real("noise", noise, 0.0)
        rng = np.random.default_rng() if rng is None else validate.generator("rng", rng)
        self._rng = children(copy.deepcopy(rng), 1)[0] if self._noise > 0.0 else None
        self._loss_kind = losses.checked(loss)
        check_fit(rule, loss, net)
        optimizer = optimizers.resolve(optimizer)
        least_squares = rule.algorithm.least_squares
        if least_squares and not optimizer.plain:
            raise ValueError(f"optimizer must be plain sgd with {rule.name}, got {validate.short_repr(optimizer)}")
        packed = PackedNetwork(net, noisy=self._noise > 0.0)
        self._memory, self._places = steps.learner(
            packed.weights,
            rule.algorithm_for(True).switches(kernels, rule),
            trains=("w_rec" in rule.trains, "w_in" in rule.trains),
            moments=not optimizer.plain,
            inverse=least_squares,
        )
        units = packed.weights.units
        self._units = units if isinstance(units, float) else int(units.phi)
        self._learn: Any = steps.learn_step
        if least_squares:
            assert rule.alpha is not None
            self._learn = steps.learn_step_by_least_squares
            row = self._places[steps.ROW]
            self._part(steps.INVERSE)[: net.n_rec * row].reshape(net.n_rec, row)[:, : net.n_rec] = (
                np.eye(net.n_rec) / rule.alpha
            )
        elif not optimizer.plain:
            self._learn = steps.learn_step_by_optimizer
            self._places[steps.METHOD] = steps.METHODS[optimizer.method]
            self._part(steps.POWERS)[:] = 1.0
            self._part(steps.SCALARS)[steps.CLIP : steps.EPSILON + 1] = (
                math.inf if optimizer.clip is None else optimizer.clip,
                optimizer.weight_decay,
                optimizer.beta1,
                optimizer.beta2,
                optimizer.epsilon,
            )
        self._part(steps.SCALARS)[steps.LOSS] = math.nan
        self.eta = eta
        self._sampled, self._next = np.zeros((0, net.n_rec)), 0
        self._moved = False
        steps.start(self._memory, self._places, self._units)

    def _part(self, k: int) -> Array:
        return steps.part(self._memory, self._places, k)

    def step(self, x: Array | float | None = None) -> Array:
        """One timestep of Eq. 1: state, traces and outputs move on, and no weight changes.

        Parameters
        ----------
        x : (Nx,) array
            Inputs of this step; a number for a network with one input, None for one with none.

        Returns
        -------
        (Ny,) array
            The outputs after the step.

        Raises
        ------
        ValueError
            For inputs of another shape, or that are not finite. Nothing has moved then.
        """
        n_in = self._net.n_in
        # the checks that cost nothing first: a step takes half a microsecond
        if type(x) is not np.ndarray or x.dtype != np.float64 or x.shape != (n_in,) or not x.flags.c_contiguous:
            x = validate.array("x", np.zeros(0) if x is None else np.atleast_1d(x), (n_in,))
        if not steps.take_step(self._memory, self._places, self._units, x, self._noise_of_step()):
            validate.array("x", x, (n_in,))
        self._moved = True
        return self._part(steps.Y).copy()

    def learn(self, target: Array | float | None = None, *, error: Array | float | None = None) -> None:
        """Change the weights by this step's term of Eq. 5; state and traces stay.

        Parameters
        ----------
        target : (Ny,) array
            What the outputs should be; a number for a network with one output, or the number of a class. NaN: no error
            there.
        error : (Ny,) array
            The error itself, in place of target minus output.

        Raises
        ------
        ValueError
            For a wrong shape, an infinite value, both or neither of the two, or before the first step.
        FloatingPointError
            Where an output or a weight is no longer finite: the learning rate is too high.
        """
        if (target is None) == (error is None):
            raise ValueError("learn takes a target or error=, and not both")
        if not self._moved:
            raise ValueError("learn belongs to a step: call step first")
        given, n_out = target if error is None else error, self._net.n_out
        name = "target" if error is None else "error"
        entropy = None
        if self._loss_kind != "squared" and error is None:
            (row,) = losses.targets_of(self._loss_kind, np.asarray(given)[np.newaxis], 1, n_out)
            given = self.y
            entropy = steps.softmax_errors(row, given)
        elif (
            type(given) is not np.ndarray
            or given.dtype != np.float64
            or given.shape != (n_out,)
            or not given.flags.c_contiguous
        ):
            given = validate.array(name, np.atleast_1d(given), (n_out,), missing=True)  # type: ignore[arg-type]
        outcome = self._learn(self._memory, self._places, self._units, given, error is not None or entropy is not None)
        if outcome != steps.LEARNED:
            validate.array(name, given, (n_out,), missing=True)
            what = "an output" if outcome == steps.NO_ERROR else "a weight"
            raise FloatingPointError(f"{what} is no longer finite: eta is too high, got {self.eta!r}")
        if entropy is not None:
            self._part(steps.SCALARS)[steps.LOSS] = entropy

    def reset(self) -> None:
        """Put the state back to h0 and the traces to zero, as between two trials. Weights stay, and so does what an
        optimiser or recursive least squares remember."""
        steps.start(self._memory, self._places, self._units)
        self._moved = False

    @property
    def eta(self) -> Any:
        """The learning rate as it was given; it may be set to another."""
        return self._eta

    @eta.setter
    def eta(self, eta: Any) -> None:
        rates = kernel_rates(eta, self._rule.trains)
        self._part(steps.SCALARS)[: steps.W_OUT_RATE + 1] = rates
        self._eta = eta

    @property
    def h(self) -> Array:
        """(N,) The state, a copy."""
        start = int(self._places[steps.PARITY] * self._places[steps.SOURCE_ROW])
        return self._part(steps.SOURCES)[start : start + self._net.n_rec].copy()

    @property
    def y(self) -> Array:
        """(Ny,) The outputs, a copy."""
        return self._part(steps.Y).copy()

    @property
    def loss(self) -> float:
        """The step's loss that the last `learn` met, without 1/T: half the squared error, summed over outputs, or the
        cross-entropy. NaN before the first."""
        return float(self._part(steps.SCALARS)[steps.LOSS])

    @property
    def alignment(self) -> float:
        """Tr(Wout B) / (\\|Wout\\| \\|B\\|), as in `History`."""
        return self.network.alignment

    @property
    def network(self) -> Network:
        """The network as it is now: a copy, with the state it began with as its h0."""
        net, row = self._net, int(self._places[steps.ROW])
        n, n_in = net.n_rec, net.n_in
        m = self._part(steps.M).reshape(-1, row)
        trained: dict[str, Any] = {
            "w_in": m[n : n + n_in, :n].T,
            "w_rec": m[:n, :n].T,
            "w_out": self._part(steps.W_OUT).reshape(-1, row)[:, :n],
        }
        if net.bias is not None:
            trained["bias"] = m[-1, :n]
        return replace(net, **trained)

    def _noise_of_step(self) -> Array:
        """The noise of the next step, or nothing."""
        if self._rng is None:
            return _NONE
        if self._next == len(self._sampled):
            self._sampled = self._noise * exact_math.normal(self._rng, (NOISE_STEPS, self._net.n_rec))
            self._next = 0
        self._next += 1
        row: Array = self._sampled[self._next - 1]
        return row

    def __repr__(self) -> str:
        net = self._net
        return f"Learner({self._rule.name}, N={net.n_rec}, Nx={net.n_in}, Ny={net.n_out}, eta={self._eta!r})"
