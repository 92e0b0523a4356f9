"""Lines compared: loss in training, a column a period, and final loss and how many networks learned against period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from rflo_repro.report import style
from rflo_repro.stats.answers import clopper_pearson
from rflo_repro.stats.measured import ranked
from rflo_repro.stats.statistics import where

SHIFT, APART = 3.0, 2.0  # points between networks, or shares, of one line and those of the next
COLUMN, ROW = 3.1, 3.3
MOST_COLUMNS = 4  # of more, panel a has a row of its own


@dataclass(frozen=True)
class Line:
    """One line of a comparison: the rows where these columns have these values, its label and colour."""

    where: Mapping[str, object]
    label: str
    colour: str
    dashed: bool = False

    def draw(self, axes: Axes, frame: pd.DataFrame, x: str, y: str, **line: Any) -> None:
        """Median and quartiles over networks of y against x."""
        rows = where(frame, self.where)
        if len(rows):
            style.band(axes, rows, x, y, self.colour, self.label, linestyle="--" if self.dashed else "-", **line)


def final_losses(
    axes: Axes, final: pd.DataFrame, lines: Sequence[Line], x: str, sample: pd.DataFrame | None = None
) -> None:
    """The lines' final loss against x: median and quartiles, to the left a dot a network, and to the right the median
    of a larger sample with its interval, if there is one."""
    known = [(line, rows) for line in lines if len(rows := where(final, line.where))]
    for i, (line, rows) in enumerate(known):
        line.draw(axes, final, x, "final_loss", marker="o", markersize=4)
        style.networks(axes, ranked(rows, "final_loss"), x, "final_loss", line.colour, SHIFT * (i - len(known)), 1.0)
        if sample is not None and len(more := ranked(where(sample, line.where), "final_loss")):
            values = {at: of.final_loss.fillna(np.inf) for at, of in more.groupby(x)}
            style.medians(axes, values, line.colour, SHIFT * (i + 1))
    # room for what is beside the first and the last
    axes.margins(x=0.1)
    style.loss_axis(axes, final.final_loss)


def learned_shares(axes: Axes, counts: Sequence[tuple[str, str, Mapping[float, tuple[int, int]]]]) -> None:
    """Shares of networks that learned against period, each with its exact 99% interval.

    counts: label and colour of each line, and how many networks learned of how many, by period in tau.
    """
    periods = sorted({period for _, _, by_period in counts for period in by_period})
    for i, (label, colour, by_period) in enumerate(counts):
        if by_period:
            aside = APART * (i - (len(counts) - 1) / 2)
            beside = offset_copy(axes.transData, cast(Figure, axes.figure), aside, units="points")
            ends = [clopper_pearson(k, n) for k, n in by_period.values()]
            look: dict[str, Any] = {"color": colour, "transform": beside}
            axes.vlines([*by_period], *zip(*ends, strict=True), linewidth=0.8, alpha=0.6, **look)
            shares = [k / n for k, n in by_period.values()]
            axes.plot([*by_period], shares, "-o", markersize=4, label=label, clip_on=False, **look)
    style.period_axis(axes, periods)
    axes.set_xlim(0.8 * periods[0], 1.25 * periods[-1])
    axes.set_ylim(-0.03, 1.03)
    axes.axhline(0.5, color="#BBBBBB", linewidth=0.6, linestyle=":", zorder=0.5)
    axes.set_yticks([0.0, 0.5, 1.0], ["none", "half", "all"])


def draw(
    curves: pd.DataFrame,
    final: pd.DataFrame,
    lines: Sequence[Line],
    panels: Sequence[str],
    ends_only: bool = False,
    sample: pd.DataFrame | None = None,
) -> style.Picture:
    """Panel a: loss in training, a column a period (`ends_only`: the shortest and the longest). Panel b: final loss.
    Panel c: how many networks learned, of the sample if there is one.

    sample: the final table of a larger sample, if there is one.
    """
    periods = sorted(curves.period_tau.unique()) if "a" in panels else []
    if ends_only:
        periods = sorted({periods[0], periods[-1]}) if periods else []
    n_columns = len(periods) + ("b" in panels) + ("c" in panels)
    with style.style():
        in_rows = [len(periods), n_columns - len(periods)] if n_columns > MOST_COLUMNS else [n_columns]
        in_rows = [n for n in in_rows if n]
        picture = style.new_picture(max(4.0, COLUMN * max(in_rows)), ROW * len(in_rows))
        rows = picture.subfigures(len(in_rows), 1, squeeze=False)[:, 0]
        axes = [ax for row, n in zip(rows, in_rows, strict=True) for ax in row.subplots(1, n, squeeze=False)[0]]
        shown = curves[curves.period_tau.isin(periods)]
        for i, (ax, period) in enumerate(zip(axes, periods, strict=False)):
            part = curves[curves.period_tau == period]
            for line in lines:
                line.draw(ax, part, "trial", "loss")
            style.loss_axis(ax, shown.loss)
            style.trial_axis(ax, part.trial.max())
            ax.set_title(f"period {period:g} τ")
            if i == 0:
                style.letter(ax, "a")
                ax.legend(loc="lower left")
            else:
                ax.set_ylabel("")
        if "b" in panels:
            ax = axes[len(periods)]
            final_losses(ax, final, lines, "period_tau", sample)
            style.period_axis(ax, sorted(final.period_tau.unique()))
            style.letter(ax, "b")
            if not periods:
                ax.legend(loc="lower right")
        if "c" in panels:
            networks = final if sample is None else sample
            counts = [(line.label, line.colour, _learned(where(networks, line.where))) for line in lines]
            learned_shares(axes[-1], counts)
            axes[-1].set_ylabel("networks that learned")
            style.letter(axes[-1], "c")
            if len(axes) == 1:
                axes[-1].legend(loc="upper right")
    return picture


def _learned(rows: pd.DataFrame) -> dict[float, tuple[int, int]]:
    """How many networks learned of how many, by period in tau."""
    found: Any = rows.groupby("period_tau")
    return {float(at): (int((of.outcome == "learned").sum()), len(of)) for at, of in found}
