"""What is trained: the networks and tasks of the study, and the learning rates that were found for each rule."""

from __future__ import annotations

import csv
import functools
import math
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from rflo_repro.learning.rules import LearningRule
from rflo_repro.paper import periodic
from rflo_repro.paper.choices import PeriodicChoices
from rflo_repro.paper.fig3.choices import Choices as Intervals
from rflo_repro.paper.fig4.choices import Choices as SingleMovements
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column
from rflo_repro.studies.rules.choices import Choices
from rflo_repro.studies.rules.family import FAMILY, FIELD, INTERVALS, MOVEMENTS, PERIODIC, TASKS, Member
from rflo_repro.studies.rules.trial import Movements
from rflo_repro.studies.tasks.experiment import TASKS as OF_THE_FIELD
from rflo_repro.tasks import PeriodicTask

if TYPE_CHECKING:
    import pandas as pd

    from rflo_repro.studies.rules.own import Own

# What `rflo-repro tune fig-rules` chose: a line a task and rule
TUNED = resources.files("rflo_repro.studies.rules") / "rates.csv"
LONGEST_TAU = 15
# Where a search for the rate of Wout begins: near the rates that `tune fig-tasks` chose for all weights together
START_OF_FIELD = {"match-to-sample": -3, "evidence": -3, "reber": 0}
START_OF_RMSPROP = -6
COLUMNS = (
    Column("task", "text", "", "periodic, intervals (interval matching to 15 tau) or movements (Figure 4, stage 1)"),
    Column("period_tau", "number", "tau", "period of the periodic task; empty for the others"),
    Column("rule", "text", "", "learning rule of the family, or of the user's own"),
)
CONDITION = tuple(column.name for column in COLUMNS)
# In a table of their own
FIELD_TASK = Column("field_task", "text", "", "match-to-sample, evidence or reber (rflo_repro.tasks)")


@dataclass(frozen=True)
class TaskSpec:
    """A task, and the networks that learn it.

    task: its name in the tables. period_tau: NaN for tasks without one. first: a session of network 0; its rule and
    rates do not count. start: grid index of the first rate of Wout in the search, by plain descent.
    """

    task: str
    period_tau: float
    first: Session
    start: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return self.task if math.isnan(self.period_tau) else f"{self.period_tau:g} tau"

    def start_for(self, kind: Member | Own) -> int:
        """Grid index of the first rate of Wout in the search for a rule's rates."""
        return START_OF_RMSPROP if kind.optimizer == "rmsprop" else self.start


def selected(choices: Choices, selection: Selection) -> list[TaskSpec]:
    """The selected tasks. Raises RequestError for a period that is not whole timesteps."""
    if selection.periods_tau and selection.tasks and PERIODIC not in selection.tasks:
        raise RequestError("period", f"only {PERIODIC} has periods, got {', '.join(selection.tasks)}")
    wanted = selection.tasks or (*TASKS, *FIELD)
    found = [*_of_the_paper(choices, selection), *_of_the_field(choices)]
    return [spec for spec in found if spec.task in wanted and (spec.task == PERIODIC or not selection.periods_tau)]


def _of_the_field(choices: Choices) -> list[TaskSpec]:
    found = []
    for name in FIELD:
        of = OF_THE_FIELD[name]
        init = Initialisation(choices.n_rec_large, choices.tau)
        first = Session(of.task, "bptt", 0.0, choices.n_trials, init, choices.seed, 0, loss=of.loss)
        found.append(TaskSpec(name, math.nan, first, START_OF_FIELD[name]))
    return found


def _of_the_paper(choices: Choices, selection: Selection) -> list[TaskSpec]:
    common: dict[str, Any] = {"tau": choices.tau, "seed": choices.seed}
    small = PeriodicChoices(n_rec=choices.n_rec, **common)
    first = Session(PeriodicTask(1), "bptt", 0.0, choices.n_trials, small.init, choices.seed, 0)
    found = []
    for period_tau in sorted(selection.periods_tau or choices.periods_tau):
        task = PeriodicTask(periodic.steps(period_tau, choices.tau, selection))
        # the search begins with the rate that the paper prints for Wout alone
        found.append(TaskSpec(PERIODIC, period_tau, replace(first, task=task), -3))
    intervals = Intervals(n_rec=choices.n_rec_large, **common)
    first_of_intervals = replace(
        first,
        task=intervals.task(LONGEST_TAU),
        n_trials=choices.n_batches * intervals.batch,
        init=intervals.init,
        batch=intervals.batch,
    )
    single = SingleMovements(n_rec=choices.n_rec_large, **common)
    first_of_movements = replace(
        first,
        task=Movements(single.reaching),
        n_trials=choices.n_movements,
        init=single.init,
        reset_state=single.reset_state,
    )
    # with the paper's rate for BPTT, and with the rate tuned for Figure 4
    return [
        *found,
        TaskSpec(INTERVALS, math.nan, first_of_intervals, -5),
        TaskSpec(MOVEMENTS, math.nan, first_of_movements, -4),
    ]


def rules_for(choices: Choices, selection: Selection, spec: TaskSpec) -> list[Member | Own]:
    """The selected rules that learn a task; those of the user's own file, which learn the periodic one, come last."""
    of_family = [
        member
        for member in FAMILY
        if spec.task in member.tasks
        and not spec.period_tau > member.longest_tau
        and (not selection.rules or member.name in selection.rules)
    ]
    return [*of_family, *(choices.rule_file if spec.task == PERIODIC else ())]


@dataclass(frozen=True)
class Rates:
    """The learning rates of W (Win goes with it) and of Wout.

    called: `tuned`, found for the rule at this task; `nearest`, at the nearest period; `borrowed`, of RFLO or BPTT,
    whichever carries errors back as the rule does; `given`; `none`, of a rule that has none.
    """

    called: str
    w: float
    w_out: float


@functools.cache
def tuned() -> dict[tuple[str, str], dict[float, tuple[float, float]]]:
    """The rates of W and Wout by task, rule and period (package data)."""
    found: dict[tuple[str, str], dict[float, tuple[float, float]]] = {}
    if TUNED.is_file():
        for row in csv.DictReader(TUNED.read_text(encoding="utf-8").splitlines()):
            at = found.setdefault((row["task"], row["rule"]), {})
            at[float(row["period_tau"])] = float(row["w"]), float(row["w_out"])
    return found


def rates_of(spec: TaskSpec, kind: Member | Own, rule: LearningRule) -> Rates:
    """The rates of a rule at a task. Raises RequestError if none are known."""
    if not kind.tuned:
        return Rates("none", 0.0, 0.0)
    period = spec.period_tau
    for called, name in (("tuned", kind.name), ("borrowed", "rflo" if rule.local_in_time else "bptt")):
        if known := tuned().get((spec.task, name)):
            nearest = min(known, key=lambda at: max(at, period) / min(at, period))
            called = "nearest" if called == "tuned" and nearest != period and not math.isnan(period) else called
            w, w_out = known[nearest]
            if isinstance(kind, Member) or (kind.w, kind.w_out) == (None, None):
                return Rates(called, w, w_out)
            return Rates("given", w if kind.w is None else kind.w, w_out if kind.w_out is None else kind.w_out)
    raise RequestError(None, f"no learning rates are known for {kind.name}: run `rflo-repro tune fig-rules`")


def title(frame: pd.DataFrame) -> pd.Series[str]:
    """What a picture calls the task of each row."""
    return frame.task + frame.period_tau.map(lambda tau: "" if math.isnan(tau) else f", {tau:g} τ")


def values(spec: TaskSpec, kind: Member | Own) -> dict[str, Any]:
    """What names the condition in the tables of the study."""
    if spec.task in FIELD:
        return {FIELD_TASK.name: spec.task, "rule": kind.name}
    return searched(spec, kind)


def searched(spec: TaskSpec, kind: Member | Own) -> dict[str, Any]:
    """What names it in the table of the search."""
    return dict(zip(CONDITION, (spec.task, spec.period_tau, kind.name), strict=True))


def sessions(spec: TaskSpec, kind: Member | Own, n_networks: int, **changes: Any) -> tuple[Session, ...]:
    """A session a network, its rates still open unless they are among the changes."""
    init = spec.first.init
    return tuple(
        replace(
            spec.first,
            rule=kind.rule(init.tau),
            init=replace(init, output_feedback=kind.output_feedback),
            optimizer=kind.optimizer,
            network=network,
            **changes,
        )
        for network in range(n_networks)
    )
