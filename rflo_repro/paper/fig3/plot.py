"""Draws Figure 3 from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from rflo_repro.report import palette, style
from rflo_repro.stats.statistics import quartiles

RFLO = {15: palette.colour("red"), 20: palette.colour("blue")}
BPTT = {25: palette.colour("bptt")}
EXAMPLE_TAU = 15
LIFT = 2.3
MARGIN = 4.0


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The panels that the tables can fill, and a line on each that they cannot.

    tables: the frames of `fig3_peaks` and `fig3_example`, by `peaks` and `example`.
    """
    peaks, example = tables["peaks"], tables["example"]
    rows = {
        "a": example[example.longest_tau == EXAMPLE_TAU],
        "b": peaks[(peaks.rule == "rflo") & peaks.longest_tau.isin(RFLO)],
        "c": peaks[(peaks.rule == "bptt") & peaks.longest_tau.isin(BPTT)],
    }
    needs = {"a": f"a rule trained to {EXAMPLE_TAU} tau", "b": "RFLO", "c": "BPTT"}
    drawn = [panel for panel in panels if len(rows[panel])]
    notes = [f"panel {panel} left out: needs {needs[panel]}" for panel in panels if panel not in drawn]
    with style.style():
        picture = style.new_picture(3.6 * max(1, len(drawn)), 3.3)
        axes = picture.subplots(1, len(drawn), squeeze=False)[0] if drawn else []
        for panel, ax in zip(drawn, axes, strict=True):
            if panel == "a":
                _example(ax, rows["a"])
            else:
                _peaks(ax, rows[panel], *(("rflo", RFLO) if panel == "b" else ("bptt", BPTT)))
            style.letter(ax, panel)
    return picture, notes


def _example(axes: Axes, rows: pd.DataFrame) -> None:
    """Inputs above, target and outputs below, on one axis of time."""
    first = rows[rows.rule == rows.rule.iloc[0]]
    for column in ("input_1", "input_2"):
        axes.plot(first.time_tau, first[column] + LIFT, color=palette.colour("untrained"), clip_on=False)
    for rule, colour in (("rflo", RFLO[EXAMPLE_TAU]), ("bptt", palette.colour("bptt"))):
        part = rows[rows.rule == rule]
        if len(part):
            axes.plot(part.time_tau, style.drawable(part.y), color=colour, label=palette.name(rule))
    axes.plot(first.time_tau, first.target, color="black", dashes=(3, 2), linewidth=0.9, label="target")
    axes.set_yticks([0, 1, LIFT, LIFT + 1], ["0", "1", "0", "1"])
    axes.text(0.98, LIFT + 0.5, "input", ha="right", va="center", transform=axes.get_yaxis_transform())
    axes.text(0.02, 0.5, "output", ha="left", va="center", transform=axes.get_yaxis_transform())
    axes.set_xlim(0, first.time_tau.max())
    axes.set_ylim(-0.35, LIFT + 1.45)
    axes.set_xlabel("time  (τ)")
    axes.set_ylabel("activity")
    delay = first.delay_tau.iloc[0]
    axes.set_title(f"delay {delay:g} τ")
    _interval(axes, first, delay)
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.52), ncols=3, handlelength=1.2, columnspacing=0.8)


def _interval(axes: Axes, rows: pd.DataFrame, delay: float) -> None:
    """Arrows of the delay's length between the peaks of the inputs, and from the second to the target's."""
    end = float(rows.time_tau.iloc[int(rows.target.argmax())])
    for start, height in ((end - 2 * delay, LIFT + 1.25), (end - delay, 1.25)):
        axes.annotate(
            "",
            (start + delay, height),
            (start, height),
            arrowprops={"arrowstyle": "<->", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0},
        )


def _peaks(axes: Axes, rows: pd.DataFrame, rule: str, colours: Mapping[int, str]) -> None:
    """A point a network and delay, median and quartiles over networks, and the identity; the axis covers all but
    points."""
    lowest, highest = rows.delay_tau.min(), rows.delay_tau.max()
    axes.plot([lowest, highest], [lowest, highest], color="#888888", dashes=(3, 2), linewidth=0.9, zorder=0)
    for i, (longest, colour) in enumerate(colours.items()):
        part = rows[rows.longest_tau == longest]
        if not len(part):
            continue
        beside = (i - (len(colours) - 1) / 2) * 0.25
        axes.plot(
            part.delay_tau + beside, part.peak_tau, "o", color=colour, markersize=2.5, alpha=0.35, markeredgewidth=0
        )
        style.band(axes, part, "delay_tau", "peak_tau", colour, f"{palette.name(rule)} trained to {longest} τ")
    axes.set_xlim(lowest - 1, highest + 1)
    middle = [quartiles(group.peak_tau.to_numpy()) for _, group in rows.groupby(["longest_tau", "delay_tau"])]
    seen = np.array(middle)[np.isfinite(middle)]
    axes.set_ylim(min([lowest - MARGIN, *(seen - 1.0)]), max([highest + MARGIN, *(seen + 1.0)]))
    outside = int((~rows.peak_tau.between(*axes.get_ylim())).sum())
    if outside:
        note = f"{outside} of {len(rows)} points outside"
        axes.text(0.98, 0.03, note, ha="right", transform=axes.transAxes, fontsize=7, color="#666666")
    ticks = np.arange(5 * np.ceil(lowest / 5), highest + 1, 5)
    axes.set_xticks(ticks)
    axes.yaxis.set_major_locator(MultipleLocator(5))
    axes.set_xlabel("delay  (τ)")
    axes.set_ylabel("output's peak after second pulse  (τ)")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(colours), handlelength=1.2, columnspacing=0.8)
