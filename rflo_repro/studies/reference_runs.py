"""The runs whose results are references, of six kinds.

- short: the first trials of two stored networks by every rule, so that no random generator stands before the kernels;
- smoke: every condition of every figure at smoke scale;
- full: Figure 2's networks of 20, 40 and 80 tau, BPTT and RFLO, at full length, where chaos has made any difference of
  rounding as large as the loss itself;
- confirm: the first networks of Figure 2's confirmation sample, which answers its claims, at 20 tau;
- small: a few trials of small networks, which together reach every line of the numerical path (`small_runs`);
- study: the first network of every condition of every study at smoke scale, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

from rflo_repro.learning.network import Network
from rflo_repro.learning.rules import RULES
from rflo_repro.learning.train import train
from rflo_repro.paper import fig2, registry
from rflo_repro.runs import system
from rflo_repro.runs.conditions import of_scale
from rflo_repro.runs.job import Arrays, Condition, Job
from rflo_repro.runs.learning_curves import summary
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.request import Execution, Selection
from rflo_repro.runs.sample import CONFIRMATION
from rflo_repro.runs.store import Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.studies.records import REFERENCES, Record, Records, record
from rflo_repro.studies.registry import studies
from rflo_repro.studies.small_runs import small_runs
from rflo_repro.tasks import PeriodicTask

NETWORKS = ("a", "b")
PERIOD = 200
N_TRIALS = {"rtrl": 3}  # RTRL costs N^4 a step; the others are held for 20
ETA = 0.01
FULL = Selection(periods_tau=(20.0, 40.0, 80.0), rules=("bptt", "rflo"))
SAMPLED, N_SAMPLED = Selection(periods_tau=(20.0,), rules=("bptt", "rflo")), 2


def stored_network(name: str) -> Network:
    """A network whose weights are package data, so that no random generator stands between it and the losses.

    They were drawn once: `Network.random` of 30 units, no input and one output, from PCG64 and the children of the seed
    43299.
    """
    with (
        resources.as_file(REFERENCES / f"network_{name}.npz") as path,
        np.load(path, allow_pickle=False) as file,
    ):
        return Network(**{key: file[key] for key in file.files if key != "tau"}, tau=float(file["tau"]))


def short_runs() -> Iterator[tuple[str, Record]]:
    """The first trials of the stored networks, by every rule, and by RFLO within the trial."""
    for name in NETWORKS:
        net = stored_network(name)
        for rule, online in [*((rule, False) for rule in RULES), ("rflo", True)]:
            n_trials = N_TRIALS.get(rule, 20)
            history = train(net, PeriodicTask(PERIOD), rule, ETA, n_trials, np.random.default_rng(0), online=online)
            arrays = {"loss": history.loss, "alignment": history.alignment, "w_rec": history.network.w_rec}
            yield f"short: network {name}, {rule}{' online' if online else ''}", record(arrays)


def conditions() -> list[Condition]:
    """Every figure's at smoke scale, and of Figure 2 three periods in full and some of its sample; the label begins
    with the kind."""
    found = []
    for figure in filter(lambda f: f.computed, registry.figures().values()):
        choices = figure.experiment.scales["smoke"]
        for condition in figure.experiment.conditions(choices, Selection(rates=figure.rates[:1])):
            found.append(replace(condition, label=f"smoke: {figure.command}, {condition.label}"))
    for condition in fig2.ABOUT.experiment.conditions(fig2.ABOUT.experiment.scales["paper"], FULL):
        found.append(replace(condition, label=f"full: fig2, {condition.label}"))
    judged = CONFIRMATION.of(fig2.ABOUT.experiment)
    for condition in judged.conditions(replace(judged.scales["paper"], n_networks=N_SAMPLED), SAMPLED):
        found.append(replace(condition, label=f"confirm: fig2, {condition.label}"))
    return found


def sessions_of(found: Sequence[Condition]) -> list[str]:
    """The name of each session of these conditions."""
    return [f"{c.label}, network {network}" for c in found for network in range(len(c.jobs))]


def study_jobs(known: Iterable[Job]) -> dict[str, Job]:
    """The first network of every condition of every study at smoke scale, by its name; those that are `known` already
    left out. Studies that measure time have no bytes to compare."""
    seen, found = set(known), {}
    for study in filter(lambda s: s.computed and not s.timed, studies().values()):
        for condition in of_scale(study.experiment, "smoke"):
            job = condition.jobs[0]
            if job not in seen:
                seen.add(job)
                found[f"study: {study.command}, {condition.label}, network 0"] = job
    return found


def jobs() -> dict[str, Job]:
    """Every session that is a job, by its name."""
    found = conditions()
    figures = dict(zip(sessions_of(found), (job for c in found for job in c.jobs), strict=True))
    return figures | study_jobs(figures.values())


def job_runs(console: Console, n_threads: int | None) -> Iterator[tuple[str, Record]]:
    """The sessions of `jobs`, all computed anew."""
    found = jobs()
    # a progress line a condition; a study has one. The longest come first, so that no core waits for the last one
    lines: dict[str, list[str]] = {}
    for name in sorted(found, key=lambda name: not name.startswith(("full", "confirm"))):
        line = name.split(",")[0] if name.startswith("study") else name.rpartition(", ")[0]
        lines.setdefault(line, []).append(name)
    asked = [Condition(line, {}, tuple(found[name] for name in names)) for line, names in lines.items()]
    with TemporaryDirectory() as folder:
        execution = Execution(n_threads or system.cores())
        swept = sweep(asked, Store(Path(folder)), Reporter(console, _summary), execution)
    records = {
        name: record(arrays)
        for names, results in zip(lines.values(), swept, strict=True)
        for name, arrays in zip(names, results, strict=True)
    }
    yield from ((name, records[name]) for name in found)


def _summary(results: Sequence[Arrays]) -> str:
    return summary(results) if all("loss" in arrays for arrays in results) else ""


def computed(console: Console, n_threads: int | None) -> Records:
    """Everything that is compared, by the session's name."""
    small = {f"small: {name}": record(arrays) for name, arrays in small_runs()}
    return {**dict(short_runs()), **dict(job_runs(console, n_threads)), **small}
