"""Small reference runs of `train`: every rule, each kind of network, each option.

Options that go together are taken together: a combination is a kernel to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rflo_repro.learning.evaluate import Run, Updates, weight_updates
from rflo_repro.learning.history import History
from rflo_repro.learning.network import Network
from rflo_repro.learning.optimizers import LearningRates, Optimizer
from rflo_repro.learning.rules import RULES, LearningRule
from rflo_repro.learning.train import train
from rflo_repro.learning.validate import Array
from rflo_repro.studies.small_problems import (
    ADAM,
    DALE,
    ETA,
    GENERAL,
    MASKS,
    MIXED,
    N_REC,
    N_TRIALS,
    RULES_OF_ONES_OWN,
    Classes,
    Memory,
    Remembered,
    Sampled,
    network,
    rng,
)
from rflo_repro.tasks import PeriodicTask


def own_rule(net: Network, inputs: Array, targets: Array, seen: Run) -> Updates:
    """A rule of one's own: RFLO's update, once more."""
    return weight_updates(net, inputs, targets, "rflo")


def own_rule_of_classes(net: Network, inputs: Array, targets: Array, seen: Run) -> Updates:
    """The same for the cross-entropy, by way of a rule of one's own."""
    return weight_updates(net, inputs, targets, lambda *given: _of_classes(*given[:3]), loss="cross-entropy")


def _of_classes(net: Network, inputs: Array, targets: Array) -> Updates:
    return weight_updates(net, inputs, targets, "rflo", loss="cross-entropy")


def few(rule: Any) -> int:
    """How many trials: of RTRL, whose step costs most, only two."""
    return 2 if rule == "rtrl" else N_TRIALS


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
    for rule in ("bptt", "rflo", "rtrl"):
        yield f"masks of inputs and readout, {rule}", of(rule, **MASKS)
    yield "masks of inputs and readout, online", of("rflo", training=online, **MASKS)
    yield "masks of inputs and readout, adam", of("bptt", training={"optimizer": ADAM}, **MASKS)
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
        yield f"{method}, online", of(optimizer=Optimizer(method, weight_decay=0.01), online=True)
    yield "clip", of(optimizer=Optimizer(clip=0.01))
    yield "clip, online", of(optimizer=Optimizer(clip=0.01), online=True)
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
    yield "rates by name", of(eta={"w_in": 0.01, "w_rec": 0.02, "w_out": 0.03})
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
    yield (
        "an update that is no number, online",
        of(task=Sampled(heights=(1e140, 1e140)), eta=1e250, optimizer=Optimizer(weight_decay=0.01), online=True),
    )
    yield "it diverges, online, adam", of(eta=1e300, online=True, optimizer=ADAM)
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
        yield f"stopped, {name}goes on", _stopped(task)


def _of_losses() -> Iterator[tuple[str, History]]:
    def of(rule: Any, task: Any = None, **options: Any) -> History:
        net = network(n_out=3)
        return train(net, task or Classes(), rule, ETA, few(rule), rng(3), loss="cross-entropy", **options)

    for rule in ("bptt", "rflo", "rtrl", "node-perturbation"):
        yield f"cross-entropy, {rule}", of(rule)
    yield "cross-entropy, online", of("rflo", online=True)
    yield "cross-entropy, probabilities", of("rflo", Classes(soft=True))
    yield "cross-entropy, a rule of one's own", of(own_rule_of_classes)
    yield "cross-entropy, evaluated", of("rflo", Classes(lengths=(9, 12)), evaluate_every=2)
    yield "evaluated", train(network(), Sampled(), "rflo", ETA, 6, rng(3), evaluate_every=3)
    yield "stopped", of("rflo", evaluate_every=2, stop=lambda history: len(history.loss) == 4)


def _stopped(task: Callable[[], Any]) -> History:
    """A training that is stopped and goes on from its checkpoint."""
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


def trainings() -> Iterator[tuple[str, History]]:
    """The name and the history of each."""
    yield from _of_rules()
    yield from _of_networks()
    yield from _of_training()
    yield from _of_losses()
