"""What is run: the rules with an approximation, at the periods and rates of the locality figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Arrays, Condition, Results
from rflo_repro.runs.learning_curves import log_spaced
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.gradient import ABOUT
from rflo_repro.studies.gradient.choices import Choices
from rflo_repro.studies.gradient.claims import CLAIMS
from rflo_repro.studies.gradient.trial import MATRICES, GradientSession

N_POINTS = 30

SCHEMA = Schema(
    "gradient",
    "one trial of one network",
    (
        Column("rule", "text", "", "the rule that trains the network and whose update is measured"),
        Column("rates", "text", "", "printed or tuned"),
        Column("period_tau", "number", "tau", "period of the target"),
        Column("eta", "number", "", "learning rate"),
        Column("network", "integer", "", "index of the random initial network, from 0"),
        Column("trial", "integer", "trials", "number of the trial, from 1; before its update"),
        Column("matrix", "text", "", "w_rec or w_out (whose update is the exact one in every rule)"),
        Column("cosine", "number", "", "cosine of the rule's update and minus the exact gradient of Eq. 2"),
    ),
    ("rule", "rates", "period_tau"),
)


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """The rules with an approximation, at every period of the locality figure and its rates."""
    figure = registry.figures()["fig2-locality"]
    names = ("rule", "rates", "period_tau", "eta")
    return [
        Condition(
            c.label,
            {name: c.values[name] for name in names},
            tuple(
                GradientSession(s, tuple(int(t) for t in log_spaced(s.n_trials, N_POINTS)))
                for s in c.jobs
                if isinstance(s, Session)
            ),
        )
        for c in figure.experiment.conditions(choices, Selection(rules=ABOUT.rules, rates=figure.rates))
    ]


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    frames = []
    for condition, networks in zip(found, results, strict=True):
        for network, (session, arrays) in enumerate(zip(condition.jobs, networks, strict=True)):
            assert isinstance(session, GradientSession)
            for matrix in MATRICES:
                frame = {"trial": session.trials, "matrix": matrix, "cosine": arrays[matrix].round(6)}
                frames.append(pd.DataFrame({**condition.values, "network": network, **frame}))
    return {"gradient": pd.concat(frames, ignore_index=True)}


def summary(sessions: Sequence[Arrays]) -> str:
    return f"cosine {np.nanmedian([np.nanmean(a['w_rec']) for a in sessions]):.2f}"


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(n_trials=2000),
        "smoke": Choices(n_trials=40, n_networks=2),
    },
    schemas={"gradient": SCHEMA},
    conditions=conditions,
    tabulate=tabulate,
    summary=summary,
    claims=CLAIMS,
)
