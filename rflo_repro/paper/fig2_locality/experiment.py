"""What the locality figure runs: the four rules of Figure 2d at every period."""

from __future__ import annotations

from rflo_repro.paper import periodic
from rflo_repro.paper.choices import SupplementChoices
from rflo_repro.paper.fig2_locality import FIGURE
from rflo_repro.paper.periodic import CHOICES, PERIODS_TAU, tabulate
from rflo_repro.paper.selection import Selection
from rflo_repro.runs import learning_curves
from rflo_repro.runs.learning_curves import summary
from rflo_repro.runs.realisation import Condition

__all__ = ["CHOICES", "SCHEMAS", "conditions", "summary", "tabulate"]

SCHEMAS = learning_curves.schemas("fig2_locality", ("rule", "rates", "period_tau"))


def conditions(choices: SupplementChoices, selection: Selection) -> list[Condition]:
    """The selected conditions. Raises Refused for a period that is not whole timesteps."""
    return [
        periodic.condition("fig2_locality", "ab", choices, selection, rates, rule, period)
        for period in sorted(selection.periods or PERIODS_TAU)
        for rule in selection.rules or FIGURE.rules
        for rates in selection.rates
    ]
