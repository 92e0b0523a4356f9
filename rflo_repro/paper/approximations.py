"""RFLO's two approximations, each alone and both together: what Figure 2d asks."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.report.claims import above, compared, set_aside, untestable, within
from rflo_repro.runs.claims import Part, Tables
from rflo_repro.runs.statistics import where

RFLO, BPTT, LOCAL, RANDOM = ({"rule": rule} for rule in ("rflo", "bptt", "local", "random-feedback"))


def locality_explains(tables: Tables, periods_tau: Sequence[float]) -> list[Part]:
    """Where RFLO is behind BPTT: the local approximation alone against either, two parts a period."""
    parts = []
    for period_tau in periods_tau:
        rows = where(tables["final"], {"period_tau": period_tau})
        bptt, rflo, local = (where(rows, rule) for rule in (BPTT, RFLO, LOCAL))
        gap = compared("", rflo, bptt, above())
        own = [
            compared(f"{period_tau:g} τ, behind BPTT", local, bptt, above()),
            compared(f"{period_tau:g} τ, as RFLO", local, rflo, within()),
        ]
        if gap.verdict != "holds":
            why = f"no gap to explain (RFLO behind BPTT: {gap.verdict})"
            own = [set_aside(part, why) for part in own]
        parts += own
    return parts or [untestable("all periods", "the table has no rows")]
