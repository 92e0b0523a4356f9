"""What is run: the author's example by its own BPTT, by exact BPTT and by RFLO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from rflo_repro.learning.rules import RULES, LearningRule
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Condition, Results
from rflo_repro.runs.learning_curves import FINAL, how_it_went, summary
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.notebook import ABOUT
from rflo_repro.studies.notebook.choices import Choices
from rflo_repro.studies.notebook.task import FirstStepGiven
from rflo_repro.tasks import PeriodicTask

# In the notebook's backward pass z(t) takes the error of step t+1, and the last step its own
LEARNING_RULES: dict[str, str | LearningRule] = {"bptt-published": replace(RULES["bptt"], next_error=True)}
LOSSES = ("first_loss", "smallest_loss", "final_loss", "last_loss", "plateau")

SCHEMA = Schema(
    "notebook_final",
    "one trained network",
    (
        Column("rule", "text", "", "bptt-published: BPTT with the next step's error; bptt: exact; rflo"),
        Column("eta", "number", "", "learning rate, of an average over the whole period"),
        *FINAL,
        Column("last_loss", "number", "", "loss L in the last trial, as the notebook prints it"),
    ),
    ("rule",),
)


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """A condition for each rule, all with the same initial networks."""
    task = FirstStepGiven(PeriodicTask(choices.period))
    found = []
    for rule in ABOUT.rules:
        first = Session(
            task=task,
            rule=LEARNING_RULES.get(rule, rule),
            # a session averages over the timesteps that are computed
            eta=choices.eta * task.share,
            n_trials=choices.n_trials,
            init=choices.init,
            seed=choices.seed,
            network=0,
        )
        jobs = tuple(replace(first, network=network) for network in range(choices.n_networks))
        found.append(Condition(rule, {"rule": rule, "eta": choices.eta}, jobs))
    return found


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA; losses are averages over the whole period, whose first error is zero."""
    rows = [
        {**condition.values, "network": network, **how_it_went(arrays), "last_loss": arrays["loss"][-1]}
        for condition, networks in zip(found, results, strict=True)
        for network, arrays in enumerate(networks)
    ]
    frame = pd.DataFrame(rows)
    share = FirstStepGiven(PeriodicTask(choices.period)).share
    return {"final": frame.assign(**{name: share * frame[name] for name in LOSSES})}


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(n_trials=1000, n_networks=20),
        "smoke": Choices(n_rec=10, n_trials=20, n_networks=3),
    },
    schemas={"final": SCHEMA},
    conditions=conditions,
    tabulate=tabulate,
    summary=summary,
)
