"""What the paper says with Figure 2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rflo_repro.paper.fig2 import ABLATION_PERIOD_TAU
from rflo_repro.report.claims import (
    MARGIN,
    RATIO,
    above,
    below,
    by_period,
    compared,
    judged,
    slopes,
    untestable,
    within,
)
from rflo_repro.runs.claims import Claim, Part, Tables
from rflo_repro.runs.statistics import paired, where

SHORT, LONG = (20.0, 40.0), (80.0, 160.0)
RFLO, BPTT = {"rule": "rflo"}, {"rule": "bptt"}


def comparable(tables: Tables) -> Sequence[Part]:
    """RFLO against BPTT at the shorter periods."""
    return by_period(tables["final"], RFLO, BPTT, within(), SHORT)


def bptt_ahead(tables: Tables) -> Sequence[Part]:
    """RFLO against BPTT at the longer periods."""
    return by_period(tables["final"], RFLO, BPTT, above(), LONG)


def rises(tables: Tables) -> Sequence[Part]:
    """Final less first alignment of RFLO, at each period."""
    curves, final = where(tables["curves"], RFLO), where(tables["final"], RFLO)
    parts = []
    for period in sorted(final.period_tau.unique()):
        first = where(curves, {"period_tau": period, "trial": 1}).rename(columns={"alignment": "final_alignment"})
        end, start = paired(where(final, {"period_tau": period}), first, "final_alignment")
        rise = end - start
        parts.append(judged(f"{period:g} τ", rise[np.isfinite(rise)], above(), unit=""))
    return parts or [untestable("all periods", "the table has no RFLO")]


def more_when_shorter(tables: Tables) -> Sequence[Part]:
    """Slope of RFLO's final alignment on the period."""
    final = where(tables["final"], RFLO)
    found = slopes(final, "period_tau", "final_alignment", log_x=True)
    return [judged("all periods", found, below(), unit="per decade of the period")]


def locality_explains(tables: Tables) -> Sequence[Part]:
    """The gap, and how much of it the local approximation alone has."""
    final = where(tables["final"], {"period_tau": ABLATION_PERIOD_TAU})
    gap = compared("RFLO behind BPTT", where(final, RFLO), where(final, BPTT), above())
    if gap.verdict != "holds":
        return [untestable("80 τ", f"no gap to explain (RFLO behind BPTT: {gap.verdict})")]
    local = where(final, {"rule": "local"})
    return [
        compared("local alone behind BPTT", local, where(final, BPTT), above()),
        compared("local alone as RFLO", local, where(final, RFLO), within()),
    ]


def feedback_is_free(tables: Tables) -> Sequence[Part]:
    """Random feedback without locality against BPTT."""
    return by_period(tables["final"], {"rule": "random-feedback"}, BPTT, below(MARGIN), (ABLATION_PERIOD_TAU,))


CLAIMS = (
    Claim(
        "comparable at short periods",
        "At 20 and 40 tau RFLO ends about as low as BPTT.",
        "Results, Figure 2a and b",
        RATIO.format("RFLO", "BPTT"),
        "the interval lies within ±0.5 decades",
        comparable,
    ),
    Claim(
        "BPTT ahead at long periods",
        "With very many timesteps, at 80 and 160 tau, BPTT ends lower than RFLO.",
        "Results, Figure 2a and b",
        RATIO.format("RFLO", "BPTT"),
        "the interval lies above 0",
        bptt_ahead,
    ),
    Claim(
        "alignment rises",
        "While RFLO trains, Wout aligns with B.",
        "Results, Figure 2c",
        "median over networks of the final less the first alignment",
        "the interval lies above 0",
        rises,
    ),
    Claim(
        "more alignment at shorter periods",
        "The shorter the period, the more Wout aligns with B.",
        "Figure 2c",
        "median over networks of the slope of the final alignment on log10(period)",
        "the interval lies below 0",
        more_when_shorter,
    ),
    Claim(
        "locality explains the gap",
        "At 80 tau the local approximation alone, with symmetric feedback, accounts for RFLO's gap to BPTT.",
        "Results, Figure 2d",
        RATIO.format("local", "BPTT or RFLO"),
        "above 0 against BPTT, and within ±0.5 decades of RFLO; there must be a gap to explain",
        locality_explains,
    ),
    Claim(
        "random feedback costs nothing",
        "At 80 tau random feedback alone, without the local approximation, costs nothing significant.",
        "Results, Figure 2d",
        RATIO.format("random-feedback", "BPTT"),
        "the interval lies below 0.5 decades",
        feedback_is_free,
    ),
)
