"""The fifteen claims at a glance: a row a claim, and at each kind of learning rates a word and an effect."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rflo_repro.report import style
from rflo_repro.report.words import short
from rflo_repro.stats.answers import Answer
from rflo_repro.studies.answers import Entry, claims_of, whole
from rflo_repro.studies.answers_legend import BATCHES
from rflo_repro.studies.answers_look import (
    COLUMNS,
    FAINT,
    INK,
    KINDS,
    SOFT,
    TINTS,
    canvas,
    numbers,
    part_name,
    sign,
    write,
)

ROW, TOP, BOTTOM = 29.0, 50.0, 34.0
LEFT, CELLS, CELL = 10.0, 290.0, 180.0
HEADINGS = {
    "printed": "the paper's rates",
    "tuned": "tuned rates",
    "clipped": "with gradient clipping",
}
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
        x = CELLS + i * CELL
        sheet.plot([x + 8.0], [TOP - 10.0], KINDS[kind].marker, color=KINDS[kind].colour, markersize=5.0)
        write(sheet, x + 17.0, TOP - 10.0, HEADINGS[kind], 11.5, KINDS[kind].colour, weight="bold")
    number = numbers()
    for i, (key, own) in enumerate(paper.items()):
        y = TOP + i * ROW
        write(sheet, LEFT + 16.0, y + 9.0, number[key], 11.0, FAINT, ha="right")
        write(sheet, LEFT + 22.0, y + 9.0, own[0].claim.label, 11.5, INK, gid=f"claim|{key}")
        write(sheet, LEFT + 22.0, y + 21.5, own[0].claim.over, 9.5, SOFT, gid=f"over|{key}")
        for j, kind in enumerate(COLUMNS):
            _cell(sheet, CELLS + j * CELL, y, own, kind)
    for i, line in enumerate(BELOW):
        write(sheet, LEFT, TOP + ROW * len(paper) + 9.0 + 14.0 * i, line, 10.0, SOFT)
    return drawn


def _cell(sheet: Axes, x: float, y: float, entries: Sequence[Entry], kind: str) -> None:
    """A claim at one kind of learning rates. One that has no clipped rates may have more trials there."""
    asked = kind
    if kind == "clipped" and whole(entries, kind) is None:
        asked = "batches"
    answer, key = whole(entries, asked), entries[0].claim.key
    if answer is None:
        write(sheet, x + 6.0, y + 14.0, "not asked", 10.0, FAINT, gid=f"cell|{key}|{kind}")
        return
    own = [entry for entry in entries if entry.rates == asked]
    parts, right = [entry.answer for entry in own], x + CELL - 9.0
    # what holds at some parts and fails at others is neither: each half says where
    halves: list[tuple[Answer, str]] = [(answer, word(own, asked))]
    if mixed(own):
        halves = [("yes", at_parts(own, "yes")), ("no", at_parts(own, "no"))]
    wide = (CELL - 3.0) / len(halves)
    for i, (one, said) in enumerate(halves):
        box = Rectangle((x + i * wide, y + 1.0), wide, ROW - 2.0, color=TINTS[one], linewidth=0, zorder=0)
        box.set_gid(f"box|{key}|{kind}")
        sheet.add_patch(box)
        sign(sheet, x + i * wide + 11.0, y + 9.0, one, 12.0, gid=f"answer|{key}|{kind}")
        at = x + i * wide + 21.0
        write(sheet, at, y + 9.0, said, 11.5, style.ANSWERS[one], weight="bold", gid=f"word|{key}|{kind}")
    if asked == "batches":
        write(sheet, right, y + 9.0, f"{BATCHES}, unclipped", 8.5, SOFT, ha="right")
    elif len(parts) > 1 and len(halves) == 1:
        for i, one in enumerate(reversed(parts)):
            sign(sheet, right - 4.0 - 11.0 * i, y + 9.0, one, 9.5, weight="normal", gid=f"part|{key}|{kind}")
    write(sheet, x + 6.0, y + 21.5, in_short(entries, asked), 10.0, INK, gid=f"cell|{key}|{kind}")
    of = chosen(entries, asked)
    if len(set(parts)) == 1 < len(parts) and of is not None and not shares_alone(entries):
        write(
            sheet, right, y + 21.5, part_name(of).removeprefix("over "), 9.5, SOFT, ha="right", gid=f"at|{key}|{kind}"
        )


def chosen(entries: Sequence[Entry], rates: str) -> Entry | None:
    """The part of a claim that stands for it at one kind of learning rates: the first, in the paper's order, with the
    answer of the whole; if none has it, the first that was tested and is not yes. None if there is no part.
    """
    own = [entry for entry in entries if entry.rates == rates]
    answer = whole(own, rates)
    first = [e for e in own if e.answer == answer] or [e for e in own if e.answer not in ("yes", "no test")]
    return first[0] if first else None


def in_short(entries: Sequence[Entry], rates: str) -> str:
    """The effect of a claim at one kind of learning rates, that of its chosen part; of shares alone, all are said."""
    own = [entry for entry in entries if entry.rates == rates]
    part = chosen(own, rates)
    if part is None:
        return ""
    return _all_shares(own) if shares_alone(own) else short(part.claim, part.part)


def at_parts(entries: Sequence[Entry], answer: Answer) -> str:
    """The parts of a claim that have an answer, such as `20, 40 tau`."""
    names = [part_name(entry) for entry in entries if entry.answer == answer]
    return ", ".join([*(name.removesuffix(" tau") for name in names[:-1]), *names[-1:]])


def mixed(entries: Sequence[Entry]) -> bool:
    """Whether a claim holds at some of its parts, and does not at others."""
    return {"yes", "no"} <= {entry.answer for entry in entries}


def word(entries: Sequence[Entry], rates: str) -> str:
    """The answer to a claim with the parts that it is the answer of, if others have another: `yes: 80 tau`."""
    own = [entry for entry in entries if entry.rates == rates]
    answer = whole(own, rates)
    if answer is None or len({entry.answer for entry in own}) == 1:
        return answer or ""
    at = at_parts(own, answer)
    return f"{answer}: {at}" if at else answer


def shares_alone(entries: Sequence[Entry]) -> bool:
    """Whether no number is compared, and how many learned is all that there is."""
    return all(entry.part.test is None and entry.part.answered is not None for entry in entries)


def _all_shares(entries: Sequence[Entry]) -> str:
    """Of each part how many learned, or how many of a hundred where there are not as many networks."""
    found = [e.part.answered for e in entries if e.part.answered and e.part.answered.learned]
    if len({one.n for one in found}) == 1:
        return f"learned {', '.join(str(one.learned[0]) for one in found)} of {found[0].n}"
    return f"learned {', '.join(f'{100 * one.learned[0] / one.n:.0f}' for one in found)} of 100"
