"""The tables at the end of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from rflo_repro.report import words
from rflo_repro.report.page import Grid, Question, Section
from rflo_repro.runs import tables
from rflo_repro.runs.sample import CONFIRMATION
from rflo_repro.stats.by_losses import OF_TABLES
from rflo_repro.studies.answers import Answers
from rflo_repro.studies.sections import OUTCOMES

HEADER = (
    "claim", "at", "rates", "sample", "answer", "median", "99% interval", "first and second", "shares", "p (Holm)",
)  # fmt: skip


def grids(sections: Sequence[Section], results: Path) -> list[Grid]:
    """All of them that are not empty."""
    questions = [question for section in sections for question in section.claims]
    design = [q for q in questions if "2 × 2 design" in q.claim.where]
    elsewhere = [q for q in questions if q.claim.ours]
    ours = "Ours: the paper does not say it."
    found = [
        _outcomes(sections),
        Grid("All parts of all claims", HEADER, tuple(lines(questions))),
        Grid("Locality and random feedback as a 2 × 2 design (ours)", HEADER, tuple(lines(design)), ours),
        Grid("Local and random feedback at other periods (ours)", HEADER, tuple(lines(elsewhere)), ours),
        _changes(results),
    ]
    return [grid for grid in found if grid.rows]


def lines(questions: Iterable[Question]) -> Iterator[tuple[str, ...]]:
    """A line a part and kind of learning rates."""
    for q in questions:
        for finding in q.findings:
            for part in finding.parts:
                yield (
                    q.claim.name,
                    part.what,
                    words.RATES.get(finding.rates, finding.rates),
                    finding.sample,
                    words.SAID[part.answer] + q.mark() + ("" if part.primary else " (beside the claim)"),
                    words.effect(q.claim, part),
                    words.interval(part),
                    words.learned(part),
                    words.share(part),
                    words.probability(part.holm),
                )


def _outcomes(sections: Sequence[Section]) -> Grid:
    rows = tuple(row for section in sections for row in section.outcomes)
    note = (
        "Learned: the loss in the last 1% of trials is at most a tenth of the zero-output loss. Lost: it had been as "
        "low before and is no longer. Exploded: it ends above ten times the first. Else it stayed on a plateau."
    )
    title = "How many networks learned, by the loss on which they were trained"
    return Grid(title, ("figure", "sample", "condition", *OUTCOMES.values()), rows, note)


def _changes(results: Path) -> Grid:
    from rflo_repro.studies.sensitivity.experiment import EXPERIMENT

    header = ("figure", "choice", "claim", "part", "effect at the baseline", "then", "shift")
    note = "One choice at a time, by the losses alone, at 95%: where what is found differs and the effect moves."
    try:
        frame = tables.read(results, EXPERIMENT.schemas["sensitivity"])[0]
    except (FileNotFoundError, tables.TableError):
        return Grid("", header, ())
    return Grid("What the open choices change", header, changes(frame), note)


def changes(frame: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Figure, choice, claim, part, effect and what was found at the baseline and then, and the shift of the effect,
    wherever what is found of a primary part differs and the interval of the shift leaves out 0."""
    keys = ["figure", "claim", "part"]
    both = frame[frame.primary].merge(frame[frame.reading == 0], on=keys, suffixes=("", "_0"))
    shifted = both[(both.verdict != both.verdict_0) & ((both.shift_low > 0.0) | (both.shift_high < 0.0))]
    return tuple(
        (
            *(str(getattr(row, name)) for name in ("figure", "choices", "claim", "part")),
            f"{row.estimate_0:.2f}, {OF_TABLES.get(str(row.verdict_0), row.verdict_0)}",
            f"{row.estimate:.2f}, {OF_TABLES.get(str(row.verdict), row.verdict)}",
            f"{row.shift:.2f} ({row.shift_low:.2f}, {row.shift_high:.2f})",
        )
        for row in shifted.itertuples()
    )


def differing(known: Answers) -> Grid | None:
    """The answers that differ between the confirmation sample and the first, if both are there."""
    if not CONFIRMATION.folder_in(known.results).is_dir():
        return None
    header = ("claim", "at", "rates", "confirmation sample", "first sample")
    rows = tuple(
        (
            one.claim.name,
            one.name,
            words.RATES[one.rates],
            *(f"{words.SAID[e.answer]}: {words.short(e.claim, e.part)}" for e in (one, other)),
        )
        for one, other in known.differing()
    )
    note = "" if rows else "None, of those that are answered on both."
    return Grid("Answers that differ between the two samples", header, rows, note)
