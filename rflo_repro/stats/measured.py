"""How numbers of networks become the parts of a claim: the answer at 99%, and what the multiverse takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.stats import answers, statistics
from rflo_repro.stats.answers import MARGIN, Answer, Answered, Flags, Pair
from rflo_repro.stats.by_losses import ByLosses
from rflo_repro.stats.claims import Part
from rflo_repro.stats.statistics import Statistic, interval, log_ratio, median, paired, where

Values = npt.NDArray[np.float64]  # one a network

DECADES = "decades"
RATIO = "median over networks of log10(final loss {} / final loss {}), paired by network; how many learned under either"
SLOPE = "slope (median of those between any two points)"
# When the answer is yes, in words
SAME = (
    "with 98% confidence the losses differ by less than a factor of 3.2 and the shares that learned by less than 15 of "
    "100 networks"
)
NO_WORSE = "with 98% confidence the loss is less than 3.2 times as high and less than 15 of 100 networks fewer learn"
BEHIND = "with 99% confidence the loss is higher or fewer networks learn, and neither is the other way round"
AHEAD = "with 99% confidence the loss is lower or more networks learn, and neither is the other way round"
# A loss above this share of the untrained networks' is not learning, and two such losses cannot be compared: in the
# tables of the multiverse.
NOT_LEARNED = 0.5


@dataclass(frozen=True)
class Test:
    """A claim that a number lies between `low` and `high`.

    around: its sides are counted from here. same: whether it says that nothing much differs, by a margin that is ours.
    """

    low: float
    high: float
    around: float
    same: bool = False

    def chances(self, values: Values, statistic: Statistic) -> tuple[Mapping[ByLosses, float], ...]:
        """The p of the values if it were false, and if it were true; then, if it is one of sameness, if they were on
        either side."""
        tails = {bound: statistics.one_sided(values, bound, statistic) for bound in self._bounds()}
        # that it is above `low` and below `high`, or beyond either
        inside = [tails[bound][side] for bound, side in self._ends()]
        outside = [tails[bound][1 - side] for bound, side in self._ends()]
        both: Mapping[ByLosses, float] = {"yes": max(inside) * (1 if self.same else 2), "no": 2 * min(outside)}
        above, below = tails[self.around]
        sides: Mapping[ByLosses, float] = {"worse": 2 * above, "better": 2 * below}
        return (both, sides) if self.same else (both,)

    def answered(self, pair: Pair) -> Answered:
        """The answer of two conditions."""
        if self.same:
            return answers.as_good(pair, two_sided=math.isfinite(self.low))
        if (self.low, self.high) in ((0.0, math.inf), (-math.inf, 0.0)):
            return answers.behind(pair) if self.low == 0.0 else answers.ahead(pair)
        if not answers.half_learned(pair.first_learned, pair.second_learned):
            return replace(pair.answered(), answer="no test", why=answers.NEITHER_LEARNED)
        return replace(pair.answered(), answer=answers.between(pair.values, self.low, self.high).answer)

    def by_number(self, found: Answered) -> Answer:
        """What the interval of the number says by itself, without the networks that learned."""
        if self.low <= found.low and found.high <= self.high:
            return "yes"
        if found.high < self.low or found.low > self.high:
            return "no"
        return "worse" if self.same and found.low > 0.0 else "open"

    def _ends(self) -> list[tuple[float, int]]:
        """The bounds there are, the lower as 0 and the upper as 1."""
        return [(bound, side) for side, bound in enumerate((self.low, self.high)) if math.isfinite(bound)]

    def _bounds(self) -> set[float]:
        return {self.around, *(bound for bound, _ in self._ends())}


def above(bound: float = 0.0) -> Test:
    """A number is larger than `bound`."""
    return Test(bound, math.inf, bound)


def below(bound: float = 0.0) -> Test:
    """A number is smaller than `bound`."""
    return Test(-math.inf, bound, bound)


def within(margin: float = MARGIN, around: float = 0.0) -> Test:
    """A number is the same as `around`, up to the margin."""
    return Test(around - margin, around + margin, around, same=True)


def at_most(margin: float = MARGIN) -> Test:
    """A number is no larger than 0, up to the margin."""
    return Test(-math.inf, margin, 0.0, same=True)


def untestable(what: str, why: str) -> Part:
    """A part of which there is no number."""
    return Part(what, why=why)


def set_aside(part: Part) -> Part:
    """A part that the multiverse does not compare, though its numbers are shown."""
    return replace(part, chances=(), inside=math.nan)


def judged(
    what: str,
    values: Any,
    test: Test,
    unit: str = DECADES,
    statistic: Statistic = median,
    why: str = "",
    answered: Answered | None = None,
) -> Part:
    """A part from one value a network, by median unless another statistic is given.

    answered: the answer, if it does not follow from the values alone.
    """
    values = np.asarray(values, dtype=float)
    if not len(values):
        return untestable(what, why or "the table has no such networks")
    found = interval(values, statistic)
    chances = test.chances(values, statistic)
    side = -1.0 if found.estimate < test.around else 1.0
    return Part(
        what,
        answered or answers.between(values, test.low, test.high, statistic),
        unit,
        unit.startswith(DECADES),
        why,
        test=test,
        p=min(1.0, *chances[0].values()),
        interval=found,
        k=int((side * values > side * test.around).sum()),
        inside=min(found.estimate - test.low, test.high - found.estimate),
        chances=chances,
        effects=values.tolist(),
    )


def ranked(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows with a column's value missing where the network exploded: how far it got says nothing, and what is
    missing counts as above all others."""
    return rows.assign(**{column: rows[column].mask(rows.outcome == "ran away")}) if "outcome" in rows else rows


@dataclass(frozen=True)
class Measure:
    """What two conditions are compared by: a column of the final table.

    floor: values under it count as it. bar: where neither condition's median lies below it, the multiverse compares
    nothing; half of the untrained networks' loss if not given. good: the word for networks whose value is at most a
    number; `learned`, as the table has it, if not given.
    """

    column: str = "final_loss"
    floor: float = 0.0
    bar: float | None = None
    good: tuple[str, float] | None = None

    def flagged(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows, ranked, with a column `good`: whether the network learned, or has a value of at most a number."""
        rows = ranked(rows, self.column)
        if self.good is not None:
            return rows.assign(good=rows[self.column] <= self.good[1])
        return rows.assign(good=rows.outcome == "learned") if "outcome" in rows else rows


LOSS = Measure()


def compared(
    what: str,
    first: pd.DataFrame,
    second: pd.DataFrame,
    test: Test,
    by: Measure = LOSS,
    gate: pd.DataFrame | None = None,
) -> Part:
    """A part from log10(first / second), paired by network. One that exploded counts as one that diverged.

    gate: the condition that must have learned in half of the networks, either if not given.
    """
    if not (len(first) and len(second)):
        return untestable(what, "the table has no such rows")
    bar = NOT_LEARNED * float(np.median(first.first_loss)) if by.bar is None else by.bar
    one, other = by.flagged(first), by.flagged(second)
    a, b = (np.maximum(np.nan_to_num(v, nan=np.inf, posinf=np.inf), by.floor) for v in paired(one, other, by.column))
    answered = None
    if "good" in one and "good" in other:
        flags = [flag == 1.0 for flag in paired(one, other, "good")]
        pair = Pair(a, b, *flags)
        if gate is None:
            answered = test.answered(pair)
        else:
            answered = answers.as_good(pair, math.isfinite(test.low), by.flagged(gate).good.to_numpy(bool))
    values = log_ratio(a, b)
    if not len(values):
        return replace(untestable(what, "every network diverged under both"), answered=answered)
    medians = tuple(float(np.median(rows[by.column].fillna(np.inf))) for rows in (one, other))
    word = by.good[0] if by.good else "learned"
    part = replace(judged(what, values, test, answered=answered), medians=medians, good=word)
    return set_aside(part) if min(medians) >= bar else part


def learned(rows: pd.DataFrame) -> Flags:
    """Whether each network learned, in the order of the networks."""
    return (rows.sort_values("network").outcome == "learned").to_numpy(bool)


def by_period(
    frame: pd.DataFrame,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    test: Test,
    periods_tau: Sequence[float] | None = None,
) -> list[Part]:
    """`compared` at each period (all of the table's unless said), a part a period."""
    known = sorted(map(float, frame.period_tau.unique())) if periods_tau is None else periods_tau

    def rows(table: pd.DataFrame, period_tau: float) -> tuple[pd.DataFrame, pd.DataFrame]:
        one, other = (where(table, {**of, "period_tau": period_tau}) for of in (first, second))
        return one, other

    return [compared(f"{period_tau:g} τ", *rows(frame, period_tau), test) for period_tau in known]


def slopes(frame: pd.DataFrame, x: str, y: str, log_x: bool = False, log_y: bool = False) -> Any:
    """Slope of y on x for each network: the median of the slopes between any two of its points (Theil and Sen).

    An infinite y, such as the loss of a network that exploded, counts as above all others and no more; a network with a
    missing y is left out.
    """
    found = []
    for _, rows in frame.groupby("network"):
        at, to = rows[x].to_numpy(float), rows[y].to_numpy(float)
        at, to = exact_math.log10(at) if log_x else at, exact_math.log10(to) if log_y else to
        one, other = np.nonzero(at[:, np.newaxis] < at)
        with np.errstate(invalid="ignore"):
            between = (to[other] - to[one]) / (at[other] - at[one])
        # two infinities say nothing of each other
        known = between[~np.isnan(between)]
        if len(known) and not np.isnan(to).any():
            found.append(float(median(known)))
    return np.array(found)
