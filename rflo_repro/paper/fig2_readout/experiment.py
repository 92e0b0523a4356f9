"""What supplement 2 runs, RFLO on all weights or on some of them, and what the paper says of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rflo_repro.paper.fig2_readout import ABOUT
from rflo_repro.paper.periodic import Kind, compared
from rflo_repro.stats import answers
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import BEHIND, NOT_LEARNED, above, by_period, judged, learned, ranked, untestable
from rflo_repro.stats.statistics import log_ratio, where


def both_beat_readout(tables: Tables) -> Sequence[Part]:
    """Readout only against both, at each period."""
    alone, both = {"rule": "readout-only"}, {"rule": "rflo"}
    return by_period(tables["final"], alone, both, above())


def recurrent_fails(tables: Tables) -> Sequence[Part]:
    """Final against first loss with only the recurrent weights trained, and how many learned against training both, at
    each period."""
    known = tables["final"].groupby("period_tau")
    return [_fails(f"{period:g} τ", rows) for period, rows in known] or [
        untestable("all periods", "the table has no such rows")
    ]


def _fails(what: str, rows: pd.DataFrame) -> Part:
    alone, both = (where(rows, {"rule": rule}) for rule in ("recurrent-only", "rflo"))
    falls = log_ratio(*ranked(alone, "final_loss")[["final_loss", "first_loss"]].to_numpy().T)
    answered = None
    if len(alone) == len(both) == len(falls) and "outcome" in rows:
        answered = answers.fails(falls, learned(alone), learned(both))
    return judged(what, falls, above(float(np.log10(NOT_LEARNED))), answered=answered)


CLAIMS = (
    Claim(
        "both beat readout only",
        "Training the recurrent and the readout weights is clearly better than training the readout only.",
        "Results; Figure 2, supplement 2",
        "median over networks of log10(final loss readout only / final loss both), paired by network; how many learned",
        BEHIND,
        both_beat_readout,
        ("final",),
        key="both-beat-readout",
        label="training both beats the readout alone",
        over="readout alone over both",
    ),
    Claim(
        "recurrent only fails",
        "Training only the recurrent weights fails completely, for then Wout cannot align with B.",
        "Results; Figure 2, supplement 2",
        "median over networks of log10(final loss / first loss); how many learned by it and by training both",
        "with 99% confidence the loss does not fall to half, and fewer networks learn than by training both",
        recurrent_fails,
        ("final",),
        key="recurrent-alone-fails",
        label="recurrent weights alone fail",
        over="end over start; learned: alone, both",
        borrowed=True,
    ),
)


KINDS = (
    Kind("rflo", "both"),
    # only where the readout alone is trained is it fed back (assumption `readout-feedback`)
    Kind("readout-only", "readout only, fed back", output_feedback=True),
    Kind("recurrent-only", "recurrent only"),
)
EXPERIMENT = compared(ABOUT, KINDS, ("rule", "period_tau", "rates"), CLAIMS)
