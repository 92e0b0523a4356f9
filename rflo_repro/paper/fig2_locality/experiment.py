"""What the locality figure runs, the four rules of Figure 2d at every period, and its claims.

The paper makes them at 80 tau only.
"""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.paper.approximations import (
    BPTT,
    EFFECTS_CRITERION,
    EFFECTS_STATISTIC,
    RANDOM,
    both_factors,
    locality_explains,
)
from rflo_repro.paper.fig2_locality import ABOUT
from rflo_repro.paper.periodic import Kind, compared
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import BEHIND, NO_WORSE, RATIO, SAME, at_most, by_period

# The paper asks it at 80 tau
ELSEWHERE_TAU = (20, 40, 160)


def locality(tables: Tables) -> Sequence[Part]:
    """What local costs, at each period."""
    return locality_explains(tables, sorted(tables["final"].period_tau.unique()))


def feedback_is_free(tables: Tables) -> Sequence[Part]:
    """Random feedback against BPTT, at each period."""
    return by_period(tables["final"], RANDOM, BPTT, at_most())


def both_approximations(tables: Tables) -> Sequence[Part]:
    """Both of RFLO's approximations as two factors, at each period."""
    return both_factors(tables, sorted(tables["final"].period_tau.unique()))


CLAIMS = (
    Claim(
        "locality explains the gap at every period",
        "Wherever RFLO is behind BPTT, so is local (RFLO with symmetric feedback), which ends where RFLO does.",
        "ours: extends Figure 2d, which has 80 tau only",
        RATIO.format("local", "BPTT or RFLO"),
        f"behind BPTT: {BEHIND}; as RFLO: {SAME}",
        locality,
        ("final",),
        key="local-is-behind",
        label="local is behind BPTT",
        over="local over BPTT",
        borrowed=True,
        ours=True,
        named={f"{period} τ, behind BPTT": f"{period} tau" for period in ELSEWHERE_TAU},
    ),
    Claim(
        "random feedback costs nothing at any period",
        "Random feedback (BPTT with random feedback) costs nothing significant at any period.",
        "ours: extends Figure 2d, which has 80 tau only",
        RATIO.format("random-feedback", "BPTT"),
        NO_WORSE,
        feedback_is_free,
        ("final",),
        key="random-feedback-is-free-elsewhere",
        label="random feedback is free",
        over="random feedback over BPTT",
        borrowed=True,
        ours=True,
        named={f"{period} τ": f"{period} tau" for period in ELSEWHERE_TAU},
    ),
    Claim(
        "locality costs, feedback does not, and they add up at every period",
        "At every period, of RFLO's two approximations as two factors, locality costs and random feedback does not, "
        "and both together cost the sum of each alone.",
        "ours: extends Figure 2d, which has 80 tau only, as a 2 × 2 design",
        EFFECTS_STATISTIC,
        EFFECTS_CRITERION,
        both_approximations,
        ("final",),
    ),
)


KINDS = tuple(Kind(rule) for rule in ABOUT.rules)
EXPERIMENT = compared(ABOUT, KINDS, ("rule", "rates", "period_tau"), CLAIMS, ends_only=False)
