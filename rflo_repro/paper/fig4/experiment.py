"""What Figure 4 runs: networks that learn movements and then their order by the loop, or the whole sequence at once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.paper.fig4 import ABOUT
from rflo_repro.paper.fig4.choices import Choices
from rflo_repro.paper.fig4.claims import CLAIMS
from rflo_repro.paper.fig4.trial import LoopSession
from rflo_repro.paper.rates import learning_rate
from rflo_repro.runs import learning_curves
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Arrays, Condition, Job, Results, by_network
from rflo_repro.runs.learning_curves import CURVE, FINAL, NETWORK, ROWS, condition_columns, final_loss, median_network
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.statistics import quartiles
from rflo_repro.tasks import SequenceTask
from rflo_repro.tasks.reaching import DIRECTIONS

PANELS = {"loop": "abcd", "rflo": "cd", "bptt": "cd"}
SEQUENCE_POINTS = 400
WINDOWS = 30
FIRST_WINDOW = 20
LATE_SHARE = 0.1


CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_trials=1500, whole=0.5, n_networks=3),
    "smoke": Choices(n_trials=20, whole=0.2, n_networks=2),
}

_CONDITION = (
    *condition_columns("figure", "panel"),
    Column("rule", "text", "", "loop: RFLO on single movements, then Ws; or the rule that learns the whole sequence"),
    *condition_columns("rates", "eta"),
)
_PATH = (
    Column("time_tau", "number", "tau", "time from the beginning"),
    Column("velocity_x", "number", "", "first output: velocity to the right, in units of the highest target speed"),
    Column("velocity_y", "number", "", "second output: velocity upwards"),
    Column("target_velocity_x", "number", "", "first target"),
    Column("target_velocity_y", "number", "", "second target"),
    Column("x", "number", "movements", "the cursor, from the origin"),
    Column("y", "number", "movements", "the cursor, from the origin"),
    Column("target_x", "number", "movements", "where the targets lead"),
    Column("target_y", "number", "movements", "where the targets lead"),
)


def _schema(part: str, row: str, *columns: Column) -> Schema:
    return Schema(f"fig4_{part}", row, (*_CONDITION, *columns), ("rule", "rates"))


SCHEMAS = {
    "curves": _schema("curves", ROWS["curves"] + "; of single movements (stage 1) with the loop", *CURVE),
    "final": _schema(
        "final",
        ROWS["final"] + "; losses in training are those of single movements with the loop",
        *FINAL,
        Column("sequence_loss", "number", "", "loss L of Eq. 2 in one run of the whole sequence after training"),
        Column("endpoint_error", "number", "movements", "distance of cursor and target, mean over ends of syllables"),
        Column("in_order", "flag", "", "whether the loop chose all directions of the sequence, in order"),
        Column(
            "correct_late", "number", "", "share of right transitions in the last tenth of stage 2, see transitions"
        ),
    ),
    "transitions": _schema(
        "transitions",
        f"a window of stage 2 of one network, at most {WINDOWS}, log-spaced; trials whose right transition was allowed",
        NETWORK,
        Column("trial", "integer", "trials", "last trial of the window"),
        Column("n_trials", "integer", "trials", "trials in the window whose right transition was in bounds"),
        Column("correct", "number", "", "share of them with the right transition"),
        Column("correct_greedy", "number", "", "the same without choices drawn at random"),
    ),
    "sequence": _schema(
        "sequence",
        f"a time step of the sequence by the network of median final loss, at most {SEQUENCE_POINTS}",
        NETWORK,
        Column("input", "text", "", "the input that is on; none in a hold, and without the loop"),
        *_PATH,
    ),
    "single": _schema(
        "single",
        "a time step of a single movement with its hold, by the network of median final loss",
        NETWORK,
        Column("direction", "text", "", "of the movement"),
        *_PATH,
    ),
}


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """The selected conditions. Raises RequestError if there are none."""
    rules = [
        rule
        for rule in ABOUT.rules
        if (not selection.rules or rule in selection.rules)
        and (not selection.panels or set(PANELS[rule]) & set(selection.panels))
    ]
    if not rules:
        raise RequestError(None, "no part of Figure 4 has this combination of --panel and --rule")
    return [_condition(choices, selection, rates, rule) for rule in rules for rates in selection.rates]


def _none_printed() -> tuple[str, float]:
    raise RequestError("rates", "the paper prints no learning rate for Figure 4")


def _condition(choices: Choices, selection: Selection, rates: str, rule: str) -> Condition:
    called, eta = learning_rate(selection, "fig4", rates, {"rule": rule}, _none_printed)
    label = {"loop": "loop", "rflo": "rflo, whole", "bptt": "bptt, whole"}[rule]
    return Condition(
        label=label + ("" if called == "tuned" else f" {called}"),
        values={"figure": "fig4", "panel": PANELS[rule], "rule": rule, "rates": called, "eta": eta},
        jobs=tuple(
            _with_loop(choices, eta, network) if rule == "loop" else _without_loop(choices, rule, eta, network)
            for network in range(choices.n_networks)
        ),
    )


def _with_loop(choices: Choices, eta: float, network: int) -> Job:
    return LoopSession(
        reaching=choices.reaching,
        sequence=choices.directions,
        eta=eta,
        eta_s=choices.eta_s,
        p_explore=choices.p_explore,
        read_at=choices.read_at,
        reset_state=choices.reset_state,
        n_trials_stage=choices.n_trials,
        init=choices.init,
        seed=choices.seed,
        network=network,
        moves=choices.moves,
        run_from=choices.run_from,
        **choices.training("rflo"),
    )


def _without_loop(choices: Choices, rule: str, eta: float, network: int) -> Job:
    return Session(
        task=SequenceTask(choices.directions, choices.reaching),
        rule=rule,
        eta=eta,
        n_trials=choices.n_trials_whole,
        init=choices.init,
        seed=choices.seed,
        network=network,
        **choices.training(rule),
    )


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The tables of SCHEMAS."""
    shared = learning_curves.tabulate(found, results, choices.tau)
    after, transitions, sequence, single = [], [], [], []
    for condition, network, arrays in by_network(found, results):
        after.append(_after(choices, arrays))
        if "correct" in arrays:
            transitions.append({**condition.values, "network": network, **_windows(arrays)})
    for condition, sessions in zip(found, results, strict=True):
        network = median_network(sessions)
        named, arrays = {**condition.values, "network": network}, sessions[network]
        path = _path(choices, arrays["y"], arrays["targets"])
        sequence.append({**named, "input": _input(choices, arrays), **path})
        for i, velocity in enumerate(arrays.get("single", ())):
            path = _path(choices, velocity, choices.reaching.velocity([i]))
            single.append({**named, "direction": DIRECTIONS[i], **path})
    return {
        "curves": shared["curves"],
        "final": pd.concat([shared["final"], pd.DataFrame(after)], axis=1),
        "transitions": _joined("transitions", transitions),
        "sequence": _joined("sequence", sequence),
        "single": _joined("single", single),
    }


def _joined(part: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One below the other, each the columns of a condition."""
    empty = pd.DataFrame(columns=[c.name for c in SCHEMAS[part].columns])
    return pd.concat([pd.DataFrame(columns) for columns in rows], ignore_index=True) if rows else empty


@np.errstate(over="ignore", invalid="ignore")
def _after(choices: Choices, arrays: Arrays) -> Mapping[str, Any]:
    """What one run of the sequence after training shows, and the end of stage 2."""
    y, targets = arrays["y"], arrays["targets"]
    apart = exact_math.norm(choices.reaching.position(y - targets))
    late: float = np.nan
    if "correct" in arrays:
        n_late = max(1, round(LATE_SHARE * len(arrays["correct"])))
        possible = arrays["possible"][-n_late:]
        late = _share(arrays["correct"][-n_late:][possible])
    return {
        "sequence_loss": _sequence_loss(arrays),
        "endpoint_error": float(exact_math.mean(apart[choices.reaching.n_steps - 1 :: choices.reaching.n_steps])),
        "in_order": "chosen" in arrays and tuple(arrays["chosen"]) == choices.directions,
        "correct_late": late,
    }


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if len(flags) else np.nan


def _windows(arrays: Arrays) -> Mapping[str, Any]:
    """Columns of `transitions`, in windows that are evenly spaced on a logarithmic axis."""
    n = len(arrays["correct"])
    edges = np.unique([0, *exact_math.geomspace(min(FIRST_WINDOW, n), n, WINDOWS).round().astype(int)])
    parts = [slice(a, b) for a, b in itertools.pairwise(edges)]
    possible, correct, greedy = arrays["possible"], arrays["correct"], ~arrays["explored"]
    return {
        "trial": edges[1:],
        "n_trials": [int(possible[p].sum()) for p in parts],
        "correct": [_share(correct[p][possible[p]]) for p in parts],
        "correct_greedy": [_share(correct[p][possible[p] & greedy[p]]) for p in parts],
    }


def _input(choices: Choices, arrays: Arrays) -> list[str]:
    """The column `input` of the sequence."""
    step, n_steps = learning_curves.sampled(len(arrays["y"]), SEQUENCE_POINTS), choices.reaching.n_steps
    if "chosen" not in arrays:
        return ["none"] * len(step)
    syllable, on = step // (2 * n_steps), (step // n_steps % 2 == 0) | choices.input_in_hold
    return [DIRECTIONS[arrays["chosen"][s]] if is_on else "none" for s, is_on in zip(syllable, on, strict=True)]


@np.errstate(over="ignore", invalid="ignore")
def _path(choices: Choices, y: np.ndarray, targets: np.ndarray) -> Mapping[str, Any]:
    """Columns of velocity and cursor, at most SEQUENCE_POINTS times."""
    step = learning_curves.sampled(len(y), SEQUENCE_POINTS)
    columns = np.hstack([y, targets, choices.reaching.position(y), choices.reaching.position(targets)])
    names = [column.name for column in _PATH[1:]]
    return {"time_tau": (step + 1) / choices.tau, **dict(zip(names, columns[step].round(6).T, strict=True))}


@np.errstate(over="ignore")
def _sequence_loss(arrays: Arrays) -> float:
    """Eq. 2 in one run of the sequence after training; infinite if an output's square is."""
    errors = arrays["y"] - arrays["targets"]
    return 0.5 * exact_math.inner(errors, errors) / len(errors)


def summary(sessions: Sequence[Arrays]) -> str:
    """What a progress line says of a finished condition: loss at the end of training, and loss on the sequence."""
    whole = [_sequence_loss(arrays) for arrays in sessions]
    low, middle, high = quartiles(whole)
    line = f"sequence loss {middle:.3g}  (quartiles {low:.3g}, {high:.3g})"
    diverged = sum(not np.isfinite(final_loss(arrays)) for arrays in sessions)
    return line + (f"  {diverged} diverged" if diverged else "")


EXPERIMENT = Experiment(ABOUT, plot_of(ABOUT), CHOICES, SCHEMAS, conditions, tabulate, summary, CLAIMS)
