"""Lines compared: loss in training, a column a period, and final loss against period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.report import style
from rflo_repro.runs.statistics import where


@dataclass(frozen=True)
class Line:
    """One line of a comparison: the rows where these columns have these values, its label and colour."""

    where: Mapping[str, object]
    label: str
    colour: str
    dashed: bool = False

    def draw(self, axes: Axes, frame: pd.DataFrame, x: str, y: str, points: bool = False) -> None:
        """Median and quartiles over networks of y against x."""
        rows = where(frame, self.where)
        if len(rows):
            shape = {"marker": "o", "markersize": 4} if points else {}
            style.band(axes, rows, x, y, self.colour, self.label, linestyle="--" if self.dashed else "-", **shape)


def draw(
    curves: pd.DataFrame,
    final: pd.DataFrame,
    lines: Sequence[Line],
    panels: Sequence[str],
    ends_only: bool = False,
) -> style.Picture:
    """Panel a: loss in training, a column a period (`ends_only`: the shortest and the longest). Panel b: final loss."""
    periods = sorted(curves.period_tau.unique()) if "a" in panels else []
    if ends_only:
        periods = sorted({periods[0], periods[-1]}) if periods else []
    n_columns = len(periods) + ("b" in panels)
    with style.style():
        figure = style.new_figure(max(4.0, 3.1 * n_columns), 3.3)
        axes = figure.subplots(1, n_columns, squeeze=False)[0]
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
            for line in lines:
                line.draw(axes[-1], final, "period_tau", "final_loss", points=True)
            style.loss_axis(axes[-1], final.final_loss)
            style.period_axis(axes[-1], sorted(final.period_tau.unique()))
            style.letter(axes[-1], "b")
            if not periods:
                axes[-1].legend(loc="lower right")
    return figure
