"""Draws a specification curve for each part of a claim: effects sorted over readings, their choices beneath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.runs.claims import Tables
from rflo_repro.studies.readings import PARTS, design
from rflo_repro.studies.readings.moves import levels, moves, values_of

Level = tuple[str, Any, str]
"""Choice, value and label."""

ACROSS = 3  # at most
FARTHEST = 3.0  # decades; what lies farther off is drawn at the edge


class Pictures(dict[str, style.Picture]):
    """A picture for each figure, by its name."""

    def save(self, stem: Path) -> list[Path]:
        """Write each as `<stem>_<figure>`. Raises OSError."""
        return [path for name, picture in self.items() for path in picture.save(stem.with_name(f"{stem.name}_{name}"))]


def draw(tables: Tables, panels: Sequence[str]) -> tuple[Pictures, list[str]]:
    """The figures of these panels that the tables have; a line on each panel of which they have none."""
    return pictures(tables["readings"], panels, _figure)


def pictures(
    frame: pd.DataFrame, panels: Sequence[str], drawn: Callable[[str, pd.DataFrame], style.Picture]
) -> tuple[Pictures, list[str]]:
    """A picture of each figure of these panels that a table has; a line on each panel of which it has none."""
    found, notes = Pictures(), []
    for panel in panels:
        known = [figure for figure in PARTS[panel] if (frame.figure == figure).any()]
        if not known:
            notes.append(f"panel {panel} left out: the table has no readings of {', '.join(PARTS[panel])}")
        for figure in known:
            found[registry.figures()[figure].name] = drawn(figure, frame[frame.figure == figure])
    return found, notes


def shape(n: int, most: int) -> tuple[int, int]:
    """Rows and columns for `n` axes, at most `most` in a row and the rows about equally long."""
    down = -(-n // most)
    return down, -(-n // down)


def name_part(axes: Axes, claim: str, part: str, width: int) -> None:
    """Put a claim, in lines of at most `width` characters, and its part above the axes."""
    axes.set_title(f"{fill(claim, width)}\n{part}", loc="left", fontsize=8)


def effect_label(rows: pd.DataFrame) -> str:
    """What an axis of one part's effects is called: with the unit of those that could be tested."""
    return f"effect, {unit}" if (unit := "".join(rows.unit[rows.estimate.notna()].unique())) else "effect"


def _figure(figure: str, frame: pd.DataFrame) -> style.Picture:
    # what alone readings have beyond the others' parts is a point and no curve
    tested = frame[frame.estimate.notna() & (frame.kind != "alone")]
    drawn = (tested if len(tested) else frame)[["claim", "part"]].drop_duplicates()
    parts = list(drawn.itertuples(index=False, name=None))
    rows = _rows(figure, frame.merge(drawn))
    down, across = shape(len(parts), ACROSS)
    with style.style():
        picture = style.new_picture(4.1 * across + 1.2, down * (2.2 + 0.13 * len(rows)) + 0.7)
        for place, (claim, part) in enumerate(parts):
            seen = frame[(frame.claim == claim) & (frame.part == part)].sort_values("estimate", kind="stable")
            outer = picture.add_gridspec(down, across)[divmod(place, across)]
            grid = outer.subgridspec(2, 2, height_ratios=(1.6, 0.13 * len(rows)), width_ratios=(3.0, 1.0))
            curve, matrix = picture.add_subplot(grid[0, 0]), picture.add_subplot(grid[1, 0])
            moved = picture.add_subplot(grid[1, 1])
            _curve(curve, seen)
            name_part(curve, claim, part, 46)
            _matrix(matrix, seen, figure, rows, names=place % across == 0)
            _moves(moved, seen, figure, rows)
        style.verdict_legend(picture)
    return picture


def _rows(figure: str, frame: pd.DataFrame) -> list[Level]:
    """Choice, value and label of each row of the matrix: what is combined, then what is tried apart in a part drawn."""
    apart = design.apart(figure)
    tried = values_of(frame[frame.kind == "alone"], apart)
    return levels(design.alternatives(figure)) + [
        (name, value, label)
        for name, known in apart.items()
        for value, label in list(known.items())[1:]
        if any(of[name] == value for of in tried)
    ]


def _curve(axes: Axes, rows: pd.DataFrame) -> None:
    """Effects with their intervals, sorted; that as chosen is ringed."""
    at = np.arange(len(rows))
    estimate, low, high = (
        np.clip(rows[name].to_numpy(float), -FARTHEST, FARTHEST) for name in ("estimate", "low", "high")
    )
    colours = [style.VERDICTS[verdict] for verdict in rows.verdict]
    axes.vlines(at, low, high, colors=colours, linewidth=0.6, alpha=0.5)
    axes.scatter(at, estimate, c=colours, s=5, linewidths=0)
    chosen = (rows.reading == 0).to_numpy()
    axes.scatter(at[chosen], estimate[chosen], s=45, facecolors="none", edgecolors="black", linewidths=0.9)
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_xlim(-1, len(rows))
    axes.set_xticks([])
    axes.set_ylabel(effect_label(rows).replace(", per", ",\nper"), fontsize=8)
    joint = rows[rows.kind != "alone"]
    held, inside = int((joint.verdict == "holds").sum()), int((joint.inside > 0.0).sum())
    said = f"as the paper says in {inside} of {len(joint)}, surely in {held}"
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
    axes.text(0.02, 0.97, said, transform=axes.transAxes, va="top", fontsize=7, bbox=behind)


def _matrix(axes: Axes, seen: pd.DataFrame, figure: str, rows: list[Level], names: bool) -> None:
    """A dot where a reading chooses a row's value."""
    chosen = values_of(seen, {**design.apart(figure), **design.alternatives(figure)})
    first = [i for i, (name, _, _) in enumerate(rows) if i == 0 or rows[i - 1][0] != name]
    for k, start in enumerate(first):
        end = first[k + 1] if k + 1 < len(first) else len(rows)
        if k % 2:
            axes.axhspan(start - 0.5, end - 0.5, color="#EEEEEE", linewidth=0, zorder=0)
    dots = [(x, y) for x, of in enumerate(chosen) for y, (name, value, _) in enumerate(rows) if of[name] == value]
    axes.plot([x for x, _ in dots], [y for _, y in dots], "o", color="#333333", markersize=1.2, markeredgewidth=0)
    axes.set_xlim(-1, len(seen))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks([])
    said = [f"{name}: {label}" if i in first else label for i, (name, _, label) in enumerate(rows)]
    axes.set_yticks(range(len(rows)), said if names else [""] * len(rows), fontsize=6)
    axes.tick_params(length=0)
    axes.set_xlabel("readings, sorted", fontsize=7)


def _moves(axes: Axes, seen: pd.DataFrame, figure: str, rows: list[Level]) -> None:
    """By how much a value moves the effect against the figure's own value, over the readings that combine choices."""
    found = moves(seen, design.alternatives(figure))
    for y, (name, value, _) in enumerate(rows):
        if (name, value) in found:
            middle, *ends = np.clip(found[name, value], -FARTHEST, FARTHEST)
            axes.plot(ends, [y, y], color="#1F5FBF", linewidth=1.0)
            axes.plot(middle, y, "o", color="#1F5FBF", markersize=3)
    axes.axvline(0.0, color="black", linewidth=0.6)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(labelsize=6)
    axes.set_xlabel("moves it by", fontsize=7)
