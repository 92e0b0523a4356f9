"""The fifteen claims at a glance: a row a claim, and at each kind of learning rates a word and an effect."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rflo_repro.report.style import Picture
from rflo_repro.stats.answers import Answer
from rflo_repro.studies.answers import Entry, claims_of, whole
from rflo_repro.studies.answers_legend import BATCHES
from rflo_repro.studies.answers_look import (
    ANSWERS,
    COLUMNS,
    FAINT,
    INK,
    KINDS,
    SOFT,
    TINTS,
    canvas,
    numbers,
    sign,
    write,
)
from rflo_repro.studies.answers_text import (
    LABELS,
    OVER,
    at_parts,
    chosen,
    in_short,
    mixed,
    part_name,
    shares_alone,
    word,
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


def picture(entries: Sequence[Entry]) -> Picture:
    """The paper's claims: the answer at each kind of learning rates, and the effect that stands for it."""
    paper = claims_of([entry for entry in entries if not entry.claim.ours])
    known = [key for key in LABELS if key in paper]
    drawn, sheet = canvas(TOP + ROW * len(known) + BOTTOM, "Does RFLO do what the paper says?")
    for i, kind in enumerate(COLUMNS):
        x = CELLS + i * CELL
        sheet.plot([x + 8.0], [TOP - 10.0], KINDS[kind].marker, color=KINDS[kind].colour, markersize=5.0)
        write(sheet, x + 17.0, TOP - 10.0, HEADINGS[kind], 11.5, KINDS[kind].colour, weight="bold")
    number = numbers([*LABELS])
    for i, key in enumerate(known):
        y = TOP + i * ROW
        write(sheet, LEFT + 16.0, y + 9.0, number[key], 11.0, FAINT, ha="right")
        write(sheet, LEFT + 22.0, y + 9.0, LABELS[key], 11.5, INK, gid=f"claim|{key}")
        write(sheet, LEFT + 22.0, y + 21.5, OVER[key], 9.5, SOFT, gid=f"over|{key}")
        for j, kind in enumerate(COLUMNS):
            _cell(sheet, CELLS + j * CELL, y, paper[key], kind)
    for i, line in enumerate(BELOW):
        write(sheet, LEFT, TOP + ROW * len(known) + 9.0 + 14.0 * i, line, 10.0, SOFT)
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
        write(sheet, at, y + 9.0, said, 11.5, ANSWERS[one], weight="bold", gid=f"word|{key}|{kind}")
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
