"""The learning rate of a condition: the paper's, the one that a grid search found, or a given one."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from rflo_repro.runs.request import RequestError, Selection

# What `rflo-repro tune` chose: one line a condition
TUNED = resources.files("rflo_repro.paper") / "rates.csv"


def condition_key(values: Mapping[str, Any]) -> str:
    """A condition's name whatever its learning rate, such as `rule=rflo period_tau=80`."""
    apart = ("figure", "panel", "rates", "eta")
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in values.items()
        if name not in apart
    )


@functools.cache
def tuned_rates() -> dict[tuple[str, str], float]:
    """The tuned learning rate by figure and condition (package data)."""
    if not TUNED.is_file():
        return {}
    rows = csv.DictReader(TUNED.read_text(encoding="utf-8").splitlines())
    return {(row["figure"], row["condition"]): float(row["eta"]) for row in rows}


def learning_rate(
    selection: Selection, figure: str, rates: str, values: Mapping[str, Any], printed: Callable[[], tuple[str, float]]
) -> tuple[str, float]:
    """What the learning rate of a condition is called, and its value.

    rates: `tuned` for the one that `rflo-repro tune` found for these values, else `printed()`.
    Raises RequestError if it has found none.
    """
    if selection.eta is not None:
        return "given", selection.eta
    if rates != "tuned":
        return printed()
    key = condition_key(values)
    if (figure, key) not in tuned_rates():
        raise RequestError("rates", f"no tuned rate is known for {key}: name one with --eta, or run `rflo-repro tune`")
    return rates, tuned_rates()[figure, key]
