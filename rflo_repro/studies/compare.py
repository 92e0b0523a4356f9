"""`rflo-repro report --against DIR`: which medians and answers are others in another folder of tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.console import Console

from rflo_repro.paper import registry
from rflo_repro.report import words
from rflo_repro.runs.experiment import About
from rflo_repro.runs.request import RequestError
from rflo_repro.runs.tables import Table, TableError
from rflo_repro.stats.statistics import median
from rflo_repro.studies.answers import Answers
from rflo_repro.studies.registry import studies, variants

MEDIAN, MISSING = "median final loss", ("none", "none")
Found = tuple[str, str]
"""What must be the same, and how it is shown."""


@dataclass(frozen=True)
class Compared:
    """A median or an answer, in either folder, in words; `none` where a folder has none.

    command: of the figure or study. what: `median final loss`, or a claim's name. at: the condition, or kind of
    learning rates and part. differs: whether the medians or the answers are not the same; effects do not count.
    """

    command: str
    what: str
    at: str
    here: str
    there: str
    differs: bool


def _found(about: About, known: Answers) -> dict[tuple[str, str], Found]:
    """Every median of an experiment's tables of final losses, by condition, and the answer to every part of its claims,
    by kind of learning rates and part. Raises TableError for a damaged table."""
    found: dict[tuple[str, str], Found] = {}
    for variant in variants(about):
        derived = "" if variant.command == about.command else f"{variant.command}: "
        for schema in variant.experiment.schemas.values():
            if {"final_loss", "network"} <= {column.name for column in schema.columns}:
                with suppress(FileNotFoundError):
                    medians = _medians(known.table(variant.folder(known.results), schema))
                    found |= {(MEDIAN, f"{derived}{at}"): of for at, of in medians.items()}
    for claim, findings in known.claims(about):
        for finding in findings:
            for part in finding.parts:
                at = f"{words.RATES[finding.rates]}, {part.what}" if finding.rates else part.what
                answer = words.SAID[part.answer]
                said = ", ".join(filter(None, (answer, words.effect(claim, part), words.learned(part))))
                found[claim.name, at] = answer, said
    return found


def _medians(table: Table) -> dict[str, Found]:
    """Median final loss by condition; a network that diverged counts as above all others."""
    names = list(table.schema.condition)
    losses = table.frame.assign(final_loss=table.frame.final_loss.fillna(np.inf)).groupby(names, sort=False).final_loss
    of = {
        " ".join(f"{name}={value}" for name, value in zip(names, key, strict=True)): f"{median(group.to_numpy()):.4g}"
        for key, group in losses
    }
    return {at: (shown, shown) for at, shown in of.items()}


def compared(here: Path, there: Path) -> list[Compared]:
    """Every median of a table of final losses, and every part of a claim, that either folder has.

    Raises RequestError for a damaged table.
    """
    folders = Answers(here), Answers(there)
    found = []
    for about in (*registry.figures().values(), *studies().values()):
        try:
            mine, others = (_found(about, known) if about.computed else {} for known in folders)
        except TableError as error:
            raise RequestError("against", str(error)) from None
        for what, at in {**mine, **others}:
            one, other = mine.get((what, at), MISSING), others.get((what, at), MISSING)
            found.append(Compared(about.command, what, at, one[1], other[1], one[0] != other[0]))
    return found


def _lines(everything: Sequence[Compared]) -> list[str]:
    """What differs of one command."""
    command = everything[0].command
    for empty, found in (("there", [one.there for one in everything]), ("here", [one.here for one in everything])):
        if set(found) == {MISSING[1]}:
            return [f"{command}: no tables {empty}"]
    return [f"{command}: {one.what}, {one.at}: {one.here}; there {one.there}" for one in everything if one.differs]


def show(here: Path, there: Path, console: Console) -> None:
    """Say what differs, a line each, and how much that is of how much; one line if a folder has nothing."""
    everything = compared(here, there)
    lines = [line for _, of in groupby(everything, lambda one: one.command) for line in _lines(list(of))]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    shared = [one for one in everything if MISSING[1] not in (one.here, one.there)]
    medians = [one for one in shared if one.what == MEDIAN]
    answers = [one for one in shared if one.what != MEDIAN]
    both = ((medians, "medians"), (answers, "answers"))
    counts = " and ".join(f"{sum(one.differs for one in of)} of {len(of)} {name}" for of, name in both)
    said = f"of what both have, {counts} differ from {there}"
    console.print(said, highlight=False, markup=False, soft_wrap=True)


def as_json(here: Path, there: Path) -> str:
    """What differs, for a program."""
    return json.dumps([asdict(one) for one in compared(here, there) if one.differs], indent=1)
