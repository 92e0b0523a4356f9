"""Training a network on a task by a rule."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rflo_repro.learning import kernels, losses, optimizers, progress_line, resume, validate
from rflo_repro.learning.checkpoint import Checkpoint
from rflo_repro.learning.custom_rule import CustomTrainer
from rflo_repro.learning.evaluate import Rule, check_fit
from rflo_repro.learning.history import History, TrainingState, whole_batches
from rflo_repro.learning.network import Network, children
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.packing import PackedNetwork, new_record, optimizer_state
from rflo_repro.learning.rules import LearningRule, resolve
from rflo_repro.learning.scores import evaluate
from rflo_repro.learning.settings import Eta, Settings
from rflo_repro.learning.task import Task, check_task
from rflo_repro.learning.trial_source import Rngs, TrialSource

EVALUATED = 200
"""Trials on which `evaluate_every` evaluates the network."""


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
    progress: Callable[[int], None] | bool | None = None,
    optimizer: str | Optimizer = "sgd",
    noise: float = 0.0,
    snapshots: Sequence[int] = (),
    checkpoint: Checkpoint | None = None,
    loss: str = "squared",
    evaluate_every: int | None = None,
    stop: Callable[[History], Any] | None = None,
) -> History:
    """Train a copy of a network on a task.

    Memory is 16 bytes a trial, and linear in T N. A NaN or an infinity, but for targets, ends the training with
    `diverged`.

    Parameters
    ----------
    net : Network
        The network to begin with, which stays as it is.
    task : Task
        An object with `n_in`, `n_out` and `trial(rng)`. Targets that are NaN mean that there is no error:
        L = 1/(2T) sum over those that are numbers, T all timesteps.
    rule : str, LearningRule or callable
        A name from `RULES`, a rule, or any function ``rule(net, inputs, targets, run) -> Updates`` (slower): of the
        network as the trial finds it, one trial's inputs (T, Nx) and targets (T, Ny), and its Run.
    eta : float, LearningRates or callable
        One learning rate, or one for each matrix, or a function from a trial's number, from 1, to either; a batch has
        the rates of its first trial.
    n_trials : int
        A multiple of `batch`.
    rng : numpy.random.Generator, optional
        Passed to `task.trial`; a new one by default. Noise and Rademacher signs have generators of their own, derived
        from a copy of its state: the task's trials are the same with and without them.
    online : bool
        Whether weights change at every timestep, by eta/T times that step's term (Eq. 5-6), which needs a rule that is
        local in time. Otherwise they change at the end of each batch of trials (Eq. 15, 23).
    batch : int
        Trials whose updates are summed before they are applied; each has the 1/T of its own length.
    reset_state : bool
        Whether each trial begins at ``net.h0``, or where the last one ended.
    progress : callable or bool, optional
        Called with the number of trials done, a few times a second; what it raises ends the training. True writes a
        line on stderr.
    optimizer : str or Optimizer
        An optimiser, or the name of its method. Online it takes each step's term of Eq. 5, to which `clip` applies,
        at the rate eta/T.
    noise : float
        Standard deviation of Gaussian noise on the pre-activation u of every unit at every timestep.
    snapshots : sequence of int
        Numbers of trials, from 1, before whose update a copy of the network is saved. Those beyond `n_trials` are for
        `History.resume`.
    checkpoint : Checkpoint, optional
        Saves the unfinished training; where it has saved something, the same call goes on from there, to the same
        bits. It has a method `read()`, which returns the arrays that were saved last or None, and a method
        `keep(done, now)`, called as `progress` is, and before it: `now()` returns arrays by name for an .npz. A task
        that is no frozen dataclass, and so may remember its trials, is asked for all of them again.
    loss : {"squared", "cross-entropy"}
        Half the squared error (Eq. 2), or the cross-entropy of the softmax p of the outputs: L = -(1/T) sum of
        p* ln p, in nats, and the error is p* - p. Its targets are class numbers, (T,), or probabilities p*, (T, Ny).

    evaluate_every : int, optional
        After how many trials, each time, the network is evaluated as by `evaluate`, always on the same 200 trials,
        sampled from a copy of the task by a generator of their own: the training has the same bits with and without.
    stop : callable, optional
        Called with the history so far after each evaluation; the training ends where it returns something true.

    Returns
    -------
    History
        Loss and alignment of each trial, and the trained network.

    Raises
    ------
    ValueError
        For an argument that is not as said here.
    """
    net = validate.instance("net", net, Network)
    if isinstance(rule, (str, LearningRule)) or not callable(rule):
        rule = resolve(rule)
    settings = Settings(
        task=task,
        rule=rule,
        eta=eta,
        online=validate.boolean("online", online),
        batch=validate.integer("batch", batch, 1),
        reset_state=validate.boolean("reset_state", reset_state),
        optimizer=optimizers.resolve(optimizer),
        noise=validate.real("noise", noise, 0.0),
        snapshots=_snapshots(snapshots),
        loss=losses.checked(loss),
        evaluate_every=0 if evaluate_every is None else validate.integer("evaluate_every", evaluate_every, 1),
        stop=stop,
    )
    seeded = rng is not None
    rng = validate.generator("rng", rng) if rng is not None else np.random.default_rng()
    _check_together(settings, optimizer, net)
    check_task(task, net.n_in, net.n_out)
    noisy, stochastic = settings.noise > 0.0, settings.sign_bytes(net.n_rec) > 0
    rngs = Rngs(rng)
    if noisy or stochastic or settings.evaluate_every:
        for_noise, for_signs, for_evaluation = children(copy.deepcopy(rng), 3)
        rngs = Rngs(
            rng,
            for_noise if noisy else None,
            for_signs if stochastic else None,
            for_evaluation if settings.evaluate_every else None,
        )
    n_trials, training = whole_batches(n_trials, settings.batch), TrainingState(settings, rngs, continue_training)
    begun = History(np.zeros(0), np.zeros(0), False, net, net.h0)
    if checkpoint is not None:
        if not all(callable(getattr(checkpoint, name, None)) for name in ("read", "keep")):
            got = validate.short_repr(checkpoint)
            raise ValueError(f"checkpoint must have methods read and keep, got {got}")
        training = replace(training, identity=resume.identity(net, training, seeded))
        saved = checkpoint.read()
        if saved is not None:
            training, begun = resume.from_arrays(saved, training, net)
            if len(begun.loss) > n_trials:
                raise ValueError(f"n_trials must be at least the {len(begun.loss)} of the checkpoint, got {n_trials}")
            if len(begun.evaluated) and begun.evaluated[-1] == len(begun.loss) and _stops(settings, begun):
                return replace(begun, _training=training)
    return continue_training(training, n_trials, progress, checkpoint, begun)


def _snapshots(given: Any) -> tuple[int, ...]:
    """Raises ValueError."""
    try:
        return tuple(sorted({validate.integer("snapshots", trial, 1) for trial in given}))
    except TypeError:
        raise ValueError(f"snapshots must be numbers of trials, got {validate.short_repr(given)}") from None


def _check_together(settings: Settings, optimizer: Any, net: Network) -> None:
    """Raises ValueError for arguments that contradict each other."""
    rule = settings.known
    if settings.online and not (rule is not None and rule.local_in_time):
        name = validate.short_repr(settings.rule if rule is None else rule.name)
        needed = "a rule that is local in time (no carry 'full', no truncation, no next_error)"
        raise ValueError(f"online needs {needed}, got {name}")
    if rule is not None:
        check_fit(rule, settings.loss, net)
    if settings.evaluate_every % settings.batch:
        raise ValueError(
            f"evaluate_every must be a multiple of batch ({settings.batch}), got {settings.evaluate_every}"
        )
    if settings.stop is not None and not (settings.evaluate_every and callable(settings.stop)):
        got = validate.short_repr(settings.stop)
        raise ValueError(f"stop must be a function of the history, together with evaluate_every, got {got}")
    if settings.within_trial:
        within = "online" if rule is None or settings.online else f"{rule.name}, which is within the trial"
        if settings.batch != 1:
            raise ValueError(f"batch must be 1 with {within}, got {settings.batch}")
    if rule is not None and rule.algorithm.least_squares and not settings.optimizer.plain:
        got = validate.short_repr(optimizer)
        raise ValueError(f"optimizer must be plain sgd with {rule.name}, which has no gradient, got {got}")


def _stops(settings: Settings, history: History) -> bool:
    return settings.stop is not None and bool(settings.stop(history))


def _evaluate(training: TrainingState, net: Network) -> tuple[float, float]:
    """Mean loss and metric of the network as it is now. Raises ValueError for a task that cannot be copied."""
    settings = training.settings
    try:
        task = copy.deepcopy(settings.task)
    except Exception as error:  # whatever a task of somebody else's holds
        raise ValueError(f"evaluate_every needs a task that can be copied: {error}") from None
    found = evaluate(net, task, EVALUATED, copy.deepcopy(training.rngs.evaluation), settings.loss)
    return found.loss, found.metric


class _Trainer:
    """Trains by the kernel of the rule's algorithm, block by block."""

    def __init__(self, settings: Settings, packed: PackedNetwork) -> None:
        self.settings, self.packed, rule = settings, packed, settings.known
        self.kernel: Callable[..., int]
        if rule is None:
            assert not isinstance(settings.rule, LearningRule)
            self.kernel, self.switches = CustomTrainer(settings.rule, packed, settings.loss), None
        else:
            self.algorithm = rule.algorithm_for(settings.online)
            self.kernel = getattr(kernels, self.algorithm.train)
            self.switches = self.algorithm.switches(kernels, rule)
        self.optimizer = optimizer_state(settings.rule, settings.optimizer, packed)
        self.work, self.n_steps = None, -1

    def train(self, trials: kernels.Trials, rates: kernels.Rates, record: kernels.Record) -> int:
        """Train on these trials; the number of those that stayed finite."""
        rule, n_steps = self.settings.known, trials.inputs.shape[1]
        if n_steps != self.n_steps and rule is not None:
            width = self.settings.batch if self.settings.reset_state else 1
            self.work, self.n_steps = self.algorithm.workspace(kernels, rule, self.packed, n_steps, width), n_steps
        return self.kernel(self.packed.weights, trials, self.switches, self.optimizer.at(rates), record, self.work)


def continue_training(
    training: TrainingState,
    n_trials: int,
    progress: Callable[[int], None] | bool | None,
    checkpoint: Checkpoint | None,
    past: History,
) -> History:
    """The history so far and the missing ones of `n_trials` in all; the generators of `training` move on."""
    settings, n_past = training.settings, len(past.loss)
    call = progress_line.called(progress, n_trials)
    packed = PackedNetwork(past.network, noisy=settings.noisy)
    packed.weights.state[: packed.net.n_rec] = past.state
    trainer = _Trainer(settings, packed)
    if training.moments:
        for now, then in zip(trainer.optimizer.moments, training.moments, strict=True):
            now[:] = then
    record = new_record(n_trials)
    record.loss[:n_past], record.alignment[:n_past] = past.loss, past.alignment
    source = TrialSource(settings, packed, training.rngs, training.lookahead)
    # each before the batch that it belongs to
    wanted = [(trial, (trial - 1) // settings.batch * settings.batch) for trial in settings.snapshots]
    wanted = [(trial, before) for trial, before in wanted if n_past <= before < n_trials]
    snapshots = list(past.snapshots)
    evaluations = [*zip(past.evaluated, past.evaluated_loss, past.metric, strict=True)]
    done, diverged, stopped = n_past, False, False

    def so_far() -> History:
        after = replace(
            training,
            rngs=copy.deepcopy(training.rngs),
            moments=tuple(moment.copy() for moment in trainer.optimizer.moments),
            lookahead=source.lookahead,
        )
        seen = n_trials if diverged else done
        state = packed.weights.state[: packed.net.n_rec].copy()
        evaluated, evaluated_loss, metric = np.array(evaluations, dtype=np.float64).reshape(-1, 3).T
        return History(
            record.loss[:seen],
            record.alignment[:seen],
            diverged,
            packed.network(),
            state,
            tuple(snapshots),
            evaluated.astype(np.int64),
            evaluated_loss.copy(),
            metric.copy(),
            after,
        )

    while done < n_trials and not diverged and not stopped:
        while wanted and wanted[0][1] == done:
            snapshots.append((wanted.pop(0)[0], packed.network()))
        n_most = (wanted[0][1] if wanted else n_trials) - done
        every = settings.evaluate_every
        if every:
            n_most = min(n_most, every - done % every)
        rates, n_most = settings.constant_rates(done, n_most)
        began = time.perf_counter()
        block = source.block(n_most)
        n_block = len(block.order)
        part = slice(done, done + n_block)
        n_good = trainer.train(
            block.trials(settings),
            rates,
            kernels.Record(record.loss[part], record.alignment[part]),
        )
        source.seconds_per_step = max(1e-9, (time.perf_counter() - began) / (block.inputs.shape[1] * n_block))
        diverged = n_good < n_block
        done += n_good
        evaluates = every and done % every == 0 and not diverged
        if evaluates:
            evaluations.append((done, *_evaluate(training, packed.network())))
        if checkpoint is not None and not diverged:
            checkpoint.keep(done, lambda: resume.to_arrays(so_far()))
        if call is not None:
            call(done)
        stopped = bool(evaluates) and _stops(settings, so_far())
    loss, alignment = record
    if diverged:
        loss[done + 1 :] = alignment[done + 1 :] = math.nan
        loss[np.isinf(loss)] = math.nan
    return so_far()
