"""What is run: RFLO, BPTT and the two rules between them on ten periods, at three kinds of learning rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.paper import periodic
from rflo_repro.paper.choices import VARIANTS, PeriodicChoices
from rflo_repro.paper.rates import learning_rate
from rflo_repro.runs.choices import vary
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Condition, Results, by_network
from rflo_repro.runs.learning_curves import FINAL, condition_columns, how_it_went, summary
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.periods import ABOUT
from rflo_repro.studies.periods.choices import Choices

# The figure whose tuned rates are used: it has all four rules at every printed period
TUNED_FOR = "fig2_locality"
CLIPPED = "clipped"
DIGITS = 3

RATES = Column(
    "rates", "text", "", "printed: the paper's, of the nearest printed period; tuned; clipped: printed, updates clipped"
)
(RULE, PERIOD, N_REC, ETA) = condition_columns("rule", "period_tau", "n_rec", "eta")
SCHEMA = Schema(
    "periods_final",
    "one trained network",
    (RULE, RATES, PERIOD, N_REC, ETA, *FINAL),
    ("rule", "rates", "period_tau", "n_rec"),
)


def tuned(rule: str, period_tau: float) -> float:
    """The tuned learning rate of a rule; between the paper's periods, log rate is interpolated linearly in log
    period, outside of them that of the nearest (assumption `rates-of-the-periods`).
    Raises RequestError if none is known."""
    known = {
        at: learning_rate(Selection(), TUNED_FOR, "tuned", {"rule": rule, "period_tau": at}, lambda: ("", math.nan))[1]
        for at in periodic.PERIODS_TAU
    }
    inside = min(max(period_tau, min(known)), max(known))
    if inside in known:
        return known[inside]
    shorter, longer = max(at for at in known if at < inside), min(at for at in known if at > inside)
    low, here, high, eta_low, eta_high = (
        float(exact_math.log(value)) for value in (shorter, inside, longer, known[shorter], known[longer])
    )
    eta = exact_math.exp(eta_low + (eta_high - eta_low) * (here - low) / (high - low))
    return float(f"{float(eta):.{DIGITS}g}")


def rate(rates: str, rule: str, period_tau: float) -> float:
    """The learning rate of a kind (`printed`, `tuned`, `clipped`) for a rule at a period."""
    return tuned(rule, period_tau) if rates == "tuned" else periodic.rate(rule, period_tau)[1]


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """Every rule at every period, size and kind of rates that is selected. Raises RequestError for a period that is not
    whole timesteps, and for one rate in place of several kinds."""
    if selection.eta is not None and len(selection.rates) > 1:
        raise RequestError("eta", f"one rate goes with one kind of --rates, got {' '.join(selection.rates)}")
    return [
        _condition(choices, selection, rates, rule, period_tau, n_rec)
        for n_rec, period_tau, rule, rates in product(
            choices.sizes,
            sorted(selection.periods_tau or choices.periods_tau),
            selection.rules or ABOUT.rules,
            selection.rates,
        )
    ]


def _condition(
    choices: Choices, selection: Selection, rates: str, rule: str, period_tau: float, n_rec: int
) -> Condition:
    """One rule at one period: the jobs of Figure 2's condition, at a rate of this study."""
    eta = rate(rates, rule, period_tau) if selection.eta is None else selection.eta
    figure = PeriodicChoices(n_rec=n_rec, n_trials=choices.n_trials, n_networks=choices.n_networks, seed=choices.seed)
    if rates == CLIPPED:
        figure = vary(figure, VARIANTS[CLIPPED])
    given = Selection(periods_tau=selection.periods_tau, eta=eta)
    of_figure = periodic.condition("fig2", periodic.Networks(rule, period_tau, rates), figure, given)
    called = rates if selection.eta is None or rates == CLIPPED else "given"
    return Condition(
        f"{rule} {period_tau:g} tau, N={n_rec}, {called}",
        {"rule": rule, "rates": called, "period_tau": period_tau, "n_rec": n_rec, "eta": eta},
        of_figure.jobs,
    )


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    rows = [
        {**condition.values, "network": network, **how_it_went(arrays)}
        for condition, network, arrays in by_network(found, results)
    ]
    return {"final": pd.DataFrame(rows)}


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(periods_tau=(5.0, 10.0, 20.0, 40.0), sizes=(30,), n_trials=1000, n_networks=5),
        "smoke": Choices(periods_tau=(5.0, 30.0), sizes=(8, 10), n_trials=20, n_networks=2),
    },
    schemas={"final": SCHEMA},
    conditions=conditions,
    tabulate=tabulate,
    summary=summary,
)
