"""Draws in how many variants each claim holds: a bar for each part."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.transforms import blended_transform_factory

from rflo_repro.report import style
from rflo_repro.studies.multiverse import wording
from rflo_repro.studies.multiverse.counts import counts

INSIDE, OUTSIDE, UNTESTED = "#00795A", "#E8B9B0", "#CFCFCF"
SIDES = {INSIDE: "the median lies where the claim says", OUTSIDE: "it lies elsewhere", UNTESTED: "no test"}
WIDTH, ROW, AROUND = 8.3, 0.235, 1.8  # inches: of the picture, of a row, and above and below all rows
MARK, NUMBER, REST = -0.03, 1.02, 1.25  # in bars: places of the baseline's mark and of the numbers
END = 1.5
TITLE = "In how many variants of what the paper leaves open each claim holds"


def draw(frame: pd.DataFrame) -> style.Picture | None:
    """A bar for each part of a claim, divided by where the medians of its variants lie; None if there is no part.

    frame: a `readings` table.
    """
    found = counts(frame)
    if not len(found):
        return None
    with style.style():
        picture = style.new_picture(WIDTH, ROW * (len(found) + found.figure.nunique()) + AROUND)
        axes = picture.subplots()
        beside = blended_transform_factory(picture.transFigure, axes.transData)
        labels: dict[int, str] = {}
        y = 0
        for figure, of in found.groupby("figure", sort=False):
            said = f"{wording.figure(str(figure))} ({of.n.max()} variants)"
            head = axes.text(0.012, y + 0.15, said, transform=beside, fontsize=9, fontweight="bold", va="center")
            head.set_in_layout(False)
            for row, again in zip(of.itertuples(), of.claim.duplicated(), strict=True):
                y += 1
                part = wording.part(str(row.part))
                labels[y] = part if again else f"{wording.claim(str(row.claim))},  {part}"
                _bar(axes, y, row)
            y += 1
        axes.set_yticks([*labels], [*labels.values()], fontsize=9)
        axes.tick_params(axis="y", length=0, pad=20)
        axes.set_ylim(y - 0.4, -0.6)
        axes.set_xlim(0.0, END)
        axes.set_xticks([0.0, 0.5, 1.0], ["none", "half", "all variants"])
        axes.tick_params(axis="x", length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
        for share in (0.5, 1.0):
            axes.axvline(share, color="#888888", linewidth=0.5, linestyle=":")
        picture.suptitle(TITLE, x=0.02, ha="left", fontsize=11, fontweight="bold")
        _legend(picture, axes, found)
    return picture


def _bar(axes: Axes, y: int, row: Any) -> None:
    """The shares of one part's variants, their numbers, and where the baseline lies."""
    sizes = (row.n_inside, row.n_tested - row.n_inside, row.n - row.n_tested)
    start = 0.0
    for colour, size in zip(SIDES, sizes, strict=True):
        axes.barh(y, size / row.n, left=start, height=0.74, color=colour, linewidth=0)
        start += size / row.n
    axes.text(NUMBER, y, f"{row.n_inside} of {row.n_tested}", va="center", fontsize=9)
    if sizes[2]:
        axes.text(REST, y, f"{sizes[2]} no test", va="center", fontsize=9, color=style.GREY)
    axes.plot(MARK, y, clip_on=False, **_mark(row.baseline))


def _mark(inside: Any) -> dict[str, Any]:
    """The baseline's: filled where the paper says, hollow elsewhere, a dash where there is no test."""
    if pd.isna(inside):
        return {"linestyle": "", "marker": "_", "color": "#888888", "markersize": 6}
    fill = "full" if inside else "none"
    return {"linestyle": "", "marker": "o", "color": "black", "markersize": 5, "fillstyle": fill}


def _legend(picture: style.Picture, axes: Axes, found: pd.DataFrame) -> None:
    handles: list[Any] = [Patch(color=colour, label=label) for colour, label in SIDES.items()]
    baselines = {True: "the baseline's does", False: "it does not", None: "no test"}
    handles += [axes.plot([], [], label=label, **_mark(inside))[0] for inside, label in baselines.items()]
    n_networks = " or ".join(f"{n}" for n in sorted(found.n_networks.unique()))
    said = (
        "Each variant makes other choices where the paper says nothing; the baseline makes those of this repository.\n"
        f"With {n_networks} networks a variant nothing is sure for any one of them: medians are counted.\n"
        "No test: neither of the compared rules learned, or there is no gap to explain."
    )
    legend = picture.legend(
        handles=handles, loc="outside lower left", ncols=2, title=said, alignment="left", fontsize=9, title_fontsize=9
    )
    legend.get_title().set_linespacing(1.3)  # type: ignore[attr-defined]
