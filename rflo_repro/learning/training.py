"""Running and training a network: the public functions `run`, `weight_updates` and `train`."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import kernels, optimizers, validate
from rflo_repro.learning.network import Network
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.rules import MATRICES, LearningRule, resolve
from rflo_repro.learning.validate import Array

if TYPE_CHECKING:
    from rflo_repro.tasks import Task

# A block of trials is one call into a kernel, which Ctrl-C must wait for.
BLOCK_SECONDS = 0.2
BLOCK_FLOATS = 4_000_000


@dataclass(frozen=True)
class LearningRates(validate.Checked):
    """A learning rate for each matrix: eta3, eta2 and eta1 of Eq. 5. Raises ValueError below 0 or if not finite."""

    w_in: float
    w_rec: float
    w_out: float

    def __post_init__(self) -> None:
        for name in ("w_in", "w_rec", "w_out"):
            object.__setattr__(self, name, validate.real(f"eta ({name})", getattr(self, name), 0.0))


@dataclass(frozen=True, eq=False, repr=False)
class Run(validate.Brief):
    """What a network did in one trial. h: (T, N) states, y: (T, Ny) outputs; row k is time k+1."""

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
    """

    loss: Array
    alignment: Array
    diverged: bool
    network: Network
    state: Array


class _Packed:
    """A network's weights in the kernels' padded layout, in arrays that training changes in place.

    A bias is there the last input, which is always 1.
    """

    def __init__(self, net: Network) -> None:
        n = net.n_rec
        self.net = net
        self.sizes = n, net.n_in + (net.bias is not None), net.n_out
        signs = np.zeros(0) if net.signs is None else net.signs.copy()
        self.weights = w = kernels.weights(*self.sizes, signs, _units(net), net.output_feedback)
        w.m[:n, :n], w.m[n : n + net.n_in, :n] = net.w_rec.T, net.w_in.T
        if net.bias is not None:
            w.m[-1, :n] = net.bias
        w.w_out[:, :n], w.b[:, :n], w.state[:n] = net.w_out, net.feedback.T, net.h0

    def workspace(self, n_steps: int, width: int = 1) -> kernels.Workspace:
        return kernels.workspace(*self.sizes, n_steps, width, isinstance(self.weights.units, kernels.Units))

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


def _units(net: Network) -> float | kernels.Units:
    """What the units are: no more than the time constant for those of the paper."""
    if net.phi == "tanh" and net.mask is None and isinstance(net.tau, float):
        return net.tau
    return kernels.units(net.phi, np.broadcast_to(net.tau, (net.n_rec,)), net.mask)


def _switches(rule: LearningRule) -> kernels.Rule:
    """The rule as the kernels take it. Raises ValueError for a carry that has no kernel."""
    return kernels.Rule(
        rule.feedback == "symmetric", kernels.CARRIES[validate.word("carry", rule.carry, [*kernels.CARRIES])]
    )


def _trial(inputs: Any, targets: Any, n_in: int, n_out: int) -> tuple[Array, Array]:
    """One trial's arrays, checked. Raises ValueError."""
    inputs = validate.array("inputs", inputs, (None, n_in))
    if inputs.shape[0] < 1:
        raise ValueError("inputs must have at least one timestep, got shape " + str(inputs.shape))
    return inputs, validate.array("targets", targets, (inputs.shape[0], n_out))


def _same_bits(a: Array, b: Array) -> bool:
    return np.array_equal(a.view(np.int64), b.view(np.int64))


def run(net: Network, inputs: Array) -> Run:
    """Run a network from its h0 (Eq. 1).

    inputs: (T, Nx); row k is time k+1. Without inputs pass np.zeros((T, 0)).
    Returns the states (T, N) and outputs (T, Ny). Raises ValueError for a wrong shape or a value that is not finite.
    """
    net = validate.instance("net", net, Network)
    inputs = validate.array("inputs", inputs, (None, net.n_in))
    packed = _Packed(net)
    n_steps = len(inputs)
    # no targets: the error is then minus the output
    trials = _one_trial(packed.inputs(inputs), np.zeros((n_steps, net.n_out)))
    work = packed.workspace(n_steps)
    kernels.forward(packed.weights, trials, _record(1), work)
    states = work.sources.reshape(-1, work.source_row)
    return Run(h=states[1:, : net.n_rec].copy(), y=-work.errors.reshape(n_steps, net.n_out))


def _one_trial(inputs: Array, targets: Array) -> kernels.Trials:
    return kernels.Trials(inputs[None], targets[None], np.zeros(1, dtype=np.int64), batch=1, reset_state=True)


def _record(n_trials: int) -> kernels.Record:
    return kernels.Record(loss=np.full(n_trials, math.nan), alignment=np.full(n_trials, math.nan))


def weight_updates(net: Network, inputs: Array, targets: Array, rule: str | LearningRule = "rflo") -> Updates:
    """One trial's update at learning rate 1, with the 1/T of Eq. 15 (Eq. 10, 15 or 23, by the rule).

    inputs: (T, Nx), targets: (T, Ny); row k is time k+1. For the exact rules the update is minus the gradient of Eq. 2.
    Raises ValueError for a wrong shape, a value that is not finite, or an unknown rule.
    """
    net = validate.instance("net", net, Network)
    rule = resolve(rule)
    inputs, targets = _trial(inputs, targets, net.n_in, net.n_out)
    packed, record = _Packed(net), _record(1)
    made = kernels.Updates(np.empty_like(packed.weights.m), np.empty_like(packed.weights.w_out))
    to_all = (packed.weights, _one_trial(packed.inputs(inputs), targets), _switches(rule), record, made)
    if rule.form == "forward":
        kernels.rtrl_gradient(*to_all, kernels.exact_workspace(*packed.sizes))
    else:
        kernels.gradient(*to_all, packed.workspace(len(inputs)))
    updates = packed.split(made)
    for name, dw in updates.items():
        if (name if name != "bias" else "w_in") not in rule.trains:
            dw[:] = 0.0
    return Updates(**updates, loss=float(record.loss[0]))


def _rates(eta: float | LearningRates, rule: LearningRule) -> kernels.Rates:
    """The rate of each matrix: `eta`, or 0 where the rule does not train it. Raises ValueError."""
    if not isinstance(eta, LearningRates):
        one = validate.real("eta", eta, 0.0)
        eta = LearningRates(w_in=one, w_rec=one, w_out=one)
    return kernels.Rates(*(getattr(eta, name) if name in rule.trains else 0.0 for name in MATRICES))


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


@dataclass(frozen=True)
class _Block:
    """Consecutive trials of one length: the distinct ones stacked, and which of them each trial is."""

    inputs: Array
    targets: Array
    order: npt.NDArray[np.int64]


class _Trials:
    """Draws a task's trials, in order, in blocks of a kernel call's length."""

    def __init__(self, task: Task, packed: _Packed, batch: int, rng: np.random.Generator) -> None:
        self.task, self.packed, self.net, self.batch, self.rng = task, packed, packed.net, batch, rng
        self.given: tuple[Any, Any] | None = None
        self.checked: tuple[Array, Array] | None = None
        self.waiting: tuple[Array, Array] | None = None

    def draw(self) -> tuple[Array, Array]:
        if self.waiting is not None:
            trial, self.waiting = self.waiting, None
            return trial
        given = self.task.trial(self.rng)
        try:
            inputs, targets = given
        except (TypeError, ValueError):
            raise ValueError(f"task.trial must return inputs and targets, got {validate.shown(given)}") from None
        known = self.given is not None and inputs is self.given[0] and targets is self.given[1]
        if known and self.checked is not None:
            return self.checked
        # A read-only array may be a view of one that is refilled: only what can never change is known again by sight
        self.given = (inputs, targets) if validate.immutable(inputs) and validate.immutable(targets) else None
        inputs, targets = _trial(inputs, targets, self.net.n_in, self.net.n_out)
        trial = self.packed.inputs(inputs), targets
        if self.checked is None or not all(map(_same_bits, trial, self.checked)):
            self.checked = trial
        return self.checked

    def block(self, n_most: int) -> _Block:
        """The next block: whole batches, at most `n_most` trials. Raises ValueError if a batch mixes lengths."""
        distinct = [self.draw()]
        order = [0]
        n_steps = len(distinct[0][0])
        seconds = n_steps * (5e-8 + 2e-10 * self.net.n_rec * (self.net.n_rec + self.net.n_in))
        n_trials = min(n_most, max(1, int(BLOCK_SECONDS / seconds) // self.batch) * self.batch)
        floats = n_steps * sum(self.packed.sizes[1:])
        while len(order) < n_trials:
            if len(order) % self.batch == 0 and len(distinct) * floats > BLOCK_FLOATS:
                break
            trial = self.draw()
            if len(trial[0]) != n_steps:
                if len(order) % self.batch != 0:
                    raise ValueError(
                        f"the trials of a batch must have one length, got {n_steps} and {len(trial[0])} timesteps"
                    )
                self.waiting = trial
                break
            if trial is not distinct[-1]:
                distinct.append(trial)
            order.append(len(distinct) - 1)
        return _Block(
            inputs=np.stack([inputs for inputs, _ in distinct]),
            targets=np.stack([targets for _, targets in distinct]),
            order=np.array(order, dtype=np.int64),
        )


def _trainer(
    packed: _Packed, rule: LearningRule, online: bool, width: int
) -> tuple[Callable[..., int], Callable[[int], Any]]:
    """The kernel that trains by this rule, and its scratch memory for trials of a number of steps."""
    if rule.form == "forward":
        return kernels.train_exact, lambda _: kernels.exact_workspace(*packed.sizes)
    if online:
        return kernels.train_online, lambda _: kernels.trace_workspace(*packed.sizes)
    return kernels.train_trials, lambda n_steps: packed.workspace(n_steps, width)


def train(
    net: Network,
    task: Task,
    rule: str | LearningRule = "rflo",
    eta: float | LearningRates = 0.01,
    n_trials: int = 10_000,
    rng: np.random.Generator | None = None,
    online: bool = False,
    batch: int = 1,
    reset_state: bool = True,
    progress: Callable[[int], None] | None = None,
    optimizer: str | Optimizer = "sgd",
) -> History:
    """Train a copy of `net` on `task`.

    rule: a name from RULES or a LearningRule. eta: one learning rate, or LearningRates.
    n_trials: a multiple of `batch`. rng: passed to `task.trial`; None draws a fresh one.
    online: weights change at every timestep by eta/T times that step's term (Eq. 5-6); for rules local in time.
        Otherwise they change at the end of each batch of trials (Eq. 15, 23).
    batch: trials whose updates are summed before they are applied; all of one length.
    reset_state: whether each trial begins at net.h0 or where the last one ended.
    optimizer: an Optimizer, or the name of a method; all but plain `sgd` act at the end of a batch, not online.
    progress: called with the number of trials done, a few times a second; what it raises ends the training.

    A NaN or an infinity ends the training with `diverged`. Memory is 16 bytes a trial, and linear in T N.
    Raises ValueError for arguments that are not as said here.
    """
    net, rule = validate.instance("net", net, Network), resolve(rule)
    n_trials = validate.integer("n_trials", n_trials, 1)
    batch = validate.integer("batch", batch, 1)
    online, reset_state = validate.flag("online", online), validate.flag("reset_state", reset_state)
    rates = _rates(eta, rule)
    rng = np.random.default_rng() if rng is None else validate.generator("rng", rng)
    if n_trials % batch:
        raise ValueError(f"n_trials must be a multiple of batch ({batch}), got {n_trials}")
    if online and not rule.local_in_time:
        raise ValueError(f"online needs a rule that is local in time (carry 'leak'), got {rule.name!r}")
    if online and batch != 1:
        raise ValueError(f"batch must be 1 with online, got {batch}")
    optimizer = optimizers.resolve(optimizer)
    if online and not optimizer.plain:
        raise ValueError(f"optimizer must be plain sgd with online, got {validate.shown(optimizer)}")
    for name in ("n_in", "n_out"):
        size = getattr(task, name, None)
        if not isinstance(size, numbers.Integral) or size != getattr(net, name):
            raise ValueError(f"task.{name} must be the network's {getattr(net, name)}, got {validate.shown(size)}")
    if not callable(getattr(task, "trial", None)):
        raise ValueError(f"task must have a method trial, got {validate.shown(task)}")

    packed, switches, record = _Packed(net), _switches(rule), _record(n_trials)
    stepping = _Optimizer(optimizer, packed)
    train_block, workspace = _trainer(packed, rule, online, batch if reset_state else 1)
    work, room = None, -1
    trials = _Trials(task, packed, batch, rng)
    done = 0
    diverged = False
    while done < n_trials and not diverged:
        block = trials.block(n_trials - done)
        n_steps, part = block.inputs.shape[1], slice(done, done + len(block.order))
        if n_steps != room:
            work, room = workspace(n_steps), n_steps
        n_good = train_block(
            packed.weights,
            kernels.Trials(block.inputs, block.targets, block.order, batch, reset_state),
            switches,
            stepping.at(rates),
            kernels.Record(record.loss[part], record.alignment[part]),
            work,
        )
        diverged = n_good < len(block.order)
        done += n_good
        if progress is not None:
            progress(done)
    loss, alignment = record
    if diverged:
        loss[done + 1 :] = alignment[done + 1 :] = math.nan
        loss[np.isinf(loss)] = math.nan
    return History(loss, alignment, diverged, packed.network(), packed.weights.state[: net.n_rec].copy())
