"""What supplement 3 runs, RFLO on networks of different size and initial weights, its picture, and its claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from rflo_repro.paper import periodic
from rflo_repro.paper.fig2_size import ABOUT, Choices
from rflo_repro.runs import learning_curves
from rflo_repro.runs.experiment import Experiment, Picture
from rflo_repro.runs.job import Condition
from rflo_repro.runs.request import Selection
from rflo_repro.runs.sample import PART
from rflo_repro.stats import answers
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import SLOPE, below, judged, learned, ranked, slopes
from rflo_repro.stats.statistics import where

G_OF_THE_OTHER_FIGURES = 1.5
EXPLODED = (
    "; one that exploded counts as above all others, and no slope goes through it (changed after losses of 1e57 were "
    "seen); how many learned at either end"
)
FALLS = (
    "with 99% confidence the slope lies below 0, and the share that learns does not fall from the smallest to the "
    "largest"
)


def larger_networks_help(tables: Tables) -> Sequence[Part]:
    """Slope of the loss on the size."""
    rows = tables["final"]
    return [_part(rows[rows.panel.str.contains("a")], "n_rec", "all N", "decades per decade of N", True)]


def larger_weights_help(tables: Tables) -> Sequence[Part]:
    """Slope of the loss on g: over all, and up to where the other figures are."""
    rows = tables["final"]
    rows = rows[rows.panel.str.contains("b")]
    up_to = rows[rows.g <= G_OF_THE_OTHER_FIGURES]
    return [
        _part(part, "g", what, "decades per unit of g", False)
        for what, part in (("all g", rows), (f"g to {G_OF_THE_OTHER_FIGURES:g}", up_to))
    ]


def _part(rows: pd.DataFrame, column: str, what: str, unit: str, log_x: bool) -> Part:
    ends = [where(rows, {column: end}) for end in (rows[column].max(), rows[column].min())]
    rows = ranked(rows, "final_loss").fillna({"final_loss": np.inf})
    found = slopes(rows, column, "final_loss", log_x=log_x, log_y=True)
    answered = answers.trend(found, *map(learned, ends)) if len(found) and "outcome" in rows else None
    return judged(what, found, below(), unit, answered=answered)


CLAIMS = (
    Claim(
        "larger networks help",
        "The more units, the lower the loss that RFLO reaches.",
        "Results; Figure 2, supplement 3a",
        f"median over networks of the {SLOPE} of log10(final loss) on log10(N){EXPLODED}",
        FALLS,
        larger_networks_help,
        ("final",),
        key="more-units-help",
        label="more units help",
        over="ten times N; learned: N = 200, 10",
        at="20 tau",
        named={"all N": "all"},
    ),
    Claim(
        "larger initial weights help",
        "The larger the initial recurrent weights, the lower the loss that RFLO reaches.",
        "Results; Figure 2, supplement 3b",
        f"median over networks of the {SLOPE} of log10(final loss) on g{EXPLODED}",
        f"{FALLS}, over all g; up to the g of the other figures is beside it",
        larger_weights_help,
        ("final",),
        primary=("all g",),
        key="larger-weights-help",
        label="larger initial weights help",
        over="g + 1; learned: g = 2.5, 0.1",
        at="20 tau",
        named={"all g": "all"},
    ),
)


AXES = {"a": ("n_rec", "number of units N"), "b": ("g", "SD of initial weights  g  (units of 1/√N)")}


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[Picture, list[str]]:
    """The panels that the table has rows of, and a line on each that it has not."""
    from matplotlib.ticker import NullLocator

    from rflo_repro.report import comparison, palette, style

    lines = [
        comparison.Line({"rates": "printed"}, "one fixed rate", palette.colour("rflo")),
        comparison.Line({"rates": "given"}, "one given rate", palette.colour("rflo")),
        comparison.Line({"rates": "tuned"}, "rate tuned for each", palette.colour("tuned"), dashed=True),
    ]
    final = tables["final"]
    parts = {panel: final[final.panel.str.contains(panel)] for panel in panels}
    drawn = [panel for panel in panels if len(parts[panel])]
    with style.style():
        picture = style.new_picture(max(4.0, 3.6 * len(drawn)), 3.3)
        axes = picture.subplots(1, max(1, len(drawn)), squeeze=False)[0]
        for ax, panel in zip(axes, drawn, strict=False):
            column, name = AXES[panel]
            more = tables.get(PART)
            more = None if more is None else more[more.panel.str.contains(panel)]
            comparison.final_losses(ax, parts[panel], lines, column, more)
            style.loss_axis(ax, final.final_loss)
            ax.set_xlabel(name)
            style.letter(ax, panel)
            period = final.period_tau.iloc[0]
            ax.set_title(f"RFLO, period {period:g} τ")
        if "a" in drawn:
            sizes = sorted(parts["a"].n_rec.unique())
            axes[0].set_xscale("log")
            axes[0].set_xticks(sizes, [f"{n}" for n in sizes])
            axes[0].xaxis.set_minor_locator(NullLocator())
        if drawn:
            axes[0].legend(loc="upper left")
    return picture, [f"panel {panel} left out: the table has no rows of it" for panel in panels if panel not in drawn]


CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_trials=1000, n_networks=3, sizes=(10, 30, 100), scales=(0.1, 0.5, 1.0, 1.5, 2.0)),
    "smoke": Choices(n_trials=20, n_networks=2, sizes=(10, 30), scales=(0.5, 1.5)),
}


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """The selected conditions; one that both panels show is run once.

    Raises RequestError for a period that is not whole timesteps.
    """
    panels: dict[tuple[int, float], str] = {}
    for size in choices.sizes:
        panels[size, choices.g] = "a"
    for scale in choices.scales:
        panels[choices.n_rec, scale] = panels.get((choices.n_rec, scale), "") + "b"
    return [
        periodic.condition(
            "fig2_size",
            periodic.Networks(
                "rflo",
                choices.period_tau,
                rates,
                letters,
                f"rflo N={n_rec} g={g:g}",
                {"n_rec": n_rec, "g": g},
                replace(choices.init, n_rec=n_rec, g=g, readout_scale=choices.readout_scale * g),
            ),
            choices,
            selection,
        )
        for (n_rec, g), letters in panels.items()
        if not selection.panels or set(selection.panels) & set(letters)
        for rates in selection.rates
    ]


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=draw,
    scales=CHOICES,
    schemas=learning_curves.schemas("fig2_size", ("rule", "n_rec", "g", "period_tau", "rates")),
    conditions=conditions,
    tabulate=periodic.tabulate,
    summary=learning_curves.summary,
    claims=CLAIMS,
)
