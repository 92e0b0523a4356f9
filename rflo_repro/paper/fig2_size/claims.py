"""What the paper says with supplement 3 of Figure 2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

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
