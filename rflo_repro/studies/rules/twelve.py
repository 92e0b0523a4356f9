"""Draws twelve rules by name: what a timestep of each costs, and the loss that it buys.

The twelve are the rows of the table of rules in docs/rules.md that the study trains, a mark for each kind of rule, as
it stands there: without other trace constants, blocks, draws and optimisers. One row is left out, SnAp-1 with random
feedback, which is SnAp-1 but for its feedback; of the paper's own rules, which differ in that, all are shown. RTRL is
not trained, for its update is BPTT's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from matplotlib.transforms import offset_copy

from rflo_repro.report import palette, style
from rflo_repro.stats.statistics import interval, where
from rflo_repro.studies.rules.family import PERIODIC

PAPERS = {
    "readout-only": "readout only",
    "rflo": "RFLO",
    "local": "local (RFLO\nwith symmetric\nfeedback)",
    "random-feedback": "random feedback (BPTT\nwith random feedback)",
    "bptt": "BPTT",
}
OTHERS = {
    "snap-0": "SnAp-0 (no trace)",
    "snap-1": "SnAp-1",
    "uoro": "UORO",
    "kf-rtrl": "KF-RTRL",
    "node-perturbation": "node perturbation",
    "reward-hybrid": "reward at every step",
    "force": "FORCE (readout by\nleast squares)",
}
SIZE = (8.3, 6.3)  # inches
CLOSE = 1.05  # costs within this factor stand side by side
BESIDE, AWAY = 8.5, 15.0  # points between marks of one cost, and from the last of them to the names
LINE = 0.2  # decades that a line of a name takes
CHEAPEST, DEAREST = 0.75, 1.8  # ends of the axis of costs: the first one, and the last over the dearest rule
LEAST = 1e-12  # of losses
TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Mark:
    """A rule's cost, and the median of its final losses with its 95% interval, at most 1."""

    rule: str
    name: str
    cost: float
    loss: float
    low: float
    high: float

    @property
    def look(self) -> dict[str, Any]:
        """Colour and fill: the paper's rules have their own colours, all others are hollow and grey."""
        if self.rule in PAPERS:
            return {"color": palette.colour(self.rule), "fillstyle": "full"}
        return {"color": style.GREY, "fillstyle": "none"}


def draw(final: pd.DataFrame) -> style.Picture | None:
    """The twelve, as far as the table has them, and rules of the user's own, at the shortest period; None if it has
    none of them."""
    rows = where(final, {"task": PERIODIC}) if len(final) else final
    rows = rows[rows.rule.isin([*PAPERS, *OTHERS]) | (rows.base == "own")] if len(rows) else rows
    if not len(rows):
        return None
    rows = rows[rows.period_tau == rows.period_tau.min()]
    with style.style():
        picture = style.new_picture(*SIZE)
        axes = picture.subplots()
        marks = _marks(rows)
        groups = _groups(marks)
        ends = [CHEAPEST, *(group[0].cost for group in groups), DEAREST * groups[-1][-1].cost]
        for left, group, right in zip(ends, groups, ends[2:], strict=False):
            # the names are where there is more room
            _group(axes, group, side=-1 if left * right < group[0].cost ** 2 else 1)
        untrained = float(rows[rows.rule != "force"].first_loss.median()) if (rows.rule != "force").any() else np.nan
        _axes(axes, marks, untrained)
        title = f"What a timestep costs, and what it buys: a period of {rows.period_tau.iloc[0]:g} τ"
        picture.suptitle(title, x=0.02, ha="left", fontsize=11, fontweight="bold")
        _legend(picture, rows)
    return picture


def _marks(rows: pd.DataFrame) -> list[Mark]:
    names = {**PAPERS, **OTHERS}
    found = []
    for rule, of in rows.groupby("rule", sort=False):
        seen = interval(of.final_loss.fillna(np.inf).to_numpy(float))
        low, loss, high = np.clip([seen.low, seen.estimate, seen.high], LEAST, 1.0).tolist()
        name = names.get(str(rule), str(rule))
        found.append(Mark(str(rule), name, float(of.cost.iloc[0]), loss, low, high))
    return found


def _groups(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Marks of nearly one cost together, the smallest loss first; the cheapest group first."""
    groups: list[list[Mark]] = []
    for mark in sorted(marks, key=lambda mark: mark.cost):
        if groups and mark.cost <= CLOSE * groups[-1][0].cost:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return [sorted(group, key=lambda mark: mark.loss) for group in groups]


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Places near those wanted, which rise, for things so high that they do not overlap."""
    places = list(wanted)
    for _ in range(1000):
        for i in range(len(places) - 1):
            short = (heights[i] + heights[i + 1]) / 2 - (places[i + 1] - places[i])
            if short > 1e-9:
                places[i] -= short / 2
                places[i + 1] += short / 2
    return places


def _group(axes: Axes, group: Sequence[Mark], side: int) -> None:
    """Marks side by side about one cost; their names in a column on one side, each at the end of a line."""
    figure = cast(Figure, axes.figure)
    cost = float(np.mean([mark.cost for mark in group]))
    heights = [LINE * (1 + mark.name.count("\n")) for mark in group]
    places = spread([float(np.log10(mark.loss)) for mark in group], heights)
    if len(group) > 1:
        axes.axvline(cost, color="#F1F1F1", linewidth=BESIDE * (len(group) + 0.6), zorder=0, solid_capstyle="butt")
    names = offset_copy(axes.transData, figure, side * (AWAY + BESIDE * (len(group) - 1) / 2), units="points")
    for i, (mark, place) in enumerate(zip(group, places, strict=True)):
        # the smallest loss is farthest from the names
        shift = side * BESIDE * (i - (len(group) - 1) / 2)
        at = offset_copy(axes.transData, figure, shift, units="points")
        colour = mark.look["color"]
        axes.plot([cost, cost], [mark.low, mark.high], color=colour, linewidth=1.1, alpha=0.6, transform=at)
        axes.plot(cost, mark.loss, "o", markersize=6, transform=at, markerfacecoloralt="white", **mark.look)
        axes.annotate(
            mark.name, (cost, mark.loss), (cost, 10.0**place), xycoords=at, textcoords=names, fontsize=9,
            ha="left" if side > 0 else "right", va="center", color=colour,
            fontweight="bold" if mark.rule in PAPERS else "normal",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 1.0, "shrinkB": 4.0},
        )  # fmt: skip


def _axes(axes: Axes, marks: Sequence[Mark], untrained: float) -> None:
    """Both logarithmic: costs from just below 1, losses in whole decades."""
    axes.set_xscale("log")
    last = DEAREST * max(mark.cost for mark in marks)
    axes.set_xlim(CHEAPEST, last)
    axes.set_xticks(ticks := [tick for tick in TICKS if tick < last], [f"{tick}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("cost of a timestep, counted  (multiply-adds, forward pass = 1)")
    style.log_decades(axes, 10.0 ** float(np.floor(np.log10(min(0.1, *(mark.low for mark in marks))))), 1.0)
    axes.set_ylabel(f"final {style.LOSS}")
    if np.isfinite(untrained):
        axes.axhline(untrained, color="#999999", linewidth=0.8, linestyle="--", zorder=0)
        axes.text(0.99, untrained, "before training", color=style.GREY, ha="right", va="bottom", fontsize=8,
                  transform=axes.get_yaxis_transform())  # fmt: skip


def _legend(picture: style.Picture, rows: pd.DataFrame) -> None:
    """What the marks are, below the picture."""
    n_networks = rows.groupby("rule").size().max()
    rates = "tuned for each rule" if rows.rates.isin(["tuned", "none"]).all() else "of the table"
    kinds = {"a rule of the paper": ("black", "full"), "another rule of docs/rules.md": (style.GREY, "none")}
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=6, color=colour, fillstyle=cast(Any, fill), label=said)
        for said, (colour, fill) in kinds.items()
    ]
    title = (
        f"Median and its 95% interval over {n_networks} networks after {rows.n_trials.max():,} trials, at learning "
        f"rates {rates}.\nA mark for each kind of rule that is trained, without its variants. "
        f"On grey: rules of one cost, within {CLOSE - 1:.0%}, side by side."
    )
    picture.legend(
        handles=handles, loc="outside lower left", ncols=2, title=title, alignment="left", fontsize=9, title_fontsize=9
    )
