"""What the paper says with Figure 2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rflo_repro.paper.approximations import (
    BPTT,
    EFFECTS_CRITERION,
    EFFECTS_STATISTIC,
    RFLO,
    both_factors,
    locality_explains,
)
from rflo_repro.paper.fig2 import ABLATION_PERIOD_TAU
from rflo_repro.stats import answers
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import (
    BEHIND,
    NO_WORSE,
    RATIO,
    SAME,
    SLOPE,
    above,
    at_most,
    below,
    by_period,
    judged,
    learned,
    slopes,
    untestable,
    within,
)
from rflo_repro.stats.statistics import paired, where

SHORT, LONG = (20.0, 40.0), (80.0, 160.0)


def learns(tables: Tables) -> Sequence[Part]:
    """The share of networks that learned by RFLO, at each period."""
    known = where(tables["final"], RFLO).groupby("period_tau", sort=True)
    return [Part(f"{period:g} τ", answers.learns(learned(rows)), unit="", log=False) for period, rows in known] or [
        untestable("all periods", "the table has no RFLO")
    ]


def comparable(tables: Tables) -> Sequence[Part]:
    """RFLO against BPTT at the shorter periods."""
    return by_period(tables["final"], RFLO, BPTT, within(), SHORT)


def bptt_ahead(tables: Tables) -> Sequence[Part]:
    """RFLO against BPTT at the longer periods."""
    return by_period(tables["final"], RFLO, BPTT, above(), LONG)


def rises(tables: Tables) -> Sequence[Part]:
    """Final alignment of RFLO less that of the same networks untrained, at each period."""
    final = tables["final"]
    parts = []
    for period in sorted(where(final, RFLO).period_tau.unique()):
        rows = where(final, {"period_tau": period})
        end, start = paired(where(rows, RFLO), where(rows, {"rule": "untrained"}), "final_alignment")
        rise = end - start
        parts.append(judged(f"{period:g} τ", rise[np.isfinite(rise)], above(), unit=""))
    return parts or [untestable("all periods", "the table has no RFLO")]


def more_when_shorter(tables: Tables) -> Sequence[Part]:
    """Slope of RFLO's final alignment on the period, of the networks that were trained at every period."""
    final = where(tables["final"], RFLO)
    periods = final.groupby("network").period_tau.transform("nunique")
    final = final[periods == periods.max()]
    found = slopes(final, "period_tau", "final_alignment", log_x=True)
    return [judged("all periods", found, below(), unit="per decade of the period")]


def locality(tables: Tables) -> Sequence[Part]:
    """What local costs, at the paper's period."""
    return locality_explains(tables, (ABLATION_PERIOD_TAU,))


def feedback_is_free(tables: Tables) -> Sequence[Part]:
    """Random feedback against BPTT."""
    return by_period(tables["final"], {"rule": "random-feedback"}, BPTT, at_most(), (ABLATION_PERIOD_TAU,))


def approximations(tables: Tables) -> Sequence[Part]:
    """Both of RFLO's approximations as two factors, at the paper's period."""
    return both_factors(tables, (ABLATION_PERIOD_TAU,))


CLAIMS = (
    Claim(
        "RFLO learns",
        "RFLO learns the task by local updates.",
        "Results, Figure 2a and b",
        "how many networks learned: the final loss is at most a tenth of what an output of zero has",
        "the exact 99% interval of the share that learns lies above a half; no: below",
        learns,
        ("final",),
        key="rflo-learns",
        label="RFLO learns",
        over="the share that learned",
        varied=False,
    ),
    Claim(
        "comparable at short periods",
        "At 20 and 40 tau RFLO ends about as low as BPTT.",
        "Results, Figure 2a and b",
        RATIO.format("RFLO", "BPTT"),
        SAME,
        comparable,
        ("final",),
        key="as-low-as-bptt",
        label="RFLO ends about as low as BPTT (20, 40 tau)",
        over="RFLO over BPTT",
    ),
    Claim(
        "BPTT ahead at long periods",
        "With very many timesteps, at 80 and 160 tau, BPTT ends lower than RFLO.",
        "Results, Figure 2a and b",
        RATIO.format("RFLO", "BPTT"),
        BEHIND,
        bptt_ahead,
        ("final",),
        key="bptt-ahead",
        label="BPTT ends lower (80, 160 tau)",
        over="RFLO over BPTT",
    ),
    Claim(
        "alignment rises",
        "While RFLO trains, Wout aligns with B.",
        "Results, Figure 2c",
        "median over networks of the final alignment less that of the same network untrained",
        "the 99% interval lies above 0",
        rises,
        ("final",),
        key="alignment-rises",
        label="Wout aligns with B",
        over="cosine, trained less untrained",
    ),
    Claim(
        "more alignment at shorter periods",
        "The shorter the period, the more Wout aligns with B.",
        "Figure 2c",
        f"median over networks of the {SLOPE} of the final alignment on log10(period)",
        "the 99% interval lies below 0",
        more_when_shorter,
        ("final",),
        key="more-alignment-at-shorter-periods",
        label="Wout aligns more at shorter periods",
        over="cosine for ten times the period",
        named={"all periods": "all"},
    ),
    Claim(
        "locality explains the gap",
        "At 80 tau local (RFLO with symmetric feedback) accounts for RFLO's gap to BPTT.",
        "Results, Figure 2d",
        RATIO.format("local", "BPTT or RFLO"),
        f"behind BPTT: {BEHIND}; as RFLO: {SAME}",
        locality,
        ("final",),
        key="local-explains-the-gap",
        label="local explains the gap (80 tau)",
        over="at 80 tau: local over BPTT, over RFLO",
        borrowed=True,
    ),
    Claim(
        "random feedback costs nothing",
        "At 80 tau random feedback (BPTT with random feedback) costs nothing significant.",
        "Results, Figure 2d",
        RATIO.format("random-feedback", "BPTT"),
        NO_WORSE,
        feedback_is_free,
        ("final",),
        key="random-feedback-is-free",
        label="random feedback is free (80 tau)",
        over="random feedback over BPTT",
        borrowed=True,
    ),
    Claim(
        "locality costs, feedback does not, and they add up",
        "At 80 tau, of RFLO's two approximations as two factors, locality costs and random feedback does not, and both "
        "together cost the sum of each alone.",
        "Results, Figure 2d, as a 2 × 2 design",
        EFFECTS_STATISTIC,
        EFFECTS_CRITERION,
        approximations,
        ("final",),
    ),
)
