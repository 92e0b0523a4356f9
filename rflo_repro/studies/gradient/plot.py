"""Draws how each rule's update is aligned with the exact gradient."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.report import palette, style
from rflo_repro.report.words import SHORT_RATES
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import where
from rflo_repro.studies.gradient import ABOUT


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """Cosine for w_rec against the trial, a column a period and a row a kind of rates; at the right against period."""
    rows = where(tables["gradient"], {"matrix": "w_rec"})
    kinds, periods = list(rows.rates.unique()), sorted(rows.period_tau.unique())
    with style.style():
        picture = style.new_picture(2.3 * (len(periods) + 1), 2.5 * len(kinds))
        axes = picture.subplots(len(kinds), len(periods) + 1, squeeze=False)
        for line, kind in zip(axes, kinds, strict=True):
            part = rows[rows.rates == kind]
            for ax, period in zip(line, periods, strict=False):
                _lines(ax, part[part.period_tau == period], "trial")
                style.trial_axis(ax, part.trial.max())
                ax.set_title(f"{period:g} τ, {SHORT_RATES[kind]}")
            average = part.groupby(["rule", "period_tau", "network"])[["cosine"]].mean().reset_index()
            _lines(line[-1], average, "period_tau", marker="o", markersize=4)
            style.period_axis(line[-1], periods)
            line[-1].set_title("mean over these trials")
            line[0].set_ylabel("cosine to −gradient, W")
        picture.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(ABOUT.rules))
    return picture, []


def _lines(axes: Axes, rows: pd.DataFrame, x: str, **shape: object) -> None:
    axes.axhline(0.0, color="#BBBBBB", linewidth=0.8, zorder=0)
    for rule in ABOUT.rules:
        part = rows[rows.rule == rule].dropna(subset=["cosine"])
        if len(part):
            style.band(axes, part, x, "cosine", palette.colour(rule), palette.name(rule), **shape)
    axes.set_ylim(-1.05, 1.05)
