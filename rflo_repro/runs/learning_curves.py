"""From sessions to tidy tables: learning curves, final losses, and outputs at the end of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.runs.job import Arrays, Condition, Results
from rflo_repro.runs.outcomes import outcome, zero_output_loss
from rflo_repro.runs.session import last_part
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.statistics import quartiles

CURVE_POINTS = 100
OUTPUT_POINTS = 200

CONDITION_COLUMNS = {
    c.name: c
    for c in (
        Column("figure", "text", "", "the figure command that computed the row"),
        Column("panel", "text", "", "letters of the panels that draw the row"),
        Column("rule", "text", "", "learning rule (rflo_repro.RULES)"),
        Column("rates", "text", "", "printed: the paper's learning rate; tuned: by grid search; other: given"),
        Column("period_tau", "number", "tau", "period of the target, in units of the network's time constant"),
        Column("n_rec", "integer", "units", "number of recurrent units N"),
        Column("g", "number", "", "initial recurrent weights have the variance g^2/N"),
        Column("dale", "flag", "", "whether the recurrent weights obey Dale's law"),
        Column("eta", "number", "", "learning rate"),
    )
}
NETWORK = Column("network", "integer", "", "index of the random initial network, from 0")
CURVE = (
    NETWORK,
    Column("trial", "integer", "trials", "number of the trial, from 1; values are those before its update"),
    Column("loss", "number", "", "loss L of Eq. 2: half the mean squared error of the output"),
    Column("alignment", "number", "", "Tr(Wout B) / (|Wout| |B|)"),
)
FINAL = (
    NETWORK,
    Column("n_trials", "integer", "trials", "number of training trials"),
    Column("first_loss", "number", "", "loss L in the first trial"),
    Column("smallest_loss", "number", "", "smallest loss L of any trial"),
    Column("final_loss", "number", "", "median loss L of the last 1% of trials; empty after a divergence"),
    Column("final_alignment", "number", "", "median alignment of the last 1% of trials"),
    Column("diverged", "flag", "", "whether a NaN or an infinity ended the training"),
    Column(
        "outcome",
        "text",
        "",
        "learned, plateau, thrown out, ran away, diverged or untrained (rflo_repro/runs/outcomes.py)",
    ),
    Column("plateau", "number", "", "level of the plateau: median loss L of the last tenth of trials; else empty"),
)
# of tasks that have one
METRIC = Column("final_metric", "number", "", "the task's metric after training, a mean over 500 further trials")
OUTPUT = (
    NETWORK,
    Column("time_tau", "number", "tau", "time in the trial"),
    Column("output", "integer", "", "index of the readout, from 0"),
    Column("y", "number", "", "output of the trained network"),
    Column("target", "number", "", "target y*"),
)

ROWS = {
    "curves": "a trial of one network, about 100 a session, log-spaced",
    "final": "one trained network",
    "outputs": "a time step of the network of median final loss, at most 200 a trial",
}


def schemas(figure: str, condition: Sequence[str]) -> dict[str, Schema]:
    """The three tables of a figure made of sessions: `curves`, `final` and `outputs`, by these condition columns.

    condition: names from CONDITION_COLUMNS that tell the conditions apart; figure, panel and eta are added.
    """
    return composed(figure, condition_columns("figure", "panel", *condition, "eta"), condition)


def composed(name: str, named: Sequence[Column], condition: Sequence[str]) -> dict[str, Schema]:
    """The three tables `<name>_curves`, `_final` and `_outputs`, whose rows begin with these columns."""
    return {
        part: Schema(f"{name}_{part}", ROWS[part], (*named, *columns), tuple(condition))
        for part, columns in (("curves", CURVE), ("final", FINAL), ("outputs", OUTPUT))
    }


def condition_columns(*names: str) -> tuple[Column, ...]:
    """Those of CONDITION_COLUMNS."""
    return tuple(CONDITION_COLUMNS[name] for name in names)


def log_spaced(n_trials: int, n_points: int = CURVE_POINTS) -> np.ndarray[Any, np.dtype[np.int64]]:
    """About `n_points` different trial numbers from 1 to `n_trials`, log-spaced."""
    return np.unique(np.round(exact_math.geomspace(1, n_trials, n_points)).astype(np.int64))


def sampled(n_steps: int, most: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Indices of at most `most` of this many timesteps, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, n_steps - 1, most).round().astype(np.int64))


def final_loss(arrays: Arrays) -> float:
    """A session's final loss, as in the tables."""
    return last_part(arrays["loss"])


def median_network(sessions: Sequence[Arrays]) -> int:
    """The network of median final loss (of the two in the middle, the better); a divergence is above all others."""
    losses = np.array([final_loss(arrays) for arrays in sessions])
    return int(np.argsort(np.nan_to_num(losses, nan=np.inf, posinf=np.inf), kind="stable")[(len(losses) - 1) // 2])


def how_it_went(arrays: Arrays, untrained: bool = False) -> dict[str, Any]:
    """The columns of FINAL, but for the network's."""
    loss, diverged = arrays["loss"], bool(arrays["diverged"])
    seen = loss[np.isfinite(loss)]
    zero = (
        zero_output_loss(arrays["targets"]) if "zero_output_loss" not in arrays else float(arrays["zero_output_loss"])
    )
    went, plateau = ("untrained", np.nan) if untrained else outcome(loss, diverged, zero)
    return {
        "n_trials": len(loss), "first_loss": loss[0], "smallest_loss": seen.min() if len(seen) else np.nan,
        "final_loss": last_part(loss), "final_alignment": last_part(arrays["alignment"]),
        "diverged": diverged, "outcome": went, "plateau": plateau,
        **({"final_metric": float(arrays["metric"])} if "metric" in arrays else {}),
    }  # fmt: skip


def significant(values: np.ndarray[Any, Any], digits: int) -> np.ndarray[Any, Any]:
    """Rounded for tables that are drawn, not compared: a file of a reader's size."""
    return np.array([float(f"{v:.{digits}g}") for v in values])


def tabulate(conditions: Sequence[Condition], results: Results, tau: float) -> dict[str, pd.DataFrame]:
    """The frames for `schemas`: by condition and network, in the order given."""
    curves: list[pd.DataFrame] = []
    outputs: list[pd.DataFrame] = []
    final: list[Mapping[str, Any]] = []
    for condition, sessions in zip(conditions, results, strict=True):
        for network, arrays in enumerate(sessions):
            loss, alignment = arrays["loss"], arrays["alignment"]
            final.append({**condition.values, "network": network, **how_it_went(arrays, condition.untrained)})
            trial = log_spaced(len(loss))
            curves.append(pd.DataFrame({
                **condition.values, "network": network, "trial": trial,
                "loss": significant(loss[trial - 1], 6), "alignment": significant(alignment[trial - 1], 6),
            }))  # fmt: skip
        median = median_network(sessions)
        y, targets = sessions[median]["y"], sessions[median]["targets"]
        step = sampled(len(y), OUTPUT_POINTS)
        for output in range(y.shape[1]):
            outputs.append(pd.DataFrame({
                **condition.values, "network": median, "time_tau": (step + 1) / tau, "output": output,
                "y": significant(y[step, output], 6), "target": significant(targets[step, output], 6),
            }))  # fmt: skip
    return {
        "curves": pd.concat(curves, ignore_index=True),
        "final": pd.DataFrame(final),
        "outputs": pd.concat(outputs, ignore_index=True),
    }


def summary(sessions: Sequence[Arrays]) -> str:
    """What a progress line says of a finished condition: median and quartiles of the final loss."""
    losses = [final_loss(arrays) for arrays in sessions]
    low, middle, high = quartiles(losses)
    diverged = sum(bool(arrays["diverged"]) for arrays in sessions)
    return f"loss {middle:.3g}  (quartiles {low:.3g}, {high:.3g})" + (f"  {diverged} diverged" if diverged else "")
