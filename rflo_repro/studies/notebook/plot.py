"""Draws the losses of the author's example over networks, and the two that he prints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rflo_repro.learning import exact_math
from rflo_repro.learning.validate import Array
from rflo_repro.report import palette, style
from rflo_repro.stats.answers import MARGIN
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import interval, log_ratio, paired, where
from rflo_repro.studies.notebook import ABOUT

# What the notebook (murray-lab/rflo-learning) prints of one network each after 10^4 trials
PRINTED = {"bptt-published": 2.316e-4, "rflo": 1.519e-4}
EXACT = {"bptt": "BPTT, exact"}  # beside the one that is not
LEVEL = 0.01
WIDTH, HEIGHT = 8.3, 3.9  # inches
BINS = 10  # a decade
MARGIN_COLOUR = "#E9E9E9"
FILL = 0.45
LOSS = "loss in the last trial  (½ mean squared error)"


def below(losses: Array, value: float) -> float:
    """The percentile of a value: of 100 networks, how many have a smaller loss."""
    return 100.0 * float(np.mean(losses < value))


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The panels that are asked for, side by side; the table fills both."""
    final = tables["final"]
    widths = [{"a": 1.75, "b": 1.0}[panel] for panel in panels]
    with style.style():
        picture = style.new_picture(WIDTH if len(panels) > 1 else WIDTH / 1.6, HEIGHT)
        places = np.atleast_1d(picture.subfigures(1, len(panels), width_ratios=widths))  # type: ignore[arg-type]
        for panel, place in zip(panels, places, strict=True):
            if panel == "a":
                _losses(place, final)
            else:
                _ratios(place.subplots(), final)
    return picture, []


def _bins(values: Array) -> list[float]:
    """Edges of a histogram of log10 values, BINS a decade, that has all finite values."""
    finite = values[np.isfinite(values)]
    low, high = np.floor(BINS * finite.min()), np.ceil(BINS * finite.max() + 1e-9)
    return [float(10 ** (step / BINS)) for step in np.arange(low, max(high, low + 1) + 1)]


def _losses(place: SubFigure, final: pd.DataFrame) -> None:
    """A histogram a rule on a common logarithmic axis, with median and interval, and what the notebook prints."""
    axes = place.subplots(len(ABOUT.rules), 1, sharex=True, sharey=True)
    of_rule = {rule: where(final, {"rule": rule}).last_loss.fillna(np.inf).to_numpy(float) for rule in ABOUT.rules}
    shown = np.concatenate([*of_rule.values(), np.array([*PRINTED.values()])])
    edges = _bins(exact_math.log10(shown[shown > 0.0]))
    for ax, (rule, losses) in zip(axes, of_rule.items(), strict=True):
        colour = palette.colour(rule)
        counts, _, _ = ax.hist(losses[np.isfinite(losses)], edges, color=colour, alpha=FILL, linewidth=0)
        _median(ax, losses, colour, -0.09 * max(1.0, float(np.max(counts))))
        found = interval(losses, level=LEVEL)
        said = f"{EXACT.get(rule, palette.name(rule))}\nmedian {_loss(found.estimate)}"
        ax.text(0.99, 0.95, said, transform=ax.transAxes, ha="right", va="top", color=colour, fontsize=8.5)
        if rule in PRINTED:
            value = PRINTED[rule]
            ax.axvline(value, color="black", linewidth=1.2, linestyle=(0, (4, 2)))
            said = f"the author prints\n{_loss(value, 3)}:\npercentile {below(losses, value):.3g}"
            ax.annotate(
                said, (value, 0.95), (-5.0, 0.0), xycoords=("data", "axes fraction"), textcoords="offset points",
                ha="right", va="top", fontsize=8,
            )  # fmt: skip
        ax.set_ylabel("networks")
    axes[-1].set_xscale("log")
    axes[-1].xaxis.set_major_locator(LogLocator(base=10, numticks=12))
    axes[-1].xaxis.set_minor_formatter(NullFormatter())
    # room at the left for what is said of the printed numbers, at the right for the names
    axes[-1].set_xlim(min(edges[0] / 1.3, min(PRINTED.values()) / 5.0), edges[-1] * 2.0)
    axes[0].set_title(f"{len(of_rule['rflo'])} networks, {final.n_trials.max():,} trials")
    axes[0].set_ylim(top=1.25 * axes[0].get_ylim()[1])
    axes[-1].set_xlabel(LOSS)
    style.letter(axes[0], "a")


def _ratios(axes: Axes, final: pd.DataFrame) -> None:
    """Histogram of RFLO's loss over that of BPTT as published, paired by network, with its median."""
    rflo, bptt = (where(final, {"rule": rule}) for rule in ("rflo", "bptt-published"))
    decades = log_ratio(*paired(rflo, bptt, "last_loss"))
    finite = decades[np.isfinite(decades)]
    axes.axvspan(10**-MARGIN, 10**MARGIN, color=MARGIN_COLOUR, zorder=0, linewidth=0)
    axes.axvline(1.0, color="#888888", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.set_xlabel("RFLO over BPTT as published  (factor)")
    axes.set_ylabel("networks")
    style.letter(axes, "b")
    if len(finite):
        colour = palette.colour("rflo")
        counts, _, _ = axes.hist(10.0**finite, _bins(finite), color=colour, alpha=FILL, linewidth=0)
        _median(axes, 10.0**decades, colour, -0.045 * max(1.0, float(np.max(counts))))
        found = interval(decades, level=LEVEL)
        estimate, low, high = 10.0 ** np.clip([found.estimate, found.low, found.high], -6.0, 6.0)
        said = f"median ×{estimate:.2f}\n({low:.2f}, {high:.2f})"
        axes.text(0.98, 0.98, said, transform=axes.transAxes, ha="right", va="top", fontsize=8.5, color=colour)
        axes.set_ylim(top=1.25 * axes.get_ylim()[1])
    axes.xaxis.set_major_locator(LogLocator(base=10, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.factor(np.log10(value))))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(
        handles=[Patch(color=MARGIN_COLOUR, label=f"within a factor of {10**MARGIN:.1f}")],
        loc="upper center", bbox_to_anchor=(0.5, -0.18), borderaxespad=0.0,
    )  # fmt: skip


def _median(axes: Axes, values: Array, colour: str, height: float) -> None:
    """A dot at the median and a line for its interval, below the bars."""
    found = interval(values, level=LEVEL)
    low, high = np.clip([found.low, found.high], 1e-12, style.FAR)
    axes.plot([low, high], [height, height], color=colour, linewidth=1.5)
    axes.plot(min(found.estimate, style.FAR), height, "o", color=colour, markersize=4)


def _loss(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}e}".replace("e-0", "e-")
