"""The pipeline, for every figure and every study: plan, run, output, draw."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from rflo_repro.runs import output, own_source, provenance
from rflo_repro.runs.draw import draw, read, say_drawn
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.folders import CUSTOM
from rflo_repro.runs.output import Computed
from rflo_repro.runs.plan import Plan, plan
from rflo_repro.runs.progress import INDENT, Reporter, clock, say
from rflo_repro.runs.request import JobError, Request
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.stats.claims import Tables


@dataclass(frozen=True)
class Outcome:
    """What a run wrote: its tables by part, files, seconds; `reference`: whether it is a part of the paper's."""

    tables: Tables
    files: tuple[Path, ...]
    seconds: float
    reference: bool

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(len(table) for table in self.tables.values())


def run(experiment: Experiment[Any], request: Request, console: Console) -> Outcome:
    """Compute what is asked for, write the tables, draw the pictures, and say where they are.

    Raises RequestError, before anything is touched, for a request that cannot be met; JobError, when what is complete
    is written and drawn, if a job failed.
    """
    started = time.monotonic()
    planned = plan(experiment, request)
    frames: Tables = {}
    files: list[Path] = []
    failed: JobError | None = None
    if experiment.computed:
        _, damaged = output.earlier(planned)
        say(console, planned.headline)
        if any(c.values.get("rates") == "nearest" for c in planned.conditions):
            say(console, f"{INDENT}nearest: the learning rate of the nearest period that has one")
        modules = {module for c in planned.conditions for job in c.jobs[:1] for module in provenance.modules_of(job)}
        if said := own_source.said_of(modules):
            say(console, f"{INDENT}computed by {', '.join(said['own_files'])}; {said['not_seen']}")
        for problem in damaged:
            say(console, f"{INDENT}{problem}; made anew")
        computed, failed = _compute(planned, console, started)
        frames = computed.frames
        files += output.write(planned, computed)
        say(console, "tables   " + "  ".join(str(path) for path in files))
    if request.plot:
        part = bool(request.selection.partial or failed)
        shown = (frames, planned.settings) if part else read(experiment, planned.folders.results)
        pictures, notes = draw(experiment, *shown, planned.folders.figures, request.selection)
        say_drawn(pictures, notes, console)
        files += pictures
    if failed:
        raise failed
    if planned.reference and experiment.save:
        say(console, f"rates    {experiment.save(frames)}")
    return Outcome(frames, tuple(files), time.monotonic() - started, planned.reference)


def _compute(planned: Plan[Any], console: Console, started: float) -> tuple[Computed, JobError | None]:
    """What is stored or computed now of the plan's conditions, and what failed if a part of them is complete."""
    experiment, request, results = planned.experiment, planned.request, planned.folders.results
    found, failed = planned.conditions, None
    with TemporaryDirectory() as nowhere:
        # what is stored is told apart by its content: settings that deviate find each other's
        shared = results.parent if request.results is None and results.parent.name == CUSTOM else results
        store = Store(Path(nowhere) if experiment.about.timed else shared / FOLDER)
        try:
            arrays = sweep(found, store, Reporter(console, experiment.summary), planned.execution)
        except JobError as error:
            # what is complete is written all the same
            failed = error
            found = [c for c, row in zip(found, error.results, strict=True) if row is not None]
            arrays = [row for row in error.results if row is not None]
            if not found:
                raise
    frames = experiment.tabulate(planned.choices, found, arrays)
    return Computed(frames, found, store.provenance, time.monotonic() - started), failed


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
            say(console, f"{INDENT}{error}")
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
    folders = dict.fromkeys(str(path.parent) for outcome in outcomes.values() for path in outcome.files)
    say(console, f"files in {', '.join(sorted(folders))}")
    if failures:
        raise JobError(failures, [])
