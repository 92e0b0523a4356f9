"""The answers to the paper's claims, from whatever tables there are.

A claim is answered on the confirmation sample where it is computed, at each kind of learning rates by itself; else on
the first sample, on which the rule was made; else on the experiment's own networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.request import Selection
from rflo_repro.runs.sample import CONFIRMATION, FINAL, FIRST, SAMPLES, Sample
from rflo_repro.runs.tables import Schema, Table
from rflo_repro.runs.variants import variants
from rflo_repro.stats.answers import Answer, together
from rflo_repro.stats.claims import KINDS, Claim, Finding, Part, judge, of_kind

OWN = "own networks"
Found = list[tuple[Finding, ...]]  # of each claim of an experiment


@dataclass(frozen=True)
class Entry:
    """One answer: a part of a claim at one kind of learning rates.

    figure: whose claim it is. sample: on which it was answered.
    """

    figure: About
    claim: Claim
    rates: str
    part: Part
    sample: str

    @property
    def name(self) -> str:
        """What the part is called."""
        return self.part.name

    @property
    def answer(self) -> Answer:
        """Yes, no, worse, open, or no test."""
        return self.part.answer

    @property
    def key(self) -> tuple[str, str, str]:
        """Claim, part and rates."""
        return self.claim.key, self.name, self.rates


class Answers:
    """The answers that a folder of tables gives; each table is read, and each claim answered on it, once."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self._tables: dict[Path, Table] = {}
        self._frames: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
        self._found: dict[tuple[str, str, str], Found] = {}
        self._claims: dict[str, list[tuple[Claim, tuple[Finding, ...]]]] = {}

    @property
    def scales(self) -> list[str]:
        """The scales other than the paper's of the tables that were read."""
        return sorted({table.metadata["settings"]["scale"] for table in self._tables.values()} - {"paper"})

    def table(self, folder: Path, schema: Schema) -> Table:
        """A table. Raises FileNotFoundError if there is none, TableError if it cannot be read."""
        path = folder / f"{schema.name}.csv"
        if path not in self._tables:
            self._tables[path] = Table(path, schema, *tables.read(folder, schema))
        return self._tables[path]

    def claims(self, about: About) -> list[tuple[Claim, tuple[Finding, ...]]]:
        """An experiment's claims with what was found, at every kind of learning rates there is."""
        if about.command not in self._claims:
            by_kind = {kind: found for sample in reversed(SAMPLES) for kind, found in self._on(about, sample).items()}
            self._claims[about.command] = _by_claim(about, {**self._own(about, [*by_kind]), **by_kind})
        return self._claims[about.command]

    def entries(self, only: Sample | None = None) -> list[Entry]:
        """The answers to the paper's claims on Figures 2 to 4, in its order, then what is ours.

        only: the sample to answer on, if not the best there is.
        """
        found = []
        for about in registry.figures().values():
            if about.computed:
                known = _by_claim(about, self._on(about, only)) if only else self.claims(about)
                found += entries(about, known)
        return [entry for ours in (False, True) for entry in found if entry.claim.ours == ours]

    def differing(self) -> list[tuple[Entry, Entry]]:
        """The answers that are others on the confirmation sample than on the first: both, confirmed first."""
        before = {entry.key: entry for entry in self.entries(FIRST)}
        both = [(entry, before[entry.key]) for entry in self.entries(CONFIRMATION) if entry.key in before]
        return [(entry, first) for entry, first in both if entry.answer != first.answer]

    def _on(self, about: About, sample: Sample) -> dict[str, Found]:
        """What is found of each claim on a sample, by kind of learning rates."""
        found = {}
        for kind, frame in self._of_sample(about, sample).items():
            key = about.command, sample.name, kind
            if key not in self._found:
                self._found[key] = _named(judge(about.experiment.claims, {FINAL: frame}), sample.name)
            found[kind] = self._found[key]
        return found

    def _of_sample(self, about: About, sample: Sample) -> dict[str, pd.DataFrame]:
        """The final table of a sample by kind of learning rates, where all conditions of the kind are in it."""
        key = about.command, sample.name
        if key not in self._frames:
            self._frames[key] = {}
            for variant in (one for one in variants(about) if one.sample is sample):
                with suppress(FileNotFoundError, tables.TableError, KeyError, TypeError):
                    table = self.table(variant.folder(self.results), variant.experiment.schemas[FINAL])
                    for kind, frame in _complete(variant.experiment, table):
                        self._frames[key].setdefault(kind, frame)
        return self._frames[key]

    def _own(self, about: About, answered: Sequence[str]) -> dict[str, Found]:
        """What is found on the experiment's own tables and those of its variants, at kinds of learning rates that were
        not answered on a sample."""
        claims = about.experiment.claims
        wanted = {part for claim in claims for part in claim.reads or about.experiment.schemas}
        found: dict[str, list[pd.DataFrame]] = {}
        for variant in (one for one in variants(about) if one.sample is None):
            try:
                read = {part: self.table(self.results, variant.experiment.schemas[part]).frame for part in wanted}
            except (FileNotFoundError, tables.TableError):
                if variant.command == about.command:
                    return {}
                continue
            for part, frame in read.items():
                found.setdefault(part, []).append(frame)
        frames = {part: pd.concat(of, ignore_index=True) for part, of in found.items()}
        kinds = {kind for claim in claims for kind in claim.kinds(frames)} - {*answered}
        if not kinds:
            return {}
        left = {
            name: frame[~frame.rates.isin(answered)] if "rates" in frame else frame for name, frame in frames.items()
        }
        on_own = _named(judge(claims, left), OWN)
        return {kind: [tuple(one for one in of if one.rates == kind) for of in on_own] for kind in kinds}


def _named(found: Found, sample: str) -> Found:
    return [tuple(replace(finding, sample=sample) for finding in findings) for findings in found]


def _by_claim(about: About, by_kind: dict[str, Found]) -> list[tuple[Claim, tuple[Finding, ...]]]:
    order = [kind for kind in (*KINDS, "") if kind in by_kind]
    claims = about.experiment.claims
    return [(claim, tuple(one for kind in order for one in by_kind[kind][i])) for i, claim in enumerate(claims)]


def _complete(experiment: Experiment[Any], table: Table) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of a final table by kind of learning rates, where all conditions of the kind are in it."""
    few = replace(experiment.scales[table.metadata["settings"]["scale"]], n_networks=1)
    found = experiment.conditions(few, Selection(rates=experiment.about.rates))
    wanted = pd.DataFrame([dict(c.values) for c in found if table.schema.has(c.values)])
    for kind in KINDS:
        if (table.frame.rates == kind).any():
            rows = of_kind(table.frame, kind)
            names = [set(tables.conditions(of, table.schema)) for of in (of_kind(wanted, kind), rows)]
            if names[0] and names[0] <= names[1]:
                yield kind, rows


def entries(about: About, claims: Sequence[tuple[Claim, tuple[Finding, ...]]]) -> list[Entry]:
    """The answers to a figure's claims that are among those to the paper, or extend them."""
    return [
        Entry(about, claim, finding.rates, part, finding.sample)
        for claim, findings in claims
        if claim.key
        for finding in findings
        for part in finding.named
    ]


def claims_of(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The entries of each claim, by its key."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.claim.key, []).append(entry)
    return found


def whole(entries: Sequence[Entry], rates: str) -> Answer | None:
    """The answer to a claim at one kind of learning rates, its parts together; None if it was not asked at it."""
    own = [entry.answer for entry in entries if entry.rates == rates]
    return together(own) if own else None


def as_data(entry: Entry) -> dict[str, Any]:
    """An answer for a program; a ratio is a factor where two losses are compared, and an infinite number a string."""
    found = entry.part.answered
    numbers = (math.nan,) * 3 if found is None else (found.median, found.low, found.high)
    ratio, low, high = (plain(_factor(value) if entry.part.log else value) for value in numbers)
    return {
        "claim": entry.claim.key,
        "part": entry.name,
        "rates": entry.rates,
        "answer": entry.answer,
        "ratio": ratio,
        "low": low,
        "high": high,
        "learned": list(found.learned) if found and found.learned else None,
        "n": found.n if found else 0,
        "ours": entry.claim.ours,
        "sample": entry.sample,
    }


def _factor(value: float) -> float:
    try:
        return float(10.0**value)
    except OverflowError:
        return math.inf


def plain(value: float) -> float | str | None:
    """A number that JSON has; one that is infinite as text, None where there is none."""
    return None if math.isnan(value) else value if math.isfinite(value) else str(value)
