"""What the paper says with Figure 4."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.runs.outcomes import LEARNED
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import BEHIND, Measure, above, compared
from rflo_repro.stats.statistics import where


def loop_ahead(tables: Tables) -> Sequence[Part]:
    """Each rule on the whole sequence, without the loop, against RFLO with it."""
    final = tables["final"]
    loop = where(final, {"rule": "loop"})
    parts = []
    for rule, name in (("rflo", "RFLO"), ("bptt", "BPTT")):
        whole = where(final, {"rule": rule})
        learned = LEARNED * float(whole.first_loss.median())
        by = Measure("sequence_loss", good=("learned", learned))
        parts.append(compared(f"{name} without the loop", whole, loop, above(), by))
    return parts


CLAIMS = (
    Claim(
        "the loop beats the whole sequence",
        "At equal numbers of trials, RFLO with the loop beats RFLO and BPTT on the whole sequence without it.",
        "Results, Figure 4c; author response",
        "median over networks of log10(loss on the sequence without / with the loop), paired by network; how many "
        "reach a tenth of the untrained loss",
        f"{BEHIND}, for each rule",
        loop_ahead,
        ("final",),
        key="loop-beats-whole",
        label="the loop beats training the whole",
        over="whole over loop",
        named={"RFLO without the loop": "RFLO", "BPTT without the loop": "BPTT"},
    ),
)
