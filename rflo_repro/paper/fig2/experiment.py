"""What Figure 2 runs: BPTT and RFLO at four periods, and at 80 tau each approximation of RFLO alone."""

from __future__ import annotations

from rflo_repro.learning.rules import resolve
from rflo_repro.paper import periodic
from rflo_repro.paper.choices import PeriodicChoices
from rflo_repro.paper.fig2 import ABLATION_PERIOD_TAU, ABOUT
from rflo_repro.paper.fig2.choices import Choices
from rflo_repro.paper.fig2.claims import CLAIMS
from rflo_repro.paper.periodic import PERIODS_TAU, Networks
from rflo_repro.runs import learning_curves
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Condition
from rflo_repro.runs.request import RequestError, Selection

CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_trials=2000, n_networks=5),
    "smoke": Choices(n_trials=40, n_networks=2),
}


def _panels(rule: str, period_tau: float) -> str:
    """Letters of the panels that can draw this rule at this period."""
    own = {"bptt": "ab", "rflo": "abc", "untrained": "b"}.get(rule, "")
    return own + ("d" if period_tau == ABLATION_PERIOD_TAU and not resolve(rule).untrained else "")


def conditions(choices: PeriodicChoices, selection: Selection) -> list[Condition]:
    """The selected conditions. Raises RequestError if there are none, or for a period that is not whole timesteps."""
    periods_tau = sorted(selection.periods_tau or PERIODS_TAU)
    lines = []
    for period_tau in periods_tau:
        for rule in ABOUT.rules:
            panels = set(_panels(rule, period_tau))
            if period_tau not in (periods_tau[0], periods_tau[-1]):
                panels -= {"a"}
            asked = panels & set(selection.panels) if selection.panels else panels
            if asked and (not selection.rules or rule in selection.rules):
                lines.append((rule, period_tau))
    if not lines:
        said = (
            "panel d, and local and random feedback, are at 80 tau; `rflo-repro fig2-locality` has them at every period"
        )
        raise RequestError(None, f"no part of Figure 2 has this combination of --period, --panel and --rule: {said}")
    return [
        periodic.condition("fig2", Networks(rule, period_tau, rates, _panels(rule, period_tau)), choices, selection)
        for rule, period_tau in lines
        for rates in selection.rates
    ]


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales=CHOICES,
    schemas=learning_curves.schemas("fig2", ("rule", "rates", "period_tau")),
    conditions=conditions,
    tabulate=periodic.tabulate,
    summary=learning_curves.summary,
    claims=CLAIMS,
)
