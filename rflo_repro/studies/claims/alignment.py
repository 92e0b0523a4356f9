"""Figure 2c's control: what becomes of the alignment if the recurrent weights are held still."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.report.claims import above, judged, untestable
from rflo_repro.report.statistics import paired, where
from rflo_repro.runs.claims import Claim, Part, Tables


def needs_both(tables: Tables) -> Sequence[Part]:
    """Final alignment with w_rec trained less that with w_rec frozen, at each period."""
    parts = []
    for period, rows in tables["alignment"].groupby("period_tau"):
        trained, frozen = paired(
            where(rows, {"recurrent": "trained"}).dropna(subset=["final_alignment"]),
            where(rows, {"recurrent": "frozen"}).dropna(subset=["final_alignment"]),
            "final_alignment",
        )
        parts.append(judged(f"{period:g} τ", trained - frozen, above(), unit=""))
    return parts or [untestable("all periods", "the table has no rows")]


CLAIMS = (
    Claim(
        "alignment needs both",
        "Alignment does not come from Wout changing alone, but from W and Wout changing together.",
        "Results, Figure 2c",
        "median over networks of the final alignment with W trained less that with its rate at 0, paired by network",
        "the interval lies above 0",
        needs_both,
    ),
)
