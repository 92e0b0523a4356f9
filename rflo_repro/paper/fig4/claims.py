"""What the paper says with Figure 4."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.report.claims import Claim, Part, Tables, above, compared
from rflo_repro.report.statistics import where


def loop_ahead(tables: Tables) -> Sequence[Part]:
    """Each rule on the whole sequence, without the loop, against RFLO with it."""
    final = tables["final"]
    return [
        compared(
            f"{name} without the loop",
            where(final, {"rule": rule}),
            where(final, {"rule": "loop"}),
            above(),
            column="sequence_loss",
        )
        for rule, name in (("rflo", "RFLO"), ("bptt", "BPTT"))
    ]


CLAIMS = (
    Claim(
        "the loop beats the whole sequence",
        "At equal numbers of trials, RFLO with the loop beats RFLO and BPTT on the whole sequence without it.",
        "Results, Figure 4c; author response",
        "median over networks of log10(loss on the sequence without / with the loop), paired by network",
        "the interval lies above 0, for each rule",
        loop_ahead,
    ),
)
