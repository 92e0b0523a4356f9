"""Small reference runs: together they reach every line of `learning` and `tasks` that can touch a number.

All of them take seconds even where nothing is compiled (`tests/studies/test_reach.py` shows under
`NUMBA_DISABLE_JIT=1` what they do not reach).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rflo_repro.learning import exact_math
from rflo_repro.learning.evaluate import run, weight_updates
from rflo_repro.learning.loop import Loop
from rflo_repro.learning.network import Network
from rflo_repro.learning.rules import RULES, LearningRule
from rflo_repro.learning.task import Task
from rflo_repro.learning.train import train
from rflo_repro.paper.fig4.trial import Body, LoopSession
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Arrays
from rflo_repro.runs.session import Session
from rflo_repro.studies.gradient.trial import GradientSession
from rflo_repro.studies.rules.trial import Movements, RuleSession, Search
from rflo_repro.studies.small_problems import (
    GENERAL,
    MIXED,
    N_IN,
    N_REC,
    N_STEPS,
    RULES_OF_ONES_OWN,
    Memory,
    Sampled,
    arrays_of,
    network,
    rng,
    weights_of,
)
from rflo_repro.studies.small_trainings import trainings
from rflo_repro.tasks import IntervalMatchingTask, MovementTask, PeriodicTask, Reaching, SequenceTask


def _of_updates() -> Iterator[tuple[str, Arrays]]:
    for kind, options in (("", {}), (" general units", GENERAL), (" readout feedback", {"output_feedback": True})):
        for rule in (*RULES.values(), *RULES_OF_ONES_OWN):
            yield f"update: {rule.name}{kind}", _update(rule, options)


def _update(rule: LearningRule, options: dict[str, Any]) -> Arrays:
    inputs, targets = Sampled(missing=0.2).trial(rng(5))
    noise = rng(6).uniform(-0.1, 0.1, (N_STEPS, N_REC)) if options else None
    made = weight_updates(network(**options), inputs, targets, rule, noise, rng(7))
    return {"update loss": np.array(made.loss), **weights_of(made)}


def _of_the_rest() -> Iterator[tuple[str, Arrays]]:
    def run_of(shape: tuple[int, ...], noisy: bool, **options: Any) -> Arrays:
        noise = rng(9).uniform(-1.0, 1.0, (*shape, N_REC)) if noisy else None
        done = run(network(**options), rng(8).uniform(-1.0, 1.0, (*shape, N_IN)), noise)
        return {"h": done.h, "y": done.y}

    yield "run", run_of((N_STEPS,), False)
    yield "run, noise", run_of((N_STEPS,), True, **GENERAL)
    yield "run, trials in lockstep", run_of((11, N_STEPS), False, bias=0.1)
    yield "run, trials in lockstep, noise", run_of((3, N_STEPS), True)
    yield "run, readout feedback", run_of((3, N_STEPS), False, output_feedback=True)
    yield "table", {"frame": train(network(), MIXED, n_trials=3, rng=rng(3)).to_frame().to_numpy()}
    yield "run, no trial", run_of((0, N_STEPS), False)
    yield "networks", _networks()
    yield "loop", _loop()
    yield "arithmetic", _arithmetic()
    yield "tasks", _tasks()
    yield "sizes", _sizes()


def _of_jobs() -> Iterator[tuple[str, Arrays]]:
    """Jobs that diverge, and jobs that are stopped and go on from their checkpoints."""
    period = Session(PeriodicTask(12), "rflo", 1e300, 6, Initialisation(6), seed=1, network=0)
    yield "it diverges, a session", _job(period)
    yield "it diverges, compared with the gradient", _job(GradientSession(period, trials=(1, 3, 5)))
    yield "it diverges, cosines on the way", _job(RuleSession(period, points=(0, 2, 4)))
    for name, eta in (("", 0.03), ("it diverges, ", 1e300)):
        loop = LoopSession(
            Reaching(4), (0, 1, 2, 3), eta, 0.1, 0.5, "hold", False, 10, Initialisation(6), seed=1, network=0, moves=25
        )
        yield f"{name}a loop", _job(loop)
        yield f"{name}a loop, stopped in the second stage", _job(loop, after=200)
    search = Search(replace(period, eta=0.03), n_networks=2, stages=("w", "w_out"), start=-4)
    yield "a search, stopped", _job(search, after=50)
    movements = Movements(Reaching(4))
    yield "cosines of movements", _job(RuleSession(replace(period, task=movements, eta=0.03), points=(0, 2)))
    inputs, targets = movements.trial(rng(14))
    yield "movements", {"n_steps": np.array(movements.n_steps), "inputs": inputs, "targets": targets}
    largest = np.finfo(float).max * np.where(np.arange(36).reshape(6, 6) % 2, 1.0, -1.0)
    body = Body(replace(network(6, 4, 2), w_rec=largest), np.ones(6), Reaching(4))
    done = body.move(0)
    yield "a body of weights that are too large", {"h": done.h, "y": done.y, "state": body.state}


def _job(job: Any, after: int | None = None) -> Arrays:
    """What a job returns; one that is stopped after some trials, and goes on."""

    def progress(done: int) -> None:
        """Nobody is told."""

    if after is None:
        return dict(job.run(progress))
    memory = Memory(after)
    try:
        job.run(progress, checkpoint=memory)
    except InterruptedError:
        return dict(job.run(progress, checkpoint=memory))
    raise AssertionError(f"{job} was not stopped")


def _networks() -> Arrays:
    """Of `Network.random` and of initialisations."""
    nets = {
        "plain": network(),
        "mask": network(mask=np.arange(N_REC * N_REC).reshape(N_REC, N_REC) % 3 > 0),
        "states": network(h0=np.linspace(-1.0, 1.0, N_REC), bias=np.linspace(-1.0, 1.0, N_REC)),
        "zero readout": network(readout_scale=0.0),
    }
    task = Sampled()
    for name, init in {
        "init": Initialisation(N_REC, h0="uniform", dale=True, readout_scale=2.0),
        "init, others": Initialisation(N_REC, h0="normal", density=0.5, bias=0.3, tau_spread=2.0, phi="relu"),
        "init, feedback": Initialisation(N_REC, h0=0.2, output_feedback=True, bias=0.0, g=1.2, tau=7.0),
    }.items():
        nets[name] = init.draw(task, 3, 1)
    with TemporaryDirectory() as folder:
        path = Path(folder, "network.npz")
        for name in ("mask", "init, others"):
            nets[name].save(path)
            nets[f"{name}, read"] = Network.load(path)
    return {
        f"{name}: {field}": np.asarray(value)
        for name, net in nets.items()
        for field in ("w_in", "w_rec", "w_out", "feedback", "h0", "tau", "bias", "alignment", "density")
        if (value := getattr(net, field)) is not None
    }


def _loop() -> Arrays:
    net, drawn = network(), rng(10)
    loop = Loop.random(net, drawn)
    chosen, explored = [], []
    for _ in range(12):
        h = drawn.uniform(-1.0, 1.0, N_REC)
        allowed = np.arange(N_IN) != drawn.integers(N_IN)
        winner, random = loop.explore(h, allowed, 0.5, drawn)
        chosen += [winner, loop.choose(h), loop.choose(h, allowed)]
        explored.append(random)
        loop = loop.reinforced(h, winner, 0.1)
    return {"w_s": loop.w_s, "chosen": np.array(chosen), "explored": np.array(explored)}


def _arithmetic() -> Arrays:
    x = np.concatenate([np.linspace(-800.0, 800.0, 401), [0.0, -0.0, 1e-300, np.inf, -np.inf, np.nan]])
    one, other = rng(11).uniform(-1.0, 1.0, (2, 7, 13))
    return {
        "sine": exact_math.sin_of_turn(np.arange(-50, 50), 37),
        "exponential": exact_math.exp(x),
        "logarithm": exact_math.log(x),
        "logarithms": exact_math.log(np.ldexp(np.linspace(0.5, 1.0, 101), 3)),
        "log10": exact_math.log10(x),
        "geometric": exact_math.geomspace(1e-3, 30.0, 9),
        "geometric, one": exact_math.geomspace(0.5, 0.5, 1),
        "total": exact_math.sum(one),
        "total of none": exact_math.sum(np.zeros((3, 0))),
        "dot": exact_math.dot(one, other),
        "inner": np.array(exact_math.inner(one, other)),
        "norm": exact_math.norm(one),
        "size": np.array(exact_math.frobenius_norm(one)),
        "cosine": np.array([exact_math.cosine_similarity(one, other), exact_math.cosine_similarity(one, 0.0 * other)]),
        "mean": exact_math.mean(one),
        "normal": exact_math.normal(rng(12), (5, 7)),
    }


def _tasks() -> Arrays:
    """Trials of every task."""
    bell = Reaching(7, bound=2.0, profile="bell", amplitude=0.5, input_in_hold=True)
    tasks: dict[str, Task] = {
        "periodic": PeriodicTask(21),
        "interval": IntervalMatchingTask(60),
        "interval, others": IntervalMatchingTask(
            longest=30, shortest=10, channels=1, pulse_sd=4.0, first=8, tail=12, input_height=0.5, first_spread=6
        ),
        "movement": MovementTask(),
        "movement, bell": MovementTask(bell, np.array([1.0, -1.0])),
        "sequence": SequenceTask((0, 1, 2, 3), Reaching(5)),
        "sequence, bell": SequenceTask((2, 3), bell),
    }
    drawn = rng(13)
    found: Arrays = {}
    for name, task in tasks.items():
        for trial in range(3):
            inputs, targets = task.trial(drawn)
            found |= {f"{name} {trial}: inputs": inputs, f"{name} {trial}: targets": targets}
    inputs, targets = IntervalMatchingTask(60).with_delay(20)
    found |= {"with delay: inputs": inputs, "with delay: targets": targets}
    found["position"] = bell.position(bell.velocity((0, 1, 1)))
    return found


def _sizes() -> Arrays:
    """What tasks and rules say of themselves."""
    tasks: tuple[Any, ...] = (
        PeriodicTask(21),
        IntervalMatchingTask(60, channels=1),
        MovementTask(),
        SequenceTask((0, 1), Reaching(5)),
    )
    return {
        "tasks": np.array([(task.n_in, task.n_out, task.n_steps) for task in tasks]),
        "rules": np.array([(rule.untrained, rule.local_in_time, rule.algorithm.n_signs(5)) for rule in RULES.values()]),
    }


def small_runs() -> Iterator[tuple[str, Arrays]]:
    """The name and the arrays of each, `loss` among them where something is trained."""
    # numbers that overflow on their way to a divergence are meant to
    with np.errstate(all="ignore"):
        for name, history in trainings():
            yield name, arrays_of(history)
        for others in (_of_updates, _of_the_rest, _of_jobs):
            yield from others()
