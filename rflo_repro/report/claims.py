"""What a claim is, and how an interval becomes a verdict.

A claim of a difference holds only when the interval excludes zero (or the stated bound) on the right side; a claim of
sameness only when the interval lies within the stated margin. What the interval leaves open is undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rflo_repro.learning import arithmetic
from rflo_repro.runs.claims import Interval, Part, Verdict
from rflo_repro.runs.statistics import interval, log_ratio, paired, where

Test = Callable[[Interval], Verdict]

# Half a decade: on the paper's axes, which span several, two lines this far apart lie close together.
MARGIN = 0.5
RATIO = "median over networks of log10(final loss {} / final loss {}), paired by network"
# Fewer networks than this and an interval over them says nothing.
FEWEST = 5
# A loss above this share of the untrained networks' is not learning, and two such losses cannot be compared.
NOT_LEARNED = 0.5


def above(bound: float = 0.0) -> Test:
    """A number is larger than `bound`."""

    def test(found: Interval) -> Verdict:
        return "holds" if found.low > bound else "does not hold" if found.high < bound else "undecided"

    return test


def below(bound: float = 0.0) -> Test:
    """A number is smaller than `bound`."""

    def test(found: Interval) -> Verdict:
        return "holds" if found.high < bound else "does not hold" if found.low > bound else "undecided"

    return test


def within(margin: float = MARGIN, around: float = 0.0) -> Test:
    """A number is the same as `around`, up to the margin."""

    def test(found: Interval) -> Verdict:
        low, high = found.low - around, found.high - around
        if -margin <= low and high <= margin:
            return "holds"
        return "does not hold" if low > margin or high < -margin else "undecided"

    return test


def untestable(what: str, why: str) -> Part:
    """A part that cannot be tested."""
    return Part(what, "cannot be tested", why=why)


def judged(
    what: str,
    values: Any,
    test: Test,
    unit: str = "decades",
    statistic: Callable[[Any], Any] | None = None,
    why: str = "",
) -> Part:
    """A part from one value a network, by median unless another statistic is given."""
    values = np.asarray(values, dtype=float)
    if len(values) < FEWEST:
        return untestable(what, f"{len(values)} networks; an interval needs {FEWEST}")
    found = interval(values, statistic) if statistic else interval(values)
    return Part(what, test(found), found, unit, why)


def compared(
    what: str,
    first: pd.DataFrame,
    second: pd.DataFrame,
    test: Test,
    column: str = "final_loss",
    floor: float = 0.0,
    bar: float | None = None,
) -> Part:
    """A part from log10(first / second), paired by network. One that ran away counts as one that diverged.

    bar: where neither condition's median lies below it, neither learns, and there is nothing to compare; half of the
    untrained networks' loss unless given. floor: as in `log_ratio`.
    """
    if not (len(first) and len(second)):
        return untestable(what, "the table has no such rows")
    if bar is None:
        bar = NOT_LEARNED * float(np.median(first.first_loss))
    if all(float(np.median(rows[column].fillna(np.inf))) >= bar for rows in (first, second)):
        return untestable(what, "neither learns")
    one, other = (
        rows.assign(**{column: rows[column].mask(rows.outcome == "ran away")}) if "outcome" in rows else rows
        for rows in (first, second)
    )
    return judged(what, log_ratio(*paired(one, other, column), floor=floor), test)


def by_period(
    frame: pd.DataFrame,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    test: Test,
    periods_tau: Sequence[float] | None = None,
) -> list[Part]:
    """`compared` at each period (all of the table's unless said), a part a period."""
    known = sorted(map(float, frame.period_tau.unique())) if periods_tau is None else periods_tau
    return [
        compared(
            f"{period_tau:g} τ",
            where(frame, {**first, "period_tau": period_tau}),
            where(frame, {**second, "period_tau": period_tau}),
            test,
        )
        for period_tau in known
    ]


def slopes(frame: pd.DataFrame, x: str, y: str, log_x: bool = False, log_y: bool = False) -> Any:
    """Slope of y on x for each network, by least squares; networks with a missing value are left out."""
    found = []
    for _, rows in frame.groupby("network"):
        at, to = rows[x].to_numpy(float), rows[y].to_numpy(float)
        at, to = arithmetic.log10(at) if log_x else at, arithmetic.log10(to) if log_y else to
        if len(np.unique(at)) > 1 and np.isfinite(to).all():
            away = at - arithmetic.mean(at)
            found.append(arithmetic.inner(away, to - arithmetic.mean(to)) / arithmetic.inner(away, away))
    return np.array(found)
