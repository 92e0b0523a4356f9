"""Small reference runs: together they reach every line of `learning` and `tasks` that can touch a number.

Each takes a few trials of a few timesteps, so that all of them take seconds even where nothing is compiled
(`tests/studies/test_reach.py` shows under `NUMBA_DISABLE_JIT=1` what they do not reach). Options that go together are
taken together: a combination is a kernel to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rflo_repro.learning import exact_math
from rflo_repro.learning.checkpoint import Saved
from rflo_repro.learning.evaluate import Run, Updates, run, weight_updates
from rflo_repro.learning.history import History
from rflo_repro.learning.loop import Loop
from rflo_repro.learning.network import Network
from rflo_repro.learning.optimizers import LearningRates, Optimizer
from rflo_repro.learning.rules import RULES, LearningRule
from rflo_repro.learning.task import Task
from rflo_repro.learning.train import train
from rflo_repro.learning.validate import Array
from rflo_repro.paper.fig4.trial import Body, LoopSession
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Arrays
from rflo_repro.runs.session import Session
from rflo_repro.studies.gradient.trial import GradientSession
from rflo_repro.studies.rules.trial import Movements, RuleSession, Search
from rflo_repro.tasks import IntervalMatchingTask, MovementTask, PeriodicTask, Reaching, SequenceTask

N_REC, N_IN, N_OUT, N_STEPS, N_TRIALS, ETA = 11, 3, 2, 12, 6, 0.05


def rng(seed: int) -> np.random.Generator:
    """Random numbers that do not depend on what NumPy's default generator is."""
    return np.random.Generator(np.random.PCG64(seed))


@dataclass(frozen=True)
class Sampled:
    """Inputs and targets from U(-1, 1), new ones each trial.

    lengths: timesteps of the trials, chosen at random. missing: the share of targets that are NaN.
    heights: of inputs and targets.
    """

    lengths: tuple[int, ...] = (N_STEPS,)
    missing: float = 0.0
    heights: tuple[float, float] = (1.0, 1.0)
    n_in: int = N_IN
    n_out: int = N_OUT

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Inputs (T, Nx) and targets (T, Ny)."""
        n_steps = self.lengths[int(rng.integers(len(self.lengths)))]
        inputs = rng.uniform(-1.0, 1.0, (n_steps, self.n_in))
        targets = rng.uniform(-1.0, 1.0, (n_steps, self.n_out))
        targets[rng.random(targets.shape) < self.missing] = np.nan
        return self.heights[0] * inputs, self.heights[1] * targets


class Remembered:
    """A task that is no frozen dataclass: each trial is the last one and a little more."""

    n_in, n_out = N_IN, N_OUT

    def __init__(self) -> None:
        self.last = np.zeros((N_STEPS, N_IN))

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Inputs (T, Nx) and targets (T, Ny)."""
        self.last = self.last + rng.uniform(-0.1, 0.1, self.last.shape)
        return self.last.copy(), self.last[:, :N_OUT].copy()


MIXED = Sampled(lengths=(9, 12, 15))
DALE = np.where(np.arange(N_REC) < N_REC // 2, 1.0, -1.0)
GENERAL: dict[str, Any] = {
    "phi": "softplus",
    "tau": np.linspace(3.0, 9.0, N_REC),
    "density": 0.6,
    "bias": 0.1,
}
ADAM = Optimizer("adam", clip=0.05, weight_decay=0.01)


def network(n_rec: int = N_REC, n_in: int = N_IN, n_out: int = N_OUT, **options: Any) -> Network:
    """A random one; options as of `Network.random`."""
    return Network.random(n_rec, n_in, n_out, rng(1), **{"tau": 5.0, **options})


def arrays_of(history: History) -> Arrays:
    """All that a history has."""
    nets = {"": history.network, **{f"{trial} ": net for trial, net in history.snapshots}}
    return {
        "loss": history.loss,
        "alignment": history.alignment,
        "diverged": np.array(history.diverged),
        "state": history.state,
        **{f"{name}{field}": array for name, net in nets.items() for field, array in weights_of(net).items()},
    }


def weights_of(net: Network | Updates) -> Arrays:
    """The matrices of a network or an update."""
    found = {name: getattr(net, name) for name in ("w_in", "w_rec", "w_out", "bias")}
    return {name: array for name, array in found.items() if array is not None}


def own_rule(net: Network, inputs: Array, targets: Array, seen: Run) -> Updates:
    """A rule of one's own: RFLO's update, once more."""
    return weight_updates(net, inputs, targets, "rflo")


class Memory:
    """A checkpoint in memory, which stops the training once after some trials."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.kept: Saved | None = None

    def read(self) -> Saved | None:
        """What was kept."""
        return self.kept

    def keep(self, done: int, now: Callable[[], Saved]) -> None:
        """Keep it and stop, the first time."""
        if self.kept is None and done >= self.after:
            self.kept = {name: array.copy() for name, array in now().items()}
            raise InterruptedError


def few(rule: Any) -> int:
    """How many trials: of RTRL, whose step costs most, only two."""
    return 2 if rule == "rtrl" else N_TRIALS


# what no registered rule has
RULES_OF_ONES_OWN = (
    LearningRule("trace-tau", "random", "leak", trace_tau=3.0),
    LearningRule("truncated", "symmetric", "full", truncation=4),
    LearningRule("truncated-leak", "random", "leak", truncation=1),
    LearningRule("next-error", "symmetric", "full", next_error=True),
    LearningRule("snap-0-random", "random", "none"),
    LearningRule("uoro-draws", "random", "full", form="uoro", draws=3),
    LearningRule("kf-draws", "random", "full", form="kf", draws=3),
    LearningRule("perturbation-leak", "random", "leak", form="perturbation", sigma=0.1, draws=2),
    LearningRule("perturbation-trace", "random", "leak", form="perturbation", sigma=0.1, trace_tau=3.0),
    LearningRule("perturbation-none", "random", "none", form="perturbation", sigma=0.1, reward="step"),
)
# of each kernel one
FORMS = ("bptt", "rflo", "rtrl", "uoro", "kf-rtrl", "node-perturbation", "force")


def _of_rules() -> Iterator[tuple[str, History]]:
    for rule in (*RULES.values(), *RULES_OF_ONES_OWN):
        yield rule.name, train(network(), Sampled(), rule, ETA, few(rule.name), rng(2))
    for name in ("rflo", "local", "snap-0", "snap-1", "snap-1-random", "readout-only", "recurrent-only", "untrained"):
        yield f"{name} online", train(network(), Sampled(), name, ETA, 3, rng(2), online=True)
    yield "force online", train(network(), Sampled(), "force", ETA, 3, rng(2), online=True)
    for name in FORMS:
        many: dict[str, Any] = {} if name == "force" else {"batch": 2, "optimizer": ADAM}
        yield (
            f"{name}, general units, noise, mixed lengths",
            train(network(**GENERAL), MIXED, name, ETA, few(name), rng(2), noise=0.1, **many),
        )
    for name in ("rflo", "snap-1"):
        yield (
            f"{name} online, general units, noise, mixed lengths",
            train(network(**GENERAL), MIXED, name, ETA, 3, rng(2), noise=0.1, online=True),
        )


def _of_networks() -> Iterator[tuple[str, History]]:
    def of(rule: str = "bptt", task: Any = None, seed: int = 2, training: Any = None, **options: Any) -> History:
        return train(network(**options), task or Sampled(), rule, ETA, few(rule), rng(seed), **(training or {}))

    for phi in ("tanh", "relu", "softplus", "sigmoid", "identity"):
        yield f"phi {phi}", of(phi=phi, density=1.0)
        yield f"phi {phi}, large drive", of("rflo", phi=phi, density=1.0, g=40.0)
    yield "tanh, large drive", of("rflo", g=40.0)
    yield "density", of(density=0.5)
    yield "density, rflo", of("rflo", density=0.5)
    yield "density, rtrl", of("rtrl", density=0.5)
    yield "bias", of(bias=0.2)
    yield "bias, readout only", of("readout-only", bias=0.2)
    yield "tau a unit", of(tau=np.linspace(2.0, 20.0, N_REC))
    for rule in ("bptt", "rflo", "rtrl"):
        yield f"Dale's law, {rule}", of(rule, signs=DALE)
        yield f"readout feedback, {rule}", of(rule, output_feedback=True)
    online = {"online": True}
    yield "Dale's law, online", of("rflo", signs=DALE, training=online)
    yield "Dale's law, adam", of("rflo", signs=DALE, training={"optimizer": ADAM})
    for rule in ("rflo", "snap-1"):
        yield f"readout feedback, {rule} online", of(rule, output_feedback=True, training=online)
    for rule in FORMS[3:]:
        yield f"readout feedback, {rule}", of(rule, output_feedback=True)
    alone = LearningRule("w-out", "symmetric", "full", trains=("w_out",))
    yield "readout feedback, only the readout", of(alone, output_feedback=True)  # type: ignore[arg-type]
    for n_rec in (1, 8, 40, 75, 150):
        yield (
            f"{n_rec} units",
            train(network(n_rec), Sampled(), "bptt", ETA, 2, rng(2), batch=2),
        )
        yield f"{n_rec} units, rflo", train(network(n_rec), Sampled(), "rflo", ETA, 2, rng(2))
    yield "no input", train(network(n_in=0), Sampled(n_in=0), "bptt", ETA, 2, rng(2))
    yield "no input, rtrl", train(network(n_in=0), Sampled(n_in=0), "rtrl", ETA, 2, rng(2))


def _of_training() -> Iterator[tuple[str, History]]:
    def of(rule: Any = "rflo", task: Any = None, eta: Any = ETA, n_trials: int = 0, **options: Any) -> History:
        return train(network(), task or Sampled(), rule, eta, n_trials or few(rule), rng(3), **options)

    for method in ("sgd", "momentum", "rmsprop", "adam"):
        yield f"{method}", of(optimizer=Optimizer(method, weight_decay=0.01))
    yield "clip", of(optimizer=Optimizer(clip=0.01))
    yield "no clip", of(optimizer=Optimizer(clip=1e6))
    for rule in ("bptt", "rtrl", "uoro", "kf-rtrl", "node-perturbation"):
        yield f"adam, {rule}", of(rule, optimizer=ADAM)
        yield f"batch, {rule}", of(rule, batch=2)
    yield "a batch of many", of(n_trials=40, batch=20)
    yield (
        "one trial again and again",
        train(network(n_in=0, n_out=1), PeriodicTask(20), "bptt", ETA, 9, rng(3), batch=3),
    )
    for rule in FORMS:
        yield f"states go on, {rule}", of(rule, reset_state=False)
    yield "states go on, batch", of(reset_state=False, batch=3)
    yield "states go on, online", of(reset_state=False, online=True)
    yield "noise", of(noise=0.1)
    yield "mixed lengths, bptt", of("bptt", MIXED, batch=2)
    yield "mixed lengths, states go on", of("rflo", MIXED, reset_state=False, batch=2)
    yield "mixed lengths, single trials", of("rflo", MIXED)
    yield "mixed lengths now and then", of("rflo", Sampled(lengths=(9, 9, 9, 12)), n_trials=40, batch=2)
    for rule in FORMS:
        yield f"targets that are missing, {rule}", of(rule, Sampled(missing=0.4))
    yield "rates by matrix", of(eta=LearningRates(0.01, 0.02, 0.03))
    yield "rates by matrix, online", of(eta=LearningRates(0.01, 0.02, 0.03), online=True)
    yield "rates by trial", of(eta=lambda trial: 0.1 / trial, batch=2)
    yield "rates by trial, in steps", of(eta=lambda trial: 0.1 if trial <= 3 else LearningRates(0.1, 0.0, 0.1))
    for rule in FORMS:
        yield f"it diverges, {rule}", of(rule, Sampled(), 1e300)
    yield "weights too large", of("bptt", Sampled(heights=(1.0, 1e100)), 1e300)
    yield "weights too large, rewards", of("node-perturbation", Sampled(heights=(1.0, 1e100)), 1e300)
    yield (
        "an update too large to square",
        train(
            network(phi="identity", g=0.1), Sampled(heights=(1e12, 1e148)), "bptt", 1e-20, 2, rng(3),
            optimizer=Optimizer(clip=1.0),
        ),
    )  # fmt: skip
    yield "it diverges, online", of(eta=1e300, online=True)
    yield "it diverges, adam", of("bptt", eta=1e300, optimizer=ADAM)
    yield "a rule of one's own", of(own_rule)
    yield "a rule of one's own, adam", of(own_rule, MIXED, batch=2, optimizer=ADAM, noise=0.1)
    yield (
        "a rule of one's own, bias, states go on",
        train(network(bias=0.1), Sampled(missing=0.2), own_rule, ETA, N_TRIALS, rng(3), reset_state=False),
    )
    yield "a rule of one's own diverges", of(own_rule, eta=1e300)
    yield "snapshots", of("bptt", snapshots=(1, 4, 99), batch=2)
    yield "resumed", of("bptt", optimizer=ADAM, noise=0.1).resume(4)
    yield "resumed, mixed lengths", of("uoro", MIXED, batch=2, n_trials=2, snapshots=(1,)).resume(4)
    yield "resumed, force", of("force").resume(2)
    for name, task in (("", Sampled), ("mixed lengths, ", lambda: MIXED), ("a task that remembers, ", Remembered)):
        yield f"kept, {name}goes on", _kept(task)


def _kept(task: Callable[[], Any]) -> History:
    """A training that is stopped and goes on from what was kept."""
    memory = Memory(after=2)

    def again() -> History:
        given = task()
        options: dict[str, Any] = {"batch": 2, "optimizer": ADAM, "noise": 0.1, "snapshots": (1,)}
        options |= {"checkpoint": memory, "progress": lambda done: None}
        # rates that change end a kernel call after each batch
        return train(network(bias=0.1), given, "uoro", lambda trial: 0.1 / trial, 8, rng(4), **options)

    try:
        return again()
    except InterruptedError:
        return again()


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
    """Jobs that diverge, and jobs that are stopped and go on from what was kept."""
    period = Session(PeriodicTask(12), "rflo", 1e300, 6, Initialisation(6), seed=1, network=0)
    yield "it diverges, a session", _job(period)
    yield "it diverges, compared with the gradient", _job(GradientSession(period, trials=(1, 3, 5)))
    yield "it diverges, cosines on the way", _job(RuleSession(period, points=(0, 2, 4)))
    for name, eta in (("", 0.03), ("it diverges, ", 1e300)):
        loop = LoopSession(
            Reaching(4), (0, 1, 2, 3), eta, 0.1, 0.5, "hold", False, 10, Initialisation(6), seed=1, network=0, moves=25
        )
        yield f"{name}a loop", _job(loop)
        yield f"{name}a loop, kept in the second stage", _job(loop, after=200)
    search = Search(replace(period, eta=0.03), n_networks=2, stages=("w", "w_out"), start=-4)
    yield "a search, kept", _job(search, after=50)
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
        "recipe": Initialisation(N_REC, h0="uniform", dale=True, readout_scale=2.0),
        "recipe, others": Initialisation(N_REC, h0="normal", density=0.5, bias=0.3, tau_spread=2.0, phi="relu"),
        "recipe, feedback": Initialisation(N_REC, h0=0.2, output_feedback=True, bias=0.0, g=1.2, tau=7.0),
    }.items():
        nets[name] = init.draw(task, 3, 1)
    with TemporaryDirectory() as folder:
        path = Path(folder, "network.npz")
        for name in ("mask", "recipe, others"):
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
        for trained in (_of_rules, _of_networks, _of_training):
            for name, history in trained():
                yield name, arrays_of(history)
        for others in (_of_updates, _of_the_rest, _of_jobs):
            yield from others()
