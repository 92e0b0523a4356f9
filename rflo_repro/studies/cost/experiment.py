"""What is timed, and its table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Arrays, Condition, Results
from rflo_repro.runs.request import Selection
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.cost import ABOUT
from rflo_repro.studies.cost.choices import Choices
from rflo_repro.studies.cost.claims import CLAIMS
from rflo_repro.studies.cost.trial import Timing

RULE = Column("rule", "text", "", "learning rule, updates at the end of the trial")
N_REC = Column("n_rec", "integer", "units", "number of recurrent units N")
N_STEPS = Column("n_steps", "integer", "timesteps", "length of a trial T")
TIME = Column("us_per_step", "number", "microseconds", "time of a timestep on one core, update included")


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """A condition for each rule and each of its sizes."""
    found = []
    for rule in ABOUT.rules:
        rtrl = rule == "rtrl"
        n_steps = choices.n_steps_rtrl if rtrl else choices.n_steps
        for n_rec in choices.sizes_rtrl if rtrl else choices.sizes:
            values = {"rule": rule, "n_rec": n_rec, "n_steps": n_steps}
            found.append(Condition(f"{rule} N={n_rec}", values, (Timing(rule, n_rec, n_steps),)))
    return found


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table: a row for each rule and size."""
    rows = [{**c.values, "us_per_step": r[0]["us_per_step"][0]} for c, r in zip(found, results, strict=True)]
    return {"cost": pd.DataFrame(rows)}


def summary(timings: Sequence[Arrays]) -> str:
    """What a progress line says of a size."""
    return f"{timings[0]['us_per_step'][0]:.3g} µs a timestep"


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(sizes_rtrl=(4, 8, 12, 16, 24), sizes=(8, 30, 64, 100, 200)),
        "smoke": Choices(sizes_rtrl=(4, 6, 8, 12), sizes=(8, 16, 30, 64)),
    },
    schemas={"cost": Schema("cost", "one rule at one size", (RULE, N_REC, N_STEPS, TIME), ("rule", "n_rec"))},
    conditions=conditions,
    tabulate=tabulate,
    summary=summary,
    claims=CLAIMS,
)
