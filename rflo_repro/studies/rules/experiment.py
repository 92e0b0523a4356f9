"""What is run: every rule of the family at its tasks, and single draws of the stochastic ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.learning.algorithms import multiply_adds
from rflo_repro.learning.optimizers import LearningRates
from rflo_repro.learning.rules import LearningRule
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Arrays, Condition
from rflo_repro.runs.learning_curves import FINAL, NETWORK, how_it_went, log_spaced, significant, summary
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.statistics import quartiles
from rflo_repro.studies.rules import ABOUT, task_specs
from rflo_repro.studies.rules.choices import Choices
from rflo_repro.studies.rules.claims import CLAIMS
from rflo_repro.studies.rules.family import FAMILY, FIELD, Member
from rflo_repro.studies.rules.own import Own
from rflo_repro.studies.rules.trial import Draws, RuleSession
from rflo_repro.tasks import PeriodicTask

RATES = Column("rates", "text", "", "tuned; nearest: at the nearest period; borrowed: RFLO's or BPTT's; given; none")
ETA_W = Column("eta_w", "number", "", "learning rate of W and Win")
ETA_W_OUT = Column("eta_w_out", "number", "", "learning rate of Wout")
SCHEMAS = {
    "final": Schema(
        "rules_final",
        "one trained network",
        (
            *task_specs.COLUMNS,
            Column("base", "text", "", "the rule of rflo_repro.RULES that it is made of; own: of the user's file"),
            Column("feedback", "text", "", "symmetric or random"),
            Column("optimizer", "text", "", "sgd (plain descent) or rmsprop"),
            Column("horizon_tau", "number", "tau", "how far back errors are carried: trace constant or block length"),
            Column("draws", "integer", "", "draws that an update is the mean of"),
            Column("cost", "number", "", "multiply-adds of a timestep over those of its forward pass, counted"),
            Column("n_rec", "integer", "units", "number of recurrent units N"),
            RATES,
            ETA_W,
            ETA_W_OUT,
            *FINAL,
            Column(
                "cosine", "number", "", "cosine of the update of W and minus the exact gradient, mean over training"
            ),
        ),
        task_specs.CONDITION,
    ),
    "tasks": Schema(
        "rules_tasks",
        "one network trained on a task of the field",
        (
            task_specs.FIELD_TASK,
            task_specs.COLUMNS[-1],
            RATES,
            ETA_W,
            ETA_W_OUT,
            *FINAL,
            Column("metric", "number", "", "the task's metric, a mean over 500 further trials"),
        ),
        (task_specs.FIELD_TASK.name, "rule"),
    ),
    "course": Schema(
        "rules_course",
        "a log-spaced number of trials, over networks",
        (
            *task_specs.COLUMNS,
            Column("trials", "integer", "trials", "number of training trials before"),
            Column("loss_25", "number", "", "25th percentile over networks of the loss L in the next trial, if any"),
            Column("loss_50", "number", "", "its median; a network that diverged counts as above all others"),
            Column("loss_75", "number", "", "its 75th percentile"),
            Column(
                "cosine_25",
                "number",
                "",
                "25th percentile over networks of the cosine, as in final; empty if undefined",
            ),
            Column("cosine_50", "number", "", "its median"),
            Column("cosine_75", "number", "", "its 75th percentile"),
        ),
        task_specs.CONDITION,
    ),
    "noise": Schema(
        "rules_noise",
        "one untrained network",
        (
            Column("rule", "text", "", "stochastic rule"),
            Column("n_rec", "integer", "units", "number of recurrent units N"),
            Column("n_steps", "integer", "timesteps", "length of the trial T"),
            NETWORK,
            Column("n_draws", "integer", "", "number of draws"),
            Column(
                "relative_error", "number", "", "root mean square over draws of |update of W + gradient| / |gradient|"
            ),
        ),
        ("rule", "n_rec", "n_steps"),
    ),
}


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """Every rule at its tasks, and single draws of those that draw. Raises RequestError if there are none."""
    trained = [
        _trained(choices, spec, kind)
        for spec in task_specs.selected(choices, selection)
        for kind in task_specs.rules_for(choices, selection, spec)
    ]
    return [*trained, *([] if selection.periods_tau or selection.tasks else _drawn(choices, selection))]


def _trained(choices: Choices, spec: task_specs.TaskSpec, kind: Member | Own) -> Condition:
    rule = kind.rule(choices.tau)
    rates = task_specs.rates_of(spec, kind, rule)
    sessions = task_specs.sessions(
        spec, kind, choices.n_networks, eta=LearningRates(w_in=rates.w, w_rec=rates.w, w_out=rates.w_out)
    )
    batch, task, n_rec = spec.first.batch, spec.first.task, spec.first.init.n_rec
    batches = log_spaced(spec.first.n_trials // batch, choices.n_points)
    # the first of them is before any training
    points = tuple(int(n) * batch for n in (0, *batches))
    return Condition(
        label=f"{kind.name}, {spec.label}" + ("" if rates.called == "tuned" else f", {rates.called} rates"),
        values={
            **task_specs.values(spec, kind),
            "base": kind.base or kind.name,
            "feedback": rule.feedback,
            "optimizer": kind.optimizer,
            "horizon_tau": horizon_tau(rule, choices.tau),
            "draws": rule.draws,
            "cost": multiply_adds(rule, n_rec, task.n_in, task.n_out),
            "n_rec": n_rec,
            "rates": rates.called,
            "eta_w": rates.w,
            "eta_w_out": rates.w_out,
        },
        jobs=sessions if spec.task in FIELD else tuple(RuleSession(session, points) for session in sessions),
    )


def horizon_tau(rule: LearningRule, tau: float) -> float:
    """How far back a rule carries errors, in tau: the trace's time constant, a block's length, nothing or infinity. NaN
    for rules that have no such constant."""
    if rule.form != "filtered" or rule.carry == "diagonal":
        return math.nan
    if rule.truncation is not None:
        return rule.truncation / tau
    return {"none": 0.0, "leak": (rule.trace_tau or tau) / tau, "full": math.inf}[rule.carry]


def _drawn(choices: Choices, selection: Selection) -> list[Condition]:
    """Single draws of the stochastic rules: against N, and against T."""
    shapes = dict.fromkeys(
        [
            *((n_rec, choices.length_of_sizes) for n_rec in choices.sizes),
            *((choices.n_rec, n_steps) for n_steps in choices.lengths),
        ]
    )
    found = []
    for member in FAMILY:
        rule = member.rule(choices.tau)
        selected = not selection.rules or member.name in selection.rules
        if not selected or not rule.algorithm.n_signs(choices.n_rec) or rule.draws > 1:
            continue
        for n_rec, n_steps in shapes:
            first = Session(PeriodicTask(n_steps), rule, 0.0, 1, Initialisation(n_rec, choices.tau), choices.seed, 0)
            found.append(
                Condition(
                    f"draws of {member.name}, N={n_rec} T={n_steps}",
                    {"rule": member.name, "n_rec": n_rec, "n_steps": n_steps},
                    tuple(
                        Draws(replace(first, network=network), choices.n_draws)
                        for network in range(choices.n_networks_drawn)
                    ),
                )
            )
    return found


def tabulate(
    choices: Choices, found: Sequence[Condition], results: Sequence[Sequence[Arrays]]
) -> dict[str, pd.DataFrame]:
    """The tables of SCHEMAS."""
    final: list[dict[str, Any]] = []
    course: list[dict[str, Any]] = []
    noise: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []
    for condition, networks in zip(found, results, strict=True):
        values, job = condition.values, condition.jobs[0]
        if isinstance(job, Draws):
            for network, arrays in enumerate(networks):
                error = arrays["error"]
                size = {"n_draws": len(error), "relative_error": float(np.sqrt(exact_math.mean(error * error)))}
                noise.append({**values, "network": network, **size})
            continue
        if isinstance(job, Session):
            for network, arrays in enumerate(networks):
                went = how_it_went(arrays)
                tasks.append({**values, "network": network, **went, "metric": went["final_metric"]})
            continue
        assert isinstance(job, RuleSession)
        for network, arrays in enumerate(networks):
            seen = arrays["cosine"][np.isfinite(arrays["cosine"])]
            cosine = {"cosine": float(exact_math.mean(seen)) if len(seen) else math.nan}
            final.append({**values, "network": network, **how_it_went(arrays), **cosine})
        for i, done in enumerate(job.points):
            at = min(done, job.session.n_trials - 1)
            losses = quartiles([arrays["loss"][at] for arrays in networks])
            seen = np.array([arrays["cosine"][i] for arrays in networks])
            cosines = quartiles(seen) if np.isfinite(seen).all() else (math.nan,) * 3
            course.append({**values, "trials": done, **_columns("loss", losses), **_columns("cosine", cosines)})
    return {
        part: pd.DataFrame(rows, columns=[column.name for column in SCHEMAS[part].columns])
        for part, rows in {"final": final, "tasks": tasks, "course": course, "noise": noise}.items()
    }


def _columns(name: str, values: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_{share}": value for share, value in zip((25, 50, 75), significant(np.array(values), 6), strict=True)
    }


def line(networks: Sequence[Arrays]) -> str:
    """What a progress line says of a finished condition."""
    if "metric" in networks[0]:
        return f"right {np.median([arrays['metric'] for arrays in networks]):.1%}  {summary(networks)}"
    if "error" in networks[0]:
        return f"relative error {np.median([np.median(arrays['error']) for arrays in networks]):.3g}"
    return summary(networks)


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(
            n_trials=500, n_batches=60, n_movements=400, n_networks=3, sizes=(10, 20, 40), lengths=(100, 200, 400),
            n_draws=20, n_networks_drawn=3,
        ),
        "smoke": Choices(
            n_trials=10, n_batches=1, n_movements=10, n_networks=2, periods_tau=(2.0, 4.0), n_rec=8, n_rec_large=10,
            n_points=2, sizes=(4, 8), lengths=(10, 20), length_of_sizes=20, n_draws=3, n_networks_drawn=2,
        ),
    },
    schemas=SCHEMAS,
    conditions=conditions,
    tabulate=tabulate,
    summary=line,
    claims=CLAIMS,
)  # fmt: skip
