"""What supplement 3 runs: RFLO on networks of different size, and of different initial weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rflo_repro.paper import periodic
from rflo_repro.paper.choices import check, each, number, positive, whole
from rflo_repro.paper.periodic import tabulate
from rflo_repro.paper.selection import Selection
from rflo_repro.runs import learning_curves
from rflo_repro.runs.learning_curves import summary
from rflo_repro.runs.realisation import Condition

__all__ = ["CHOICES", "SCHEMAS", "conditions", "summary", "tabulate"]

SCHEMAS = learning_curves.schemas("fig2_size", ("rule", "n_rec", "g", "period_tau", "rates"))


@dataclass(frozen=True)
class Choices(periodic.Choices):
    """The periodic task's choices, and the grid (`grids-of-supplement-3`).

    period_tau: the period learned. sizes: N in panel a, at `g`. scales: g in panel b, at `n_rec`.
    """

    period_tau: float = 20.0
    sizes: tuple[int, ...] = (10, 20, 30, 50, 100, 200)
    scales: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5)

    def __post_init__(self) -> None:
        check(self, period_tau=positive, sizes=each(whole(1)), scales=each(number(0.0)))
        try:
            periodic.timesteps(self.period_tau, self.tau)
        except ValueError as error:
            raise ValueError(f"period_tau: {error}") from None


CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_trials=1000, n_networks=3, sizes=(10, 30, 100), scales=(0.1, 0.5, 1.0, 1.5, 2.0)),
    "smoke": Choices(n_trials=20, n_networks=2, sizes=(10, 30), scales=(0.5, 1.5)),
}


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """The selected conditions; one that both panels show is run once.

    Raises Refused for a period that is not whole timesteps.
    """
    panels: dict[tuple[int, float], str] = {}
    for size in choices.sizes:
        panels[size, choices.g] = "a"
    for scale in choices.scales:
        panels[choices.n_rec, scale] = panels.get((choices.n_rec, scale), "") + "b"
    return [
        periodic.condition(
            "fig2_size",
            letters,
            choices,
            selection,
            rates,
            "rflo",
            choices.period_tau,
            label=f"rflo N={n_rec} g={g:g}",
            values={"n_rec": n_rec, "g": g},
            recipe=replace(choices.recipe, n_rec=n_rec, g=g, readout_scale=g),
        )
        for (n_rec, g), letters in panels.items()
        if not selection.panels or set(selection.panels) & set(letters)
        for rates in selection.rates
    ]
