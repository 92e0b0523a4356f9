"""Figure 2d's two claims, asked at every period. The paper makes them at 80 tau only."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.report.claims import MARGIN, RATIO, above, below, by_period, compared, untestable, within
from rflo_repro.runs.claims import Claim, Part, Tables
from rflo_repro.runs.statistics import where

RFLO, BPTT, LOCAL = {"rule": "rflo"}, {"rule": "bptt"}, {"rule": "local"}


def locality_explains(tables: Tables) -> Sequence[Part]:
    """Where RFLO is behind BPTT: local alone against RFLO."""
    final = tables["final"]
    parts = []
    for period in sorted(final.period_tau.unique()):
        rows, name = where(final, {"period_tau": period}), f"{period:g} τ"
        gap = compared(name, where(rows, RFLO), where(rows, BPTT), above())
        if gap.verdict == "holds":
            parts.append(compared(name, where(rows, LOCAL), where(rows, RFLO), within()))
        else:
            parts.append(untestable(name, "no gap to explain"))
    return parts or [untestable("all periods", "the table has no rows")]


def feedback_is_free(tables: Tables) -> Sequence[Part]:
    """Random feedback without locality against BPTT, at each period."""
    return by_period(tables["final"], {"rule": "random-feedback"}, BPTT, below(MARGIN))


CLAIMS = (
    Claim(
        "locality explains the gap at every period",
        "Wherever RFLO is behind BPTT, the local approximation alone ends where RFLO does.",
        "extends Figure 2d, which has 80 tau only",
        RATIO.format("local", "RFLO"),
        "the interval lies within ±0.5 decades",
        locality_explains,
    ),
    Claim(
        "random feedback costs nothing at any period",
        "Random feedback alone costs nothing significant at any period.",
        "extends Figure 2d, which has 80 tau only",
        RATIO.format("random-feedback", "BPTT"),
        "the interval lies below 0.5 decades",
        feedback_is_free,
    ),
)
