"""The answers to the paper's claims, from whatever tables there are.

A claim is answered on the confirmation sample where it is computed, at each kind of learning rates by itself; else on
the first sample, on which the rule was made; else on the experiment's own networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.request import Selection
from rflo_repro.runs.sample import FINAL, SAMPLES, Sample
from rflo_repro.runs.variants import variants
from rflo_repro.stats.answers import Answer, together
from rflo_repro.stats.claims import KINDS, Claim, Finding, Part, judge

OWN = "own networks"
# What a kind of rates is called for people
RATES = {
    "printed": "the paper's rates",
    "tuned": "tuned rates",
    "clipped": "the paper's, with gradient clipping",
    "batches": "5,000 batches in place of 5,000 trials",
}


@dataclass(frozen=True)
class Entry:
    """One answer: a part of a claim at one kind of learning rates.

    figure: whose claim it is. name: what the part is called. sample: on which it was answered.
    """

    figure: About
    claim: Claim
    name: str
    rates: str
    part: Part
    sample: str

    @property
    def answer(self) -> Answer:
        """Yes, no, worse, open, or no test."""
        return self.part.answer

    @property
    def place(self) -> tuple[str, str, str]:
        """Claim, part and rates."""
        return self.claim.key, self.name, self.rates


@dataclass(frozen=True)
class Judged:
    """An experiment's claims, each with what was found, and the sample by kind of learning rates."""

    findings: tuple[tuple[Claim, tuple[Finding, ...]], ...]
    samples: tuple[tuple[str, str], ...]


def judged(about: About, results: Path, only: Sample | None = None) -> Judged:
    """An experiment's claims answered from the tables in a folder, at every kind of learning rates there is.

    only: the sample to answer on, if not the best there is.
    """
    found: dict[str, list[tuple[Finding, ...]]] = {}
    used: dict[str, str] = {}
    for sample in (only,) if only else SAMPLES:
        for experiment in (about.experiment, *variants(about.experiment)) if about.sample else ():
            for kind, frame in _of_sample(sample, experiment, results).items():
                if kind not in used:
                    used[kind], found[kind] = sample.name, judge(about.experiment.claims, {FINAL: frame})
    own = None if only else _own(about, results)
    left = [kind for kind in (_kinds(about, own) if own else ()) if kind not in used]
    if own and left:
        others = {name: frame[~frame.rates.isin([*used])] if "rates" in frame else frame for name, frame in own.items()}
        on_own = judge(about.experiment.claims, others)
        for kind in left:
            used[kind] = OWN
            found[kind] = [tuple(one for one in findings if one.rates == kind) for findings in on_own]
    order = [kind for kind in (*KINDS, "") if kind in used]
    claims = about.experiment.claims
    merged = tuple(
        (claim, tuple(finding for kind in order for finding in found[kind][i])) for i, claim in enumerate(claims)
    )
    return Judged(merged, tuple((kind, used[kind]) for kind in order))


def _of_sample(sample: Sample, experiment: Experiment[Any], results: Path) -> dict[str, pd.DataFrame]:
    """The final table of a sample by kind of learning rates, where all conditions of the kind are in it."""
    with suppress(FileNotFoundError, tables.TableError, KeyError, TypeError):
        schema = experiment.schemas[FINAL]
        frame, page = tables.read(sample.place(results), schema)
        wanted = _expected(experiment, page["settings"]["scale"])
        there = {kind: set(tables.conditions(_at(frame, kind), schema)) for kind in frame.rates.unique()}
        return {kind: _at(frame, kind) for kind in KINDS if kind in there and wanted[kind] <= there[kind]}
    return {}


def _expected(experiment: Experiment[Any], scale: str) -> dict[str, set[str]]:
    """The names of the conditions of the final table, by kind of learning rates."""
    schema = experiment.schemas[FINAL]
    few = replace(experiment.scales[scale], n_networks=1)
    found = experiment.conditions(few, Selection(rates=experiment.about.rates))
    frame = pd.DataFrame([dict(c.values) for c in found if schema.has(c.values)])
    return {kind: set(tables.conditions(_at(frame, kind), schema)) for kind in frame.rates.unique() if kind in KINDS}


def _at(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The rows at this kind of learning rates, and those of networks that have none."""
    return frame[frame.rates.isin([kind, "none"])] if kind and "rates" in frame else frame


def _own(about: About, results: Path) -> dict[str, pd.DataFrame] | None:
    """The experiment's own tables that its claims read, with those of its variants; None if one is missing."""
    wanted = {part for claim in about.experiment.claims for part in claim.reads or about.experiment.schemas}
    found: dict[str, list[pd.DataFrame]] = {}
    for experiment in (about.experiment, *variants(about.experiment)):
        try:
            read = {part: tables.read(results, experiment.schemas[part])[0] for part in wanted}
        except (FileNotFoundError, tables.TableError):
            if experiment.about.command == about.command:
                return None
            continue
        for part, frame in read.items():
            found.setdefault(part, []).append(frame)
    return {part: pd.concat(frames, ignore_index=True) for part, frames in found.items()}


def _kinds(about: About, frames: dict[str, pd.DataFrame]) -> list[str]:
    known = {kind for claim in about.experiment.claims for kind in claim.kinds(frames)}
    return [kind for kind in (*KINDS, "") if kind in known]


def of_paper(results: Path, only: Sample | None = None) -> list[Entry]:
    """The answers to the paper's claims on Figures 2 to 4, in its order, then what is ours."""
    found = [
        entry
        for about in registry.figures().values()
        if about.computed
        for entry in entries(about, judged(about, results, only))
    ]
    return [entry for ours in (False, True) for entry in found if entry.claim.ours == ours]


def entries(about: About, known: Judged) -> list[Entry]:
    """The answers to a figure's claims that are among those to the paper, or extend them."""
    samples = dict(known.samples)
    return [
        Entry(about, claim, name, finding.rates, part, samples[finding.rates])
        for claim, findings in known.findings
        if claim.key
        for finding in findings
        for part, name in named(claim, finding)
    ]


def named(claim: Claim, finding: Finding) -> list[tuple[Part, str]]:
    """The parts that are among the answers, with what they are called there."""
    usual = {part.what: part.what.replace("τ", "tau") for part in finding.parts if part.primary}
    chosen = claim.named or usual
    return [(part, chosen[part.what]) for part in finding.parts if part.what in chosen]


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
    numbers = {"ratio": math.nan, "low": math.nan, "high": math.nan}
    if found is not None:
        numbers = {"ratio": found.median, "low": found.low, "high": found.high}
    return {
        "claim": entry.claim.key,
        "part": entry.name,
        "rates": entry.rates,
        "answer": entry.answer,
        **{name: plain(_factor(value) if entry.part.log else value) for name, value in numbers.items()},
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


def differing(results: Path) -> list[tuple[Entry, Entry]]:
    """The answers that are others on the confirmation sample than on the first: both, confirmed first."""
    confirmed, first = (of_paper(results, only=sample) for sample in SAMPLES)
    before = {entry.place: entry for entry in first}
    return [
        (entry, before[entry.place])
        for entry in confirmed
        if entry.place in before and entry.answer != before[entry.place].answer
    ]
