"""What is measured of what the paper derives.

- `theory_exact`: RTRL's update against batch BPTT's (Eq. 28), and RFLO's against it as a control.
- `theory_appendix`: the two statements of Appendix 2, in linear networks as it assumes them and in those of Figure 2.
- `theory_alignment`: Figure 2c's control: RFLO with the recurrent weights held still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.job import Arrays, Condition, Results
from rflo_repro.runs.learning_curves import final_loss, summary
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session, last_part
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.theory import ABOUT
from rflo_repro.studies.theory.choices import Choices
from rflo_repro.studies.theory.claims import CLAIMS
from rflo_repro.studies.theory.trial import Appendix, Exact
from rflo_repro.tasks import IntervalMatchingTask, PeriodicTask

BLOCK = 100  # networks a job
CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_networks=200, n_exact=10, n_trials=2000, n_control=5),
    "smoke": Choices(n_networks=20, n_exact=5, n_trials=40, n_control=2, periods_tau=(20.0,)),
}

_NETWORK = Column("network", "integer", "", "index of the random network, from 0")
_PERIOD = Column("period_tau", "number", "tau", "period of the target")
EXACT = Schema(
    "theory_exact",
    "one random network and trial",
    (
        Column("task", "text", "", "periodic (no input) or intervals (two inputs)"),
        _NETWORK,
        Column("rtrl", "number", "", "largest difference of RTRL's and BPTT's update over BPTT's largest, any matrix"),
        Column("rflo", "number", "", "the same of RFLO's update"),
    ),
    ("task",),
)
APPENDIX = Schema(
    "theory_appendix",
    "one random network before training",
    (
        Column("units", "text", "", "linear: decaying activity from a random state; tanh: the networks of Figure 2"),
        _PERIOD,
        _NETWORK,
        Column("overlap", "number", "", "cosine of wout and b"),
        Column("loss_change", "number", "", "change of the loss by RFLO's update of w_rec, over its rate, small"),
        Column("loss_change_cosine", "number", "", "the same over the sizes of update and gradient: from -1 to 1"),
        Column("alignment_growth", "number", "", "G of Eq. 42: d2(change of wout b)/(d eta1 d eta2) at 0"),
    ),
    ("units", "period_tau"),
)
ALIGNMENT = Schema(
    "theory_alignment",
    "one network trained by RFLO",
    (
        Column("rates", "text", "", "printed or tuned"),
        _PERIOD,
        Column("recurrent", "text", "", "whether the recurrent weights are trained or frozen"),
        Column("eta", "number", "", "learning rate"),
        _NETWORK,
        Column("first_alignment", "number", "", "Tr(Wout B) / (|Wout| |B|) in the first trial"),
        Column("final_alignment", "number", "", "its median in the last 1% of trials"),
        Column("final_loss", "number", "", "median loss L of the last 1% of trials; empty after a divergence"),
    ),
    ("rates", "period_tau", "recurrent"),
)


def exact_conditions(choices: Choices) -> list[Condition]:
    """Conditions that compare RTRL with BPTT, in networks without and with inputs."""
    tasks: dict[str, PeriodicTask | IntervalMatchingTask] = {
        "periodic": PeriodicTask(200),
        "intervals": IntervalMatchingTask(longest=60),
    }
    return [
        Condition(
            f"RTRL and BPTT, {name}",
            {"task": name},
            tuple(Exact(task, choices.init, choices.seed, network) for network in range(choices.n_exact)),
        )
        for name, task in tasks.items()
    ]


def appendix_conditions(choices: Choices) -> list[Condition]:
    """Conditions of Appendix 2: linear networks and those of Figure 2, at each period."""
    return [
        Condition(
            f"Appendix 2, {units} {period_tau:g} tau",
            {"units": units, "period_tau": period_tau},
            tuple(
                Appendix(units == "linear", round(period_tau * choices.tau), replace(choices.init, g=g), choices.seed,
                         first, min(BLOCK, choices.n_networks - first))
                for first in range(0, choices.n_networks, BLOCK)
            ),
        )
        for units, g in (("linear", choices.g_linear), ("tanh", choices.g))
        for period_tau in choices.periods_tau
    ]  # fmt: skip


def alignment_conditions(choices: Choices) -> list[Condition]:
    """Conditions that train by RFLO as in Figure 2, and with w_rec frozen."""
    figure, found = registry.figures()["fig2"], []
    own = replace(choices, n_networks=choices.n_control)
    for condition in figure.experiment.conditions(own, Selection(rules=("rflo",), rates=figure.rates)):
        values = {name: condition.values[name] for name in ("rates", "period_tau")}
        trained = [s for s in condition.jobs if isinstance(s, Session)]
        for recurrent, sessions in (("trained", trained), ("frozen", list(map(_frozen, trained)))):
            label = f"alignment, w_rec {recurrent}, {values['period_tau']:g} tau {values['rates']}"
            found.append(
                Condition(label, {**values, "recurrent": recurrent, "eta": condition.values["eta"]}, tuple(sessions))
            )
    return found


def _frozen(session: Session) -> Session:
    """The session with w_rec frozen: its learning rate is 0."""
    from rflo_repro.learning.optimizers import LearningRates

    rates = session.eta
    if not isinstance(rates, LearningRates):
        rates = LearningRates(rates, rates, rates)
    return replace(session, eta=replace(rates, w_rec=0.0))


def _alignment(arrays: Arrays) -> dict[str, Any]:
    return {
        "first_alignment": arrays["alignment"][:1],
        "final_alignment": last_part(arrays["alignment"]),
        "final_loss": final_loss(arrays),
    }


def _rows(
    conditions: Sequence[Condition], results: Results, columns: Callable[[Arrays], dict[str, Any]]
) -> pd.DataFrame:
    """A row for each network. columns: from a job's arrays to its columns, of one value or one for each network."""
    frames = []
    for condition, jobs in zip(conditions, results, strict=True):
        part = pd.concat([pd.DataFrame(columns(arrays)) for arrays in jobs], ignore_index=True)
        frames.append(part.assign(**condition.values, network=range(len(part))))
    return pd.concat(frames, ignore_index=True)


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """The conditions of all three tables."""
    return [*exact_conditions(choices), *appendix_conditions(choices), *alignment_conditions(choices)]


COLUMNS: dict[str, Callable[[Arrays], dict[str, Any]]] = {"exact": dict, "appendix": dict, "alignment": _alignment}
SCHEMAS = {"exact": EXACT, "appendix": APPENDIX, "alignment": ALIGNMENT}


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The tables of SCHEMAS."""
    frames = {}
    for part, columns in COLUMNS.items():
        own = [(c, r) for c, r in zip(found, results, strict=True) if SCHEMAS[part].has(c.values)]
        frames[part] = _rows([c for c, _ in own], [r for _, r in own], columns)
    return frames


def said(jobs: Sequence[Arrays]) -> str:
    """What a progress line says of a finished condition."""
    if "rtrl" in jobs[0]:
        return f"apart {max(float(arrays['rtrl'][0]) for arrays in jobs):.1g}"
    if "overlap" in jobs[0]:
        return f"{sum(len(arrays['overlap']) for arrays in jobs)} networks"
    return summary(jobs)


EXPERIMENT = Experiment(
    about=ABOUT, scales=CHOICES, schemas=SCHEMAS, conditions=conditions, tabulate=tabulate, summary=said, claims=CLAIMS
)
