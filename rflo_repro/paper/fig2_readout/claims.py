"""What the paper says with supplement 2 of Figure 2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rflo_repro.report.claims import NOT_LEARNED, above, by_period, judged, ranked, untestable
from rflo_repro.runs.claims import Claim, Part, Tables
from rflo_repro.runs.statistics import log_ratio, where


def both_beat_readout(tables: Tables) -> Sequence[Part]:
    """Readout only against both, at each period."""
    alone, both = {"rule": "readout-only"}, {"rule": "rflo"}
    return by_period(tables["final"], alone, both, above(), curves=tables.get("curves"))


def recurrent_fails(tables: Tables) -> Sequence[Part]:
    """Final against first loss with only the recurrent weights trained, at each period."""
    final = where(tables["final"], {"rule": "recurrent-only"})
    parts = [
        judged(
            f"{period:g} τ",
            log_ratio(*ranked(rows, "final_loss")[["final_loss", "first_loss"]].to_numpy().T),
            above(float(np.log10(NOT_LEARNED))),
        )
        for period, rows in final.groupby("period_tau")
    ]
    return parts or [untestable("all periods", "the table has no such rows")]


CLAIMS = (
    Claim(
        "both beat readout only",
        "Training the recurrent and the readout weights is clearly better than training the readout only.",
        "Results; Figure 2, supplement 2",
        "median over networks of log10(final loss readout only / final loss both), paired by network",
        "the interval lies above 0",
        both_beat_readout,
        ("final", "curves"),
    ),
    Claim(
        "recurrent only fails",
        "Training only the recurrent weights fails completely, for then Wout cannot align with B.",
        "Results; Figure 2, supplement 2",
        "median over networks of log10(final loss / first loss)",
        "the interval lies above log10(1/2): the loss does not fall to half",
        recurrent_fails,
        ("final",),
    ),
)
