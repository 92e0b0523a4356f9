"""How well a network does on trials of a task, without learning."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rflo_repro.learning import losses, validate
from rflo_repro.learning.evaluate import checked_trial, run
from rflo_repro.learning.network import Network
from rflo_repro.learning.task import Task, check_task
from rflo_repro.learning.trial_source import Trial
from rflo_repro.learning.validate import Array

FLOATS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(validate.ShortRepr):
    """What `evaluate` found.

    Parameters
    ----------
    losses : ndarray
        (n_trials,): the loss of each trial.
    metrics : ndarray
        (n_trials,): the task's metric of each trial; NaN if the task has none.
    """

    losses: Array
    metrics: Array

    @property
    def loss(self) -> float:
        """The mean loss of a trial."""
        return float(np.mean(self.losses))

    @property
    def metric(self) -> float:
        """The mean metric of a trial, over the trials that have one; NaN if none has."""
        there = self.metrics[~np.isnan(self.metrics)]
        return float(np.mean(there)) if there.size else math.nan

    @property
    def loss_sd(self) -> float:
        """The standard deviation of the loss over trials."""
        return float(np.std(self.losses))

    @property
    def metric_sd(self) -> float:
        """The standard deviation of the metric over trials, or NaN."""
        there = self.metrics[~np.isnan(self.metrics)]
        return float(np.std(there)) if there.size else math.nan

    def __repr__(self) -> str:
        return f"Evaluation(loss={self.loss:.4g}, metric={self.metric:.4g}, {len(self.losses)} trials)"


def evaluate(
    net: Network,
    task: Task,
    n_trials: int = 200,
    rng: np.random.Generator | None = None,
    loss: str = "squared",
) -> Evaluation:
    """Run a network on trials of a task, and measure it.

    A task may have a method ``metric(outputs, inputs, targets) -> float``, of one trial: outputs (T, Ny), and inputs
    and targets as the task gave them. NaN: this trial has none.

    Parameters
    ----------
    net : Network
        The network, which does not change. Every trial begins at its h0.
    task : Task
        As in `train`.
    n_trials : int
        How many trials.
    rng : numpy.random.Generator, optional
        Passed to `task.trial`; a new one by default.
    loss : {"squared", "cross-entropy"}
        As in `train`.

    Returns
    -------
    Evaluation
        Mean and spread over trials, and each trial's values.

    Raises
    ------
    ValueError
        For an argument that is not as said here, a trial of another shape, or a metric that is no number.
    """
    net, loss = validate.instance("net", net, Network), losses.checked(loss)
    check_task(task, net.n_in, net.n_out)
    n_trials = validate.integer("n_trials", n_trials, 1)
    rng = np.random.default_rng() if rng is None else validate.generator("rng", rng)
    metric = getattr(task, "metric", None)
    found_losses, found_metrics = np.empty(n_trials), np.full(n_trials, math.nan)
    done = 0
    for group in _groups(net, task, n_trials, rng, loss):
        outputs = run(net, np.stack([inputs for (inputs, _), _ in group])).y
        for y, ((inputs, targets), given) in zip(outputs, group, strict=True):
            found_losses[done] = losses.of_outputs(loss, targets, y)
            if metric is not None:
                found_metrics[done] = _number(metric(y, inputs, np.array(given, dtype=np.float64)))
            done += 1
    return Evaluation(found_losses, found_metrics)


def _groups(
    net: Network, task: Task, n_trials: int, rng: np.random.Generator, loss: str
) -> Iterator[list[tuple[Trial, Any]]]:
    """Trials in order, those of one length that follow one another together: checked, and the targets as they were
    given."""
    group: list[tuple[Trial, Any]] = []
    for _ in range(n_trials):
        inputs, given = task.trial(rng)
        given = np.array(given)
        trial = checked_trial(inputs, given, net, loss)
        n_steps = len(trial[0])
        full = (len(group) + 1) * n_steps * (2 * net.n_rec + net.n_in) > FLOATS_AT_ONCE
        if group and (full or len(group[0][0][0]) != n_steps):
            yield group
            group = []
        group.append((trial, given))
    yield group


def _number(value: Any) -> float:
    """What a task's metric returned. Raises ValueError."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"task.metric must return a number, got {validate.short_repr(value)}") from None
