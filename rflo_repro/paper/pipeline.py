"""From a request to tables and pictures, the same way for every figure."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from rich.console import Console
from rich.table import Table

from rflo_repro.learning import validate
from rflo_repro.paper.registry import Figure, figures
from rflo_repro.paper.selection import Refused, Selection
from rflo_repro.report import style
from rflo_repro.report.claims import VERDICTS
from rflo_repro.runs import provenance, tables
from rflo_repro.runs.choices import ChoiceError, vary
from rflo_repro.runs.progress import Reporter, clock
from rflo_repro.runs.realisation import Condition, describe
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.runs.sweep import sweep, writable

LARGEST_SHARE_OF_MEMORY = 0.7


@dataclass(frozen=True)
class Request:
    """What the command line asks of a figure; None means the scale's own value.

    sets: name and value of choices to vary, as written. results, figures: directories, or None for the usual ones.
    scheduler: address of a Dask scheduler, or None for threads.
    """

    scale: str = "paper"
    selection: Selection = field(default_factory=Selection)
    networks: int | None = None
    seed: int | None = None
    trials: int | None = None
    jobs: int | None = None
    scheduler: str | None = None
    sets: tuple[tuple[str, str], ...] = ()
    results: Path | None = None
    figures: Path | None = None
    plot: bool = True
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a run made: rows of its tables, files, seconds."""

    rows: int
    files: tuple[Path, ...]
    seconds: float


def choices(figure: Figure, request: Request) -> Any:
    """The figure's choices at this scale, with what the request changes. Raises Refused for a wrong name or value."""
    given = {"networks": request.networks, "seed": request.seed, "trials": request.trials}
    try:
        return vary(figure.experiment.CHOICES[request.scale], request.sets, given)
    except ChoiceError as error:
        raise Refused(error.option, str(error)) from None


def conditions(figure: Figure, chosen: Any, request: Request) -> list[Condition]:
    """The figure's conditions that are asked for. Raises Refused if there are none, or for choices that make none."""
    try:
        found: list[Condition] = figure.experiment.conditions(chosen, request.selection)
    except ValueError as error:
        if not request.sets:
            raise
        given = ", ".join(f"{name}={validate.shown(text)}" for name, text in request.sets)
        raise Refused("set", f"{given}: {error}") from None
    return found


def is_reference(figure: Figure, request: Request, found: Sequence[Condition]) -> bool:
    """Whether a run is a part of the paper's: its scale, its values, its conditions."""
    if choices(figure, request) != figure.experiment.CHOICES["paper"] or request.selection.eta is not None:
        return False
    schema = next(iter(figure.experiment.SCHEMAS.values()))
    return set(_names(found, schema)) <= set(_order(figure, "paper", schema))


def folder(base: str, named: Path | None, scale: str, plain: bool, reference: bool) -> Path:
    """Where files go: the named directory, or `base`, `base/<scale>`, `base/custom`."""
    if named is not None:
        return named
    if reference:
        return Path(base)
    return Path(base) / (scale if plain and scale != "paper" else "custom")


def check_folder(option: str, place: Path) -> None:
    """Raises Refused if files cannot be put in `place`. Makes nothing."""
    reason = writable(place)
    if reason is not None:
        raise Refused(option, f"{reason}; name a directory that can be written")


def run(figure: Figure, request: Request, console: Console) -> Outcome:
    """Compute what is asked for, write the tables, draw the pictures, and say where they are.

    Raises Refused, before anything is touched, for a request that cannot be met.
    """
    started = time.monotonic()
    if not figure.computed:
        place = folder("figures", request.figures, request.scale, True, request.scale == "paper")
        check_folder("figures", place)
        drawn = draw(figure, place, place, request.selection, {}, console) if request.plot else []
        return Outcome(0, tuple(drawn), time.monotonic() - started)
    chosen = choices(figure, request)
    found = conditions(figure, chosen, request)
    reference = is_reference(figure, request, found)
    plain = chosen == figure.experiment.CHOICES[request.scale] and request.selection.eta is None
    results = folder("results", request.results, request.scale, plain, reference)
    figures = folder("figures", request.figures, request.scale, plain, reference)
    jobs = request.jobs or joblib.cpu_count()
    check_folder("results", results)
    if request.plot:
        check_folder("figures", figures)
    check_memory(found, 1 if request.scheduler else jobs, _sizes(request))
    settings = {
        "scale": request.scale if plain and (reference or request.scale != "paper") else "custom",
        "choices": describe(chosen),
        "eta": request.selection.eta,
    }
    _, damaged = _tables_before(figure, results, settings, request.selection.partial, reference)

    _say(console, _headline(figure, request, chosen, settings["scale"]))
    for problem in damaged:
        _say(console, f"{INDENT}{problem}; made anew")
    store, reporter = Store(results / FOLDER), Reporter(console)
    arrays = sweep(found, store, jobs, reporter, figure.experiment.summary, request.force, request.scheduler)
    frames: dict[str, pd.DataFrame] = figure.experiment.tabulate(chosen, found, arrays)
    with tables.lock(results):
        # what another run has written meanwhile stays too
        before, _ = _tables_before(figure, results, settings, request.selection.partial, reference)
        written = _write(figure, results, frames, before, found, settings, time.monotonic() - started)
    files = [*written]
    _say(console, "tables   " + "  ".join(str(path) for path in written))
    if request.plot:
        part = frames if request.selection.partial else None
        files += draw(figure, results, figures, request.selection, part, console)
    if not request.selection.partial:
        _say(console, "claims   " + verdicts(figure, frames))
    return Outcome(sum(len(f) for f in frames.values()), tuple(files), time.monotonic() - started)


def draw(
    figure: Figure,
    results: Path,
    figures: Path,
    selection: Selection,
    frames: Mapping[str, pd.DataFrame] | None,
    console: Console,
) -> list[Path]:
    """Draw a figure's pictures and say where they are: one for each kind of learning rates, if the figure keeps
    them apart.

    frames: None draws from the tables in `results`. A part of the figure (`selection`) has a picture of its own name.
    Raises Refused if there is nothing to draw from.
    """
    if frames is None and not figure.computed:
        frames = {}
    if frames is None:
        frames = {part: _read(figure, results, schema) for part, schema in figure.experiment.SCHEMAS.items()}
    panels = selection.panels or tuple(figure.panels)
    pictures: list[Path] = []
    for suffix, rows in _by_rates(frames) if frames and figure.apart else [("", frames)]:
        picture, notes = figure.plot.draw(rows, panels)
        for note in notes:
            _say(console, INDENT + note)
        if len(notes) < len(panels):
            pictures += style.save(picture, figures / f"{figure.name}{suffix}{selection.suffix}")
    if pictures:
        _say(console, "figures  " + "  ".join(str(path) for path in pictures))
    return pictures


def _by_rates(frames: Mapping[str, pd.DataFrame]) -> list[tuple[str, dict[str, pd.DataFrame]]]:
    """The rows at tuned rates apart from those at printed or given ones, with what their picture's name ends in."""
    tuned = {part: frame.rates == "tuned" for part, frame in frames.items()}
    sides = [
        ("", {part: frame[~tuned[part]] for part, frame in frames.items()}),
        ("_tuned", {part: frame[tuned[part]] for part, frame in frames.items()}),
    ]
    return [(suffix, side) for suffix, side in sides if any(len(frame) for frame in side.values())]


def verdicts(figure: Figure, frames: Mapping[str, pd.DataFrame]) -> str:
    """How many of the figure's claims have which verdict in these tables, each kind of learning rates counted."""
    found = [str(finding.verdict) for claim in figure.claims for finding in claim.findings(frames)]
    return " · ".join(f"{found.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in found)


INDENT = "  "


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _headline(figure: Figure, request: Request, chosen: Any, scale: str) -> str:
    part = request.selection.suffix.replace("-", " ").strip()
    trials = f"{chosen.n_trials:,} trials" if hasattr(chosen, "n_trials") else ""
    networks = f"{chosen.n_networks} networks"
    rates = "given rate" if request.selection.eta is not None else f"{' and '.join(request.selection.rates)} rates"
    return " · ".join(
        filter(
            None,
            [figure.command + (f" ({part})" if part else ""), f"{scale} scale: {networks} × {trials}", rates],
        )
    )


def _names(found: Sequence[Condition], schema: tables.Schema) -> list[str]:
    """Each condition's name in a table."""
    return list(tables.conditions(pd.DataFrame([dict(c.values) for c in found]), schema))


def _order(figure: Figure, scale: str, schema: tables.Schema) -> list[str]:
    """Names of all conditions of the figure, in its order."""
    return _names(every_condition(figure, scale), schema)


def every_condition(figure: Figure, scale: str) -> list[Condition]:
    """All that the figure is committed with; without those at tuned rates as long as no rates have been tuned."""
    choices = figure.experiment.CHOICES[scale]
    try:
        found: list[Condition] = figure.experiment.conditions(choices, Selection(rates=figure.rates))
    except Refused:
        found = figure.experiment.conditions(choices, Selection(rates=figure.rates[:1]))
    return found


def _read(figure: Figure, results: Path, schema: tables.Schema) -> pd.DataFrame:
    try:
        return tables.read(results, schema)[0]
    except FileNotFoundError:
        raise Refused(
            "results", f"{results} has no {schema.name}.csv: run `rflo-repro {figure.command}` first"
        ) from None
    except tables.TableError as error:
        raise Refused("results", f"{error}: run `rflo-repro {figure.command}` to make it anew") from None


def _tables_before(
    figure: Figure, results: Path, settings: dict[str, Any], partial: bool, reference: bool
) -> tuple[dict[str, tuple[pd.DataFrame, dict[str, Any]]], list[str]]:
    """The tables of the same settings, whose rows stay unless they are computed now, and what is wrong with others.

    Raises Refused if the directory holds the paper's tables and the run is not the paper's, or if a part would go into
    tables that cannot be believed.
    """
    before, damaged = {}, []
    for schema in figure.experiment.SCHEMAS.values():
        try:
            frame, page = tables.read(results, schema)
            scale = _scale(results, schema, page)
        except FileNotFoundError:
            continue
        except tables.TableError as error:
            if partial:
                raise Refused(
                    "results", f"{error}: run `rflo-repro {figure.command}` in full to make it anew"
                ) from None
            damaged.append(str(error))
            continue
        if scale == "paper" and not reference:
            raise Refused("results", f"{results} holds tables of the paper's scale; name another directory")
        if page["settings"] == settings:
            before[schema.name] = frame, page
    return before, damaged


def _scale(results: Path, schema: tables.Schema, page: dict[str, Any]) -> Any:
    """The scale that a table's page names. Raises TableError if the page does not say what is needed of it."""
    try:
        for earlier in page["runs"]:
            # one that is not a mapping, or whose conditions are no list of names, is no page of ours
            _ = {**earlier}, set(earlier["conditions"])
        return page["settings"]["scale"]
    except (KeyError, TypeError):
        raise tables.TableError(f"{results / schema.name}.json is not of this version") from None


def _write(
    figure: Figure,
    results: Path,
    frames: Mapping[str, pd.DataFrame],
    before: Mapping[str, tuple[pd.DataFrame, dict[str, Any]]],
    found: Sequence[Condition],
    settings: dict[str, Any],
    seconds: float,
) -> list[Path]:
    """Write the tables; rows of conditions that were not computed, and what is said of them, stay."""
    parts = sorted({module for c in found for module in provenance.modules_of(c.realisations[0])})
    record = {
        **provenance.record(),
        "seconds": round(seconds, 1),
        "numerical_source": {
            "digest": provenance.numerical_digest(*parts),
            "of": parts,
        },
    }
    written = []
    for part, schema in figure.experiment.SCHEMAS.items():
        frame, runs, names = frames[part], [], _names(found, schema)
        if schema.name in before:
            old, page = before[schema.name]
            frame = tables.replace_rows(old, frame, schema, _order(figure, "paper", schema))
            for earlier in page["runs"]:
                kept = [name for name in earlier["conditions"] if name not in names]
                runs += [{**earlier, "conditions": kept}] if kept else []
        page = {
            "settings": settings,
            "root_seed": settings["choices"]["seed"],
            "condition": list(schema.condition),
            "runs": [*runs, {**record, "conditions": names}],
        }
        written.append(tables.write(results, schema, frame, page))
    return written


def _sizes(request: Request) -> dict[str, str]:
    """The options given that decide how much memory a realisation needs, as they were written."""
    given = {
        "period": ", ".join(f"{period:.15g}" for period in request.selection.periods),
        "set": ", ".join(f"{name}={' '.join(text.split())}" for name, text in request.sets),
        "trials": str(request.trials or ""),
    }
    return {option: text for option, text in given.items() if text}


def check_memory(found: Sequence[Condition], jobs: int, given: Mapping[str, str] | None = None) -> None:
    """Raises Refused if the largest realisations, `jobs` at a time, need more memory than there is.

    given: options that decide it, with their values.
    """
    needed = max(r.n_bytes for c in found for r in c.realisations) * jobs
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else float("inf")
    if needed > LARGEST_SHARE_OF_MEMORY * have:
        try:
            size = needed / 2**30
        except OverflowError:
            size = math.inf
        message = f"needs about {size:.3g} GiB of memory, and this machine has {have / 2**30:.3g} GiB"
        if given and len(given) == 1:
            ((option, text),) = given.items()
            raise Refused(option, f"{text} {message}")
        raise Refused(None, " ".join([*(f"--{option} {text}" for option, text in (given or {}).items()), message]))


def run_all(request: Request, console: Console) -> None:
    """Every figure, in the paper's order, and a summary. Raises Refused as `run` does."""
    outcomes: dict[str, Outcome] = {}
    everything = figures()
    for number, (command, figure) in enumerate(everything.items(), start=1):
        console.rule(f"{number} of {len(everything)}: {figure.title}", align="left", style="dim")
        whole = dataclasses.replace(request, selection=Selection(rates=figure.rates))
        outcomes[command] = run(figure, whole, console)
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
