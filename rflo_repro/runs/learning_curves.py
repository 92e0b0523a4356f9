"""From sessions to tidy tables: learning curves, final losses, and outputs at the end of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rflo_repro.learning import arithmetic
from rflo_repro.runs.outcomes import outcome, silent_loss
from rflo_repro.runs.realisation import Arrays, Condition
from rflo_repro.runs.tables import Column, Schema

CURVE_POINTS = 100
OUTPUT_POINTS = 200
FINAL_SHARE = 0.01

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
_NETWORK = Column("network", "integer", "", "index of the random initial network, from 0")
_CURVE = (
    _NETWORK,
    Column("trial", "integer", "trials", "number of the trial, from 1; values are those before its update"),
    Column("loss", "number", "", "loss L of Eq. 2: half the mean squared error of the output"),
    Column("alignment", "number", "", "Tr(Wout B) / (|Wout| |B|)"),
)
_FINAL = (
    _NETWORK,
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
_OUTPUT = (
    _NETWORK,
    Column("time_tau", "number", "tau", "time in the trial"),
    Column("output", "integer", "", "index of the readout, from 0"),
    Column("y", "number", "", "output of the trained network"),
    Column("target", "number", "", "target y*"),
)


def schemas(figure: str, condition: Sequence[str]) -> dict[str, Schema]:
    """The three tables of a figure made of sessions: `curves`, `final` and `outputs`, by these condition columns.

    condition: names from CONDITION_COLUMNS that tell the conditions apart; figure, panel and eta are added.
    """
    first = ("figure", "panel", *condition, "eta")
    named = tuple(CONDITION_COLUMNS[name] for name in first)
    parts = {
        "curves": ("a trial of one network, about 100 a session, log-spaced", _CURVE),
        "final": ("one trained network", _FINAL),
        "outputs": ("a time step of the network of median final loss, at most 200 a trial", _OUTPUT),
    }
    return {
        part: Schema(f"{figure}_{part}", row, (*named, *columns), tuple(condition))
        for part, (row, columns) in parts.items()
    }


def log_spaced(n_trials: int, n_points: int = CURVE_POINTS) -> np.ndarray[Any, np.dtype[np.int64]]:
    """About `n_points` different trial numbers from 1 to `n_trials`, log-spaced."""
    return np.unique(np.round(arithmetic.geometric(1, n_trials, n_points)).astype(np.int64))


def last_part(values: np.ndarray[Any, Any]) -> float:
    """Median over the last 1% of trials; NaN if one of them is missing."""
    return float(np.median(values[-max(1, int(len(values) * FINAL_SHARE)) :]))


def final_loss(arrays: Arrays) -> float:
    """A session's final loss, as in the tables."""
    return last_part(arrays["loss"])


def median_network(sessions: Sequence[Arrays]) -> int:
    """The network of median final loss (of the two in the middle, the better); a divergence is above all others."""
    losses = np.array([final_loss(arrays) for arrays in sessions])
    return int(np.argsort(np.nan_to_num(losses, nan=np.inf, posinf=np.inf), kind="stable")[(len(losses) - 1) // 2])


def _significant(values: np.ndarray[Any, Any], digits: int) -> np.ndarray[Any, Any]:
    """Rounded for tables that are drawn, not compared: a file of a reader's size."""
    return np.array([float(f"{v:.{digits}g}") for v in values])


def tabulate(
    conditions: Sequence[Condition], results: Sequence[Sequence[Arrays]], tau: float
) -> dict[str, pd.DataFrame]:
    """The frames for `schemas`: by condition and network, in the order given."""
    curves: list[pd.DataFrame] = []
    outputs: list[pd.DataFrame] = []
    final: list[Mapping[str, Any]] = []
    for condition, sessions in zip(conditions, results, strict=True):
        for network, arrays in enumerate(sessions):
            loss, alignment = arrays["loss"], arrays["alignment"]
            seen = loss[np.isfinite(loss)]
            went, plateau = outcome(loss, bool(arrays["diverged"]), silent_loss(arrays["targets"]))
            if condition.untrained:
                went, plateau = "untrained", np.nan
            final.append({
                **condition.values, "network": network, "n_trials": len(loss),
                "first_loss": loss[0], "smallest_loss": seen.min() if len(seen) else np.nan,
                "final_loss": last_part(loss), "final_alignment": last_part(alignment),
                "diverged": bool(arrays["diverged"]), "outcome": went, "plateau": plateau,
            })  # fmt: skip
            trial = log_spaced(len(loss))
            curves.append(pd.DataFrame({
                **condition.values, "network": network, "trial": trial,
                "loss": _significant(loss[trial - 1], 6), "alignment": _significant(alignment[trial - 1], 6),
            }))  # fmt: skip
        median = median_network(sessions)
        y, targets = sessions[median]["y"], sessions[median]["targets"]
        step = np.unique(np.linspace(0, len(y) - 1, OUTPUT_POINTS).round().astype(int))
        for output in range(y.shape[1]):
            outputs.append(pd.DataFrame({
                **condition.values, "network": median, "time_tau": (step + 1) / tau, "output": output,
                "y": _significant(y[step, output], 6), "target": _significant(targets[step, output], 6),
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
    return f"loss {middle:.3g}  ({low:.3g}, {high:.3g})" + (f"  {diverged} diverged" if diverged else "")


def quartiles(values: Sequence[float] | np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """25th, 50th and 75th percentile over networks; a network that diverged (NaN) counts as above all others."""
    ordered = np.sort(np.nan_to_num(np.asarray(values, dtype=float), nan=np.inf, posinf=np.inf))
    place = np.array([0.25, 0.5, 0.75]) * (len(ordered) - 1)
    low, high, share = np.floor(place).astype(int), np.ceil(place).astype(int), place % 1.0
    # an infinity beside a finite neighbour must not become NaN
    mixed = [
        ordered[a] if s == 0.0 else ordered[a] * (1.0 - s) + ordered[b] * s
        for a, b, s in zip(low, high, share, strict=True)
    ]
    return float(mixed[0]), float(mixed[1]), float(mixed[2])
