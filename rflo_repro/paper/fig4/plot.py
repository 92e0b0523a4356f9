"""Draws Figure 4 from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from rflo_repro.paper.fig4 import ABOUT, sketch
from rflo_repro.report import palette, style
from rflo_repro.stats.statistics import quartiles
from rflo_repro.tasks.reaching import DIRECTIONS

COLOURS = {"loop": palette.colour("red"), "rflo": palette.colour("rflo"), "bptt": palette.colour("bptt")}
NAMES = {"loop": "RFLO + loop", "rflo": "RFLO, no loop", "bptt": "BPTT, no loop"}
DASHED: dict[str, Any] = {"color": "black", "dashes": (3, 2), "linewidth": 0.8}
BELOW = 3.0
FARTHEST = (-1.5, 2.0)
DRAWABLE = (1e-6, 1e2)


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The panels that the tables can fill, and a line on each that they cannot.

    tables: the frames of `fig4_final`, `fig4_transitions`, `fig4_sequence` and `fig4_single`, by their last words.
    """
    needs_loop = "" if len(tables["single"]) else "needs the loop"
    left_out = {"a": needs_loop, "b": "", "c": "", "d": ""}
    drawn = [panel for panel in panels if not left_out[panel]]
    notes = [f"panel {panel} left out: {left_out[panel]}" for panel in panels if left_out[panel]]
    rows = [row for row in (set("ab") & set(drawn), set("c") & set(drawn), set("d") & set(drawn)) if row]
    heights = [2.7 if "c" not in row else 3.8 for row in rows]
    with style.style():
        picture = style.new_picture(10, max(2.7, sum(heights)))
        if not rows:
            return picture, notes
        parts = picture.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
        for row, part in zip(rows, parts, strict=True):
            if row & set("ab"):
                _top(part, tables["single"], sorted(row))
            elif "c" in row:
                _panel_c(part, tables["sequence"])
            else:
                _panel_d(part, tables["final"], tables["transitions"])
    return picture, notes


def _top(picture: SubFigure, single: pd.DataFrame, panels: Sequence[str]) -> None:
    """a: the task, and where single movements lead; b: the loop."""
    widths = [w for panel in panels for w in {"a": (1.15, 0.75), "b": (1.35,)}[panel]]
    axes = list(picture.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0])
    if "a" in panels:
        sketch.task(axes[0])
        style.letter(axes[0], "a")
        ax = axes[1]
        for name, colour in zip(DIRECTIONS, sketch.COLOURS, strict=True):
            part = single[single.direction == name]
            ax.plot(*_from_origin(part), color=colour)
            ax.plot(
                part.target_x.iloc[-1],
                part.target_y.iloc[-1],
                "o",
                markersize=9,
                markerfacecolor="none",
                markeredgecolor="#999999",
                markeredgewidth=0.9,
            )
            ax.plot(*_from_origin(part)[:, -1], "o", color=colour, markersize=4)
        ax.set_title("single movements")
        _plane(ax, (-1.3, 1.3), (-1.3, 1.3))
    if "b" in panels:
        sketch.loop(axes[-1])
        style.letter(axes[-1], "b")


def _from_origin(rows: pd.DataFrame) -> np.ndarray:
    """(2, T+1): the cursor's path; what lies too far off to be drawn is brought nearer, in its own direction."""
    path = np.array([[0, *rows.x], [0, *rows.y]], dtype=float)
    with np.errstate(invalid="ignore"):
        near: np.ndarray = path * (style.FAR / np.maximum(np.abs(path).max(axis=0), style.FAR))
    return near


def _plane(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.set_aspect("equal")
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.set_xticks([tick for tick in (-1, 0, 1) if x[0] <= tick <= x[1]])
    axes.set_yticks([tick for tick in (-1, 0, 1) if y[0] <= tick <= y[1]])
    axes.set_xlabel("x  (movements)")
    axes.set_ylabel("y  (movements)")


def _panel_c(picture: SubFigure, rows: pd.DataFrame) -> None:
    """Left the cursor's paths, right the velocities, a pair of lines a method."""
    rules = [rule for rule in ABOUT.rules if (rows.rule == rule).any()]
    left, right = picture.subfigures(1, 2, squeeze=False, width_ratios=[1, 2.2])[0]
    axes = left.subplots()
    _cursor(axes, rows, rules)
    style.letter(axes, "c")
    below = right.subplots(len(rules), 1, sharex=True, squeeze=False)[:, 0]
    for rule, ax in zip(rules, below, strict=True):
        _velocity(ax, rows[rows.rule == rule])
        ax.set_title(NAMES[rule], loc="left", color=COLOURS[rule], pad=3)
    end = rows.time_tau.max()
    below[0].set_title("velocity, targets dashed", loc="right", pad=3)
    below[0].plot([end * 1.008] * 2, [0, 1], color="black", linewidth=1.5, clip_on=False)
    below[0].text(end * 1.016, 0.5, "1", va="center", fontsize=8)
    below[-1].set_xticks(np.arange(0, end + 1, 20))
    below[-1].set_xlabel("time  (τ)")


def _cursor(axes: Axes, rows: pd.DataFrame, rules: Sequence[str]) -> None:
    """Paths from the origin; the first method's in front, that of the target dashed."""
    for i, rule in enumerate(rules):
        part = rows[rows.rule == rule]
        look: dict[str, Any] = {"linewidth": 2.0, "zorder": 3} if i == 0 else {"linewidth": 1.0, "alpha": 0.6}
        axes.plot(*_from_origin(part), color=COLOURS[rule], **look)
    axes.plot([0, *part.target_x], [0, *part.target_y], **DASHED, zorder=4)
    axes.plot(0, 0, "o", color="black", markersize=4, zorder=5)
    seen = rows[["x", "y", "target_x", "target_y"]].clip(*FARTHEST)
    reach = (seen.min().min() - 0.15, seen.max().max() + 0.15)
    _plane(axes, reach, reach)
    axes.set_title("cursor")


def _velocity(axes: Axes, rows: pd.DataFrame) -> None:
    """Both outputs of one method, one below the other, and above them the inputs that are on."""
    for shift, axis in ((0.0, "x"), (-BELOW, "y")):
        velocity = style.drawable(rows[f"velocity_{axis}"])
        axes.plot(rows.time_tau, velocity + shift, color=COLOURS[rows.rule.iloc[0]], linewidth=1.2)
        axes.plot(rows.time_tau, rows[f"target_velocity_{axis}"] + shift, **DASHED)
    for name, colour in zip(DIRECTIONS, sketch.COLOURS, strict=True):
        on = (rows.input == name).to_numpy()
        axes.fill_between(rows.time_tau, 1.55, 1.9, where=on, color=colour, linewidth=0)
    axes.set_yticks([0, -BELOW], ["$v_x$", "$v_y$"])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-BELOW - 1.6, 1.9)
    axes.set_xlim(0, rows.time_tau.max())
    axes.spines["left"].set_visible(False)


def _panel_d(picture: SubFigure, final: pd.DataFrame, transitions: pd.DataFrame) -> None:
    """Right transitions in stage 2; loss on the sequence and end-point error, a point a network."""
    axes = list(picture.subplots(1, 3 if len(transitions) else 2, squeeze=False)[0])
    if len(transitions):
        first, last = transitions.trial.min(), transitions.trial.max()
        look: dict[str, Any] = {"marker": "o", "markersize": 4} if first == last else {}
        for column, colour, label in (
            ("correct", "#999999", "all choices"),
            ("correct_greedy", COLOURS["loop"], "greedy"),
        ):
            # a window may be without any trial to count, which is no bad mark
            style.band(axes[0], transitions.dropna(subset=[column]), "trial", column, colour, label, **look)
        axes[0].set_ylim(0, 1.03)
        if first == last:
            axes[0].set_xticks([first])
        else:
            style.trial_axis(axes[0], last)
            axes[0].set_xlim(first, last)
        axes[0].set_xlabel("trial of stage 2")
        axes[0].set_ylabel("right transitions  (share)")
        axes[0].legend(loc="lower right")
    _points(axes[-2], final, "sequence_loss")
    axes[-2].set_ylabel(f"{style.LOSS},\nwhole sequence")
    _points(axes[-1], final, "endpoint_error")
    axes[-1].set_ylabel("end-point error  (movements)")
    style.letter(axes[0], "d")


def _points(axes: Axes, final: pd.DataFrame, column: str) -> None:
    """A point a network and a line at the median, in whole decades; a triangle at the top for what lies above."""
    rules = [rule for rule in ABOUT.rules if (final.rule == rule).any()]
    seen = final[column][final[column].between(*DRAWABLE)]
    low, high = (
        (10.0 ** np.floor(np.log10(seen.min())), 10.0 ** np.ceil(np.log10(seen.max()))) if len(seen) else DRAWABLE
    )
    high = max(high, 10.0 * low)
    for i, rule in enumerate(rules):
        values = final.loc[final.rule == rule, column].to_numpy()
        at = i + (np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(1))
        above = ~(values <= high)
        for which, marker in ((~above, "o"), (above, "^")):
            if which.any():
                axes.plot(
                    at[which],
                    np.clip(np.nan_to_num(values[which], nan=high), low, high),
                    marker,
                    color=COLOURS[rule],
                    markersize=4,
                    alpha=0.6,
                    markeredgewidth=0,
                    clip_on=False,
                )
        median = np.clip(quartiles(values)[1], low, high)
        axes.plot([i - 0.28, i + 0.28], [median, median], color=COLOURS[rule], linewidth=2)
    axes.set_xticks(range(len(rules)), [NAMES[rule].replace(", ", "\n").replace(" + ", "\n+ ") for rule in rules])
    axes.set_xlim(-0.6, len(rules) - 0.4)
    style.log_decades(axes, low, high)
