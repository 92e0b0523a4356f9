"""What the paper says with Figure 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rflo_repro.stats.answers import LEVEL
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import BEHIND, SAME, Measure, Test, above, compared, within
from rflo_repro.stats.statistics import interval, paired, where

# The output is known once a timestep, which is 0.1 tau: an error of 0 counts as one.
TIMESTEP_TAU = 0.1
# Two SD of the pulse: an output that peaks farther off does not answer.
ANSWERS_TAU = 3.0
ERROR = Measure("median_error_tau", TIMESTEP_TAU, ANSWERS_TAU, (f"within {ANSWERS_TAU:g} τ", ANSWERS_TAU))
STATISTIC = (
    "median over networks of log10(error RFLO / error BPTT), paired by network; the error is the median over test "
    "delays of the distance between the output's peak and the target's, at least one timestep. Beside it the median "
    "difference of the errors, in tau; how many have a median error of at most 3 tau"
)


def _part(tables: Tables, longest: int, test: Test) -> Part:
    rows = where(tables["final"], {"longest_tau": longest})
    rflo, bptt = (where(rows, {"rule": rule}) for rule in ("rflo", "bptt"))
    part = compared(f"to {longest} τ", rflo, bptt, test, ERROR)
    if part.interval is None:
        return part
    errors, others = paired(rflo, bptt, "median_error_tau")
    more = interval((errors - others)[np.isfinite(errors - others)], level=LEVEL)
    return replace(part, why=f"farther off by {more.estimate:.2g} ({more.low:.2g}, {more.high:.2g}) τ")


def similar(tables: Tables) -> Sequence[Part]:
    """Both rules with delays up to 15 tau."""
    return [_part(tables, 15, within())]


def falls_behind(tables: Tables) -> Sequence[Part]:
    """Both rules with longer delays."""
    return [_part(tables, longest, above()) for longest in (20, 25)]


CLAIMS = (
    Claim(
        "as good on intervals to 15 tau",
        "Trained and tested with delays up to 15 tau, RFLO matches intervals about as well as BPTT.",
        "Results, Figure 3b and c",
        STATISTIC,
        SAME.replace("losses", "median errors").replace("learned", "come within 3 tau"),
        similar,
        ("final",),
        key="intervals-as-good",
        label="intervals to 15 tau: as good as BPTT",
        over="error of RFLO over BPTT",
    ),
    Claim(
        "behind on longer intervals",
        "With delays up to 20 and 25 tau RFLO falls behind BPTT.",
        "Results, Figure 3b and c",
        STATISTIC,
        BEHIND.replace("loss", "median error").replace("learn", "come within 3 tau"),
        falls_behind,
        ("final",),
        key="intervals-behind",
        label="intervals to 20 and 25 tau: behind BPTT",
        over="error of RFLO over BPTT",
    ),
)
