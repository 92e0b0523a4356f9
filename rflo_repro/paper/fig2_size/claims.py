"""What the paper says with supplement 3 of Figure 2."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rflo_repro.report.claims import below, judged, slopes
from rflo_repro.runs.claims import Claim, Part, Tables
from rflo_repro.runs.outcomes import bounded

G_OF_THE_OTHER_FIGURES = 1.5
RUNAWAYS = "; one that ran away or diverged counts as ten times its first loss (added after losses of 1e57 were seen)"


def larger_networks_help(tables: Tables) -> Sequence[Part]:
    """Slope of the loss on the size."""
    rows = tables["final"]
    rows = rows[rows.panel.str.contains("a")]
    return [_part(rows, "n_rec", f"N = {rows.n_rec.min()} to {rows.n_rec.max()}", "decades per decade of N", True)]


def larger_weights_help(tables: Tables) -> Sequence[Part]:
    """Slope of the loss on g: up to where the other figures are, and over all."""
    rows = tables["final"]
    rows = rows[rows.panel.str.contains("b")]
    return [
        _part(part, "g", f"g = {part.g.min():g} to {part.g.max():g}", "decades per unit of g", False)
        for part in (rows[rows.g <= G_OF_THE_OTHER_FIGURES], rows)
    ]


def _part(rows: pd.DataFrame, column: str, what: str, unit: str, log_x: bool) -> Part:
    rows = rows.assign(final_loss=bounded(rows))
    return judged(what, slopes(rows, column, "final_loss", log_x=log_x, log_y=True), below(), unit)


CLAIMS = (
    Claim(
        "larger networks help",
        "The more units, the lower the loss that RFLO reaches.",
        "Results; Figure 2, supplement 3a",
        "median over networks of the slope of log10(final loss) on log10(N), by least squares" + RUNAWAYS,
        "the interval lies below 0",
        larger_networks_help,
    ),
    Claim(
        "larger initial weights help",
        "The larger the initial recurrent weights, the lower the loss that RFLO reaches.",
        "Results; Figure 2, supplement 3b",
        "median over networks of the slope of log10(final loss) on g, by least squares" + RUNAWAYS,
        "the interval lies below 0, up to the g of the other figures and over all",
        larger_weights_help,
    ),
)
