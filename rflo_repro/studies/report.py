"""`rflo-repro report`: the answers to the paper's claims and all that they rest on, from the tables as they are."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from rflo_repro.learning.files import replacing
from rflo_repro.paper import registry
from rflo_repro.report import words
from rflo_repro.report.page import Picture, Question, Report, answer_table, counts, html, markdown
from rflo_repro.runs import folders
from rflo_repro.stats.claims import Part
from rflo_repro.studies import answers_plot, appendix
from rflo_repro.studies.answers import Answers, as_data, plain
from rflo_repro.studies.registry import studies
from rflo_repro.studies.sections import of_experiment

TITLE = "Local online learning in recurrent networks with random feedback: does it reproduce?"
INTRODUCTION = (
    "Murray (2019), eLife 8:e43299, computed anew: the paper's claims in its order, in our words, each with the answer "
    "at three kinds of learning rates and with what it rests on. Factors and counts are of the condition that a claim "
    "names first and of that with which it is compared."
)
TERMS = (
    (
        "learned",
        "The loss ends at most at a tenth of the zero-output loss, that of an output of zero. In Figure 3: the median "
        "error of the peaks is at most 3 τ. In Figure 4: a tenth of the untrained loss.",
    ),
    (
        "factor",
        "The median over networks of the ratio of two losses of the same network; the loss of a network that exploded "
        "counts as infinite.",
    ),
    ("τ", "The time constant of the units, ten timesteps. Periods and intervals are in τ."),
    (
        "99% interval",
        "Of a median an exact one, from the order of the values; of a difference of shares Newcombe's. It alone "
        "decides; p is beside it, corrected by Holm's procedure.",
    ),
    (
        "yes, no",
        "The claim's criterion is met; its opposite is sure. A claim of several parts is answered no if one is, and "
        "else as all that could be tested, if they agree.",
    ),
    (
        "worse (size open)",
        "Surely worse, but perhaps by no more than counts as alike: a factor of 3.2, or 15 of 100 networks.",
    ),
    ("open", "These networks do not tell."),
    ("no test", "Neither condition learned in half of the networks, so that any two rules would look alike."),
    ("power", "How often two samples of one condition, of so many networks, are called alike."),
    ("chosen later", "What was chosen after which table was seen is listed, with dates, in docs/statistics.md."),
    (
        "rates",
        "The paper's: those that its Methods print. Tuned: by a grid search, the paper's own procedure. With gradient "
        "clipping, which the paper does not mention: the paper's rates, and the norm of an update is at most 0.3.",
    ),
)
COLUMNS = ("printed", "tuned", "clipped")
ALT = "The answers: the first condition over the second, and the share of networks that learned, a row a claim."


def gather(known: Answers, figures: Path) -> Report:
    """The whole report, from the answers and the pictures in a directory; what is missing is named."""
    sections = [of_experiment(about, known, figures) for about in {**registry.figures(), **studies()}.values()]
    keyed = [(of.name, q) for of in sections if not of.study for q in of.claims if q.claim.key]
    return Report(
        title=TITLE,
        introduction=INTRODUCTION,
        rates={**words.RATES, "": "answer"},
        columns=COLUMNS,
        terms=TERMS,
        answers=tuple((name, q) for name, q in keyed if not q.claim.ours),
        ours=tuple((name, q) for name, q in keyed if q.claim.ours),
        sections=tuple(sections),
        appendix=tuple(appendix.grids(sections, known.results)),
        differing=appendix.differing(known),
        picture=_picture(figures),
    )


def table(results: Path, figures: Path) -> str:
    """The answers in short, in Markdown between markers."""
    return answer_table(gather(Answers(results), figures))


def as_json(results: Path, figures: Path) -> str:
    """The answers, those under variants, and every claim with what was found, for a program; a number that is infinite
    is a string."""
    known = Answers(results)
    entries = known.entries()
    data = {
        "answers": [as_data(entry) for entry in entries if entry.rates in COLUMNS],
        "claims": [_claim(of.command, q) for of in gather(known, figures).sections for q in of.claims],
        "variants": [{**as_data(entry), "variant": entry.rates} for entry in entries if entry.rates not in COLUMNS],
    }
    return json.dumps(data, indent=1, allow_nan=False)


def _claim(command: str, q: Question) -> dict[str, Any]:
    return {
        "command": command,
        "claim": q.claim.name,
        "key": q.claim.key,
        "statement": q.claim.statement,
        "where": q.claim.where,
        "criterion": q.claim.criterion,
        "ours": q.claim.ours,
        "scale": q.scale,
        "missing": q.missing,
        "findings": [
            {
                "rates": finding.rates,
                "answer": q.whole(finding.rates),
                "sample": finding.sample,
                "parts": [_part(part) for part in finding.parts],
            }
            for finding in q.findings
        ],
    }


def _part(part: Part) -> dict[str, Any]:
    found = part.answered
    ends = (math.nan,) * 3 if found is None else (found.median, found.low, found.high)
    share = (math.nan,) * 3 if found is None else found.share
    return {
        "what": part.what,
        "answer": part.answer,
        "unit": part.unit,
        **{name: plain(value) for name, value in zip(("median", "low", "high"), ends, strict=True)},
        "n": found.n if found else 0,
        "learned": list(found.learned) if found and found.learned else None,
        "share": [plain(value) for value in share],
        "why": part.why,
        "p": plain(part.holm),
        "primary": part.primary,
    }


def write(results: Path, figures: Path, console: Console) -> None:
    """Draw the answers, and write `report.html` and `report.md` into `results`. Raises RequestError for a folder it
    cannot use."""
    folders.check("results", results)
    known = Answers(results)
    report = gather(known, figures)
    if any(q.answers for _, q in report.answers):
        answers_plot.draw(known, figures)
        report = replace(report, picture=_picture(figures))
    results.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.html", html(report, results)), ("report.md", markdown(report, results))):
        with replacing(results / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    for kind, found in counts(report):
        said = ", ".join(f"{n} {answer}" for answer, n in found)
        console.print(f"{kind}: {said}" if kind else said, highlight=False, markup=False, soft_wrap=True)
    asked = [(section.name, q) for section in report.sections for q in section.claims]
    lacking = [(name, q.missing) for name, q in (*report.answers, *report.ours, *asked) if q.missing]
    for name, missing in dict.fromkeys(lacking):
        console.print(f"{name}: {missing}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"report   {results / 'report.html'}  {results / 'report.md'}", highlight=False, soft_wrap=True)


def _picture(figures: Path) -> Picture | None:
    path = figures / "answers.png"
    return Picture(path, ALT, ALT) if path.is_file() else None
