"""What the paper says with Figure 3."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.report.claims import Claim, Part, Tables, Test, above, compared, within
from rflo_repro.report.statistics import where

# An error below the network's own time constant is none: it counts as one.
RESOLUTION_TAU = 1.0
# Two SD of the pulse: an output that peaks farther off does not answer.
ANSWERS_TAU = 3.0
STATISTIC = (
    "median over networks of log10(error RFLO / error BPTT), paired by network; the error is the median over test "
    "delays of the distance between the output's peak and the target's, at least 1 tau"
)


def _part(tables: Tables, longest: int, test: Test) -> Part:
    rows = where(tables["final"], {"longest_tau": longest})
    return compared(
        f"to {longest} τ",
        where(rows, {"rule": "rflo"}),
        where(rows, {"rule": "bptt"}),
        test,
        column="median_error_tau",
        floor=RESOLUTION_TAU,
        bar=ANSWERS_TAU,
    )


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
        "the interval lies within ±0.5 decades; one of the rules must answer within 3 tau",
        similar,
    ),
    Claim(
        "behind on longer intervals",
        "With delays up to 20 and 25 tau RFLO falls behind BPTT.",
        "Results, Figure 3b and c",
        STATISTIC,
        "the interval lies above 0; one of the rules must answer within 3 tau",
        falls_behind,
    ),
)
