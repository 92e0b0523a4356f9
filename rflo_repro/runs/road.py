"""The one road from a request to tables and pictures, for every figure and every study."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

import joblib
import pandas as pd
from rich.console import Console
from rich.table import Table

from rflo_repro.learning import validate
from rflo_repro.runs import generation, provenance, sample, tables
from rflo_repro.runs.choices import ChoiceError, Choices, declared, vary
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.job import Condition, Job, describe
from rflo_repro.runs.progress import INDENT, Reporter, clock
from rflo_repro.runs.request import JobError, Request, RequestError, Selection
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.runs.sweep import sweep, writable
from rflo_repro.runs.variants import variants
from rflo_repro.stats.claims import KINDS, Tables

C = TypeVar("C")
K = TypeVar("K", bound=Choices)
CUSTOM = "custom"
LONGEST_NAME = 60
LARGEST_SHARE_OF_MEMORY = 0.7
YEAR = 365.25 * 86400.0
LONGEST = YEAR
MANY = 1000


@dataclass(frozen=True)
class Outcome:
    """What a run made: its tables by part, files, seconds; `reference`: whether it is a part of the paper's."""

    tables: Tables
    files: tuple[Path, ...]
    seconds: float
    reference: bool

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(len(table) for table in self.tables.values())


def choices(experiment: Experiment[K], request: Request) -> K:
    """The choices at the asked scale, with what the request changes. Raises RequestError for a wrong name or value."""
    given = {
        "networks": request.networks,
        "seed": request.seed,
        "trials": request.trials,
        "rule-file": None if request.rule_file is None else str(request.rule_file),
    }
    try:
        return vary(experiment.scales[request.scale], request.sets, given)
    except ChoiceError as error:
        raise RequestError(error.option, str(error)) from None


def conditions(experiment: Experiment[C], chosen: C, request: Request) -> Sequence[Condition]:
    """The conditions that are asked for. Raises RequestError if there are none, or for choices that make none."""
    try:
        return experiment.conditions(chosen, request.selection)
    except ValueError as error:
        if not request.sets:
            raise
        given = ", ".join(f"{name}={validate.shown(text)}" for name, text in request.sets)
        raise RequestError("set", f"{given}: {error}") from None


def is_reference(experiment: Experiment[C], request: Request, chosen: C, found: Sequence[Condition]) -> bool:
    """Whether a run is a part of the paper's: its scale, its values, its conditions."""
    if "paper" not in experiment.scales or request.selection.eta is not None:
        return False
    return chosen == experiment.scales["paper"] and all(
        set(names_of(found, schema)) <= set(condition_names(experiment, schema))
        for schema in experiment.schemas.values()
    )


def folder(base: str, named: Path | None, scale: str, plain: bool, reference: bool, deviation: str = "") -> Path:
    """Where files go: the named directory, or `base`, `base/<scale>`, `base/custom/<deviation>`."""
    if named is not None:
        return named
    if reference:
        return Path(base)
    return Path(base) / scale if plain and scale != "paper" else Path(base) / CUSTOM / deviation


def deviation(experiment: Experiment[C], chosen: C, request: Request) -> str:
    """What settings that are no scale's are called, by what deviates: such as `eta0.03-trials50`.

    A name is at most 60 of the characters that any file system takes, and stands for one choice of all settings: where
    they do not fit into it, it ends in a digest of them.
    """
    usual, eta = experiment.scales[request.scale], request.selection.eta
    known = {
        name: (choice.option or name, getattr(chosen, name)) for name, choice in declared(cast(Any, chosen)).items()
    }
    parts = [f"{said}{_written(value)}" for name, (said, value) in known.items() if value != getattr(usual, name)]
    parts += [f"eta{eta:.15g}"] if eta is not None else []
    parts = [*([request.scale] if request.scale != "paper" else []), *sorted(parts)] if parts else ["other-conditions"]
    name = "-".join(parts)
    safe = re.sub(r"[^A-Za-z0-9._+-]", "_", name)
    if safe == name and len(name) <= LONGEST_NAME:
        return name
    settings = json.dumps([request.scale, describe(chosen), eta], sort_keys=True)
    return f"{safe[: LONGEST_NAME - 11]}-{hashlib.sha256(settings.encode()).hexdigest()[:10]}"


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "_".join(map(_written, value))
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def usual(base: str, named: Path | None, scale: str) -> Path:
    """Where the files of a scale are, if nothing else is varied."""
    return folder(base, named, scale, True, scale == "paper")


def into(results: Path) -> str:
    """The options of a command whose tables go to `results`, each after a space."""
    if results == Path("results"):
        return ""
    if results in (Path("results/smoke"), Path("results/quick")):
        return f" --scale {results.name}"
    return f" --results {shlex.quote(str(results))}"


def check_folder(option: str, place: Path) -> None:
    """Raises RequestError if files cannot be put in `place`. Makes nothing."""
    reason = writable(place)
    if reason is not None:
        raise RequestError(option, f"{reason}; name a directory that can be written")


def run(experiment: Experiment[K], request: Request, console: Console) -> Outcome:
    """Compute what is asked for, write the tables, draw the pictures, and say where they are.

    Raises RequestError, before anything is touched, for a request that cannot be met.
    """
    if experiment.about.computed:
        return compute(experiment, choices(experiment, request), request, console)
    started, reference = time.monotonic(), request.scale == "paper"
    place = usual("figures", request.figures, request.scale)
    check_folder("figures", place)
    drawn = draw(experiment, place, place, request.selection, {}, console) if request.plot else []
    return Outcome({}, tuple(drawn), time.monotonic() - started, reference)


def compute(experiment: Experiment[C], chosen: C, request: Request, console: Console) -> Outcome:
    """`run` with these choices."""
    started, about = time.monotonic(), experiment.about
    jobs = 1 if about.timed else request.jobs or joblib.cpu_count()
    # all conditions of very many networks take long to be made, only to be refused
    n_networks = getattr(chosen, "n_networks", 1)
    if n_networks > MANY:
        few: C = dataclasses.replace(chosen, n_networks=1)  # type: ignore[type-var]
        check_size(conditions(experiment, few, request), n_networks, jobs, request)
    found = conditions(experiment, chosen, request)
    check_size(found, 1, jobs, request)
    reference = is_reference(experiment, request, chosen, found)
    plain = chosen == experiment.scales[request.scale] and request.selection.eta is None
    # a sweep file's tables have a name of their own
    deviates = "" if request.scale == CUSTOM else deviation(experiment, chosen, request)
    results = folder("results", request.results, request.scale, plain, reference, deviates)
    # and its picture lies beside them in a directory that is named
    beside = request.results if request.scale == CUSTOM else None
    figures = folder("figures", request.figures or beside, request.scale, plain, reference, deviates)
    check_folder("results", results)
    if request.plot:
        check_folder("figures", figures)
    settings = {
        "scale": request.scale if plain and (reference or request.scale != "paper") else "custom",
        "choices": describe(chosen),
        "eta": request.selection.eta,
    }
    _, damaged = _tables_before(experiment, results, settings, request, reference)

    _say(console, _headline(about, request, chosen, settings["scale"]))
    for problem in damaged:
        _say(console, f"{INDENT}{problem}; made anew")
    with TemporaryDirectory() as nowhere:
        # what is stored is told apart by its content: settings that deviate find each other's
        shared = results.parent if request.results is None and results.parent.name == CUSTOM else results
        store = Store(Path(nowhere) if about.timed else shared / FOLDER)
        failed: JobError | None = None
        try:
            arrays = sweep(
                found,
                store,
                jobs,
                Reporter(console),
                experiment.summary,
                request.force,
                request.scheduler,
                request.checkpoint,
            )
        except JobError as error:
            # what is complete is written all the same
            failed = error
            found = [c for c, row in zip(found, error.results, strict=True) if row is not None]
            arrays = [row for row in error.results if row is not None]
            if not found:
                raise
    frames = experiment.tabulate(chosen, found, arrays)
    with tables.lock(results):
        # what another run has written meanwhile stays too
        before, _ = _tables_before(experiment, results, settings, request, reference)
        seconds = time.monotonic() - started
        written = _write(experiment, results, frames, before, found, store.made, settings, seconds)
    files = [*written]
    _say(console, "tables   " + "  ".join(str(path) for path in written))
    if request.plot:
        part = frames if request.selection.partial or failed else None
        files += draw(experiment, results, figures, request.selection, part, console)
    if failed:
        raise failed
    if reference and experiment.keep:
        _say(console, f"rates    {experiment.keep(frames)}")
    return Outcome(frames, tuple(files), time.monotonic() - started, reference)


def draw(
    experiment: Experiment[Any],
    results: Path,
    figures: Path,
    selection: Selection,
    frames: Tables | None,
    console: Console,
) -> list[Path]:
    """Draw an experiment's pictures and say where they are: one for each kind of learning rates, if it keeps them
    apart.

    frames: None draws from the tables in `results`. A part (`selection`) has a picture of its own name.
    Raises RequestError if there is nothing to draw from.
    """
    about = experiment.about
    if experiment.draw is None:
        return []
    if frames is None:
        frames = {part: _read(about, results, schema) for part, schema in experiment.schemas.items()}
        frames |= _sample(experiment, results)
    panels = selection.panels or tuple(about.panels)
    pictures: list[Path] = []
    for suffix, rows in _by_rates(frames) if about.apart else [("", frames)]:
        picture, notes = experiment.draw(rows, panels)
        for note in notes:
            _say(console, INDENT + note)
        if len(notes) < len(panels):
            pictures += picture.save(figures / f"{about.name}{suffix}{selection.suffix}")
    if pictures:
        _say(console, "figures  " + "  ".join(str(path) for path in pictures))
    return pictures


def _sample(experiment: Experiment[Any], results: Path) -> Tables:
    """The final table of the experiment's confirmation sample, with the conditions that it lacks from the first sample,
    as far as they can be believed."""
    found: list[pd.DataFrame] = []
    for of in sample.SAMPLES if experiment.about.sample else ():
        schema = of.of(experiment).schemas[sample.FINAL]
        with suppress(FileNotFoundError, tables.TableError):
            frame, _ = tables.read(of.place(results), schema)
            known = {name for one in found for name in tables.conditions(one, schema)}
            found.append(frame[~tables.conditions(frame, schema).isin(known)])
    return {sample.PART: pd.concat(found, ignore_index=True)} if found else {}


def draw_all(
    chosen: Sequence[About],
    others: Mapping[str, Sequence[Experiment[Any]]],
    results: Path,
    figures: Path,
    selection: Selection,
    console: Console,
) -> list[Path]:
    """`draw` each of them, of its variants and of what else belongs to it, that has tables.

    others: what else belongs to an experiment, by its command. Raises RequestError when all is done if there were some
    without tables; they are named.
    """
    pictures, left_out = [], []
    for about in chosen:
        own = about.experiment
        asked = [own, *variants(own), *others.get(about.command, ())]
        known = [e for e in asked if any((results / f"{s.name}.csv").exists() for s in e.schemas.values())]
        try:
            for experiment in known or [own]:
                pictures += draw(experiment, results, figures, selection, None, console)
        except RequestError as error:
            left_out.append(error)
            if len(chosen) > 1:
                _say(console, f"{INDENT}{about.command} left out: {error}")
    if len(chosen) > 1 and left_out:
        raise RequestError(
            left_out[0].option, f"{len(left_out)} of {len(chosen)} were not drawn; what they need is said above"
        )
    if left_out:
        raise left_out[0]
    return pictures


def _by_rates(frames: Tables) -> list[tuple[str, Tables]]:
    """The rows at each kind of rates apart, with what their picture's name ends in; given rates are with the first."""
    sides: list[tuple[str, Tables]] = []
    for kind in KINDS:
        others = [other for other in KINDS if other != kind] if kind == KINDS[0] else []
        side = {
            part: frame[~frame.rates.isin(others)] if others else frame[frame.rates == kind]
            for part, frame in frames.items()
        }
        if any(len(frame) for part, frame in side.items() if part != sample.PART):
            sides.append(("" if others else f"_{kind}", side))
    return sides


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _headline(about: About, request: Request, chosen: Any, scale: str) -> str:
    part = request.selection.suffix.replace("-", " ").strip()
    counts = (("n_networks", "networks"), ("n_trials", "trials"))
    sizes = " × ".join(f"{getattr(chosen, name):,} {word}" for name, word in counts if hasattr(chosen, name))
    rates = "given rate" if request.selection.eta is not None else " and ".join(request.selection.rates) + " rates"
    said = [about.command + (f" ({part})" if part else ""), f"{scale} scale" + (f": {sizes}" if sizes else "")]
    return " · ".join([*said, rates] if about.rates else said)


def names_of(found: Sequence[Condition], schema: tables.Schema) -> list[str]:
    """Each condition's name in a table, once; those that have no rows in it left out."""
    rows = [dict(c.values) for c in found if schema.has(c.values)]
    return list(dict.fromkeys(tables.conditions(pd.DataFrame(rows), schema)))


def condition_names(experiment: Experiment[C], schema: tables.Schema, scale: str = "paper") -> list[str]:
    """The name of every condition of a scale in a table."""
    return names_of(every_condition(of_one_network(experiment), scale), schema)


def of_one_network(experiment: Experiment[C]) -> Experiment[C]:
    """The experiment with one network, where only its conditions count."""
    few = {
        name: dataclasses.replace(chosen, n_networks=1) if hasattr(chosen, "n_networks") else chosen  # type: ignore[type-var]
        for name, chosen in experiment.scales.items()
    }
    return dataclasses.replace(experiment, scales=few)


def every_condition(experiment: Experiment[C], scale: str = "paper") -> Sequence[Condition]:
    """All of a scale, none if it has no such scale; without what is at tuned rates as long as none have been tuned."""
    if scale not in experiment.scales:
        return ()
    choices, rates = experiment.scales[scale], experiment.about.rates
    try:
        return experiment.conditions(choices, Selection(rates=rates))
    except RequestError:
        return experiment.conditions(choices, Selection(rates=rates[:1]))


def _read(about: About, results: Path, schema: tables.Schema) -> pd.DataFrame:
    try:
        return tables.read(results, schema)[0]
    except FileNotFoundError:
        message = f"{results} has no {schema.name}.csv: run `rflo-repro {about.command}{into(results)}` first"
        raise RequestError("results", message) from None
    except tables.TableError as error:
        raise RequestError(
            "results", f"{error}: run `rflo-repro {about.command}{into(results)}` to make it anew"
        ) from None


def _tables_before(
    experiment: Experiment[Any], results: Path, settings: dict[str, Any], request: Request, reference: bool
) -> tuple[dict[str, tuple[pd.DataFrame, dict[str, Any]]], list[str]]:
    """The tables of the same settings, whose rows stay unless they are computed now, and what is wrong with others.

    Raises RequestError if the directory holds the paper's tables and the run is not the paper's, if it or a sweep's
    tables were named and are of other settings (all whose rows come again apart), or if a part would go into tables
    that are not valid.
    """
    before, damaged = {}, []
    for schema in experiment.schemas.values():
        try:
            # the columns of a sweep's table are its own
            frame, page = tables.read(results, schema, as_written=request.scale == CUSTOM)
            scale = _scale(results, schema, page)
        except FileNotFoundError:
            continue
        except tables.TableError as error:
            if request.selection.partial:
                command = f"`rflo-repro {experiment.about.command}`"
                raise RequestError("results", f"{error}: run {command} in full to make it anew") from None
            damaged.append(str(error))
            continue
        if scale == "paper" and not reference:
            raise RequestError("results", f"{results} holds tables of the paper's scale; name another directory")
        if page["settings"] == settings:
            before[schema.name] = frame, page
            continue
        others = _differing(page["settings"], settings)
        named = request.results is not None or request.scale == CUSTOM  # a sweep's file names its tables
        if named and not _grown(page["settings"], settings, others):
            held = f"{results} holds {schema.name}.csv of other settings ({', '.join(others)})"
            another = "give the sweep another name, or " if request.scale == CUSTOM else ""
            raise RequestError("results", f"{held}; {another}name another directory")
        damaged.append(f"{results / schema.name}.csv is of other settings ({', '.join(others)})")
    return before, damaged


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The names of settings that differ between two pages."""
    flat = [{**{k: v for k, v in s.items() if k != "choices"}, **dict(s.get("choices") or {})} for s in (old, new)]
    return [name for name in sorted({*flat[0], *flat[1]}) if flat[0].get(name) != flat[1].get(name)]


def _grown(old: Mapping[str, Any], new: Mapping[str, Any], others: Sequence[str]) -> bool:
    """Whether the new settings, which differ in `others`, have all rows of the old ones: there are more networks, of
    which the first are the same, or a sweep has more values, more things with a name, or another picture."""

    def within(was: Any, now: Any) -> bool:
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            return all(name in now and within(value, now[name]) for name, value in was.items())
        return bool(was == now)

    def more(name: str) -> bool:
        was, now = old["choices"].get(name), new["choices"].get(name)
        if name in ("n_networks", "networks"):
            return bool(was < now)
        if name == "grid":
            axes = {axis: (set(was.get(axis, [])), set(values)) for axis, values in now.items()}
            return set(was) <= set(now) and all(a == b or (a and a < b) for a, b in axes.values())
        return name == "plot" or (name in ("rules", "tasks", "optimizers") and within(was, now))

    return all(more(name) for name in others if name != "scale") and set(others) != {"scale"}


def _scale(results: Path, schema: tables.Schema, page: dict[str, Any]) -> Any:
    """The scale that a table's page names. Raises TableError if the page does not say what is needed of it."""
    try:
        return page["settings"]["scale"]
    except (KeyError, TypeError):
        raise tables.TableError(f"{results / schema.name}.json is not of this version") from None


def _write(
    experiment: Experiment[Any],
    results: Path,
    frames: Tables,
    before: Mapping[str, tuple[pd.DataFrame, dict[str, Any]]],
    found: Sequence[Condition],
    made: Mapping[Job, dict[str, Any]],
    settings: dict[str, Any],
    seconds: float,
) -> list[Path]:
    """Write the tables; rows of conditions that were not computed, and what is said of them, stay."""
    written = []
    record = {"date": provenance.now(), "command": provenance.command(), "seconds": round(seconds, 1)}
    for part, schema in experiment.schemas.items():
        own = [c for c in found if schema.has(c.values)]
        frame, runs, names = frames[part], [], names_of(own, schema)
        if schema.name in before:
            old, page = before[schema.name]
            frame = tables.replace_rows(old, frame, schema, condition_names(experiment, schema))
            for earlier in page["runs"]:
                kept = tables.without(earlier, names)
                runs += [kept] if kept["conditions"] else []
        source = generation.numerical_source(r for c in own for r in c.jobs[:1])
        computed = {"numerical_source": source, "conditions": names, "computed": _computed(own, schema, made)}
        written.append(write(results, schema, frame, settings, [*runs, {**record, **computed}]))
    return written


def write(
    results: Path, schema: tables.Schema, frame: pd.DataFrame, settings: dict[str, Any], runs: Sequence[dict[str, Any]]
) -> Path:
    """Write a table with its page: the settings, and the runs that made it."""
    named = {"root_seed": settings["choices"].get("seed"), "condition": list(schema.condition)}
    return tables.write(results, schema, frame, {"settings": settings, **named, "runs": [*runs]})


def _computed(
    found: Sequence[Condition], schema: tables.Schema, made: Mapping[Job, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Who computed these conditions: an entry for each processor, set of versions and source, with when, in how many
    seconds altogether, and the numbers of networks by condition."""
    rows = pd.DataFrame([dict(c.values) for c in found])
    entries: dict[str, dict[str, Any]] = {}
    for name, condition in zip(tables.conditions(rows, schema), found, strict=True):
        for job in condition.jobs:
            by = made[job]
            # which may be another source of the generation than the present one
            maker = {**provenance.maker(by), "source": by["source"]}
            empty = {"first": by["date"], "last": by["date"], "seconds": 0.0, **maker, "conditions": {}}
            entry = entries.setdefault(json.dumps(maker, sort_keys=True), empty)
            entry["first"], entry["last"] = min(entry["first"], by["date"]), max(entry["last"], by["date"])
            entry["seconds"] = round(entry["seconds"] + by["seconds"], 3)
            entry["conditions"][name] = entry["conditions"].get(name, 0) + 1
    return list(entries.values())


def _sizes(request: Request) -> dict[str, str]:
    """The options given that decide how much memory a job needs, as they were written."""
    given = {
        "period": ", ".join(f"{period:.15g}" for period in request.selection.periods_tau),
        "set": ", ".join(f"{name}={' '.join(text.split())}" for name, text in request.sets),
        "trials": str(request.trials or ""),
        "networks": str(request.networks or ""),
    }
    return {option: text for option, text in given.items() if text}


def check_size(found: Sequence[Condition], copies: int, jobs: int, request: Request) -> None:
    """Raises RequestError if `copies` times these conditions need more memory or time than there is.

    In memory are the largest jobs, `jobs` at a time (on a cluster they are elsewhere), and what is kept of all
    that are finished. Time is what the fastest processor would take; of a cluster's nothing is known.
    """
    sizes = [(c.jobs[0], len(c.jobs) * copies) for c in found]
    kept = sum(r.n_kept * n for r, n in sizes)
    working = max(r.n_bytes for r, _ in sizes) * (1 if request.scheduler else jobs)
    needed, have = working + kept, memory()
    if needed > LARGEST_SHARE_OF_MEMORY * have:
        raise _too_much(request, f"{_ratio(needed, 2**30)} GiB of memory, and this machine has {have / 2**30:.3g} GiB")
    seconds = sum(r.n_seconds * n for r, n in sizes) / jobs
    if seconds > LONGEST and not request.scheduler:
        years = f"{_ratio(seconds, YEAR)} years on {jobs} thread{'s' if jobs > 1 else ''}"
        raise _too_much(request, f"{years}, and at most {LONGEST / YEAR:g} is begun")


def memory() -> float:
    """How much memory this machine has, in bytes; infinite where that cannot be told."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf


def _ratio(much: float, unit: float) -> str:
    try:
        return f"{much / unit:.3g}"
    except OverflowError:
        return "inf"


def _too_much(request: Request, needed: str) -> RequestError:
    """What is said of a request that is too large: the options that make it so, and what it would need."""
    given = _sizes(request)
    if len(given) == 1:
        ((option, text),) = given.items()
        return RequestError(option, f"{text} needs about {needed}")
    return RequestError(
        None, " ".join([*(f"--{option} {text}" for option, text in given.items()), f"needs about {needed}"])
    )


def run_all(experiments: Sequence[Experiment[Any]], request: Request, console: Console) -> None:
    """Every one of them, or the part of each that is asked for, and a summary.

    Raises RequestError as `run` does, and JobError when all is done if one failed.
    """
    outcomes: dict[str, Outcome] = {}
    failures: list[str] = []
    for number, experiment in enumerate(experiments, start=1):
        about = experiment.about
        console.rule(f"{number} of {len(experiments)}: {about.title}", align="left", style="dim")
        rates = request.selection.rates or about.rates
        asked = dataclasses.replace(request, selection=dataclasses.replace(request.selection, rates=rates))
        try:
            outcomes[about.command] = run(experiment, asked, console)
        except JobError as error:
            # the others have nothing to do with it
            failures.append(f"{about.command}: {error}")
            _say(console, f"{INDENT}{error}")
    table = Table(box=None, pad_edge=False)
    for name, justify in (("figure", "left"), ("time", "right"), ("rows", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for command, outcome in outcomes.items():
        table.add_row(command, clock(outcome.seconds), f"{outcome.rows:,}")
    table.add_row(
        "all",
        clock(sum(o.seconds for o in outcomes.values())),
        f"{sum(o.rows for o in outcomes.values()):,}",
    )
    console.rule(style="dim")
    console.print(table, highlight=False)
    # not a column of the table, which would not fit a line
    places = dict.fromkeys(str(path.parent) for outcome in outcomes.values() for path in outcome.files)
    _say(console, f"files in {', '.join(sorted(places))}")
    if failures:
        raise JobError(failures, [])
