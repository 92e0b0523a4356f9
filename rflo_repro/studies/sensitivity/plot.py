"""Draws which verdicts hang on which choice."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.runs.claims import VERDICTS, Tables


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """Claims down, alternatives across, a figure a block, the verdict in colour and as a letter."""
    frame = tables["sensitivity"]
    known = list(frame.figure.unique())
    parts = [frame[frame.figure == figure] for figure in known]
    heights = [part.claim.nunique() for part in parts]
    with style.style():
        widest = max(part[["choice", "alternative"]].drop_duplicates().shape[0] for part in parts)
        picture = style.new_picture(3.6 + 0.62 * widest, 1.0 + 0.36 * sum(heights) + 1.55 * len(parts))
        grid = picture.subplots(len(parts), 1, squeeze=False, height_ratios=[h + 2.2 for h in heights])[:, 0]
        for axes, part, figure in zip(grid, parts, known, strict=True):
            _block(axes, part, widest)
            axes.set_title(registry.figures()[figure].title, loc="left", fontweight="bold")
        handles = [
            grid[-1].plot([], [], "s", color=style.VERDICTS[v], markersize=9, label=f"{style.LETTERS[v]}  {v}")[0]
            for v in VERDICTS
        ]
        picture.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8)
        rates = ", ".join(f"{figure} at {part.rates.iloc[0]} rates" for figure, part in zip(known, parts, strict=True))
        note = f"{frame.n_networks.max()} networks, {rates}; rates are not tuned anew."
        picture.suptitle(note, fontsize=7.5, x=0.01, ha="left")
    return picture, []


def _block(axes: Axes, part: pd.DataFrame, widest: int) -> None:
    columns = list(part[["choice", "alternative"]].drop_duplicates().itertuples(index=False, name=None))
    claims = list(part.claim.unique())
    verdicts = part.drop_duplicates(["choice", "alternative", "claim"]).set_index(["choice", "alternative", "claim"])
    for x, (choice, alternative) in enumerate(columns):
        for y, claim in enumerate(claims):
            verdict = str(verdicts.verdict[choice, alternative, claim])
            axes.add_patch(
                Rectangle(
                    (x - 0.47, y - 0.46),
                    0.94,
                    0.92,
                    facecolor=style.VERDICTS.get(verdict, style.GREY),
                    edgecolor="none",
                )
            )
            axes.text(x, y, style.LETTERS.get(verdict, "·"), ha="center", va="center", fontsize=8, color="white")
    axes.axvline(0.5, color="black", linewidth=1.0)
    axes.set_xlim(-0.5, widest - 0.5)
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.set_yticks(range(len(claims)), claims)
    names = [alternative if choice == alternative else f"{choice}:\n{alternative}" for choice, alternative in columns]
    axes.set_xticks(range(len(columns)), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=7)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
