"""Draws Figure 2 from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from rflo_repro.learning.rules import resolve
from rflo_repro.paper.fig2 import ABLATION_PERIOD_TAU, ABOUT
from rflo_repro.report import palette, style
from rflo_repro.report.comparison import Line, final_losses
from rflo_repro.runs.sample import PART

ABLATION = tuple(rule for rule in ABOUT.rules if not resolve(rule).untrained)
BY_PERIOD = ("untrained", "bptt", "rflo")
OFFSET = 4.5


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The panels that the tables can fill, and a line on each that they cannot.

    tables: the frames of `fig2_curves`, `fig2_final` and `fig2_outputs`, by `curves`, `final`, `outputs`.
    """
    curves, final, outputs = tables["curves"], tables["final"], tables["outputs"]
    trained = curves[curves.rule.isin(["bptt", "rflo"])]
    compared = final[final.rule.isin(BY_PERIOD)]
    ablation = curves[(curves.period_tau == ABLATION_PERIOD_TAU) & curves.rule.isin(ABLATION)]
    left_out = {
        "a": "" if len(trained) else "needs BPTT or RFLO",
        "b": "" if len(compared) else f"needs one of {', '.join(map(palette.name, BY_PERIOD))}",
        "c": "" if (curves.rule == "rflo").any() else "needs RFLO",
        "d": "" if len(ablation) else f"needs {ABLATION_PERIOD_TAU:g} tau",
    }
    drawn = [panel for panel in panels if not left_out[panel]]
    notes = [f"panel {panel} left out: {left_out[panel]}" for panel in panels if left_out[panel]]
    top = "a" in drawn
    below = [panel for panel in drawn if panel != "a"]
    with style.style():
        columns = max(min(2, trained.period_tau.nunique()) + 1 if top else 1, len(below))
        picture = style.new_picture(10 if columns == 3 else 3.6 * columns, 6.6 if top and below else 3.3)
        rows = picture.subfigures(2 if top and below else 1, 1, squeeze=False)[:, 0]
        if top:
            _panel_a(rows[0], trained, outputs)
        if below:
            for panel, axes in zip(below, np.atleast_1d(rows[-1].subplots(1, len(below))), strict=True):
                if panel == "b":
                    _panel_b(axes, compared, tables.get(PART))
                elif panel == "c":
                    _panel_c(axes, curves[curves.rule == "rflo"])
                else:
                    _panel_d(axes, ablation)
    return picture, notes


def _panel_a(picture: Figure | SubFigure, curves: pd.DataFrame, outputs: pd.DataFrame) -> None:
    """Loss in training at the shortest and the longest period, which may be one; the outputs at the end."""
    ends = sorted({curves.period_tau.min(), curves.period_tau.max()})
    axes = picture.subplots(1, len(ends) + 1)
    for i, (ax, period) in enumerate(zip(axes, ends, strict=False)):
        part = curves[curves.period_tau == period]
        for rule, frame in part.groupby("rule", sort=False):
            style.band(ax, frame, "trial", "loss", palette.colour(rule), palette.name(rule))
        style.loss_axis(ax, curves[curves.period_tau.isin(ends)].loss)
        style.trial_axis(ax, part.trial.max())
        ax.set_title(f"period {period:g} τ")
        if i == 0:
            style.letter(ax, "a")
            ax.legend(loc="lower left")
    ax = axes[-1]
    shift = 0.0
    for rule in ("bptt", "rflo"):
        for period in ends:
            frame = outputs[(outputs.rule == rule) & (outputs.period_tau == period)]
            if not len(frame):
                continue
            at = frame.time_tau / period
            ax.plot(at, frame.target - shift, color="black", dashes=(3, 2), linewidth=0.9, zorder=3)
            ax.plot(at, style.drawable(frame.y) - shift, color=palette.colour(rule))
            ax.text(
                1.03,
                -shift,
                f"{palette.name(rule)}\n{period:g} τ",
                va="center",
                fontsize=8,
                color=palette.colour(rule),
            )
            shift += OFFSET
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlim(0, 1)
    ax.set_xlabel("time  (periods)")
    ax.set_title("outputs at the end, targets dashed")


def _panel_b(axes: Axes, final: pd.DataFrame, sample: pd.DataFrame | None) -> None:
    """Final loss against period. An untrained network's is its first."""
    lines = [Line({"rule": rule}, palette.name(rule), palette.colour(rule)) for rule in BY_PERIOD]
    final_losses(axes, final, lines, "period_tau", sample)
    style.period_axis(axes, sorted(final.period_tau.unique()))
    axes.legend(loc="lower right")
    style.letter(axes, "b")


def _panel_c(axes: Axes, curves: pd.DataFrame) -> None:
    """Alignment of readout and feedback in training by RFLO, a line a period."""
    periods = sorted(curves.period_tau.unique())
    for i, period in enumerate(periods):
        colour = style.PERIODS(i / max(1, len(periods) - 1))
        style.band(axes, curves[curves.period_tau == period], "trial", "alignment", colour, f"{period:g} τ")
    style.trial_axis(axes, curves.trial.max())
    axes.set_ylim(-0.35, 1.0)
    axes.axhline(0.0, color="#BBBBBB", linewidth=0.8, zorder=0)
    axes.set_ylabel("alignment of Wout and B")
    axes.legend(title="RFLO, period", loc="upper left")
    style.letter(axes, "c")


def _panel_d(axes: Axes, curves: pd.DataFrame) -> None:
    """Loss in training at 80 tau with each approximation alone."""
    for rule in ABLATION:
        frame = curves[curves.rule == rule]
        if len(frame):
            style.band(axes, frame, "trial", "loss", palette.colour(rule), palette.name(rule))
    style.loss_axis(axes, curves.loss)
    style.trial_axis(axes, curves.trial.max())
    axes.set_title(f"period {ABLATION_PERIOD_TAU:g} τ")
    axes.legend(loc="lower left")
    style.letter(axes, "d")
