"""The answers as pictures: every claim and part with what was measured, and the fifteen claims at a glance."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rflo_repro.report import style
from rflo_repro.runs.request import RequestError
from rflo_repro.stats.answers import Answered, clopper_pearson
from rflo_repro.stats.claims import Claim
from rflo_repro.studies import answers_legend, answers_small
from rflo_repro.studies.answers import Answers, Entry
from rflo_repro.studies.answers_look import (
    BATCHES,
    COLUMNS,
    FAINT,
    GREEN,
    INK,
    KINDS,
    LEFT,
    OURS,
    PALE,
    POINTS,
    SOFT,
    WIDTH,
    canvas,
    mark,
    numbers,
    part_name,
    sign,
    write,
)  # fmt: skip

STEM = "answers"
# Of what the upper strip shows the number is a cosine; of all others a factor, or a share alone
COSINES = ("alignment-rises", "more-alignment-at-shorter-periods")
LOW, HIGH = -2.0, 3.0  # decades that are shown
SHARES = ("rflo-learns",)
# Points: a row, from one claim to the next, and between marks of one row
ROW, GAP, APART = 17.0, 7.0, 4.8
PART, RATIO, SHARE, COUNT, ANSWER = 300.0, (310.0, 550.0), (588.0, 708.0), 736.0, (766.0, 791.0, 816.0)
NAME, LINE, OF_OVER = 30, 13.5, 11.5  # characters of a claim's name in a line, and points of lines
TOP, HEAD, AXIS = 78.0, 62.0, 32.0


@dataclass(frozen=True)
class Row:
    """A part of a claim: its entries, one a kind of learning rates, and where it lies."""

    key: str
    name: str
    entries: tuple[Entry, ...]
    y: float = 0.0

    @property
    def said(self) -> str:
        """What stands beside the claim's name."""
        if self.entries[0].rates == "batches":
            return BATCHES
        name = part_name(self.entries[0]).removeprefix("all")
        return ", ".join(filter(None, (self.entries[0].claim.at, name)))


@dataclass(frozen=True)
class Block:
    """A claim: its rows, and from where to where it goes."""

    key: str
    rows: tuple[Row, ...]
    top: float
    bottom: float

    @property
    def claim(self) -> Claim:
        """The claim itself."""
        return self.rows[0].entries[0].claim


def draw(known: Answers, figures: Path) -> list[Path]:
    """Draw both pictures. Raises RequestError if no claim is answered."""
    entries = [entry for entry in known.entries() if entry.rates in KINDS]
    if not entries:
        no_tables = f"{known.results} has no tables that answer a claim: run `rflo-repro confirm` or a figure"
        raise RequestError("results", no_tables)
    with style.style():
        drawn = style.Pictures({"": picture(entries), "small": answers_small.picture(entries)})
        return drawn.save(figures / STEM)


def rows(entries: Iterable[Entry]) -> list[Row]:
    """A row a part of a claim, in the paper's order; what was asked with other trials has rows of its own."""
    found: dict[tuple[str, str, bool], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry.claim.key, entry.name, entry.rates == "batches"), []).append(entry)
    order = dict.fromkeys((key, name) for key, name, _ in found)
    return [Row(*of, tuple(found[(*of, more)])) for of in order for more in (False, True) if (*of, more) in found]


def blocks(of: Sequence[Row], top: float) -> list[Block]:
    """The claims of these rows one below the other."""
    found: list[Block] = []
    for key in dict.fromkeys(row.key for row in of):
        own = [row for row in of if row.key == key]
        if own[0].entries[0].claim.ours and not (found and found[-1].claim.ours):
            top += HEAD / 2
        height = max(len(own) * ROW, len(_lines(own[0].entries[0].claim)) * LINE + OF_OVER + 3.0)
        first = top + ROW / 2
        at = tuple(replace(row, y=first + i * ROW) for i, row in enumerate(own))
        found.append(Block(key, at, top, top + height))
        top += height + GAP
    return found


def picture(entries: Sequence[Entry]) -> style.Picture:
    """Every claim and part of the entries: what was measured, how many learned, and the answers."""
    known = rows(entries)
    strip = blocks([row for row in known if row.key in COSINES], TOP)
    start = strip[-1].rows[-1].y + ROW / 2 + AXIS if strip else TOP
    rest = blocks([row for row in known if row.key not in COSINES], start + HEAD)
    end = rest[-1].bottom if rest else start
    notes = answers_legend.notes(entries)
    drawn, sheet = canvas(end + AXIS + 153.0 + answers_legend.LINE * len(notes), "Murray 2019, claim by claim")
    write(sheet, LEFT, 44.0, "green: where the claim puts it", 12.5, "#1D7F3A")
    write(sheet, LEFT, 61.0, "marks and lines: the median of networks and its 99% interval", 11.5, SOFT)
    for x, kind in zip(ANSWER, COLUMNS, strict=True):
        look = KINDS[kind]
        write(sheet, x, TOP - 8.0, look.heading, 11.0, look.colour, rotation=90, ha="center", va="bottom")
    if strip:
        _rises(drawn, strip)
    if rest:
        _main(drawn, sheet, rest)
    for block in (*strip, *rest):
        _named(sheet, block)
    answers_legend.draw(sheet, end + AXIS + 14.0, notes)
    return drawn


def _panel(drawn: style.Picture, gid: str, across: tuple[float, float], down: tuple[float, float]) -> Axes:
    """Axes that have points of the sheet down, and a scale of their own across."""
    height = drawn.get_figheight() * POINTS
    (left, right), (top, bottom) = across, down
    at = (left / WIDTH, 1.0 - bottom / height, (right - left) / WIDTH, (bottom - top) / height)
    axes = drawn.add_axes(at, gid=gid)
    axes.set_ylim(bottom, top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    return axes


def _rises(drawn: style.Picture, strip: Sequence[Block]) -> None:
    axes = _panel(drawn, "cosine", RATIO, (strip[0].top - 4.0, strip[-1].rows[-1].y + ROW / 2 + 2.0))
    axes.set_xlim(-1.0, 1.0)
    axes.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0], ["−1", "−0.5", "0", "+0.5", "+1"])
    axes.axvline(0.0, color=SOFT, linewidth=0.8, zorder=1)
    _values(axes, strip, (-1.0, 1.0))
    sheet = drawn.axes[0]
    x, y = SHARE[0], (strip[0].top + strip[-1].bottom) / 2
    for i, line in enumerate(("cosine of Wout and B:", "its rise in training, and", "how it falls with the period")):
        write(sheet, x, y + 15.0 * (i - 1), line, 11.0, SOFT)


def _main(drawn: style.Picture, sheet: Axes, of: Sequence[Block]) -> None:
    down = (of[0].top - 6.0, of[-1].bottom + 4.0)
    ratio, share = _panel(drawn, "ratio", RATIO, down), _panel(drawn, "share", SHARE, down)
    ratio.set_xlim(LOW, HIGH)
    ratio.set_xticks(range(-2, 4), ["÷100", "÷10", "1", "×10", "×100", "×1000"])
    ratio.axvline(0.0, color=SOFT, linewidth=0.8, zorder=1)
    share.set_xlim(-0.04, 1.04)
    share.set_xticks([0.0, 0.5, 1.0], ["none", "half", "all"])
    for x in (0.0, 0.5, 1.0):
        share.axvline(x, color="#E3E3E3", linewidth=0.8, zorder=0)
    for axes in (ratio, share):
        axes.tick_params(top=False, labeltop=True, length=3.0, pad=2.0)
    head = of[0].top - HEAD + 14.0
    for x, y, text, bold in (
        (sum(RATIO) / 2, head, "final loss, first over second", True),
        (sum(RATIO) / 2, head + 15.0, "(intervals: error)  right is worse", False),
        (sum(SHARE) / 2, head, "networks that learned", True),
        (sum(SHARE) / 2, head + 15.0, "mark: first, bar: second", False),
    ):
        write(sheet, x, y, text, 11.5, INK if bold else SOFT, ha="center", weight="bold" if bold else "normal")
    write(sheet, COUNT, head + 32.0, "n", 11.0, SOFT, ha="center")
    _values(ratio, of, (LOW, HIGH))
    for block in of:
        for row in block.rows:
            _shares(share, row)
    ours = [block for block in of if block.claim.ours]
    if ours:
        y = ours[0].top - HEAD / 4
        sheet.plot([LEFT, WIDTH - LEFT], [y - 7.0, y - 7.0], color=FAINT, linewidth=1.0)
        write(sheet, LEFT, y + 4.0, "ours: the paper asks these two at 80 tau only", 11.0, SOFT, style="italic")


def _offsets(row: Row) -> Iterable[tuple[Entry, float]]:
    """The entries of a row, each with the height of its mark."""
    middle = (len(row.entries) - 1) / 2
    return ((entry, row.y + APART * (i - middle)) for i, entry in enumerate(row.entries))


def _borrowed(entry: Entry) -> bool:
    return entry.rates == "printed" and entry.claim.borrowed


def _look(entry: Entry) -> dict[str, Any]:
    """Marker and colours: pale where the paper's rate is another rule's, hollow where there was no test."""
    kind = KINDS[entry.rates]
    colour = PALE if _borrowed(entry) else kind.colour
    return {
        "marker": kind.marker,
        "color": colour,
        "markerfacecolor": "white" if entry.answer == "no test" else colour,
        "markersize": 3.3 if kind.marker == "D" else 3.8,
        "markeredgewidth": 0.9,
        "linestyle": "none",
    }


def _values(axes: Axes, of: Sequence[Block], shown: tuple[float, float]) -> None:
    """The median of each entry with its interval, and the band where the paper has it."""
    for block in of:
        for row in block.rows:
            test = row.entries[0].part.test
            if test is not None:
                low, high = np.clip((test.low, test.high), *shown)
                _shade(axes, row, low, high)
            for entry, y in _offsets(row):
                if entry.part.answered is not None and not math.isnan(entry.part.answered.median):
                    _value(axes, entry, entry.part.answered, y, shown)


def _shade(axes: Axes, row: Row, low: float, high: float) -> None:
    colour = OURS if row.entries[0].claim.ours else GREEN
    box = Rectangle((low, row.y - ROW / 2 + 0.5), high - low, ROW - 1.0, color=colour, linewidth=0, zorder=0)
    box.set_gid(f"band|{row.key}|{row.name}")
    axes.add_patch(box)


def _value(axes: Axes, entry: Entry, found: Answered, y: float, shown: tuple[float, float]) -> None:
    look, (low, high) = _look(entry), shown
    ends = np.clip([found.low, found.high], low, high)
    axes.plot(ends, [y, y], color=look["color"], linewidth=1.2, zorder=2, solid_capstyle="butt", gid="interval")
    for end, beyond, arrow in ((low, found.low < low, "<"), (high, found.high > high, ">")):
        if beyond:
            axes.plot([end], [y], arrow, color=look["color"], markersize=3.5, clip_on=False, zorder=2, gid="beyond")
    if not low <= found.median <= high:
        look |= {"marker": "<" if found.median < low else ">", "markersize": 5.5}
    axes.plot([min(max(found.median, low), high)], [y], **look, clip_on=False, zorder=3, gid=mark(entry))


def _shares(axes: Axes, row: Row) -> None:
    """How many learned: a mark under the first condition, a bar under the second; of one condition alone its
    interval."""
    if row.key in SHARES:
        _shade(axes, row, 0.5, 1.0)
    for entry, y in _offsets(row):
        found = entry.part.answered
        if found is None or not found.learned:
            continue
        look, n = _look(entry), found.n
        first, *second = (k / n for k in found.learned)
        line: dict[str, Any] = {"color": look["color"], "linewidth": 0.9, "zorder": 2, "clip_on": False}
        if second:
            axes.plot([first, second[0]], [y, y], **line, alpha=0.6, gid="dumbbell")
            axes.plot(
                [second[0]], [y], "|", color=look["color"], markersize=5.5, markeredgewidth=1.5, clip_on=False,
                gid=f"second|{mark(entry)}",
            )  # fmt: skip
        else:
            axes.plot(clopper_pearson(found.learned[0], n), [y, y], **line, gid="interval")
        axes.plot([first], [y], **look, clip_on=False, zorder=3, gid=mark(entry))


def _lines(claim: Claim) -> list[str]:
    """A claim's label without its periods, which its parts have."""
    name = claim.label.partition(" (")[0].replace(" tau", "_tau")
    return [line.replace("_tau", " tau") for line in textwrap.wrap(name, NAME)]


def _named(sheet: Axes, block: Block) -> None:
    """A claim's name to the left, and the answers to the right."""
    colour = SOFT if block.claim.ours else INK
    y = block.top + ROW / 2
    if not block.claim.ours:
        write(sheet, LEFT + 16.0, y, numbers()[block.key], 11.0, FAINT, ha="right")
    for line in _lines(block.claim):
        weight = "normal" if block.claim.ours else "bold"
        write(sheet, LEFT + 22.0, y, line, 11.5, colour, weight=weight, gid=f"claim|{block.key}")
        y += LINE
    write(sheet, LEFT + 22.0, y - 1.0, block.claim.over, 10.0, SOFT, gid=f"over|{block.key}")
    for row in block.rows:
        if row.said:
            write(sheet, PART, row.y, row.said, 11.0, colour, ha="right", gid=f"part|{row.key}|{row.name}")
        n = dict.fromkeys(str(e.part.answered.n) for e in row.entries if e.part.answered is not None)
        if block.key not in COSINES:
            write(sheet, COUNT, row.y, "/".join(n), 10.0, SOFT, ha="center", gid=f"n|{row.key}|{row.name}")
        for entry in row.entries:
            kind = "printed" if entry.rates == "batches" else entry.rates
            pale = 0.5 if _borrowed(entry) else 1.0
            sign(sheet, ANSWER[COLUMNS.index(kind)], row.y, entry.answer, gid=f"answer|{mark(entry)}", alpha=pale)
