"""What the locality figure runs, the four rules of Figure 2d at every period, and its claims.

The paper makes them at 80 tau only.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.learning.validate import Array
from rflo_repro.paper.approximations import (
    BPTT,
    EFFECTS,
    EFFECTS_CRITERION,
    EFFECTS_STATISTIC,
    RANDOM,
    both_factors,
    locality_explains,
)
from rflo_repro.paper.approximations import effects as effects_of
from rflo_repro.paper.fig2_locality import ABOUT
from rflo_repro.paper.periodic import Kind, Panel, compared
from rflo_repro.report import style
from rflo_repro.runs.sample import PART
from rflo_repro.stats.answers import MARGIN
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import BEHIND, NO_WORSE, RATIO, SAME, at_most, by_period

# The paper asks it at 80 tau
ELSEWHERE_TAU = (20, 40, 160)


def locality(tables: Tables) -> Sequence[Part]:
    """What the local approximation alone costs, at each period."""
    return locality_explains(tables, sorted(tables["final"].period_tau.unique()))


def feedback_is_free(tables: Tables) -> Sequence[Part]:
    """Random feedback without locality against BPTT, at each period."""
    return by_period(tables["final"], RANDOM, BPTT, at_most())


def both_approximations(tables: Tables) -> Sequence[Part]:
    """Both of RFLO's approximations as two factors, at each period."""
    return both_factors(tables, sorted(tables["final"].period_tau.unique()))


CLAIMS = (
    Claim(
        "locality explains the gap at every period",
        "Wherever RFLO is behind BPTT, so is the local approximation alone, which ends where RFLO does.",
        "ours: extends Figure 2d, which has 80 tau only",
        RATIO.format("local", "BPTT or RFLO"),
        f"behind BPTT: {BEHIND}; as RFLO: {SAME}",
        locality,
        ("final",),
        key="local-is-behind",
        label="local alone is behind BPTT",
        over="local over BPTT",
        borrowed=True,
        ours=True,
        named={f"{period} τ, behind BPTT": f"{period} tau" for period in ELSEWHERE_TAU},
    ),
    Claim(
        "random feedback costs nothing at any period",
        "Random feedback alone costs nothing significant at any period.",
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


COLOURS = {"locality": "local", "random feedback": "random-feedback", "interaction": "interaction"}
HIGHEST = 4.0


def effects(tables: Tables, axes: Axes) -> None:
    """Main effects of the two approximations and their interaction, at each period: a dot a network, and the median
    with its interval, of the larger sample where there is one."""
    periods = sorted(tables["final"].period_tau.unique())

    def found(table: pd.DataFrame) -> dict[str, dict[float, Array]]:
        of = {period: effects_of(table[table.period_tau == period]) for period in periods}
        return {name: {period: values[name] for period, values in of.items() if len(values[name])} for name in EFFECTS}

    own, judged = found(tables["final"]), found(tables.get(PART, tables["final"]))
    axes.axhspan(-MARGIN, MARGIN, color="#EEEEEE", zorder=0)
    axes.axhline(0.0, color="#888888", linewidth=0.8, zorder=0)
    for i, (name, colour) in enumerate(COLOURS.items()):
        dots = pd.DataFrame(
            [(period, value) for period, values in own[name].items() for value in values], columns=["period_tau", "of"]
        )
        shift = 9.0 * (i - 1)
        style.networks(axes, dots, "period_tau", "of", style.colour(colour), shift)
        if judged[name]:
            style.medians(axes, judged[name], style.colour(colour), shift + 3.0, label=name)
    axes.set_ylim(-HIGHEST, HIGHEST)
    style.period_axis(axes, periods)
    axes.set_xlim(periods[0] / 1.4, periods[-1] * 1.4)
    axes.set_ylabel("effect on the loss  (decades)")
    if any(judged.values()):
        axes.legend(loc="upper right")


KINDS = tuple(Kind(rule, style.name(rule)) for rule in ABOUT.rules)
EXPERIMENT = compared(ABOUT, KINDS, ("rule", "rates", "period_tau"), CLAIMS, False, {"c": Panel(ABOUT.rules, effects)})
