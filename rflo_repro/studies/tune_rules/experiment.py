"""What is searched for, its table, and the rates that it leaves for the study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rflo_repro.learning.files import replacing
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Arrays, Condition
from rflo_repro.runs.learning_curves import NETWORK
from rflo_repro.runs.request import Selection
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import interval
from rflo_repro.studies.rules import task_specs
from rflo_repro.studies.rules.family import Member
from rflo_repro.studies.rules.own import Own
from rflo_repro.studies.rules.trial import STAGES, Search, bounded_log, score
from rflo_repro.studies.tune_rules import ABOUT
from rflo_repro.studies.tune_rules.choices import Choices

SCHEMA = Schema(
    "tune_rules",
    "one network trained at one pair of rates",
    (
        *task_specs.COLUMNS,
        Column("stage", "text", "", "what is searched for: w, the rate of W and Win, or w_out, that of Wout"),
        Column("w", "number", "", "learning rate of W and Win; 0 if they are not trained"),
        Column("w_out", "number", "", "learning rate of Wout; 0 if it is not trained"),
        NETWORK,
        Column("first_loss", "number", "", "loss L in the first trial"),
        Column("final_loss", "number", "", "median loss L of the last 1% of trials; empty after a divergence"),
        Column("chosen", "flag", "", "whether these are the rates that are chosen in this stage"),
        Column("as_good", "flag", "", "whether the 95% interval over networks leaves open that they are as good"),
    ),
    task_specs.CONDITION,
)


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """A search for each rule at each task, or for those of the user's file; those that take longest come first."""
    return [
        Condition(f"{kind.name}, {spec.label}", task_specs.searched(spec, kind), (_search(choices, spec, kind),))
        for spec in reversed(task_specs.selected(choices, selection))
        for kind in task_specs.rules_for(choices, selection, spec)
        if kind.tuned and (not choices.rule_file or isinstance(kind, Own))
    ]


def _search(choices: Choices, spec: task_specs.TaskSpec, kind: Member | Own) -> Search:
    trains = kind.rule(choices.tau).trains
    stages = tuple(stage for stage, matrix in zip(STAGES, ("w_rec", "w_out"), strict=True) if matrix in trains)
    (session,) = task_specs.sessions(spec, kind, 1)
    return Search(session, choices.n_networks, stages, spec.start_for(kind))


def tabulate(
    choices: Choices, found: Sequence[Condition], results: Sequence[Sequence[Arrays]]
) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    frames = []
    for condition, (arrays,) in zip(found, results, strict=True):
        for stage in dict.fromkeys(arrays["stage"]):
            rows = arrays["stage"] == stage
            final, first = arrays["final"][rows], arrays["first"][rows]
            best = int(np.argmin(score(final, first)))
            apart = bounded_log(final, first) - bounded_log(final, first)[best]
            for i, (w, w_out) in enumerate(zip(arrays["w"][rows], arrays["w_out"][rows], strict=True)):
                frames.append(
                    pd.DataFrame(
                        {
                            **condition.values,
                            "stage": stage,
                            "w": w,
                            "w_out": w_out,
                            "network": range(final.shape[1]),
                            "first_loss": first[i],
                            "final_loss": final[i],
                            "chosen": i == best,
                            "as_good": interval(apart[i]).low <= 0.0,
                        }
                    )
                )
    return {"search": pd.concat(frames, ignore_index=True)}


def save(tables: Tables) -> Path:
    """Put the rates chosen into the package's data, in place of those that the same rules had at the same tasks."""
    path = Path(str(task_specs.TUNED))
    last = tables["search"][tables["search"].chosen].drop_duplicates([*task_specs.CONDITION], keep="last")
    before = [(task, tau, rule, both) for (task, rule), at in task_specs.tuned().items() for tau, both in at.items()]
    columns = [*task_specs.CONDITION, "w", "w_out"]
    now = [(task, tau, rule, both) for task, tau, rule, *both in last[columns].itertuples(index=False)]
    # as text, for NaN, the period of tasks without one, is not equal to itself
    rates = {(task, f"{tau:g}", rule): [f"{rate:g}" for rate in both] for task, tau, rule, both in (*before, *now)}
    rows = [(*key, *both) for key, both in sorted(rates.items())]
    with replacing(path) as temporary:
        pd.DataFrame(rows, columns=columns).to_csv(temporary, index=False, lineterminator="\n")
    task_specs.tuned.cache_clear()
    return path


def summary(searches: Sequence[Arrays]) -> str:
    """What a progress line says of a finished search: the rates chosen and the median loss there."""
    (arrays,) = searches
    last = arrays["stage"] == arrays["stage"][-1]
    best = int(np.argmin(score(arrays["final"][last], arrays["first"][last])))
    w, w_out, final = (arrays[name][last][best] for name in ("w", "w_out", "final"))
    return f"w {w:g}  w_out {w_out:g}  loss {np.median(final):.3g}  ({len(arrays['stage'])} rates)"


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(n_trials=100, n_batches=20, n_movements=100, n_networks=3),
        "smoke": Choices(
            n_trials=10, n_batches=1, n_movements=10, n_networks=2, periods_tau=(2.0, 4.0), n_rec=8, n_rec_large=10
        ),
    },
    schemas={"search": SCHEMA},
    conditions=conditions,
    tabulate=tabulate,
    summary=summary,
    save=save,
)
