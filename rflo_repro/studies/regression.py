"""`rflo-repro check`: losses of this machine and this source against stored references.

Three kinds, each with the tolerance that its length allows:

- the first 20 trials of two stored networks by every rule, held tight;
- the final losses of every figure's smoke scale, held nearly as tight;
- the final losses of nine networks trained in full at 20 tau, by median, within a factor.

`python -m rflo_repro.studies.regression` writes the references anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import numpy as np
from rich.console import Console

from rflo_repro.learning.network import Network
from rflo_repro.learning.rules import RULES
from rflo_repro.learning.training import train
from rflo_repro.paper import fig2, registry
from rflo_repro.runs.learning_curves import final_loss
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.realisation import Arrays, Condition
from rflo_repro.runs.request import Selection
from rflo_repro.runs.store import Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.tasks import PeriodicTask

REFERENCES = resources.files("rflo_repro.studies") / "references"
NETWORKS = ("a", "b")
PERIOD = 200
N_TRIALS = {"rtrl": 3}  # RTRL costs N^4 a step; the others are held for 20
ETA = 0.01
# Bands, from what `NUMBA_CPU_NAME=generic rflo-repro check` says (docs/reproducibility.md): it moves short runs by
# 1e-13 and smoke scale by 6e-7; medians after 10,000 trials have moved by a factor of 2 with the order of sums
TIGHT = 1e-11
SMOKE = 1e-5
FULL_FACTOR = 4.0


@dataclass(frozen=True)
class Case:
    """A number held to a reference: |log(value / reference)| may be at most log(1 + tolerance)."""

    name: str
    value: float
    tolerance: float

    def moved(self, reference: float) -> float:
        """How far the value is from the reference, as a share of the smaller of them; NaN is close to NaN only."""
        if math.isnan(reference) or math.isnan(self.value):
            return 0.0 if math.isnan(reference) and math.isnan(self.value) else math.inf
        return math.expm1(abs(math.log(self.value / reference)))

    def holds(self, reference: float) -> bool:
        """Whether the value is close enough."""
        return self.moved(reference) <= self.tolerance


def stored_network(name: str) -> Network:
    """A network whose weights are package data, so that no random generator stands between it and the losses."""
    with (
        resources.as_file(REFERENCES / f"network_{name}.npz") as path,
        np.load(path, allow_pickle=False) as file,
    ):
        return Network(**{key: file[key] for key in file.files if key != "tau"}, tau=float(file["tau"]))


def short_runs() -> Iterator[Case]:
    """Losses of the first trials of the stored networks, by every rule, and by RFLO within the trial."""
    for name in NETWORKS:
        net = stored_network(name)
        for rule, online in [*((rule, False) for rule in RULES), ("rflo", True)]:
            n_trials = N_TRIALS.get(rule, 20)
            history = train(net, PeriodicTask(PERIOD), rule, ETA, n_trials, np.random.default_rng(0), online=online)
            for trial in sorted({1, 2, 5, 10, 20, n_trials} & set(range(1, n_trials + 1))):
                label = f"network {name}, {rule}{' online' if online else ''}, trial {trial}"
                yield Case(label, float(history.loss[trial - 1]), TIGHT)


def _conditions() -> Iterator[tuple[str, float, Condition]]:
    for figure in filter(lambda f: f.computed, registry.figures().values()):
        choices = figure.experiment.scales["smoke"]
        for condition in figure.experiment.conditions(choices, Selection(rates=figure.rates[:1])):
            yield f"{figure.command} smoke, {condition.label}", SMOKE, condition
    choices = fig2.ABOUT.experiment.scales["paper"]
    for condition in fig2.ABOUT.experiment.conditions(choices, Selection(periods=(20.0,), rules=("bptt", "rflo"))):
        yield f"fig2 paper, {condition.label}", FULL_FACTOR - 1.0, condition


def figure_runs(console: Console, jobs: int | None) -> Iterator[Case]:
    """Median final loss of each condition of every figure at smoke scale, and of Figure 2 at 20 tau in full."""
    named = [(name, tolerance, replace(c, label=name)) for name, tolerance, c in _conditions()]
    with TemporaryDirectory() as folder:
        results = sweep(
            [condition for _, _, condition in named],
            Store(Path(folder)),
            jobs or joblib.cpu_count(),
            Reporter(console),
            lambda sessions: f"loss {_median(sessions):.4g}",
        )
    for (name, tolerance, _), sessions in zip(named, results, strict=True):
        yield Case(name, _median(sessions), tolerance)


def _median(sessions: Sequence[Arrays]) -> float:
    return float(np.median([final_loss(arrays) for arrays in sessions]))


def check(console: Console, jobs: int | None) -> bool:
    """Compare with the references; print what moved, and whether all hold."""
    references = json.loads((REFERENCES / "losses.json").read_text(encoding="utf-8"))
    cases = [*short_runs(), *figure_runs(console, jobs)]
    moved = [case for case in cases if case.name not in references or not case.holds(references[case.name])]
    missing = set(references) - {case.name for case in cases}
    for case in moved:
        reference = references.get(case.name, math.nan)
        console.print(
            f"moved: {case.name}: {case.value:.12g}, reference {reference:.12g}, allowed ±{case.tolerance:.1g} of it",
            highlight=False,
            soft_wrap=True,
        )
    for name in sorted(missing):
        console.print(f"missing: {name}", highlight=False, soft_wrap=True)
    for kind, tolerance in (("short runs", TIGHT), ("smoke scale", SMOKE), ("full length", FULL_FACTOR - 1.0)):
        moves = [c.moved(references[c.name]) for c in cases if c.tolerance == tolerance and c.name in references]
        console.print(f"{kind}: moved by {max(moves):.1e} at most, {tolerance:.1e} allowed", highlight=False)
    n_good = len(cases) - len(moved)
    console.print(f"{n_good} of {len(cases)} losses hold", highlight=False)
    return not moved and not missing


def write() -> None:
    """Write the stored networks and the reference losses of this machine into the package's source."""
    folder = Path(str(REFERENCES))
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(NETWORKS):
        net = Network.random(30, 0, 1, np.random.default_rng(np.random.SeedSequence(43299, spawn_key=(i,))))
        fields = ("w_in", "w_rec", "w_out", "feedback", "h0", "tau")
        np.savez(folder / f"network_{name}.npz", **{key: np.asarray(getattr(net, key)) for key in fields})  # type: ignore[arg-type]
    cases = [*short_runs(), *figure_runs(Console(), None)]
    text = json.dumps({case.name: case.value for case in cases}, indent=1)
    (folder / "losses.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
