"""Running and training a network: the public functions `run`, `weight_updates` and `train`."""

from __future__ import annotations

import copy
import math
import numbers
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import checkpoint, exact_math, kernels, optimizers, validate
from rflo_repro.learning.checkpoint import Checkpoint, Kept
from rflo_repro.learning.network import Network, children
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.rules import MATRICES, LearningRule, resolve
from rflo_repro.learning.task import Task
from rflo_repro.learning.validate import Array

if TYPE_CHECKING:
    import pandas as pd

# A block of trials is one call into a kernel, which Ctrl-C must wait for.
BLOCK_SECONDS = 0.2
BLOCK_FLOATS = 4_000_000
BATCHES_AHEAD = 256


@dataclass(frozen=True)
class LearningRates(validate.Checked):
    """A learning rate for each matrix: eta3, eta2 and eta1 of Eq. 5. Raises ValueError below 0 or if not finite."""

    stored_as = "LearningRates"

    w_in: float
    w_rec: float
    w_out: float

    def __post_init__(self) -> None:
        for name in ("w_in", "w_rec", "w_out"):
            object.__setattr__(self, name, validate.real(f"eta ({name})", getattr(self, name), 0.0))


@dataclass(frozen=True, eq=False, repr=False)
class Run(validate.Brief):
    """What a network did.

    h: (T, N) states, y: (T, Ny) outputs; row k is time k+1. Of B trials in lockstep: (B, T, N) and (B, T, Ny).
    """

    h: Array
    y: Array


@dataclass(frozen=True, eq=False, repr=False)
class Updates(validate.Brief):
    """One trial's weight changes at learning rate 1, with the 1/T of Eq. 15.

    w_in: (N, Nx), w_rec: (N, N), w_out: (Ny, N); zero where the rule does not train a matrix.
    loss: Eq. 2, half the mean squared error summed over outputs.
    bias: (N,), trained where w_in is, or None for a network without one.
    """

    w_in: Array
    w_rec: Array
    w_out: Array
    loss: float
    bias: Array | None = None


@dataclass(frozen=True, eq=False, repr=False)
class History(validate.Brief):
    """What `train` saw and made.

    loss: (n_trials,) Eq. 2 for each trial, before its update; NaN after a divergence.
    alignment: (n_trials,) Tr(Wout B) / (|Wout| |B|), likewise.
    diverged: whether a NaN or an infinity ended the training early.
    network: the trained copy, with the last weights that were finite.
    state: (N,) the state at the end: after the last trial if states are carried on, else h0.
    snapshots: pairs of a trial's number, from 1, and the network before that trial's update.
    """

    loss: Array
    alignment: Array
    diverged: bool
    network: Network
    state: Array
    snapshots: tuple[tuple[int, Network], ...] = ()
    _course: _Course | None = field(default=None, repr=False)

    def resume(self, n_trials: int, progress: Callable[[int], None] | None = None) -> History:
        """Train `n_trials` more, and return the whole history: the same bits as one longer call of `train`.

        n_trials: a multiple of the batch. progress: as in `train`; it counts all trials.
        Weights, optimiser, generators, state and trial numbers go on from where this history ended, as often as it is
        resumed; the generator that `train` was given is left alone. The task is the same object.
        Raises ValueError for another number of trials, or if the training diverged.
        """
        if self._course is None:
            raise ValueError("a history can be resumed if it comes from train, got one made by hand")
        if self.diverged:
            raise ValueError("a training that diverged cannot be resumed")
        own = replace(self._course, streams=copy.deepcopy(self._course.streams))
        more = _whole(n_trials, own.settings.batch)
        return _train(own, len(self.loss) + more, progress, None, self)

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, one row a trial: `trial` (from 1), `loss`, `alignment`."""
        import pandas as pd

        trial = np.arange(1, len(self.loss) + 1)
        return pd.DataFrame({"trial": trial, "loss": self.loss, "alignment": self.alignment})


class _Packed:
    """A network's weights in the kernels' padded layout, in arrays that training changes in place.

    A bias is there the last input, which is always 1.
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

    def workspace(self, n_steps: int, width: int = 1, rule: LearningRule | None = None) -> kernels.Workspace:
        drawn: float | kernels.Uoro | kernels.Factors = 0.0
        if rule is not None and rule.form == "uoro":
            drawn = kernels.uoro(*self.sizes, n_steps, width, rule.draws)
        elif rule is not None and rule.form == "kf":
            drawn = kernels.factors(*self.sizes[:2], n_steps, width)
        return kernels.workspace(*self.sizes, n_steps, width, isinstance(self.weights.units, kernels.Units), drawn)

    def inputs(self, inputs: Array) -> Array:
        """A trial's inputs (T, Nx) with that of the bias."""
        return inputs if self.net.bias is None else np.column_stack([inputs, np.ones(len(inputs))])

    def split(self, updates: kernels.Updates) -> dict[str, Array]:
        n, n_in = self.net.n_rec, self.net.n_in
        parts = {
            "w_in": updates.m[n : n + n_in, :n].T.copy(),
            "w_rec": updates.m[:n, :n].T.copy(),
            "w_out": updates.w_out[:, :n].copy(),
        }
        return parts if self.net.bias is None else {**parts, "bias": updates.m[-1, :n].copy()}

    def network(self) -> Network:
        w: dict[str, Any] = {**self.split(kernels.Updates(self.weights.m, self.weights.w_out))}
        return replace(self.net, **w)


def _units(net: Network, noisy: bool) -> float | kernels.Units:
    """What the units are: no more than the time constant for those of the paper."""
    if not noisy and net.phi == "tanh" and net.mask is None and isinstance(net.tau, float):
        return net.tau
    return kernels.units(net.phi, np.broadcast_to(net.tau, (net.n_rec,)), net.mask)


WITH_KERNEL = ("filtered", "forward", "uoro", "kf", "perturbation", "rls")


def _switches(rule: LearningRule) -> kernels.Rule:
    """The rule as the kernels take it. Raises ValueError for a form or a carry that has no kernel."""
    validate.word("form", rule.form, WITH_KERNEL)
    return kernels.Rule(
        rule.feedback == "symmetric",
        kernels.CARRIES[validate.word("carry", rule.carry, [*kernels.CARRIES])],
        rule.trace_tau or 0.0,
        rule.truncation or 0,
        int(rule.next_error),
    )


def _perturbation(rule: LearningRule) -> kernels.Perturbation:
    """The switches of a rule that learns from rewards."""
    assert rule.sigma is not None
    return kernels.Perturbation(rule.sigma, rule.reward == "trial", kernels.CARRIES[rule.carry], rule.trace_tau or 0.0)


def _trial(inputs: Any, targets: Any, n_in: int, n_out: int) -> tuple[Array, Array]:
    """One trial's arrays, checked. Raises ValueError."""
    inputs = validate.array("inputs", inputs, (None, n_in))
    if inputs.shape[0] < 1:
        raise ValueError("inputs must have at least one timestep, got shape " + str(inputs.shape))
    return inputs, validate.array("targets", targets, (inputs.shape[0], n_out), missing=True)


def _same_bits(a: Array, b: Array) -> bool:
    return np.array_equal(a.view(np.int64), b.view(np.int64))


def run(net: Network, inputs: Array, noise: Array | None = None) -> Run:
    """Run a network from its h0 (Eq. 1).

    inputs: (T, Nx), or (B, T, Nx) for B trials in lockstep; row k is time k+1. Without inputs pass np.zeros((T, 0)).
    noise: (T, N), or (B, T, N), added to the drive u of the units; None: nothing.
    Returns the states (T, N) and outputs (T, Ny), or those of B trials. Raises ValueError for a wrong shape or a value
    that is not finite.
    """
    net = validate.instance("net", net, Network)
    several = np.ndim(inputs) == 3
    inputs = validate.array("inputs", inputs, (None, None, net.n_in) if several else (None, net.n_in))
    noise = _noise(noise, (*inputs.shape[:-1], net.n_rec))
    inputs, noise = (inputs, noise) if several else (inputs[None], noise[None])
    n_trials, n_steps = inputs.shape[:2]
    packed = _Packed(net, noisy=noise.size > 0)
    work = packed.workspace(n_steps, max(1, n_trials))
    if n_trials > 0:
        trials = kernels.Trials(
            np.stack([packed.inputs(trial) for trial in inputs]),
            np.zeros((n_trials, n_steps, net.n_out)),  # no targets: the error is then minus the output
            np.arange(n_trials),
            batch=n_trials,
            reset_state=True,
            noise=noise if noise.size > 0 else _SILENCE,
        )
        kernels.forward(packed.weights, trials, _record(n_trials), work)
    # step after step, a row for each trial
    states = work.sources.reshape(n_steps + 1, work.width, work.source_row)[1:, :n_trials, : net.n_rec]
    outputs = -work.errors.reshape(n_steps, work.width, net.n_out)[:, :n_trials]
    h, y = states.transpose(1, 0, 2).copy(), outputs.transpose(1, 0, 2).copy()
    return Run(h, y) if several else Run(h[0], y[0])


_SILENCE = np.zeros((0, 0, 0))


def _noise(noise: Any, shape: tuple[int, ...]) -> Array:
    """Noise of this shape, checked; of size zero if there is none. Raises ValueError."""
    return np.zeros((0,) * len(shape)) if noise is None else validate.array("noise", noise, shape)


_CERTAIN: npt.NDArray[np.uint8] = np.zeros((0, 0, 0, 0), dtype=np.uint8)


def _signs(rule: LearningRule, net: Network, n_steps: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """(T, draws, bytes): the random signs of one trial, a bit each."""
    shape = n_steps, rule.draws, -(-rule.n_signs(net.n_rec) // 8)
    return np.frombuffer(rng.bytes(math.prod(shape)), dtype=np.uint8).reshape(shape)


def _one_trial(
    inputs: Array, targets: Array, noise: Array = _SILENCE, signs: npt.NDArray[np.uint8] = _CERTAIN
) -> kernels.Trials:
    return kernels.Trials(inputs[None], targets[None], np.zeros(1, dtype=np.int64), 1, True, noise, signs=signs)


def _record(n_trials: int) -> kernels.Record:
    return kernels.Record(loss=np.full(n_trials, math.nan), alignment=np.full(n_trials, math.nan))


def weight_updates(
    net: Network,
    inputs: Array,
    targets: Array,
    rule: str | LearningRule = "rflo",
    noise: Array | None = None,
    rng: np.random.Generator | None = None,
) -> Updates:
    """One trial's update at learning rate 1, with the 1/T of Eq. 15 (Eq. 10, 15 or 23, by the rule).

    inputs: (T, Nx), targets: (T, Ny); row k is time k+1. Where a target is NaN there is no error; T counts all steps.
    noise: (T, N), added to the drive u of the units; None: nothing.
    rng: what a rule by chance draws its signs from; None: a fresh one.
    For the exact rules the update is minus the gradient of Eq. 2, the noise held fixed. Raises ValueError for a wrong
    shape, a value that is not finite, or an unknown rule.
    """
    net = validate.instance("net", net, Network)
    rule = resolve(rule)
    inputs, targets = _trial(inputs, targets, net.n_in, net.n_out)
    fixed = _noise(noise, (len(inputs), net.n_rec))
    rng = np.random.default_rng() if rng is None else validate.generator("rng", rng)
    signs = _signs(rule, net, len(inputs), rng)[None] if rule.n_signs(net.n_rec) else _CERTAIN
    packed, record = _Packed(net, noisy=fixed.size > 0 or rule.form == "perturbation"), _record(1)
    made = kernels.Updates(np.empty_like(packed.weights.m), np.empty_like(packed.weights.w_out))
    trial = _one_trial(packed.inputs(inputs), targets, fixed[None] if fixed.size > 0 else _SILENCE, signs)
    to_all = packed.weights, trial, _switches(rule), record, made
    if rule.form == "perturbation":
        work = kernels.reward_workspace(*packed.sizes, len(inputs), 1)
        kernels.reward_update(packed.weights, trial, _perturbation(rule), record, made, work)
    elif rule.form == "forward":
        kernels.rtrl_gradient(*to_all, kernels.exact_workspace(*packed.sizes))
    elif rule.form == "rls":
        kernels.least_squares_update(*to_all, _LeastSquares(rule, packed).fit, kernels.trace_workspace(*packed.sizes))
    else:
        kernels.gradient(*to_all, packed.workspace(len(inputs), rule=rule))
    updates = packed.split(made)
    for name, dw in updates.items():
        if (name if name != "bias" else "w_in") not in rule.trains:
            dw[:] = 0.0
    return Updates(**updates, loss=float(record.loss[0]))


Eta = float | LearningRates
Rule = Callable[[Network, Array, Array, Run], Updates]
"""A rule of one's own: from a network, a trial's inputs (T, Nx) and targets (T, Ny), and its Run, to the updates."""


def _rates(eta: Any, trains: Sequence[str]) -> kernels.Rates:
    """The rate of each matrix: `eta`, or 0 where it is not trained. Raises ValueError."""
    if not isinstance(eta, LearningRates):
        one = validate.real("eta", eta, 0.0)
        eta = LearningRates(w_in=one, w_rec=one, w_out=one)
    return kernels.Rates(*(getattr(eta, name) if name in trains else 0.0 for name in MATRICES))


class _Optimizer:
    """An optimiser on its way through the batches: with its moments, if it has any."""

    def __init__(self, optimizer: Optimizer, packed: _Packed) -> None:
        self.optimizer = optimizer
        if not optimizer.plain:
            self.first, self.second = kernels.moments(*packed.sizes)
            self.powers = np.ones(2)

    def at(self, rates: kernels.Rates) -> kernels.Rates | kernels.Optimizer:
        """What the kernels take for it: no more than the rates where an update is just added."""
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
        """What it remembers."""
        return [] if self.optimizer.plain else [*self.first, *self.second, self.powers]


class _LeastSquares:
    """Recursive least squares on their way through the trials, in the place of an optimiser."""

    def __init__(self, rule: LearningRule, packed: _Packed) -> None:
        assert rule.alpha is not None
        self.fit = kernels.least_squares(packed.net.n_rec, rule.alpha)

    def at(self, rates: kernels.Rates) -> kernels.LeastSquares:
        """What the kernels take for it, whatever the rates."""
        return self.fit

    @property
    def moments(self) -> list[Array]:
        """What it remembers."""
        return [self.fit.inverse]


@dataclass(frozen=True)
class _Settings:
    """What `train` was asked for, checked."""

    task: Task
    rule: LearningRule | Rule
    eta: Eta | Callable[[int], Eta]
    online: bool
    batch: int
    reset_state: bool
    optimizer: Optimizer
    noise: float
    snapshots: tuple[int, ...]

    @property
    def trains(self) -> Sequence[str]:
        return self.rule.trains if isinstance(self.rule, LearningRule) else MATRICES

    @property
    def within_trial(self) -> bool:
        """Whether weights change at every timestep."""
        return self.online or (isinstance(self.rule, LearningRule) and self.rule.form == "rls")

    @property
    def noisy(self) -> bool:
        """Whether anything is added to the drive of the units."""
        disturbed = isinstance(self.rule, LearningRule) and self.rule.form == "perturbation"
        return self.noise > 0.0 or disturbed

    def sign_bytes(self, n_rec: int) -> int:
        """Bytes of random signs a step."""
        return self.rule.draws * -(-self.rule.n_signs(n_rec) // 8) if isinstance(self.rule, LearningRule) else 0

    def rates(self, trial: int) -> kernels.Rates:
        """The rates of the batch that begins with a trial, numbered from 1. Raises ValueError."""
        return _rates(self.eta(trial) if callable(self.eta) else self.eta, self.trains)

    def with_same_rates(self, done: int, n_most: int) -> tuple[kernels.Rates, int]:
        """The rates of the next batch, and after how many trials they change, at most `n_most`."""
        rates = self.rates(done + 1)
        if not callable(self.eta):
            return rates, n_most
        same = self.batch
        # as far as a kernel call may go, and no further: whoever wrote eta may take their time
        while same < min(n_most, BATCHES_AHEAD * self.batch) and self.rates(done + same + 1) == rates:
            same += self.batch
        return rates, same


@dataclass(frozen=True)
class _Block:
    """Consecutive trials: the distinct ones stacked, which of them each trial is, and what else the kernels ask."""

    inputs: Array
    targets: Array
    order: npt.NDArray[np.int64]
    noise: Array
    signs: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.int64] | float = 0.0

    def trials(self, batch: int, reset_state: bool) -> kernels.Trials:
        return kernels.Trials(
            self.inputs, self.targets, self.order, batch, reset_state, self.noise, self.lengths, self.signs
        )


_Drawn = tuple[Array, Array]


@dataclass
class _Streams:
    """Where random numbers come from: the task's trials, the noise, and the signs of rules by chance, each from a
    stream of its own."""

    trials: np.random.Generator
    noise: np.random.Generator | None
    signs: np.random.Generator | None = None


class _Source:
    """Draws a task's trials, in order, in blocks of a kernel call's length."""

    def __init__(
        self, settings: _Settings, packed: _Packed, streams: _Streams, waiting: tuple[_Drawn, ...] = ()
    ) -> None:
        self.settings, self.packed, self.streams, self.waiting = settings, packed, streams, waiting
        self.given: tuple[Any, Any] | None = None
        self.checked: _Drawn | None = None
        n, n_in = packed.net.n_rec, packed.net.n_in
        n_rows = settings.rule.n_rows(n, n_in) if isinstance(settings.rule, LearningRule) else 1
        # seconds a timestep: a guess, until the first block has been timed
        self.pace = 5e-8 + 2e-10 * n * (n + n_in) * n_rows

    def draw(self) -> _Drawn:
        given = self.settings.task.trial(self.streams.trials)
        try:
            inputs, targets = given
        except (TypeError, ValueError):
            raise ValueError(f"task.trial must return inputs and targets, got {validate.shown(given)}") from None
        known = self.given is not None and inputs is self.given[0] and targets is self.given[1]
        if known and self.checked is not None:
            return self.checked
        # A read-only array may be a view of one that is refilled: only what can never change is known again by sight
        self.given = (inputs, targets) if validate.immutable(inputs) and validate.immutable(targets) else None
        inputs, targets = _trial(inputs, targets, self.packed.net.n_in, self.packed.net.n_out)
        trial = self.packed.inputs(inputs), targets
        if self.checked is None or not all(map(_same_bits, trial, self.checked)):
            self.checked = trial
        return self.checked

    def block(self, n_most: int) -> _Block:
        """The next block: whole batches, at most `n_most` trials. A batch of trials that differ in length is one by
        itself, so that its numbers do not depend on its neighbours."""
        net, batch = self.packed.net, self.settings.batch
        begun, self.waiting = [*self.waiting] or [self.draw()], ()
        n_steps = len(begun[0][0])
        if any(len(inputs) != n_steps for inputs, _ in begun):
            return self.mixed(begun)
        distinct, order = [begun[0]], [0]
        for trial in begun[1:]:
            if trial is not distinct[-1]:
                distinct.append(trial)
            order.append(len(distinct) - 1)
        n_trials = min(n_most, max(1, int(BLOCK_SECONDS / (n_steps * self.pace)) // batch) * batch)
        floats = n_steps * sum(self.packed.sizes[1:])
        drawn = (net.n_rec if self.settings.noise > 0.0 else 0) + self.settings.sign_bytes(net.n_rec) / 8
        while len(order) < n_trials:
            whole = len(order) % batch == 0
            if whole and len(distinct) * floats + len(order) * n_steps * drawn > BLOCK_FLOATS:
                break
            trial = self.draw()
            if len(trial[0]) != n_steps:
                n_whole = len(order) // batch * batch
                last = [*(distinct[i] for i in order[n_whole:]), trial]
                last += [self.draw() for _ in range(batch - len(last))]
                if n_whole == 0:
                    return self.mixed(last)
                self.waiting, order = tuple(last), order[:n_whole]
                break
            if trial is not distinct[-1]:
                distinct.append(trial)
            order.append(len(distinct) - 1)
        return _Block(
            inputs=np.stack([inputs for inputs, _ in distinct]),
            targets=np.stack([targets for _, targets in distinct]),
            order=np.array(order, dtype=np.int64),
            noise=self.noise([n_steps] * len(order), n_steps),
            signs=self.signs([n_steps] * len(order), n_steps),
        )

    def mixed(self, drawn: list[_Drawn]) -> _Block:
        """A batch of trials that differ in length: shorter ones are filled up with what nobody asks for."""
        lengths = [len(inputs) for inputs, _ in drawn]
        if isinstance(self.settings.rule, LearningRule) and self.settings.rule.next_error:
            raise ValueError(f"next_error needs trials of one length in a batch, got {validate.shown(lengths)}")
        n_steps = max(lengths)
        inputs = np.zeros((len(drawn), n_steps, self.packed.sizes[1]))
        targets = np.full((len(drawn), n_steps, self.packed.sizes[2]), math.nan)
        for k, (given, wanted) in enumerate(drawn):
            inputs[k, : len(given)], targets[k, : len(given)] = given, wanted
        order = np.arange(len(drawn))
        noise, signs = self.noise(lengths, n_steps), self.signs(lengths, n_steps)
        return _Block(inputs, targets, order, noise, signs, np.array(lengths))

    def noise(self, lengths: Sequence[int], n_steps: int) -> Array:
        """(K, n_steps, N): drawn trial after trial, each as long as it is."""
        if self.streams.noise is None:
            return _SILENCE
        noise = np.zeros((len(lengths), n_steps, self.packed.net.n_rec))
        for place, length in zip(noise, lengths, strict=True):
            place[:length] = _normal(self.streams.noise, place[:length].size).reshape(length, -1)
        noise *= self.settings.noise
        return noise

    def signs(self, lengths: Sequence[int], n_steps: int) -> npt.NDArray[np.uint8]:
        """(K, n_steps, draws, bytes): drawn trial after trial, each as long as it is."""
        rule = self.settings.rule
        if self.streams.signs is None or not isinstance(rule, LearningRule):
            return _CERTAIN
        drawn = [_signs(rule, self.packed.net, length, self.streams.signs) for length in lengths]
        signs = np.zeros((len(lengths), n_steps, *drawn[0].shape[1:]), dtype=np.uint8)
        for place, some in zip(signs, drawn, strict=True):
            place[: len(some)] = some
        return signs


def _normal(rng: np.random.Generator, n: int) -> Array:
    """(n,): what `exact_math.normal` draws, to the bit and at a thirtieth of its time."""
    uniform = np.zeros((2, kernels.padded(n)))
    for first in range(0, n, exact_math.BLOCK):
        part = uniform[:, first : min(first + exact_math.BLOCK, n)]
        part[:] = rng.random((part.shape[1], 2)).T
    kernels.box_muller(uniform)
    return uniform[0, :n]


class _ByCallable:
    """Trains by a rule of the user's own, with the arguments and the result of `kernels.train_trials`."""

    def __init__(self, rule: Rule, packed: _Packed) -> None:
        self.rule, self.packed = rule, packed

    def __call__(
        self,
        weights: kernels.Weights,
        trials: kernels.Trials,
        _: None,
        rates: kernels.Rates | kernels.Optimizer,
        record: kernels.Record,
        work: None,
    ) -> int:
        n = weights.n_rec
        n_in = self.packed.net.n_in
        for first in range(0, len(trials.order), trials.batch):
            net = self.packed.network()
            m, w_out = np.zeros_like(weights.m), np.zeros_like(weights.w_out)
            finite = True
            for k in range(first, first + trials.batch):
                which = trials.order[k]
                length = trials.inputs.shape[1] if isinstance(trials.lengths, float) else trials.lengths[which]
                inputs, targets = trials.inputs[which, :length, :n_in].copy(), trials.targets[which, :length].copy()
                begun = replace(net, h0=weights.state[:n])
                seen = run(begun, inputs, trials.noise[k, :length] if trials.noise.size else None)
                eps = np.where(np.isnan(targets), 0.0, targets - seen.y)
                with np.errstate(over="ignore", invalid="ignore"):
                    record.loss[k] = exact_math.sum(np.ravel(eps * eps)) / (2.0 * length)
                record.alignment[k] = net.alignment
                if not trials.reset_state:
                    weights.state[:n] = seen.h[-1]
                finite = finite and math.isfinite(record.loss[k])
                if finite:
                    self.add(self.rule(begun, inputs, targets, seen), m, w_out)
            updates = kernels.Updates(m, w_out)
            if not finite or not (
                kernels.optimize(rates, weights, updates, 1)
                if isinstance(rates, kernels.Optimizer)
                else kernels.apply_update(weights, updates, rates)
            ):
                return first
        return len(trials.order)

    def add(self, made: Any, m: Array, w_out: Array) -> None:
        """Raises ValueError for what are no updates of this network."""
        net = self.packed.net
        n, n_in = net.n_rec, net.n_in
        made = validate.instance("what rule returns", made, Updates)
        places = {"w_rec": m[:n, :n].T, "w_in": m[n : n + n_in, :n].T, "w_out": w_out[:, :n]}
        if net.bias is not None and made.bias is not None:
            places["bias"] = m[-1, :n]
        for name, place in places.items():
            place += validate.any_array(f"{name} of what rule returns", getattr(made, name), place.shape)


def _trainer(
    packed: _Packed, settings: _Settings
) -> tuple[Callable[..., int], Callable[[int], Any], kernels.Rule | kernels.Perturbation | None]:
    """The kernel that trains by this rule, its scratch memory for trials of a number of steps, and the rule's switches.

    Raises ValueError for a carry that has no kernel."""
    rule, width = settings.rule, settings.batch if settings.reset_state else 1
    if not isinstance(rule, LearningRule):
        return _ByCallable(rule, packed), lambda _: None, None
    if rule.form == "forward":
        return kernels.train_exact, lambda _: kernels.exact_workspace(*packed.sizes), _switches(rule)
    if rule.form == "perturbation":
        return (
            kernels.train_rewarded,
            lambda n_steps: kernels.reward_workspace(*packed.sizes, n_steps, width),
            _perturbation(rule),
        )
    if settings.within_trial:
        return kernels.train_online, lambda _: kernels.trace_workspace(*packed.sizes), _switches(rule)
    return kernels.train_trials, lambda n_steps: packed.workspace(n_steps, width, rule), _switches(rule)


def train(
    net: Network,
    task: Task,
    rule: str | LearningRule | Rule = "rflo",
    eta: Eta | Callable[[int], Eta] = 0.01,
    n_trials: int = 10_000,
    rng: np.random.Generator | None = None,
    online: bool = False,
    batch: int = 1,
    reset_state: bool = True,
    progress: Callable[[int], None] | None = None,
    optimizer: str | Optimizer = "sgd",
    noise: float = 0.0,
    snapshots: Sequence[int] = (),
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a copy of `net` on `task`.

    rule: a name from RULES, a LearningRule, or any callable `rule(net, inputs, targets, run) -> Updates` (slower): of
        the network as the trial finds it, one trial's inputs (T, Nx) and targets (T, Ny), and its Run.
    eta: one learning rate, or LearningRates, or a function from a trial's number, from 1, to either; a batch has the
        rates of its first trial.
    n_trials: a multiple of `batch`. rng: passed to `task.trial`; None draws a fresh one. What a rule by chance draws
        has a stream of its own, as `noise` has.
    online: weights change at every timestep by eta/T times that step's term (Eq. 5-6); for rules local in time.
        Otherwise they change at the end of each batch of trials (Eq. 15, 23).
    batch: trials whose updates are summed before they are applied; each has the 1/T of its own length.
    reset_state: whether each trial begins at net.h0 or where the last one ended.
    progress: called with the number of trials done, a few times a second; what it raises ends the training.
    optimizer: an Optimizer, or the name of a method; all but plain `sgd` act at the end of a batch, not online.
    noise: standard deviation of Gaussian noise on the drive u of every unit at every timestep. Its stream is derived
        from a copy of rng's state: the task's trials are the same with and without it.
    snapshots: numbers of trials, from 1, before whose update the network is kept. What lies beyond `n_trials` is for
        `History.resume`.
    checkpoint: keeps the training while it is under way; where it has kept something, the same call goes on from there,
        and makes the same bits. It has a method `read()`, which gives what was kept last or None, and a method
        `keep(done, now)`, called as `progress` is, and before it: `now()` gives arrays by name for an .npz. A task that
        is no frozen dataclass, and so may remember its trials, is asked for all of them again.

    Targets that are NaN mean that there is no error: L = 1/(2T) sum over those that are numbers, T all timesteps.
    A NaN or an infinity elsewhere ends the training with `diverged`. Memory is 16 bytes a trial, and linear in T N.
    Raises ValueError for arguments that are not as said here.
    """
    net = validate.instance("net", net, Network)
    if isinstance(rule, (str, LearningRule)) or not callable(rule):
        rule = resolve(rule)
    settings = _Settings(
        task=task,
        rule=rule,
        eta=eta,
        online=validate.flag("online", online),
        batch=validate.integer("batch", batch, 1),
        reset_state=validate.flag("reset_state", reset_state),
        optimizer=optimizers.resolve(optimizer),
        noise=validate.real("noise", noise, 0.0),
        snapshots=_snapshots(snapshots),
    )
    rng = np.random.default_rng() if rng is None else validate.generator("rng", rng)
    if online and not (isinstance(rule, LearningRule) and rule.local_in_time):
        name = rule.name if isinstance(rule, LearningRule) else rule
        needed = "a rule that is local in time (no carry 'full', no truncation, no next_error)"
        raise ValueError(f"online needs {needed}, got {validate.shown(name)}")
    if settings.within_trial:
        within = "online" if not isinstance(rule, LearningRule) or online else f"{rule.name}, which is within the trial"
        if batch != 1:
            raise ValueError(f"batch must be 1 with {within}, got {batch}")
        if not settings.optimizer.plain:
            raise ValueError(f"optimizer must be plain sgd with {within}, got {validate.shown(optimizer)}")
    for name in ("n_in", "n_out"):
        size = getattr(task, name, None)
        if not isinstance(size, numbers.Integral) or size != getattr(net, name):
            raise ValueError(f"task.{name} must be the network's {getattr(net, name)}, got {validate.shown(size)}")
    if not callable(getattr(task, "trial", None)):
        raise ValueError(f"task must have a method trial, got {validate.shown(task)}")
    noisy, by_chance = settings.noise > 0.0, settings.sign_bytes(net.n_rec) > 0
    streams = _Streams(rng, None)
    if noisy or by_chance:
        for_noise, for_signs = children(copy.deepcopy(rng), 2)
        streams = _Streams(rng, for_noise if noisy else None, for_signs if by_chance else None)
    n_trials, course = _whole(n_trials, settings.batch), _Course(settings, streams)
    begun = History(np.zeros(0), np.zeros(0), False, net, net.h0)
    if checkpoint is not None:
        if not all(callable(getattr(checkpoint, name, None)) for name in ("read", "keep")):
            raise ValueError(f"checkpoint must have methods read and keep, got {validate.shown(checkpoint)}")
        kept = checkpoint.read()
        if kept is not None:
            course, begun = _restored(kept, course, net)
    return _train(course, n_trials, progress, checkpoint, begun)


def _whole(n_trials: Any, batch: int) -> int:
    """Raises ValueError for a number of trials that is none, or not of whole batches."""
    whole = validate.integer("n_trials", n_trials, 1)
    if whole % batch:
        raise ValueError(f"n_trials must be a multiple of batch ({batch}), got {whole}")
    return whole


def _snapshots(given: Any) -> tuple[int, ...]:
    """Raises ValueError."""
    try:
        return tuple(sorted({validate.integer("snapshots", trial, 1) for trial in given}))
    except TypeError:
        raise ValueError(f"snapshots must be numbers of trials, got {validate.shown(given)}") from None


@dataclass(frozen=True)
class _Course:
    """All that a training that is resumed needs besides its history."""

    settings: _Settings
    streams: _Streams
    moments: tuple[Array, ...] = ()
    waiting: tuple[_Drawn, ...] = ()


def _weights(net: Network) -> dict[str, Array]:
    """What training changes."""
    return {name: w for name in (*MATRICES, "bias") if (w := getattr(net, name)) is not None}


def _kept(history: History) -> Kept:
    """All that a history needs to be resumed, as arrays."""
    course = history._course
    assert course is not None
    nets = [("network", history.network), *((f"snapshot {trial}", net) for trial, net in history.snapshots)]
    return {
        "loss": history.loss,
        "alignment": history.alignment,
        "state": history.state,
        "snapshots": np.array([trial for trial, _ in history.snapshots], dtype=np.int64),
        "streams": checkpoint.states(vars(course.streams)),
        **{f"{name}, {matrix}": w for name, net in nets for matrix, w in _weights(net).items()},
        **{f"moment {i}": moment for i, moment in enumerate(course.moments)},
        **{f"waiting {i}, {part}": a for i, trial in enumerate(course.waiting) for part, a in enumerate(trial)},
    }


def _frozen(task: Task) -> bool:
    """Whether it is a frozen dataclass: others may remember the trials that they gave."""
    parameters = vars(type(task)).get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen)


def _restored(kept: Kept, course: _Course, net: Network) -> tuple[_Course, History]:
    """The course, its streams brought to where they were, and the history so far. Raises ValueError for what another
    training has kept."""

    def network(name: str) -> Network:
        weights: dict[str, Any] = {matrix: kept[f"{name}, {matrix}"] for matrix in _weights(net)}
        return replace(net, **weights)

    fresh = copy.deepcopy(course.streams.trials)
    try:
        n_moments, n_parts = (sum(name.startswith(what) for name in kept) for what in ("moment ", "waiting "))
        moments = tuple(kept[f"moment {i}"] for i in range(n_moments))
        waiting = tuple((kept[f"waiting {i}, 0"], kept[f"waiting {i}, 1"]) for i in range(n_parts // 2))
        snapshots = tuple((int(trial), network(f"snapshot {trial}")) for trial in kept["snapshots"])
        begun = History(kept["loss"], kept["alignment"], False, network("network"), kept["state"], snapshots)
        checkpoint.restore(vars(course.streams), kept["streams"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"checkpoint must have what this training kept: {validate.shown(error)}") from None
    if not _frozen(course.settings.task):
        for _ in range(len(begun.loss) + len(waiting)):
            course.settings.task.trial(fresh)
    return replace(course, moments=moments, waiting=waiting), begun


def _train(
    course: _Course,
    n_trials: int,
    progress: Callable[[int], None] | None,
    keeper: Checkpoint | None,
    past: History,
) -> History:
    """The past and what is missing of `n_trials`, with the streams themselves of the course."""
    settings, n_past = course.settings, len(past.loss)
    batch, reset_state = settings.batch, settings.reset_state
    packed = _Packed(past.network, noisy=settings.noisy)
    packed.weights.state[: packed.net.n_rec] = past.state
    optimizer: _Optimizer | _LeastSquares = _Optimizer(settings.optimizer, packed)
    if isinstance(settings.rule, LearningRule) and settings.rule.form == "rls":
        optimizer = _LeastSquares(settings.rule, packed)
    if course.moments:
        for now, then in zip(optimizer.moments, course.moments, strict=True):
            now[:] = then
    train_block, workspace, switches = _trainer(packed, settings)
    record = _record(n_trials)
    record.loss[:n_past], record.alignment[:n_past] = past.loss, past.alignment
    source = _Source(settings, packed, course.streams, course.waiting)
    # each before the batch that it belongs to
    kept = [(trial, (trial - 1) // batch * batch) for trial in settings.snapshots]
    kept = [(trial, before) for trial, before in kept if n_past <= before < n_trials]
    snapshots = list(past.snapshots)
    work, room = None, -1
    done, diverged = n_past, False

    def so_far() -> History:
        after = replace(
            course,
            streams=copy.deepcopy(course.streams),
            moments=tuple(moment.copy() for moment in optimizer.moments),
            waiting=source.waiting,
        )
        seen = n_trials if diverged else done
        state = packed.weights.state[: packed.net.n_rec].copy()
        return History(
            record.loss[:seen], record.alignment[:seen], diverged, packed.network(), state, tuple(snapshots), after
        )

    while done < n_trials and not diverged:
        while kept and kept[0][1] == done:
            snapshots.append((kept.pop(0)[0], packed.network()))
        n_most = (kept[0][1] if kept else n_trials) - done
        rates, n_most = settings.with_same_rates(done, n_most)
        began = time.perf_counter()
        block = source.block(n_most)
        n_steps, part = block.inputs.shape[1], slice(done, done + len(block.order))
        if n_steps != room:
            work, room = workspace(n_steps), n_steps
        n_good = train_block(
            packed.weights,
            block.trials(batch, reset_state),
            switches,
            optimizer.at(rates),
            kernels.Record(record.loss[part], record.alignment[part]),
            work,
        )
        source.pace = max(1e-9, (time.perf_counter() - began) / (n_steps * len(block.order)))
        diverged = n_good < len(block.order)
        done += n_good
        if keeper is not None and not diverged:
            keeper.keep(done, lambda: _kept(so_far()))
        if progress is not None:
            progress(done)
    loss, alignment = record
    if diverged:
        loss[done + 1 :] = alignment[done + 1 :] = math.nan
        loss[np.isinf(loss)] = math.nan
    return so_far()
