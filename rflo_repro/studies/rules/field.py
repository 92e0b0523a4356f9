"""Draws how well each rule learns tasks of the field."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter

from rflo_repro.report import palette, style
from rflo_repro.stats.statistics import where
from rflo_repro.studies.tasks.experiment import TASKS

WIDTH, HEIGHT = 2.2, 3.4  # inches, a task
SPREAD = 0.3
# Where a logarithmic axis is too short for powers of ten
FEW_DECADES, TICKS = 30.0, (0.2, 0.5, 1.0, 2.0, 5.0)
METRIC, LOSS = "metric", "final_loss"
LABELS = {METRIC: "share that is right", LOSS: "final loss"}


def draw(frame: pd.DataFrame) -> style.Picture:
    """Rules down, a column a task: a dot a network, a line the median; above the metric, below the final loss."""
    tasks = [task for task in TASKS if (frame.field_task == task).any()]
    rules = list(dict.fromkeys(frame.rule))
    with style.style():
        picture = style.new_picture(1.6 + WIDTH * len(tasks), 2 * HEIGHT)
        grid = picture.subplots(2, len(tasks), squeeze=False, sharey=True)
        for row, column in zip(grid, (METRIC, LOSS), strict=True):
            for axes, task in zip(row, tasks, strict=True):
                of_task = where(frame, {"field_task": task})
                top = np.inf if column == METRIC else 3.0 * of_task.first_loss.max()
                for at, rule in enumerate(rules):
                    values = np.minimum(where(of_task, {"rule": rule})[column].fillna(np.inf).to_numpy(float), top)
                    beside = at + np.linspace(-SPREAD, SPREAD, len(values))
                    colour = palette.colour(rule)
                    axes.plot(values, beside, "o", markersize=2.5, alpha=0.6, markeredgewidth=0, color=colour)
                    if len(values):
                        axes.plot([np.median(values)] * 2, [at - SPREAD, at + SPREAD], color=colour)
                if column == METRIC:
                    axes.set_title(TASKS[task].title)
                    axes.axvline(TASKS[task].chance, color=style.GREY, linewidth=0.8, linestyle="--", zorder=0)
                else:
                    axes.set_xscale("log")
                    if max(axes.get_xlim()) < FEW_DECADES * min(axes.get_xlim()):
                        low, high = axes.get_xlim()
                        ticks = [tick for tick in TICKS if low < tick < high]
                        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                    axes.xaxis.set_minor_formatter(NullFormatter())
                axes.set_xlabel(LABELS[column])
        grid[0][0].set_yticks(range(len(rules)), [palette.name(rule) for rule in rules])
        grid[0][0].set_ylim(len(rules) - 0.5, -0.5)
    return picture
