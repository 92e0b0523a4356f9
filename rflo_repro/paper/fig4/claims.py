"""What the paper says with Figure 4."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.report.claims import NOT_LEARNED, above, compared
from rflo_repro.runs.claims import Claim, Part, Tables
from rflo_repro.runs.outcomes import silent_loss
from rflo_repro.runs.statistics import where


def loop_ahead(tables: Tables) -> Sequence[Part]:
    """Each rule on the whole sequence, without the loop, against RFLO with it."""
    final, targets = tables["final"], tables["sequence"][["target_velocity_x", "target_velocity_y"]]
    silent = silent_loss(targets.to_numpy(float)) if len(targets) else 0.0
    return [
        compared(
            f"{name} without the loop",
            where(final, {"rule": rule}),
            where(final, {"rule": "loop"}),
            above(),
            column="sequence_loss",
            bar=NOT_LEARNED * silent,
        )
        for rule, name in (("rflo", "RFLO"), ("bptt", "BPTT"))
    ]


CLAIMS = (
    Claim(
        "the loop beats the whole sequence",
        "At equal numbers of trials, RFLO with the loop beats RFLO and BPTT on the whole sequence without it.",
        "Results, Figure 4c; author response",
        "median over networks of log10(loss on the sequence without / with the loop), paired by network",
        "the interval lies above 0, for each rule; one of the two must be below half of a silent network's loss",
        loop_ahead,
    ),
)
