"""The fifteen claims at a glance: a row a claim, and at each kind of learning rates a word and an effect."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rflo_repro.report import style
from rflo_repro.report.words import SHORT_RATES, short
from rflo_repro.stats.answers import Answer
from rflo_repro.studies.answers import Entry, claims_of, whole
from rflo_repro.studies.answers_look import (
    BATCHES,
    COLUMNS,
    FAINT,
    INK,
    KINDS,
    LEFT,
    SOFT,
    TINTS,
    canvas,
    numbers,
    part_name,
    sign,
    write,
)  # fmt: skip

ROW, TOP, BOTTOM = 29.0, 50.0, 34.0
CELLS, CELL = 290.0, 180.0
BELOW = (
    "Small signs: the parts of a claim, in order. The number is of the first part named beside the answer, or below.",
    "Worse: surely, but perhaps by little. Open: neither yes nor no is sure. No test: neither learned in half of the "
    "networks. At 99%, as good at 98%.",
)


def picture(entries: Sequence[Entry]) -> style.Picture:
    """The paper's claims: the answer at each kind of learning rates, and the effect that stands for it."""
    paper = claims_of([entry for entry in entries if not entry.claim.ours])
    drawn, sheet = canvas(TOP + ROW * len(paper) + BOTTOM, "Does RFLO do what the paper says?")
    for i, kind in enumerate(COLUMNS):
        x, look = CELLS + i * CELL, KINDS[kind]
        sheet.plot([x + 8.0], [TOP - 10.0], look.marker, color=look.colour, markersize=5.0)
        write(sheet, x + 17.0, TOP - 10.0, SHORT_RATES[kind], 11.5, look.colour, weight="bold")
    number = numbers()
    for i, (key, own) in enumerate(paper.items()):
        y = TOP + i * ROW
        write(sheet, LEFT + 16.0, y + 9.0, number[key], 11.0, FAINT, ha="right")
        write(sheet, LEFT + 22.0, y + 9.0, own[0].claim.label, 11.5, INK, gid=f"claim|{key}")
        write(sheet, LEFT + 22.0, y + 21.5, own[0].claim.over, 9.5, SOFT, gid=f"over|{key}")
        for j, kind in enumerate(COLUMNS):
            # a claim without clipped rates may have been asked with more trials
            more = kind == "clipped" and whole(own, kind) is None
            asked = [entry for entry in own if entry.rates == ("batches" if more else kind)]
            _cell(sheet, CELLS + j * CELL, y, asked, f"{key}|{kind}")
    for i, line in enumerate(BELOW):
        write(sheet, LEFT, TOP + ROW * len(paper) + 9.0 + 14.0 * i, line, 10.0, SOFT)
    return drawn


def _cell(sheet: Axes, x: float, y: float, own: Sequence[Entry], gid: str) -> None:
    """The parts of a claim at one kind of learning rates."""
    if not own:
        write(sheet, x + 6.0, y + 14.0, "not asked", 10.0, FAINT, gid=f"cell|{gid}")
        return
    parts, right = [entry.answer for entry in own], x + CELL - 9.0
    found = said(own)
    wide = (CELL - 3.0) / len(found)
    for i, (answer, text) in enumerate(found):
        left = x + i * wide
        box = Rectangle((left, y + 1.0), wide, ROW - 2.0, color=TINTS[answer], linewidth=0, zorder=0)
        box.set_gid(f"box|{gid}")
        sheet.add_patch(box)
        sign(sheet, left + 11.0, y + 9.0, answer, 12.0, gid=f"answer|{gid}")
        colour = style.ANSWERS[answer]
        write(sheet, left + 21.0, y + 9.0, text, 11.5, colour, weight="bold", gid=f"word|{gid}")
    if own[0].rates == "batches":
        write(sheet, right, y + 9.0, f"{BATCHES}, unclipped", 8.5, SOFT, ha="right")
    elif len(parts) > 1 and len(found) == 1:
        for i, answer in enumerate(reversed(parts)):
            sign(sheet, right - 4.0 - 11.0 * i, y + 9.0, answer, 9.5, weight="normal", gid=f"part|{gid}")
    write(sheet, x + 6.0, y + 21.5, in_short(own), 10.0, INK, gid=f"cell|{gid}")
    if len(set(parts)) == 1 < len(parts) and not shares_alone(own):
        name = part_name(chosen(own)).removeprefix("over ")
        write(sheet, right, y + 21.5, name, 9.5, SOFT, ha="right", gid=f"at|{gid}")


def said(own: Sequence[Entry]) -> list[tuple[Answer, str]]:
    """The answer to a claim in words, with the parts that it is the answer of, if others have another: `yes: 80 tau`.
    What holds at some parts and does not at others is neither: then both answers, each with its parts."""
    answers: dict[Answer, None] = dict.fromkeys(entry.answer for entry in own)
    if {"yes", "no"} <= {*answers}:
        return [("yes", at_parts(own, "yes")), ("no", at_parts(own, "no"))]
    answer = whole(own, own[0].rates) or "open"
    at = at_parts(own, answer) if len(answers) > 1 else ""
    return [(answer, f"{answer}: {at}" if at else answer)]


def chosen(own: Sequence[Entry]) -> Entry:
    """The part that stands for a claim: the first, in the paper's order, with the answer of the whole; if none has it,
    the first that was tested and is not yes."""
    answer = whole(own, own[0].rates)
    return next(iter([e for e in own if e.answer == answer] or [e for e in own if e.answer not in ("yes", "no test")]))


def in_short(own: Sequence[Entry]) -> str:
    """The effect of a claim, that of its chosen part; of shares alone all parts' are said, of a hundred networks where
    there are not as many at each."""
    if not shares_alone(own):
        part = chosen(own)
        return short(part.claim, part.part)
    found = [e.part.answered for e in own if e.part.answered]
    same = len({one.n for one in found}) == 1
    counts = [one.learned[0] if same else round(100 * one.learned[0] / one.n) for one in found]
    return f"learned {', '.join(map(str, counts))} of {found[0].n if same else 100}"


def at_parts(own: Sequence[Entry], answer: Answer) -> str:
    """The parts of a claim that have an answer, such as `20, 40 tau`."""
    names = [part_name(entry) for entry in own if entry.answer == answer]
    return ", ".join([*(name.removesuffix(" tau") for name in names[:-1]), *names[-1:]])


def shares_alone(own: Sequence[Entry]) -> bool:
    """Whether no number is compared, and how many learned is all that there is."""
    return all(entry.part.test is None and entry.part.answered is not None for entry in own)
