"""Draws Figure 2, supplement 3, from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.ticker import NullLocator

from rflo_repro.report import comparison, style
from rflo_repro.runs.sample import PART

LINES = [
    comparison.Line({"rates": "printed"}, "one fixed rate", style.colour("rflo")),
    comparison.Line({"rates": "given"}, "one given rate", style.colour("rflo")),
    comparison.Line({"rates": "tuned"}, "rate tuned for each", style.colour("tuned"), dashed=True),
]
AXES = {"a": ("n_rec", "number of units N"), "b": ("g", "SD of initial weights  g  (units of 1/√N)")}


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The panels that the table has rows of, and a line on each that it has not."""
    final = tables["final"]
    parts = {panel: final[final.panel.str.contains(panel)] for panel in panels}
    drawn = [panel for panel in panels if len(parts[panel])]
    with style.style():
        picture = style.new_picture(max(4.0, 3.6 * len(drawn)), 3.3)
        axes = picture.subplots(1, max(1, len(drawn)), squeeze=False)[0]
        for ax, panel in zip(axes, drawn, strict=False):
            column, name = AXES[panel]
            more = tables.get(PART)
            more = None if more is None else more[more.panel.str.contains(panel)]
            comparison.final_losses(ax, parts[panel], LINES, column, more)
            style.loss_axis(ax, final.final_loss)
            ax.set_xlabel(name)
            style.letter(ax, panel)
            period = final.period_tau.iloc[0]
            ax.set_title(f"RFLO, period {period:g} τ")
        if "a" in drawn:
            sizes = sorted(parts["a"].n_rec.unique())
            axes[0].set_xscale("log")
            axes[0].set_xticks(sizes, [f"{n}" for n in sizes])
            axes[0].xaxis.set_minor_locator(NullLocator())
        if drawn:
            axes[0].legend(loc="upper left")
    return picture, [f"panel {panel} left out: the table has no rows of it" for panel in panels if panel not in drawn]
