"""What is run: the networks of Figure 2 in one layer and in two, and how many directions of W they change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.learning.validate import Array
from rflo_repro.paper import periodic
from rflo_repro.paper.choices import PeriodicChoices
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Condition, Results, by_network
from rflo_repro.runs.learning_curves import FINAL, condition_columns, how_it_went, summary
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.periods.experiment import tuned
from rflo_repro.studies.structure import ABOUT
from rflo_repro.studies.structure.choices import Choices
from rflo_repro.studies.structure.claims import CLAIMS
from rflo_repro.studies.structure.singular_values import singular_values

DIRECTIONS = (1, 2, 3, 5, 10, 20)
(RULE, PERIOD, N_REC, ETA) = condition_columns("rule", "period_tau", "n_rec", "eta")
SCHEMA = Schema(
    "structure_final",
    "one trained network",
    (
        RULE,
        PERIOD,
        Column("layers", "integer", "", "1, or 2: the first drives the second, which alone is read out"),
        N_REC,
        ETA,
        *FINAL,
        *(
            Column(f"share_{k}", "number", "", f"share of the squared change of W in its {k} largest singular values")
            for k in DIRECTIONS
        ),
    ),
    ("rule", "period_tau", "layers"),
)


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """Every rule at every period, in one layer and in two. Raises RequestError for a period that is not whole
    timesteps."""
    return [
        _condition(choices, selection, layers, period_tau, rule)
        for layers, period_tau, rule in product(
            (1, 2), sorted(selection.periods_tau or choices.periods_tau), selection.rules or ABOUT.rules
        )
    ]


def _condition(choices: Choices, selection: Selection, layers: int, period_tau: float, rule: str) -> Condition:
    """The jobs of Figure 2's condition at its tuned rate, with as many layers."""
    n_rec = choices.n_rec if layers == 1 else layers * choices.n_layer
    eta = tuned(rule, period_tau)
    figure = PeriodicChoices(n_rec=n_rec, n_trials=choices.n_trials, n_networks=choices.n_networks, seed=choices.seed)
    given = Selection(periods_tau=selection.periods_tau, eta=eta)
    of_figure = periodic.condition("fig2", periodic.Networks(rule, period_tau, "tuned"), figure, given)
    jobs = []
    for job in of_figure.jobs:
        assert isinstance(job, Session)
        jobs.append(replace(job, init=replace(job.init, layers=layers)))
    values = {"rule": rule, "period_tau": period_tau, "layers": layers, "n_rec": n_rec, "eta": eta}
    return Condition(f"{rule} {period_tau:g} tau, {layers} layer{'s' * (layers > 1)}", values, tuple(jobs))


def shares(change: Array) -> dict[str, float]:
    """Of the squared norm of a change of W, what the largest singular values hold; NaN if nothing changed."""
    squares = singular_values(change) ** 2
    total = float(exact_math.sum(squares))
    held = [float(exact_math.sum(squares[:k])) / total if total > 0.0 else math.nan for k in DIRECTIONS]
    return {f"share_{k}": float(f"{share:.6g}") for k, share in zip(DIRECTIONS, held, strict=True)}


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    rows = []
    for condition, network, arrays in by_network(found, results):
        job = condition.jobs[network]
        assert isinstance(job, Session)
        change = np.asarray(arrays["w_rec"]) - job.initial().w_rec
        rows.append({**condition.values, "network": network, **how_it_went(arrays), **shares(change)})
    return {"final": pd.DataFrame(rows)}


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(n_trials=1000, n_networks=3),
        "smoke": Choices(n_rec=8, n_layer=4, periods_tau=(2.0, 4.0), n_trials=4, n_networks=2),
    },
    schemas={"final": SCHEMA},
    conditions=conditions,
    tabulate=tabulate,
    summary=summary,
    claims=CLAIMS,
)
