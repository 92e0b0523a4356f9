"""What supplement 1 runs: RFLO with and without Dale's law, at every period."""

from __future__ import annotations

from dataclasses import replace

from rflo_repro.paper import periodic
from rflo_repro.paper.choices import SupplementChoices
from rflo_repro.paper.periodic import CHOICES, tabulate
from rflo_repro.paper.selection import Selection
from rflo_repro.runs import learning_curves
from rflo_repro.runs.learning_curves import summary
from rflo_repro.runs.realisation import Condition

__all__ = ["CHOICES", "SCHEMAS", "conditions", "summary", "tabulate"]

SCHEMAS = learning_curves.schemas("fig2_dale", ("rule", "dale", "period_tau", "rates"))


def conditions(choices: SupplementChoices, selection: Selection) -> list[Condition]:
    """The selected conditions; panel a alone needs the shortest and the longest period.

    Raises Refused for a period that is not whole timesteps.
    """
    return [
        periodic.condition(
            "fig2_dale",
            "ab",
            choices,
            selection,
            rates,
            "rflo",
            period,
            label="rflo, Dale's law" if dale else "rflo",
            values={"dale": dale},
            recipe=replace(choices.recipe, dale=dale),
        )
        for period in periodic.periods(selection, ends_alone="a")
        for dale in (False, True)
        for rates in selection.rates
    ]
