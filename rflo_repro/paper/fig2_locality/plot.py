"""Draws the locality figure from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rflo_repro.paper.fig2_locality import FIGURE
from rflo_repro.report import style


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[Figure, list[str]]:
    """The panels, a column a period in the tables and one for the final losses; nothing is ever left out."""
    curves, final = tables["curves"], tables["final"]
    periods = sorted(curves.period_tau.unique()) if "a" in panels else []
    n_columns = len(periods) + ("b" in panels)
    with style.style():
        figure = style.new_figure(max(4.0, 2.9 * n_columns), 3.3)
        axes = figure.subplots(1, n_columns, squeeze=False)[0]
        for i, (ax, period) in enumerate(zip(axes, periods, strict=False)):
            part = curves[curves.period_tau == period]
            _lines(ax, part, "trial", "loss")
            style.loss_axis(ax, curves.loss)
            style.trial_axis(ax, part.trial.max())
            ax.set_title(f"period {period:g} τ")
            if i == 0:
                style.letter(ax, "a")
                ax.legend(loc="lower left")
            else:
                ax.set_ylabel("")
        if "b" in panels:
            _lines(axes[-1], final, "period_tau", "final_loss", marker="o", markersize=4)
            style.loss_axis(axes[-1], final.final_loss)
            style.period_axis(axes[-1], sorted(final.period_tau.unique()))
            style.letter(axes[-1], "b")
            if not periods:
                axes[-1].legend(loc="lower right")
    return figure, []


def _lines(axes: Axes, frame: pd.DataFrame, x: str, y: str, **line: object) -> None:
    for rule in FIGURE.rules:
        part = frame[frame.rule == rule]
        if len(part):
            style.band(axes, part, x, y, style.COLOURS[rule], style.NAMES[rule], **line)
