"""Draws how well each task was learned, a column a task and a dot a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.report import palette, style
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import where
from rflo_repro.studies.tasks import ABOUT
from rflo_repro.studies.tasks.experiment import TASKS

WIDTH, HEIGHT = 8.3, 2.7  # inches, a panel
SPREAD = 0.28
EXPLODED = 3.0  # times the largest loss of a first trial: what is above is an arrowhead there


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The panels that are asked for, one above the other."""
    final = tables["final"]
    tasks = [name for name in TASKS if (final.task == name).any()]
    with style.style():
        picture = style.new_picture(WIDTH, HEIGHT * len(panels))
        places = picture.subplots(len(panels), len(tasks), squeeze=False)
        for name, ax in zip(tasks, places[0], strict=True):
            ax.set_title(TASKS[name].title)
        for row, panel in zip(places, panels, strict=True):
            for ax, name in zip(row, tasks, strict=True):
                _task(ax, where(final, {"task": name}), "metric" if panel == "a" else "final_loss")
                if panel == "a":
                    ax.axhline(TASKS[name].chance, color=style.GREY, linewidth=0.8, linestyle="--", zorder=0)
                    ax.set_ylim(min(0.4, 0.95 * float(where(final, {"task": name}).metric.min())), 1.03)
                else:
                    ax.set_yscale("log")
            row[0].set_ylabel("share that is right" if panel == "a" else "final loss")
    return picture, []


def _task(ax: Axes, frame: pd.DataFrame, column: str) -> None:
    """A dot a network, and the median, for each rule."""
    rules = [rule for rule in ABOUT.rules if (frame["rule"] == rule).any()]
    for at, rule in enumerate(rules):
        values = where(frame, {"rule": rule})[column].dropna().to_numpy(float)
        x = at + np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else np.array([float(at)])
        top = np.inf if column == "metric" else EXPLODED * frame.first_loss.max()
        for marker, of in (("o", values <= top), ("^", values > top)):
            ax.plot(
                x[of], np.minimum(values, top)[of], marker, markersize=3, alpha=0.6, markeredgewidth=0,
                color=palette.colour(rule),
            )  # fmt: skip
        if len(values):
            ax.plot([at - SPREAD, at + SPREAD], [min(np.median(values), top)] * 2, color=palette.colour(rule))
    ax.set_xticks(range(len(rules)), [palette.name(rule) for rule in rules])
    ax.set_xlim(-0.6, len(rules) - 0.4)
