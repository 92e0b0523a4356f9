"""Draws specification curves, a picture a claim: effects sorted over variants, what each variant chooses beneath."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D

from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.stats.claims import Tables
from rflo_repro.studies.multiverse import PANELS, counts_plot, design, wording
from rflo_repro.studies.multiverse.counts import counts, statements
from rflo_repro.studies.multiverse.design import FARTHEST
from rflo_repro.studies.multiverse.marginal_effects import levels, marginal_effects, values_of

Level = tuple[str, Any, str]
"""Choice, value and label."""

ACROSS = 2  # at most
WIDTH, CURVE, ROW, AROUND = 8.3, 1.45, 0.132, 0.7  # inches: of a picture, and heights
SHOWN = 4  # percent of the intervals at either end may be cut off
INSIDE, OUTSIDE, UNTESTED = "#00795A", "#B3392F", "#8A8A8A"
SIDES = {INSIDE: "where the claim has it", OUTSIDE: "elsewhere", UNTESTED: "no test"}


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Pictures, list[str]]:
    """In how many variants each claim of these panels' figures holds; each claim, by its figure's name and, where there
    are several, its own; and a line on each panel of which the table has nothing."""
    frame = tables["readings"]
    found, notes = pictures(frame, panels, _figure)
    shown = [figure for panel in panels for figure in PANELS[panel]]
    counted = counts_plot.draw(frame[frame.figure.isin(shown)])
    return found if counted is None else style.Pictures({**found, "": counted}), notes


def pictures(
    frame: pd.DataFrame, panels: Sequence[str], drawn: Callable[[str, pd.DataFrame], Mapping[str, style.Picture]]
) -> tuple[style.Pictures, list[str]]:
    """The pictures of each figure of these panels that a table has; a line on each panel of which it has none.

    drawn: from a figure and its rows to its pictures, by what they add to its name.
    """
    found, notes = style.Pictures(), []
    for panel in panels:
        known = [figure for figure in PANELS[panel] if (frame.figure == figure).any()]
        if not known:
            notes.append(f"panel {panel} left out: the table has no variants of {', '.join(PANELS[panel])}")
        for figure in known:
            name = registry.figures()[figure].name
            of = drawn(figure, frame[frame.figure == figure])
            found |= {f"{name}_{end}" if end else name: picture for end, picture in of.items()}
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


def _figure(figure: str, frame: pd.DataFrame) -> dict[str, style.Picture]:
    """A picture a claim; of a table in which nothing is measured, of every claim."""
    rows = statements(frame)
    rows = rows if len(rows) else frame
    claims = dict(iter(rows.groupby("claim", sort=False)))
    return {
        wording.slug(str(claim)) if len(claims) > 1 else "": _claim(figure, str(claim), of)
        for claim, of in claims.items()
    }


def _claim(figure: str, claim: str, frame: pd.DataFrame) -> style.Picture:
    parts = list(frame.part.unique())
    rows, n_together = _rows(figure, frame)
    down, across = shape(len(parts), ACROSS)
    with style.style():
        picture = style.new_picture(WIDTH, 0.8 + down * (CURVE + ROW * len(rows) + AROUND))
        title = f"{wording.figure(figure).partition(':')[0]}: {wording.claim(claim)}"
        picture.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        heights, widths = [CURVE, ROW * len(rows)] * down, [2.6, 1.0] * across
        grid = picture.add_gridspec(2 * down, 2 * across, height_ratios=heights, width_ratios=widths)
        for place, part in enumerate(parts):
            seen = frame[frame.part == part].sort_values("estimate", kind="stable")
            y, x = (2 * at for at in divmod(place, across))
            curve, matrix, moved = (picture.add_subplot(grid[y + i, x + j]) for i, j in ((0, 0), (1, 0), (1, 1)))
            _curve(curve, claim, part, seen)
            _matrix(matrix, seen, figure, rows, names=place % across == 0)
            _marginal_effects(moved, seen, figure, rows)
            for axes in (matrix, moved):
                axes.axhline(n_together - 0.5, color="#999999", linewidth=0.6)
        _legend(picture)
    return picture


def _legend(picture: style.Picture) -> None:
    """What the colours and shapes of variants mean, below the picture."""
    common: dict[str, Any] = {"linestyle": "", "marker": "o"}
    handles = [Line2D([], [], color=colour, markersize=5, label=said, **common) for colour, said in SIDES.items()]
    for size, said in ((8, "the baseline"), (4, "not combined with others, nor counted")):
        handles.append(Line2D([], [], color="black", fillstyle="none", markersize=size, label=said, **common))
    title = "Where the median over the networks of a variant lies (lines: its 95% interval):"
    picture.legend(handles=handles, loc="outside lower center", ncols=5, title=title, fontsize=8, title_fontsize=8)


def _rows(figure: str, frame: pd.DataFrame) -> tuple[list[Level], int]:
    """Choice, value and label of each row of the matrix: those of the design, then those excluded from it that were
    tried; and how many are of the design."""
    excluded = design.excluded(figure)
    tried = values_of(frame[frame.kind == design.EXCLUDED], excluded)
    together = levels(design.alternatives(figure))
    return together + [
        (name, value, label)
        for name, known in excluded.items()
        for value, label in list(known.items())[1:]
        if any(of[name] == value for of in tried)
    ], len(together)


def _sides(rows: pd.DataFrame) -> list[str]:
    """A colour a row: where its estimate lies."""
    return [UNTESTED if np.isnan(by) else INSIDE if by > 0.0 else OUTSIDE for by in rows.inside]


def _scale(axis: Axis, rows: pd.DataFrame, **ticks: int) -> None:
    """Ticks that say factors, where the number is the logarithm of one; ticks: how many."""
    if rows.unit.astype(str).str.startswith("decades").any():
        style.factor_axis(axis, **ticks)


def _curve(axes: Axes, claim: str, part: str, rows: pd.DataFrame) -> None:
    """Effects with their intervals, sorted; the baseline is ringed, and what is not combined with others is hollow."""
    at = np.arange(len(rows))
    estimate, low, high = (
        np.clip(rows[name].to_numpy(float), -FARTHEST, FARTHEST) for name in ("estimate", "low", "high")
    )
    colours = np.array(_sides(rows))
    excluded, baseline = (rows.kind == design.EXCLUDED).to_numpy(), (rows.reading == 0).to_numpy()
    axes.vlines(at, low, high, colors=list(colours), linewidth=0.6, alpha=0.45)
    axes.scatter(at[~excluded], estimate[~excluded], c=list(colours[~excluded]), s=7, linewidths=0)
    axes.scatter(at[excluded], estimate[excluded], s=9, fc="white", ec=list(colours[excluded]), linewidths=0.8)
    axes.scatter(at[baseline], estimate[baseline], s=50, facecolors="none", edgecolors="black", linewidths=0.9)
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_xlim(-1, len(rows))
    axes.set_xticks([])
    if np.isfinite(estimate).any():
        # of intervals that few networks leave wide the ends may lie outside
        least = min(np.nanmin(estimate), np.nanpercentile(low, SHOWN), 0.0)
        most = max(np.nanmax(estimate), np.nanpercentile(high, 100 - SHOWN), 0.0)
        axes.set_ylim(least - 0.08 * (most - least), most + 0.08 * (most - least))
    axes.set_ylabel(wording.effect(claim, part).replace(", ", ",\n"), fontsize=8)
    _scale(axes.yaxis, rows)
    axes.set_title(f"{wording.part(part)}\n{_counted(rows)}", loc="left", fontsize=9)


def _counted(rows: pd.DataFrame) -> str:
    """In how many variants the claim holds, if it rests on this part."""
    if not rows.primary.any():
        return "beside the claim, not counted"
    found = counts(rows)
    if not len(found):
        return "not measured"
    n_inside, n_tested, n = found[["n_inside", "n_tested", "n"]].to_numpy(int)[0]
    return f"holds in {n_inside} of {n_tested}" + (f", no test in {n - n_tested}" if n > n_tested else "")


def _matrix(axes: Axes, seen: pd.DataFrame, figure: str, rows: list[Level], names: bool) -> None:
    """A dot where a variant chooses a row's value, in the colour of its effect."""
    chosen = values_of(seen, {**design.excluded(figure), **design.alternatives(figure)})
    first = [i for i, (name, _, _) in enumerate(rows) if i == 0 or rows[i - 1][0] != name]
    for k, start in enumerate(first):
        end = first[k + 1] if k + 1 < len(first) else len(rows)
        if k % 2:
            axes.axhspan(start - 0.5, end - 0.5, color="#EEEEEE", linewidth=0, zorder=0)
    sides = _sides(seen)
    for colour in SIDES:
        dots = [
            (x, y)
            for x, of in enumerate(chosen)
            for y, (name, value, _) in enumerate(rows)
            if sides[x] == colour and of[name] == value
        ]
        axes.plot([x for x, _ in dots], [y for _, y in dots], "|", color=colour, markersize=4.5, markeredgewidth=1.0)
    axes.set_xlim(-1, len(seen))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks([])
    said = [f"{wording.choice(name)}: {label}" if i in first else label for i, (name, _, label) in enumerate(rows)]
    axes.set_yticks(range(len(rows)), said if names else [""] * len(rows), fontsize=7)
    axes.tick_params(length=0)
    axes.set_xlabel(f"{len(seen)} variants, sorted", fontsize=8)


def _marginal_effects(axes: Axes, seen: pd.DataFrame, figure: str, rows: list[Level]) -> None:
    """By how much a value moves the effect against the baseline's, over the variants that combine choices."""
    found = marginal_effects(seen, design.alternatives(figure))
    for y, (name, value, _) in enumerate(rows):
        if (name, value) in found:
            middle, *ends = np.clip(found[name, value], -FARTHEST, FARTHEST)
            axes.plot(ends, [y, y], color="#1F5FBF", linewidth=1.0)
            axes.plot(middle, y, "o", color="#1F5FBF", markersize=3)
    axes.axvline(0.0, color="black", linewidth=0.6)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    _scale(axes.xaxis, seen, least=2, most=3)
    axes.set_xlabel("moves it by", fontsize=8)
