"""What the locality figure runs: the four rules of Figure 2d at every period."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from rflo_repro.learning.validate import Array
from rflo_repro.paper import approximations
from rflo_repro.paper.fig2_locality import ABOUT
from rflo_repro.paper.fig2_locality.claims import CLAIMS
from rflo_repro.paper.periodic import Kind, Panel, compared
from rflo_repro.report import style
from rflo_repro.runs.sample import PART
from rflo_repro.stats.answers import MARGIN
from rflo_repro.stats.claims import Tables

COLOURS = {"locality": "local", "random feedback": "random-feedback", "interaction": "interaction"}
HIGHEST = 4.0


def effects(tables: Tables, axes: Axes) -> None:
    """Main effects of the two approximations and their interaction, at each period: a dot a network, and the median
    with its interval, of the larger sample where there is one."""
    periods = sorted(tables["final"].period_tau.unique())

    def found(table: pd.DataFrame) -> dict[str, dict[float, Array]]:
        of = {period: approximations.effects(table[table.period_tau == period]) for period in periods}
        return {
            name: {period: values[name] for period, values in of.items() if len(values[name])}
            for name in approximations.EFFECTS
        }

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
