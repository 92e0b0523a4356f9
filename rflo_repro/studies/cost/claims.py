"""What the paper says a timestep costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rflo_repro.learning.validate import Array
from rflo_repro.stats.answers import Answer, Answered
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import untestable
from rflo_repro.stats.statistics import where

EXPONENTS = {"rtrl": 4, "rflo": 2, "bptt": 2}
LARGEST = 4
MARGIN = 0.5


def exponents(rows: pd.DataFrame) -> tuple[float, list[float]]:
    """The exponent k of a fit cost ~ N^k to the largest sizes, and k with each of them left out in turn."""
    large = rows.sort_values("n_rec").tail(LARGEST)
    x, y = np.log(large.n_rec.to_numpy(float)), np.log(large.us_per_step.to_numpy(float))
    return _slope(x, y), [_slope(np.delete(x, i), np.delete(y, i)) for i in range(len(x))]


def _slope(x: Array, y: Array) -> float:
    return float(np.polyfit(x, y, 1)[0])


def near(found: Sequence[float], power: float) -> Answer:
    """The answer: yes if all lie within MARGIN of this power, no if all are beyond it on one side, else open."""
    away = [value - power for value in found]
    if max(map(abs, away)) <= MARGIN:
        return "yes"
    return "no" if min(away) > MARGIN or max(away) < -MARGIN else "open"


def powers(tables: Tables) -> Sequence[Part]:
    """The exponent of each rule; a timing is one measurement of one machine, and the interval is by leaving one out."""
    parts = []
    for rule, power in EXPONENTS.items():
        rows = where(tables["cost"], {"rule": rule})
        if len(rows) < LARGEST:
            parts.append(untestable(rule.upper(), f"{len(rows)} sizes; needs {LARGEST}"))
            continue
        whole, without = exponents(rows)
        found = Answered(near(without, power), LARGEST, whole, min(without), max(without))
        parts.append(Part(f"{rule.upper()}: N^{power}", found, "exponent", log=False))
    return parts


CLAIMS = (
    Claim(
        "cost of a timestep",
        "A timestep costs about N^4 for RTRL and N^2 for RFLO and BPTT.",
        "Results; Figure 2, supplement 3",
        "slope of log(time of a timestep) on log(N) over the four largest sizes; its interval by leaving one out",
        "the interval lies within ±0.5 of the power",
        powers,
    ),
)
