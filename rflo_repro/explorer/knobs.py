"""The knobs: what they can be, the presets, and the Python and the commands that train the same networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.rules import RULES
from rflo_repro.paper import registry
from rflo_repro.runs.choices import defaults
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session
from rflo_repro.studies.notebook.task import FirstStepGiven
from rflo_repro.tasks import (
    ContextTask,
    EvidenceTask,
    FlipFlopTask,
    IntervalMatchingTask,
    MatchToSampleTask,
    MovementTask,
    PeriodicTask,
    Reaching,
)

if TYPE_CHECKING:
    from rflo_repro.learning.network import Phi
    from rflo_repro.learning.task import Task

TAU = 10
# RTRL, and by Kronecker factors, take seconds a trial where N is large; FORCE takes neither batches nor a clip
CHOSEN = [name for name, rule in RULES.items() if rule.form not in ("forward", "kf", "rls")]
PUBLISHED = "bptt-published"
# what each knob can be
VALUES: dict[str, tuple[Any, ...]] = {
    "rule": (*CHOSEN[:2], PUBLISHED, *CHOSEN[2:]),
    "eta": (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0),
    "n_rec": (5, 10, 20, 30, 50, 100, 150, 200),
    "g": tuple(round(0.1 * tenths, 1) for tenths in range(31)),
    "n_trials": (100, 300, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000),
    "phi": ("tanh", "relu", "softplus", "sigmoid", "identity"),
    "clip": (None, 0.01, 0.03, 0.1, 0.3, 1.0),
    "batch": (1, 10),
    "h0": (0.0, 0.1, 0.5, 1.0),
    "readout_scale": (0.1, 1.0),
}
LARGEST_SEED = 10**6
# the figure whose command trains by a rule, on the periodic task and on the intervals of Figure 3
FIGURES_2 = {
    **dict.fromkeys(("bptt", "rflo", "local", "random-feedback"), "fig2-locality"),
    "recurrent-only": "fig2-readout",
}
FIGURES_3 = dict.fromkeys(("bptt", "rflo"), "fig3")
# choices of those figures that are knobs
SETS = ("n_rec", "g", "h0", "readout_scale", "clip", "batch")


@dataclass(frozen=True)
class Kind:
    """A kind of task: its knob `length`, and what makes it.

    label, lengths: of the knob, in tau. make, text: the task of a length in timesteps, as an object and in Python.
    module: where that is imported from, if not `rr`. reset_state: as in `train`.
    """

    label: str
    lengths: tuple[float, ...]
    make: Callable[[int], Task]
    text: str
    module: str = ""
    reset_state: bool = True


KINDS = {
    "periodic": Kind("period", (5, 10, 20, 40, 80, 160), PeriodicTask, "rr.PeriodicTask({})"),
    "periodic, first step given": Kind(
        "period",
        (5, 10, 20, 40, 80, 160),
        lambda steps: FirstStepGiven(PeriodicTask(steps)),
        "FirstStepGiven(rr.PeriodicTask({}))",
        "rflo_repro.studies.notebook.task",
    ),
    "interval matching": Kind(
        "longest delay", (10, 15, 20, 25), IntervalMatchingTask, "rr.IntervalMatchingTask(longest={})"
    ),
    "match to sample": Kind(
        "delay",
        (2, 5, 6.7, 10, 20),
        lambda steps: MatchToSampleTask(delay=steps),
        "rr.MatchToSampleTask(delay={})",
    ),
    "evidence accumulation": Kind(
        "mean stimulus",
        (1, 3.3, 10),
        lambda steps: EvidenceTask(mean_stimulus=steps),
        "rr.EvidenceTask(mean_stimulus={})",
    ),
    "context-dependent integration": Kind(
        "stimulus", (4, 8, 16), lambda steps: ContextTask(stimulus=steps), "rr.ContextTask(stimulus={})"
    ),
    "flip-flop": Kind("trial", (20, 30, 60), lambda steps: FlipFlopTask(n_steps=steps), "rr.FlipFlopTask(n_steps={})"),
    "movements": Kind(
        "a movement",
        (5, 10, 20),
        lambda steps: MovementTask(Reaching(steps)),
        "rr.MovementTask(rr.Reaching({}))",
        reset_state=False,
    ),
}


@dataclass(frozen=True)
class Knobs:
    """All that decides what is learned.

    task: a name of KINDS. length: of its knob, in tau. rules: up to three, each with its learning rate.
    The others are as in `Network.random`, `Optimizer` and `train`. Raises ValueError for what no knob can be.
    """

    task: str = "periodic"
    length: float = 20
    rules: tuple[tuple[str, float], ...] = (("rflo", 0.03), ("bptt", 0.03))
    n_rec: int = 30
    g: float = 1.5
    n_trials: int = 10_000
    seed: int = 2019
    phi: Phi = "tanh"
    clip: float | None = None
    batch: int = 1
    h0: float = 0.1
    readout_scale: float = 1.0

    def __post_init__(self) -> None:
        allowed = {"task": tuple(KINDS), **VALUES}
        given = [(name, getattr(self, name)) for name in allowed if hasattr(self, name)]
        given += [pair for rule, eta in self.rules for pair in (("rule", rule), ("eta", eta))]
        for name, value in given:
            if value not in allowed[name]:
                raise ValueError(f"{name} must be one of {', '.join(map(str, allowed[name]))}, got {value!r}")
        if self.length not in self.kind.lengths:
            raise ValueError(f"length must be one of {', '.join(map(str, self.kind.lengths))}, got {self.length!r}")
        if not 1 <= len({rule for rule, _ in self.rules}) == len(self.rules) <= 3:
            raise ValueError(f"rules must be one to three, each once, got {self.rules!r}")
        if not isinstance(self.seed, int) or not 0 <= self.seed <= LARGEST_SEED:
            raise ValueError(f"seed must be a whole number from 0 to {LARGEST_SEED}, got {self.seed!r}")

    @property
    def kind(self) -> Kind:
        """The kind of its task."""
        return KINDS[self.task]

    def _task(self) -> Task:
        return self.kind.make(round(TAU * self.length))

    def session(self, rule: str) -> Session:
        """The training by one of the rules."""
        task, eta = self._task(), dict(self.rules)[rule]
        return Session(
            task=task,
            rule=replace(RULES["bptt"], next_error=True) if rule == PUBLISHED else rule,
            # the rate is that of an average over the whole period
            eta=eta * task.share if isinstance(task, FirstStepGiven) else eta,
            n_trials=self.n_trials,
            init=Initialisation(self.n_rec, TAU, self.g, self.h0, self.readout_scale, phi=self.phi),
            seed=self.seed,
            network=0,
            batch=self.batch,
            reset_state=self.kind.reset_state,
            optimizer="sgd" if self.clip is None else Optimizer(clip=self.clip),
        )

    def python(self) -> str:
        """A script that trains the same networks to the same bytes, and prints the loss of each in its last trial."""
        kind, usual = self.kind, Knobs()
        of_net = [f"g={self.g}"]
        of_net += [f"{n}={getattr(self, n)!r}" for n in ("h0", "readout_scale", "phi") if self._differs(n, usual)]
        rules = ", ".join(f'("{rule}", {eta})' for rule, eta in self.rules)
        imports = ["import numpy as np", "", "import rflo_repro as rr"]
        imports += [f"from {kind.module} import {kind.text.partition('(')[0]}"] if kind.module else []
        published = PUBLISHED in dict(self.rules)
        if published:
            imports = ["from dataclasses import replace", "", *imports]
            rules = rules.replace(f'"{PUBLISHED}"', 'replace(rr.RULES["bptt"], next_error=True)')
        of_training = ["eta * task.share" if kind.module else "eta", f"n_trials={self.n_trials}", "rng=random(1)"]
        of_training += [f"batch={self.batch}"] if self._differs("batch", usual) else []
        of_training += ["reset_state=False"] if not kind.reset_state else []
        of_training += [f"optimizer=rr.Optimizer(clip={self.clip})"] if self.clip is not None else []
        return "\n".join(
            [
                *imports,
                "",
                "",
                "def random(purpose):",
                f"    seed = np.random.SeedSequence({self.seed}, spawn_key=(0, purpose))",
                "    return np.random.default_rng(seed)",
                "",
                "",
                f"for rule, eta in [{rules}]:",
                f"    task = {kind.text.format(round(TAU * self.length))}",
                f"    net = rr.Network.random({self.n_rec}, task.n_in, task.n_out, random(0), {', '.join(of_net)})",
                f"    history = rr.train(net, task, rule, {', '.join(of_training)})",
                "    print(rule, history.loss[-1])" if not published else "    print(history.loss[-1])",
                "",
            ]
        )

    def _differs(self, name: str, other: Any) -> bool:
        return bool(getattr(self, name) != getattr(other, name))

    def commands(self) -> list[str]:
        """The commands of figures that train the same networks, for each rule that has one."""
        figures: Mapping[str, str] = {}
        if self.task == "periodic" and self.batch == 1:
            figures, where = FIGURES_2, f"--period {self.length:g}"
        elif self.task == "interval matching" and self.length == 15:
            figures, where = FIGURES_3, "--panel a"
        found = []
        for rule, eta in self.rules:
            choices = registry.figures()[figures[rule]].choices if rule in figures and self.phi == "tanh" else None
            if choices is not None:
                usual = defaults(choices)
                own = {name: usual[name] if getattr(self, name) is None else getattr(self, name) for name in SETS}
                sets = [f" --set {name}={value}" for name, value in own.items() if usual.get(name, value) != value]
                counts = f"--trials {self.n_trials} --networks 1 --seed {self.seed}"
                found.append(f"rflo-repro {figures[rule]} --rule {rule} {where} --eta {eta} {counts}{''.join(sets)}")
        return found


_PERIODIC = Knobs()
_FIELD = Knobs(n_rec=100, seed=90216)
PRESETS = {
    "Figure 2: 20 τ": _PERIODIC,
    "Figure 2: 80 τ": replace(_PERIODIC, length=80, rules=(("rflo", 0.001), ("bptt", 0.01), ("local", 0.001))),
    "Figure 2: 80 τ, clipped": replace(_PERIODIC, length=80, rules=(("rflo", 0.001), ("bptt", 0.01)), clip=0.3),
    "Rules that train less": replace(
        _PERIODIC, rules=(("rflo", 0.03), ("readout-only", 0.03), ("recurrent-only", 0.03))
    ),
    "Figure 3: delays to 15 τ": Knobs(
        "interval matching", 15, (("rflo", 0.001), ("bptt", 0.003)), n_rec=100, n_trials=5000, batch=10, h0=0.0
    ),
    "Figure 4: single movements": Knobs("movements", 20, (("rflo", 0.01), ("bptt", 0.01)), n_rec=100),
    "Match to sample": replace(
        _FIELD, task="match to sample", length=6.7, n_rec=200, rules=(("rflo", 0.003), ("local", 0.1), ("bptt", 0.03))
    ),
    "Evidence accumulation": replace(
        _FIELD, task="evidence accumulation", length=3.3, rules=(("rflo", 0.01), ("local", 0.1), ("bptt", 0.03))
    ),
    "Context-dependent integration": replace(
        _FIELD,
        task="context-dependent integration",
        length=8,
        n_rec=150,
        rules=(("rflo", 0.01), ("local", 0.03), ("bptt", 0.03)),
    ),
    "Flip-flop": replace(_FIELD, task="flip-flop", length=30, rules=(("rflo", 0.01), ("local", 0.3), ("bptt", 0.03))),
    "The author's notebook": Knobs(
        "periodic, first step given",
        10,
        ((PUBLISHED, 0.03), ("bptt", 0.03), ("rflo", 0.03)),
        n_rec=50,
        seed=90215,
        readout_scale=0.1,
    ),
}
