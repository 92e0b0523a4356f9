"""Draws by how much RFLO is behind BPTT, and how often each rule learns, against the period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from rflo_repro.learning import exact_math
from rflo_repro.learning.validate import Array
from rflo_repro.report import palette, style
from rflo_repro.stats.answers import MARGIN
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.measured import ranked
from rflo_repro.stats.statistics import interval, paired, where
from rflo_repro.studies.periods import ABOUT

Dash = Literal["-", "--", ":", "-."]
BASELINE = "bptt"
LEVEL = 0.01
WIDTH, ROW = 8.3, 2.7  # inches
TITLES = {
    "printed": "the paper's learning rates",
    "tuned": "tuned learning rates",
    "clipped": "the paper's, with gradient clipping",
    "given": "a given learning rate",
}
STYLES: tuple[Dash, ...] = ("-", "--", ":", "-.")
POINTS: dict[str, Any] = {"marker": "o", "markersize": 2.5, "linewidth": 1.2}
MARGIN_COLOUR = "#E9E9E9"
APART = 1.028  # ratio between the places of two lines at one period, which would cover each other's intervals
FAR = 12.0  # decades
NAMED = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)  # periods with a label, where there is no room for all


def log_ratios(rows: pd.DataFrame, rule: str) -> Array:
    """log10 of a rule's final loss over BPTT's, a value a network. A loss of a network that exploded or diverged is
    infinite; where both are, neither is ahead: 0."""
    losses = ranked(rows, "final_loss")
    both = paired(where(losses, {"rule": rule}), where(losses, {"rule": BASELINE}), "final_loss")
    of_rule, of_baseline = (exact_math.log10(np.nan_to_num(of, nan=np.inf, posinf=np.inf)) for of in both)
    # two infinities differ by NaN
    with np.errstate(invalid="ignore"):
        difference: Array = np.nan_to_num(of_rule - of_baseline, nan=0.0, posinf=np.inf, neginf=-np.inf)
    return difference


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The panels that the table can fill, a row each with a column a kind of rates, and a line on each that it
    cannot."""
    final = tables["final"]
    kinds = [kind for kind in TITLES if (final.rates == kind).any()]
    rules = [rule for rule in ABOUT.rules if (final.rule == rule).any()]
    compared = [rule for rule in rules if rule != BASELINE]
    left_out = {"a": "" if compared and BASELINE in rules else "needs BPTT and another rule", "b": ""}
    drawn = [panel for panel in panels if not left_out[panel]]
    with style.style():
        picture = style.new_picture(WIDTH, 0.9 + ROW * max(1, len(drawn)))
        axes = picture.subplots(max(1, len(drawn)), len(kinds), squeeze=False, sharex=True, sharey="row")
        for panel, line in zip(drawn, axes, strict=False):
            reach = [
                _ratios(ax, part, compared) if panel == "a" else _shares(ax, part, rules)
                for ax, part in ((ax, final[final.rates == kind]) for ax, kind in zip(line, kinds, strict=True))
            ]
            if panel == "a":
                _ratio_axis(line[0], reach)
            style.letter(line[0], panel)
        for ax, kind in zip(axes[0], kinds, strict=True):
            ax.set_title(TITLES[kind])
        for ax in axes[-1]:
            _period_axis(ax, sorted(final.period_tau.unique()))
        handles: list[Artist] = [Line2D([], [], color=palette.colour(rule), label=palette.name(rule)) for rule in rules]
        handles += [
            Line2D([], [], color="#555555", linestyle=dash, label=f"N = {n_rec}")
            for dash, n_rec in zip(STYLES, sorted(final.n_rec.unique()), strict=False)
        ]
        if "a" in drawn:
            handles.append(Patch(color=MARGIN_COLOUR, label=f"within a factor of {10**MARGIN:.1f}"))
        picture.legend(handles=handles, loc="outside lower center", ncols=4)
    return picture, [f"panel {panel} left out: {left_out[panel]}" for panel in panels if left_out[panel]]


def _lines(rows: pd.DataFrame, rules: Sequence[str]) -> list[tuple[str, Dash, pd.DataFrame, float]]:
    """Rule, dash, rows of its size of networks, and the factor by which its places differ from the period."""
    sizes = sorted(rows.n_rec.unique())
    found = [(rule, dash, n_rec) for rule in rules for dash, n_rec in zip(STYLES, sizes, strict=False)]
    middle = (len(found) - 1) / 2
    return [
        (rule, dash, rows[rows.n_rec == n_rec], APART ** (i - middle)) for i, (rule, dash, n_rec) in enumerate(found)
    ]


def _ratios(axes: Axes, rows: pd.DataFrame, rules: Sequence[str]) -> tuple[float, float]:
    """Median of the ratio and its interval against the period; returns the lowest and the highest of their decades."""
    axes.axhspan(10**-MARGIN, 10**MARGIN, color=MARGIN_COLOUR, zorder=0, linewidth=0)
    axes.axhline(1.0, color="#888888", linewidth=0.8, zorder=0)
    seen = [0.0]
    for rule, dash, part, aside in _lines(rows, rules):
        values = {
            float(period): found  # type: ignore[arg-type]
            for period, of in part.groupby("period_tau")
            if len(found := log_ratios(of, rule))
        }
        if not values:
            continue
        intervals = [interval(of, level=LEVEL) for of in values.values()]
        decades = np.array([(of.low, of.estimate, of.high) for of in intervals])
        seen += [*decades[np.isfinite(decades)]]
        # an interval without an end goes beyond the axes
        low, middle, high = 10.0 ** np.clip(decades, -FAR, FAR).T
        at, colour = aside * np.array([*values]), palette.colour(rule)
        axes.vlines(at, low, high, color=colour, linewidth=0.8, alpha=0.7)
        axes.plot(at, middle, dash, color=colour, **POINTS)
    return min(seen), max(seen)


def _shares(axes: Axes, rows: pd.DataFrame, rules: Sequence[str]) -> tuple[float, float]:
    """Share of the networks that learned against the period."""
    for rule, dash, part, _ in _lines(rows, rules):
        own = where(part, {"rule": rule})
        learned = (own.outcome == "learned").groupby(own.period_tau).mean()
        axes.plot(learned.index, 100.0 * learned, dash, color=palette.colour(rule), clip_on=False, **POINTS)
    axes.set_ylim(0.0, 100.0)
    if axes.get_subplotspec().is_first_col():  # type: ignore[union-attr]
        axes.set_ylabel("networks that learned  (%)")
    return 0.0, 100.0


def _ratio_axis(axes: Axes, reach: Sequence[tuple[float, float]]) -> None:
    """A logarithmic axis of factors, in whole decades, at least one on either side."""
    lowest, highest = min(low for low, _ in reach), max(high for _, high in reach)
    style.log_decades(axes, 10 ** min(-1.0, np.floor(lowest)), 10 ** max(1.0, np.ceil(highest)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.factor(np.log10(value))))
    axes.set_ylabel("final loss over BPTT's  (factor)")


def _period_axis(axes: Axes, periods_tau: Sequence[float]) -> None:
    """A tick at each period, a label where there is room."""
    named = [period for period in periods_tau if period in NAMED or len(periods_tau) <= len(NAMED)] or periods_tau
    style.period_axis(axes, named)
    axes.xaxis.set_minor_locator(FixedLocator([period for period in periods_tau if period not in named]))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(min(periods_tau) / 1.2, max(periods_tau) * 1.2)
