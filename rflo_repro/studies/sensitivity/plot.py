"""Draws how each alternative moves the effects that the claims are about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.runs.choices import declared, written
from rflo_repro.stats.by_losses import OF_TABLES
from rflo_repro.stats.claims import Tables
from rflo_repro.studies.multiverse import plot
from rflo_repro.studies.multiverse.design import FARTHEST

ACROSS = 5  # at most


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Pictures, list[str]]:
    """A picture a figure of these panels; a line on each panel of which the table has none."""
    return plot.pictures(tables["sensitivity"], panels, lambda figure, frame: {"": _figure(figure, frame)})


def _figure(figure: str, frame: pd.DataFrame) -> style.Picture:
    """Alternatives down, primary parts of claims side by side: the effect and its interval, filled where they
    differ from the baseline's."""
    frame = frame[frame.primary]
    tested = frame[frame.estimate.notna()]
    # a part that only a choice tried at another period or size has is nothing to compare with
    usual = tested[tested.reading == 0]
    compared = next(rows for rows in (usual, tested, frame) if len(rows))[["claim", "part"]].drop_duplicates()
    parts = list(compared.itertuples(index=False))
    if len(usual):
        frame = frame.merge(compared, on=["claim", "part"])
        frame = frame[frame.groupby("reading").estimate.transform("count") > 0]
    labels = {
        f"{name}={written(other.value)}": f"{name}: {other.label}"
        for name, choice in declared(registry.figures()[figure].experiment.scales["paper"]).items()
        for other in choice.alternatives
    }
    names = frame.drop_duplicates("reading").set_index("reading").choices.replace({"": "baseline", **labels})
    down, across = plot.shape(len(parts), ACROSS)
    with style.style():
        picture = style.new_picture(2.6 + 1.9 * across, 0.6 + down * (1.0 + 0.17 * len(names)))
        for place, (claim, part) in enumerate(parts):
            axes = picture.add_subplot(down, across, place + 1)
            _forest(axes, frame[(frame.claim == claim) & (frame.part == part)].set_index("reading"), list(names.index))
            plot.name_part(axes, claim, part, 30)
            if place % across == 0:
                axes.set_yticks(range(len(names)), names, fontsize=7)
        style.answer_legend(picture)
    return picture


def _forest(axes: Axes, rows: pd.DataFrame, variants: Sequence[int]) -> None:
    for y, variant in enumerate(variants):
        if variant not in rows.index or np.isnan(rows.estimate[variant]):
            continue
        colour = style.ANSWERS[OF_TABLES[rows.verdict[variant]]]
        low, at, high = np.clip(rows.loc[variant, ["low", "estimate", "high"]].to_numpy(float), -FARTHEST, FARTHEST)
        differs = rows.shift_low[variant] > 0.0 or rows.shift_high[variant] < 0.0
        axes.plot([low, high], [y, y], color=colour, linewidth=1.2)
        axes.plot(at, y, "o", color=colour, markersize=4, markerfacecolor=colour if differs or y == 0 else "white")
    axes.axvline(0.0, color="black", linewidth=0.6)
    axes.axhline(0.5, color="black", linewidth=0.6)
    axes.set_ylim(len(variants) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    axes.set_xlabel(plot.effect_label(rows), fontsize=8)
