"""What the paper says a timestep costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rflo_repro.report.claims import untestable, within
from rflo_repro.runs.claims import Claim, Interval, Part, Tables
from rflo_repro.runs.statistics import where

EXPONENTS = {"rtrl": 4, "rflo": 2, "bptt": 2}
LARGEST = 4
MARGIN = 0.5


def exponent(rows: pd.DataFrame) -> Interval:
    """k of cost ~ N^k over the largest sizes; the interval is from the smallest to the largest k without one of them,
    for a timing is one measurement of one machine."""
    large = rows.sort_values("n_rec").tail(LARGEST)
    x, y = np.log(large.n_rec.to_numpy(float)), np.log(large.us_per_step.to_numpy(float))
    without = [float(np.polyfit(np.delete(x, i), np.delete(y, i), 1)[0]) for i in range(len(x))]
    return Interval(float(np.polyfit(x, y, 1)[0]), min(without), max(without), len(x))


def powers(tables: Tables) -> Sequence[Part]:
    """The exponent of each rule."""
    parts = []
    for rule, power in EXPONENTS.items():
        rows = where(tables["cost"], {"rule": rule})
        if len(rows) < LARGEST:
            parts.append(untestable(rule.upper(), f"{len(rows)} sizes; needs {LARGEST}"))
            continue
        found = exponent(rows)
        parts.append(Part(f"{rule.upper()}: N^{power}", within(MARGIN, power)(found), found, "exponent"))
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
