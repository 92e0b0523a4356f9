"""From tables to pictures: an experiment's own, and one for each kind of learning rates where it keeps them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from rflo_repro.runs import folders, sample, tables
from rflo_repro.runs.choices import written
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.folders import CUSTOM, Folders
from rflo_repro.runs.job import describe
from rflo_repro.runs.progress import INDENT, say
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.variants import Variant
from rflo_repro.stats.claims import KINDS, Tables

NETWORKS, TRIALS = ("n_networks", "networks"), ("n_trials", "trials")
RATES = {"printed": "the paper's learning rates", "tuned": "tuned learning rates", "clipped": "clipped gradients"}


def draw(
    experiment: Experiment[Any], frames: Tables, settings: Mapping[str, Any], figures: Path, selection: Selection
) -> tuple[list[Path], list[str]]:
    """Draw an experiment's pictures from tables: their files, and a line on each panel that the tables cannot fill.

    A part (`selection`) has pictures of its own name; those of other settings than the paper's say so at their foot.
    Raises OSError.
    """
    about = experiment.about
    panels = selection.panels or tuple(about.panels)
    files: list[Path] = []
    said: list[str] = []
    if experiment.draw is not None:
        for suffix, rows in _by_rates(frames) if about.separate_figures else [("", frames)]:
            picture, notes = experiment.draw(rows, panels)
            said += notes
            if len(notes) < len(panels):
                if said_of := footer(experiment, settings, rows):
                    picture.footer(said_of)
                files += picture.save(figures / f"{about.name}{suffix}{selection.suffix}")
    return files, said


def footer(experiment: Experiment[Any], settings: Mapping[str, Any], frames: Tables) -> str:
    """What pictures show that are not the paper's: the scale, what deviates from it, how much, and at which rates."""
    scale = settings.get("scale", "paper")
    if scale == "paper" or not experiment.computed:
        return ""
    choices = settings["choices"]
    usual = {name: describe(of) for name, of in experiment.scales.items()}

    def deviating(name: str) -> list[str]:
        return [key for key, value in choices.items() if value != usual[name].get(key)]

    base = scale if scale in usual else min(usual, key=lambda name: len(deviating(name)))
    said = [experiment.about.command + (f" at {base} scale" if base not in ("paper", CUSTOM) else "")]
    if "grid" in choices:  # a sweep: its axes of one value
        said = [f"sweep {experiment.about.name}"]
        said += [f"{name}={_written(values)}" for name, values in choices["grid"].items() if len(values) == 1]
    else:
        said += [f"{name}={_written(choices[name])}" for name in deviating(base) if name not in (*NETWORKS, *TRIALS)]
    if settings.get("eta") is not None:
        said.append(f"eta={settings['eta']:g}")
    for names, word in ((NETWORKS, "network"), (TRIALS, "trial")):
        said += [f"{choices[n]:,} {word}{'s' * (choices[n] != 1)}" for n in names if n in choices]
    kinds = dict.fromkeys(kind for frame in frames.values() if "rates" in frame for kind in frame.rates)
    return " · ".join([*said, *(RATES[kind] for kind in kinds if kind in RATES)])


def _written(value: Any) -> str:
    return written(tuple(value) if isinstance(value, list) else value)


def say_drawn(files: Sequence[Path], notes: Sequence[str], console: Console) -> None:
    """Say where pictures are, and what they lack."""
    for note in notes:
        say(console, INDENT + note)
    if files:
        say(console, "figures  " + "  ".join(str(path) for path in files))


def read(experiment: Experiment[Any], results: Path) -> tuple[Tables, dict[str, Any]]:
    """The tables that an experiment's pictures show, by part, and their settings.

    Raises RequestError for what is missing or damaged.
    """
    if experiment.draw is None:
        return {}, {}
    command = f"`rflo-repro {experiment.about.command}{folders.options(results)}`"
    found = tables.load(results, experiment.schemas, command)
    settings: dict[str, Any] = next((table.metadata.get("settings", {}) for table in found.values()), {})
    return {part: table.frame for part, table in found.items()} | _sample(experiment, results), settings


def _sample(experiment: Experiment[Any], results: Path) -> dict[str, pd.DataFrame]:
    """The final table of the experiment's confirmation sample, with the conditions that it lacks from the first sample,
    as far as they are valid."""
    found: list[pd.DataFrame] = []
    for of in sample.SAMPLES if experiment.about.sample else ():
        schema = of.of(experiment).schemas[sample.FINAL]
        with suppress(FileNotFoundError, tables.TableError):
            frame, _ = tables.read(of.folder_in(results), schema)
            known = {name for one in found for name in tables.conditions(one, schema)}
            found.append(frame[~tables.conditions(frame, schema).isin(known)])
    return {sample.PART: pd.concat(found, ignore_index=True)} if found else {}


def draw_all(families: Sequence[Sequence[Variant]], where: Folders, selection: Selection, console: Console) -> None:
    """`draw` each experiment, with what is derived from it as far as it has tables and, if panels are named, those.

    Raises RequestError when all is done if there were some without tables; they are named.
    """
    left_out = []
    for own, *derived in families:
        about = own.experiment.about
        asked = [own, *(v for v in derived if not selection.panels or v.experiment.about.panels == about.panels)]
        known = [v for v in asked if v.experiment.draw and _has_tables(v, where.results)]
        try:
            for variant in known or [own]:
                found = read(variant.experiment, where.results)
                say_drawn(*draw(variant.experiment, *found, where.figures, selection), console)
        except RequestError as error:
            left_out.append(error)
            if len(families) > 1:
                say(console, f"{INDENT}{about.command} left out: {error}")
    if len(families) > 1 and left_out:
        raise RequestError(
            left_out[0].option, f"{len(left_out)} of {len(families)} were not drawn; what they need is said above"
        )
    if left_out:
        raise left_out[0]


def _has_tables(variant: Variant, results: Path) -> bool:
    schemas = variant.experiment.schemas.values()
    return any((variant.folder(results) / f"{schema.name}.csv").exists() for schema in schemas)


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
