"""What supplement 3 runs: RFLO on networks of different size, and of different initial weights."""

from __future__ import annotations

from dataclasses import replace

from rflo_repro.paper import periodic
from rflo_repro.paper.fig2_size import ABOUT
from rflo_repro.paper.fig2_size.choices import Choices
from rflo_repro.paper.fig2_size.claims import CLAIMS
from rflo_repro.paper.fig2_size.plot import draw
from rflo_repro.runs import learning_curves
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.job import Condition
from rflo_repro.runs.request import Selection

CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_trials=1000, n_networks=3, sizes=(10, 30, 100), scales=(0.1, 0.5, 1.0, 1.5, 2.0)),
    "smoke": Choices(n_trials=20, n_networks=2, sizes=(10, 30), scales=(0.5, 1.5)),
}


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """The selected conditions; one that both panels show is run once.

    Raises RequestError for a period that is not whole timesteps.
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
            init=replace(choices.init, n_rec=n_rec, g=g, readout_scale=choices.readout_scale * g),
        )
        for (n_rec, g), letters in panels.items()
        if not selection.panels or set(selection.panels) & set(letters)
        for rates in selection.rates
    ]


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=draw,
    scales=CHOICES,
    schemas=learning_curves.schemas("fig2_size", ("rule", "n_rec", "g", "period_tau", "rates")),
    conditions=conditions,
    tabulate=periodic.tabulate,
    summary=learning_curves.summary,
    claims=CLAIMS,
)
