"""`rflo-repro check`: what this machine and this source compute, compared with stored references to the byte.

Six kinds of sessions:

- short: the first trials of two stored networks by every rule, so that no random generator stands before the kernels;
- smoke: every condition of every figure at smoke scale;
- full: Figure 2's networks of 20, 40 and 80 tau, BPTT and RFLO, at full length, where chaos has made any difference of
  rounding as large as the loss itself;
- confirm: the first networks of Figure 2's confirmation sample, which answers its claims, at 20 tau;
- small: a few trials of small networks, which together reach every line of the numerical path (`small_runs`);
- study: the first network of every condition of every study at smoke scale, once.

A reference is the loss of some trials, to be read, and a digest of every array, to be sure.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console

from rflo_repro.learning.network import Network
from rflo_repro.learning.rules import RULES
from rflo_repro.learning.train import train
from rflo_repro.paper import fig2, registry
from rflo_repro.runs import generation, provenance, system
from rflo_repro.runs.conditions import of_scale
from rflo_repro.runs.generation import Generation, Source
from rflo_repro.runs.job import Arrays, Condition, Job
from rflo_repro.runs.learning_curves import summary
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.request import JobError, Selection
from rflo_repro.runs.sample import CONFIRMATION
from rflo_repro.runs.store import Store, replacing
from rflo_repro.runs.sweep import sweep
from rflo_repro.studies.registry import studies
from rflo_repro.studies.small_runs import small_runs
from rflo_repro.tasks import PeriodicTask

REFERENCES = resources.files("rflo_repro.studies") / "references"
NETWORKS = ("a", "b")
PERIOD = 200
N_TRIALS = {"rtrl": 3}  # RTRL costs N^4 a step; the others are held for 20
ETA = 0.01
FULL = Selection(periods_tau=(20.0, 40.0, 80.0), rules=("bptt", "rflo"))
SAMPLED, N_SAMPLED = Selection(periods_tau=(20.0,), rules=("bptt", "rflo")), 2
KINDS = ("short", "smoke", "full", "confirm", "small", "study")
# Trials whose loss is written out, from 1; the last one as well
TRIALS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
DIGITS = 16  # of a digest, in hexadecimal: 64 bits


@dataclass(frozen=True)
class Record:
    """What is kept of a session: the loss before some trials' updates (None: there is none), and digests of its arrays.

    loss: by trial, from 1; empty where nothing is trained. digests: by array.
    """

    loss: dict[str, float | None]
    digests: dict[str, str]


Records = dict[str, Record]


def digest(values: npt.NDArray[Any]) -> str:
    """Of the shape and every bit, alike on all machines; one NaN is like another."""
    values = np.asarray(values)
    if values.dtype.kind == "U":
        return hashlib.sha256(repr((values.shape, values.tolist())).encode()).hexdigest()[:DIGITS]
    plain = values.astype("<i8" if values.dtype.kind in "biu" else "<f8")
    if plain.dtype.kind == "f":
        plain[np.isnan(plain)] = np.nan
    return hashlib.sha256(repr(plain.shape).encode() + plain.tobytes()).hexdigest()[:DIGITS]


def record(arrays: Arrays) -> Record:
    """The record of a session's arrays, `loss` (n_trials,) among them where something is trained."""
    loss = arrays.get("loss", np.zeros(0))
    trials = [trial for trial in TRIALS if trial < len(loss)] + [len(loss)] * (len(loss) > 0)
    known = {str(trial): float(loss[trial - 1]) for trial in trials}
    return Record(
        {trial: value if math.isfinite(value) else None for trial, value in known.items()},
        {name: digest(values) for name, values in sorted(arrays.items())},
    )


def difference(found: Record, reference: Record) -> str | None:
    """The first that differs, both values, or None. A loss that differs is nearer to the cause than a digest."""
    for trial, value in found.loss.items():
        if trial not in reference.loss:
            return f"trial {trial}, which the reference has not"
        if value != reference.loss[trial]:
            return f"loss of trial {trial}: {value!r}, reference {reference.loss[trial]!r}"
    if found.loss.keys() != reference.loss.keys():
        return f"{list(found.loss)[-1]} trials, reference {list(reference.loss)[-1]}"
    for name in sorted(found.digests.keys() | reference.digests.keys()):
        if found.digests.get(name) != reference.digests.get(name):
            where = " between the trials above" if name == "loss" else ""
            return f"{name}{where}: digest {found.digests.get(name)}, reference {reference.digests.get(name)}"
    return None


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
        swept = sweep(asked, Store(Path(folder)), n_threads or system.cores(), Reporter(console), _summary)
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


def read() -> Records:
    """The stored references."""
    kept = json.loads((REFERENCES / "sessions.json").read_text(encoding="utf-8"))
    return {name: Record(**fields) for name, fields in kept.items()}


class Compared(NamedTuple):
    """What is said of the sessions of a kind, and whether none differs."""

    line: str
    good: bool


def compare(found: Mapping[str, Record], references: Mapping[str, Record]) -> list[Compared]:
    """Of each kind: `identical`, or the first session that differs and how. A session without a reference is new: it
    is said, and does not count as a difference."""
    lines = []
    for kind in KINDS:
        ours, theirs = ({n: r for n, r in every.items() if n.startswith(f"{kind}:")} for every in (found, references))
        differing, new = {}, [name for name in ours if name not in theirs]
        for name in [*(name for name in ours if name in theirs), *(name for name in theirs if name not in ours)]:
            if name not in ours:
                differing[name] = "there is only a reference"
            elif (what := difference(ours[name], theirs[name])) is not None:
                differing[name] = what
        n_all = len(ours.keys() | theirs.keys())
        if differing:
            first, what = next(iter(differing.items()))
            line = f"{first}: {what} ({len(differing)} of {n_all} {kind} sessions differ)"
        else:
            line = f"{kind}: {len(theirs)} sessions identical"
        if new:
            line += f"; {len(new)} new, no reference yet, the first {new[0].removeprefix(f'{kind}: ')}"
        lines.append(Compared(line, not differing))
    return lines


def present_source() -> Source:
    """The numerical source of this package now, as a whole: of all modules that sessions are made of. Those of studies
    that measure time count too, though there are no bytes of theirs to compare."""
    provenance.meaning_digest.cache_clear()
    provenance.numerical_digest.cache_clear()
    timed = [study.experiment for study in studies().values() if study.timed]
    others = [job for experiment in timed for c in of_scale(experiment, "smoke") for job in c.jobs]
    return Source.today({module for job in (*jobs().values(), *others) for module in provenance.modules_of(job)})


def check(
    console: Console, n_threads: int | None, as_json: bool = False, accept: bool = False, new_generation: bool = False
) -> bool:
    """Compare with the references; print what differs first in each kind, and return whether nothing does.

    accept: if nothing does, add the present source to the generation, and what is new to the references.
    new_generation: make what is computed the references of a new generation, of the present source alone.
    as_json: print an object with `identical`, `generation`, `proven` and the lines instead.
    Raises JobError for what differs if the console is quiet, so that it is said, and for source that changed meanwhile.
    """
    source = present_source()
    found = computed(console, n_threads)
    lines = compare(found, read())
    different = [line.line for line in lines if not line.good]
    said = [line.line for line in lines]
    if accept and different:
        said.append(f"refused: the present source is not of generation {generation.read().number}")
    if new_generation or (accept and not different):
        if present_source() != source:
            raise JobError(["the source was changed while it was checked"], [])
        said.append(_renewed(found, source) if new_generation else _accepted(found, source))
    elif not different and not generation.read().proven:
        said.append(f"the present source is unproven: `{generation.CHECK}` adds it to the generation")
    if as_json:
        now = generation.read()
        known = {"identical": not different, "generation": now.number, "proven": now.proven}
        with suppress(BrokenPipeError):
            print(json.dumps({**known, "kinds": [line._asdict() for line in lines]}, indent=1))
    elif different and console.quiet and not new_generation:
        raise JobError(different, [])
    for line in [] if as_json else said:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return new_generation or not different


def _accepted(found: Records, source: Source) -> str:
    """Add a source that gave the references to the generation, and what is new to them; what was done, in a line."""
    write(found)
    now = generation.read()
    if source in now.sources:
        return f"generation {now.number} has this source already"
    _write_generation(replace(now, sources=(*now.sources, source)))
    return f"accepted: generation {now.number} has this source, {source.digest[:12]}"


def _renewed(found: Records, source: Source) -> str:
    """Begin a generation; what was done, in a line."""
    number = generation.read().number + 1
    begun = hashlib.sha256(text(found).encode()).hexdigest()
    # first: whoever is killed between the two has a source that differs, and not other references of the old generation
    _write_generation(Generation(number, begun, (source,)))
    write(found)
    return f"generation {number} begins with this source, {source.digest[:12]}: results of others are stale"


def _write_generation(new: Generation) -> None:
    with replacing(provenance.PACKAGE / generation.FILE) as temporary:
        temporary.write_text(generation.text(new), encoding="utf-8", newline="\n")
    generation.read.cache_clear()


def text(kept: Mapping[str, Record]) -> str:
    """What `read` reads, a line a session."""
    lines = [f" {json.dumps(name)}: {json.dumps(asdict(found))}" for name, found in kept.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(kept: Mapping[str, Record]) -> None:
    """Write the references into the package's source."""
    with replacing(Path(str(REFERENCES)) / "sessions.json") as temporary:
        temporary.write_text(text(kept), encoding="utf-8", newline="\n")
