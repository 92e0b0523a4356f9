"""Draws the rates that were chosen, and those that are as good."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.report import palette, style
from rflo_repro.stats.claims import Tables
from rflo_repro.studies.rules import task_specs
from rflo_repro.studies.rules.trial import STAGES

COLOURS = {"w": palette.COLOURS["blue"], "w_out": palette.COLOURS["red"]}
NAMES = {"w": "W and Win", "w_out": "Wout"}


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """Rules down and rates across, a column a task: the rate chosen as a dot, those as good as a line."""
    frame = tables["search"]
    rules = list(dict.fromkeys(frame.rule))
    tasks = [*frame.groupby(task_specs.title(frame), sort=False)][::-1]
    with style.style():
        picture = style.new_picture(2.2 + 1.9 * len(tasks), 1.4 + 0.17 * len(rules))
        grid = picture.subplots(1, len(tasks), squeeze=False, sharey=True)[0]
        for axes, (task, rows) in zip(grid, tasks, strict=True):
            _column(axes, rows, rules)
            axes.set_title(str(task))
        grid[0].set_yticks(range(len(rules)), [palette.name(rule) for rule in rules], fontsize=6.5)
        grid[0].set_ylim(len(rules) - 0.5, -0.5)
        picture.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return picture, []


def _column(axes: Axes, frame: pd.DataFrame, rules: Sequence[str]) -> None:
    for shift, stage in zip((-0.18, 0.18), STAGES, strict=True):
        rows = frame[frame.stage == stage]
        at = [rules.index(rule) + shift for rule in rows.rule]
        good, chosen = rows.as_good.to_numpy(), rows.chosen.to_numpy()
        rows = rows.assign(at=at)
        for _, line in rows[good].groupby("rule", sort=False):
            axes.plot(line[stage], line["at"], "-", color=COLOURS[stage], linewidth=1.0, alpha=0.5)
        label = f"learning rate of {NAMES[stage]}"
        axes.plot(rows[chosen][stage], rows[chosen]["at"], "o", color=COLOURS[stage], markersize=3, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.grid(axis="y", linewidth=0.3, color="#DDDDDD")
