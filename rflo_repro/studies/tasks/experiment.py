"""What is run: every rule on every task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from rflo_repro.paper.rates import learning_rate
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Arrays, Condition, Results, by_network
from rflo_repro.runs.learning_curves import NETWORK, condition_columns, how_it_went, summary
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.statistics import quartiles
from rflo_repro.studies.tasks import ABOUT
from rflo_repro.studies.tasks.choices import Choices
from rflo_repro.studies.tasks.claims import CLAIMS
from rflo_repro.tasks import ContextTask, EmbeddedReberTask, EvidenceTask, FlipFlopTask, MatchToSampleTask

if TYPE_CHECKING:
    from rflo_repro.learning.task import Task


@dataclass(frozen=True)
class FieldTask:
    """A task of the study.

    title: in the picture. size: the choice that has its number of units. chance: the metric of a guess.
    """

    task: Task
    title: str
    size: str
    chance: float = 0.5
    loss: str = "squared"


TASKS = {
    "match-to-sample": FieldTask(MatchToSampleTask(), "match to sample", "n_match"),
    "evidence": FieldTask(EvidenceTask(), "evidence\naccumulation", "n_evidence"),
    "context": FieldTask(ContextTask(), "context-dependent\nintegration", "n_context"),
    "flip-flop": FieldTask(FlipFlopTask(), "three-bit\nflip-flop", "n_flip_flop"),
    "reber": FieldTask(EmbeddedReberTask(), "embedded\nReber grammar", "n_reber", loss="cross-entropy"),
}
RULE, N_REC, ETA = condition_columns("rule", "n_rec", "eta")
COLUMNS = ("n_trials", "first_loss", "final_loss", "diverged")
SCHEMA = Schema(
    "tasks_final",
    "one trained network",
    (
        Column("task", "text", "", "match-to-sample, evidence, context, flip-flop or reber (rflo_repro.tasks)"),
        RULE,
        N_REC,
        Column("rates", "text", "", "tuned: by grid search; given"),
        ETA,
        NETWORK,
        Column("n_trials", "integer", "trials", "number of training trials"),
        Column("first_loss", "number", "", "loss in the first trial"),
        Column("final_loss", "number", "", "median loss of the last 1% of trials; empty after a divergence"),
        Column("diverged", "flag", "", "whether a NaN or an infinity ended the training"),
        Column("metric", "number", "", "the task's metric, a mean over 500 further trials"),
    ),
    ("task", "rule"),
)


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """Each rule on each task. Raises RequestError where no tuned rate is known."""
    return [_condition(choices, selection, name, rule) for name in TASKS for rule in selection.rules or ABOUT.rules]


def _condition(choices: Choices, selection: Selection, name: str, rule: str) -> Condition:
    of = TASKS[name]
    n_rec = getattr(choices, of.size)
    values = {"task": name, "rule": rule}
    called, eta = learning_rate(selection, ABOUT.name, "tuned", values, lambda: ("", math.nan))
    first = Session(
        task=of.task,
        rule=rule,
        eta=eta,
        n_trials=choices.n_trials,
        init=Initialisation(n_rec, choices.tau, choices.g),
        seed=choices.seed,
        network=0,
        loss=of.loss,
    )
    jobs = tuple(replace(first, network=network) for network in range(choices.n_networks))
    all_values = {"figure": ABOUT.name, **values, "rates": called, "eta": eta}
    return Condition(f"{rule}, {name}", all_values, jobs)


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    rows = []
    for condition, network, arrays in by_network(found, results):
        went = how_it_went(arrays)
        values = {name: condition.values[name] for name in ("task", "rule", "rates", "eta")}
        n_rec = getattr(choices, TASKS[str(values["task"])].size)
        own = {name: went[name] for name in COLUMNS}
        rows.append({**values, "n_rec": n_rec, "network": network, **own, "metric": went["final_metric"]})
    return {"final": pd.DataFrame(rows)[[column.name for column in SCHEMA.columns]]}


def line(networks: Sequence[Arrays]) -> str:
    """What a progress line says of a finished condition."""
    low, middle, high = quartiles([float(arrays["metric"]) for arrays in networks])
    return f"right {middle:.1%}  ({low:.1%}, {high:.1%})  {summary(networks)}"


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(n_match=50, n_evidence=30, n_context=30, n_flip_flop=30, n_trials=500, n_networks=3),
        "smoke": Choices(n_match=8, n_evidence=8, n_context=8, n_flip_flop=8, n_reber=8, n_trials=4, n_networks=2),
    },
    schemas={"final": SCHEMA},
    conditions=conditions,
    tabulate=tabulate,
    summary=line,
    claims=CLAIMS,
)
