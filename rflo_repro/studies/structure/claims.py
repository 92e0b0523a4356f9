"""What was said of RFLO elsewhere, judged from the study's table by criteria that were set before it was computed."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import RATIO, SAME, compared, within
from rflo_repro.stats.statistics import where


def layers_are_no_better(tables: Tables) -> Sequence[Part]:
    """Two layers against one, by RFLO and by BPTT."""
    final = tables["final"]
    parts = []
    for rule, name in (("rflo", "RFLO"), ("bptt", "BPTT")):
        for period_tau in sorted(final.period_tau.unique()):
            frame = where(final, {"rule": rule, "period_tau": period_tau})
            two, one = (where(frame, {"layers": layers}) for layers in (2, 1))
            parts.append(compared(f"{name}, {period_tau:g} τ", two, one, within()))
    return parts


CLAIMS = (
    Claim(
        "two layers are no better",
        "A network of two layers with as many weights is neither better nor worse on Figure 2's task.",
        "author response (p = 0.85, n = 9, not shown)",
        RATIO.format("of two layers", "of one"),
        SAME,
        layers_are_no_better,
    ),
)
