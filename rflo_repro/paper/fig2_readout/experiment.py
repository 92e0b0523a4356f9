"""What supplement 2 runs: RFLO on all weights, on the readout only, on the recurrent weights only."""

from __future__ import annotations

from dataclasses import replace

from rflo_repro.paper import periodic
from rflo_repro.paper.choices import SupplementChoices
from rflo_repro.paper.fig2_readout import FIGURE
from rflo_repro.paper.periodic import CHOICES, tabulate
from rflo_repro.paper.selection import Selection
from rflo_repro.runs import learning_curves
from rflo_repro.runs.learning_curves import summary
from rflo_repro.runs.realisation import Condition

__all__ = ["CHOICES", "SCHEMAS", "conditions", "summary", "tabulate"]

SCHEMAS = learning_curves.schemas("fig2_readout", ("rule", "period_tau", "rates"))


def conditions(choices: SupplementChoices, selection: Selection) -> list[Condition]:
    """The selected conditions; panel a alone needs the shortest and the longest period.

    Only where the readout alone is trained is it fed back (assumption `readout-feedback`).
    Raises Refused for a period that is not whole timesteps.
    """
    return [
        periodic.condition(
            "fig2_readout",
            "ab",
            choices,
            selection,
            rates,
            rule,
            period,
            recipe=replace(choices.recipe, output_feedback=rule == "readout-only"),
        )
        for period in periodic.periods(selection, ends_alone="a")
        for rule in selection.rules or FIGURE.rules
        for rates in selection.rates
    ]
