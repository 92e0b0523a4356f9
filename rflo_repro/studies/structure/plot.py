"""Draws how many directions of W learning changed, and two layers against one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.report import palette, style
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import where
from rflo_repro.studies.structure import ABOUT
from rflo_repro.studies.structure.experiment import DIRECTIONS

WIDTH, HEIGHT = 3.1, 2.9  # inches, of each picture of a period


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """A row a panel, a column a period."""
    final = tables["final"]
    periods = sorted(final.period_tau.unique())
    with style.style():
        picture = style.new_picture(WIDTH * len(periods), HEIGHT * len(panels))
        places = picture.subplots(len(panels), len(periods), squeeze=False)
        for row, panel in zip(places, panels, strict=True):
            for ax, period_tau in zip(row, periods, strict=True):
                at = where(final, {"period_tau": period_tau})
                (_directions if panel == "a" else _layers)(ax, at)
                ax.set_title(f"{period_tau:g} τ")
        places[0][0].legend()
    return picture, []


def _directions(ax: Axes, final: pd.DataFrame) -> None:
    for rule in ABOUT.rules:
        of = where(final, {"rule": rule, "layers": 1})[[f"share_{k}" for k in DIRECTIONS]].dropna()
        if len(of):
            low, middle, high = np.quantile(of, (0.25, 0.5, 0.75), axis=0)
            ax.plot(DIRECTIONS, middle, "o-", markersize=3, color=palette.colour(rule), label=palette.name(rule))
            ax.fill_between(DIRECTIONS, low, high, color=palette.colour(rule), alpha=style.FILL, linewidth=0)
    ax.set_xscale("log")
    ax.set_xticks(DIRECTIONS, [str(k) for k in DIRECTIONS])
    ax.minorticks_off()
    ax.set_ylim(0.0, 1.03)
    ax.set_xlabel("largest singular values k")
    ax.set_ylabel("share of the change of W")


def _layers(ax: Axes, final: pd.DataFrame) -> None:
    for rule in ABOUT.rules:
        one, two = (where(final, {"rule": rule, "layers": layers}).set_index("network").final_loss for layers in (1, 2))
        both = pd.DataFrame({"one": one, "two": two}).dropna()
        colour, label = palette.colour(rule), palette.name(rule)
        ax.plot(both.one, both.two, "o", markersize=3.5, color=colour, label=label, alpha=0.7)
    losses = final.final_loss.dropna()
    if len(losses):
        ends = [losses.min(), losses.max()]
        ax.plot(ends, ends, color=style.GREY, linewidth=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="final loss, one layer", ylabel="final loss, two layers")
