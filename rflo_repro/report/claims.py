"""How numbers of networks become the parts of a claim.

A claim of a difference holds when the test of that side does, in either direction at half of 5%; a claim of sameness is
an equivalence test at 5%, for which the 90% interval must lie within the stated margin. A part that neither settles,
though the number is surely above or below zero, is behind or ahead, and its size is open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rflo_repro.learning import arithmetic
from rflo_repro.runs import statistics
from rflo_repro.runs.claims import LEVEL, Part, Question, Verdict, family
from rflo_repro.runs.outcomes import LEARNED
from rflo_repro.runs.statistics import (
    MOST_FOR_A_MEAN,
    POWER,
    Statistic,
    critical,
    interval,
    log_ratio,
    median,
    paired,
    where,
)

Values = npt.NDArray[np.float64]  # one a network

# Half a decade: on the paper's axes, which span several, two lines this far apart lie close together.
MARGIN = 0.5
DECADES = "decades"
RATIO = "median over networks of log10(final loss {} / final loss {}), paired by network"
SLOPE = "slope (median of those between any two points)"
# How criteria name the margin
MARGIN_IN_WORDS = "0.5 decades (losses within a factor of 3.2)"
# A loss above this share of the untrained networks' is not learning, and two such losses cannot be compared.
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

    def question(self, values: Values, statistic: Statistic, unit: str) -> Question:
        """What the values say to it."""
        tails = {bound: statistics.one_sided(values, bound, statistic) for bound in self._bounds()}
        # that it is above `low` and below `high`, or beyond either
        inside = [tails[bound][side] for bound, side in self._ends()]
        outside = [tails[bound][1 - side] for bound, side in self._ends()]
        behind, ahead = tails[self.around]
        return Question(
            answers={"holds": max(inside) * (1 if self.same else 2), "does not hold": 2 * min(outside)},
            sides={"behind, size open": 2 * behind, "ahead, size open": 2 * ahead} if self.same else {},
            needs=lambda level: self._needs(values, statistic, level),
            remark=lambda level: self._remark(values, unit, level) if self.same else "",
        )

    def _ends(self) -> list[tuple[float, int]]:
        """The bounds there are, the lower as 0 and the upper as 1."""
        return [(bound, side) for side, bound in enumerate((self.low, self.high)) if math.isfinite(bound)]

    def _bounds(self) -> set[float]:
        return {self.around, *(bound for bound, _ in self._ends())}

    def _needs(self, values: Values, statistic: Statistic, level: float) -> str:
        if statistic is median:
            return statistics.needed(self._power(values, level), len(values))
        return statistics.needed(self._power_of_a_mean(values, level), len(values), MOST_FOR_A_MEAN)

    def _remark(self, values: Values, unit: str, level: float) -> str:
        """For which margins the answer would be another, and how many networks of two identical rules it would take."""
        with np.errstate(invalid="ignore"):
            alike = np.nan_to_num(values - median(values), nan=math.inf, posinf=math.inf) + self.around
        power, said = self._power(alike, level, ("holds",)), self._margins(values, level, unit)
        if power(len(values)) >= POWER:
            return said
        return f"{said}; to show sameness takes {statistics.needed(power, len(values))}, even if nothing differs"

    def _margins(self, values: Values, level: float, unit: str) -> str:
        """For which margins it would hold, and for which it would not."""
        close, wide = (interval(values, level=share) for share in (2.0 * level, level))
        most, least = close.high - self.around, wide.low - self.around
        if math.isfinite(self.low):
            most, least = max(most, self.around - close.low), max(least, self.around - wide.high)
        said = [f"holds for margins above {_size(max(most, 0.0), unit)}"] if most < math.inf else []
        said += [f"does not hold below {_size(least, unit)}"] if least > 0.0 else []
        return ", ".join(said) or "no margin would settle it"

    def _power(
        self, values: Values, level: float, answers: Sequence[Verdict] = ("holds", "does not hold")
    ) -> Callable[[int], float]:
        """The chance of an answer from n networks of which these are a fair sample, or a little less than it."""
        shares = [
            (float((values > bound).mean()), float((values < bound).mean()))[:: -1 if side else 1]
            for bound, side in self._ends()
        ]

        def power(n: int) -> float:
            enough, clear = critical(n, level if self.same else level / 2.0), critical(n, level / 2.0)
            holds = 1.0 - sum(1.0 - statistics.chance(enough, n, share) for share, _ in shares)
            fails = max(statistics.chance(clear, n, share) for _, share in shares)
            return max(holds if "holds" in answers else 0.0, fails if "does not hold" in answers else 0.0)

        return power

    def _power_of_a_mean(self, values: Values, level: float) -> Callable[[int], float]:
        """The same for a mean, of which only differences from a bound are asked, as if it were normal."""
        away = min(abs(float(arithmetic.mean(values)) - bound) for bound in self._bounds())
        spread = float(np.std(values))

        def power(n: int) -> float:
            error = spread / math.sqrt(n)
            return NormalDist().cdf(away / error + NormalDist().inv_cdf(level / 2.0)) if error else 1.0

        return power


def _size(margin: float, unit: str) -> str:
    return f"{margin:.2f} (a factor of {10.0**margin:.2g})" if unit == DECADES and margin < 300 else f"{margin:.2f}"


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
    return Part(what, "cannot be tested", why=why)


def set_aside(part: Part, why: str) -> Part:
    """A part whose numbers are shown though they answer nothing."""
    return replace(
        part, verdict="cannot be tested", why=why, question=None, needs="", remark="", p=math.nan, inside=math.nan
    )


def judged(
    what: str,
    values: Any,
    test: Test,
    unit: str = DECADES,
    statistic: Statistic = median,
    why: str = "",
    learned: str = "",
) -> Part:
    """A part from one value a network, by median unless another statistic is given."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        return untestable(what, why or "the table has no such networks")
    found = interval(values, statistic)
    side = -1.0 if found.estimate < test.around else 1.0
    part = Part(
        what,
        "not decided",
        found,
        unit,
        why,
        int((side * values > side * test.around).sum()),
        min(found.estimate - test.low, test.high - found.estimate),
        learned,
        test.question(values, statistic, unit),
        effects=values.tolist(),
    )
    return family([part])[0]


def ranked(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows with a column's value missing where the network ran away: how far it got says nothing, and what is
    missing counts as above all others."""
    return rows.assign(**{column: rows[column].mask(rows.outcome == "ran away")}) if "outcome" in rows else rows


def compared(
    what: str,
    first: pd.DataFrame,
    second: pd.DataFrame,
    test: Test,
    column: str = "final_loss",
    floor: float = 0.0,
    bar: float | None = None,
    good: tuple[str, float] | None = None,
    curves: Sequence[pd.DataFrame] = (),
) -> Part:
    """A part from log10(first / second), paired by network. One that ran away counts as one that diverged.

    bar: where neither condition's median lies below it, neither learns, and there is nothing to compare; half of the
    untrained networks' loss unless given. floor: as in `log_ratio`.
    good: the word for networks whose value is at most a number; `learned`, as the table has it, if not given.
    curves: the rows of either condition's learning curves, if there are any.
    """
    if not (len(first) and len(second)):
        return untestable(what, "the table has no such rows")
    if bar is None:
        bar = NOT_LEARNED * float(np.median(first.first_loss))
    one, other = ranked(first, column), ranked(second, column)
    values = log_ratio(*paired(one, other, column), floor=floor)
    share, unlike = _share(one, other, column, good)
    part = judged(what, values, test, learned="; ".join(filter(None, (share, _reached(curves)))))
    part = replace(part, unlike=unlike)
    medians = [float(np.median(rows[column].fillna(np.inf))) for rows in (one, other)]
    if min(medians) >= bar:
        return set_aside(part, f"neither learns: medians {medians[0]:.3g} and {medians[1]:.3g}, not below {bar:.3g}")
    return part


def _share(first: pd.DataFrame, second: pd.DataFrame, column: str, good: tuple[str, float] | None) -> tuple[str, str]:
    """How many learned in either condition with McNemar's test of the difference; and in short, if they differ."""
    if good is None and not ("outcome" in first and "outcome" in second):
        return "", ""
    word, most = good or ("learned", math.nan)
    one, other = (
        rows.assign(good=rows.outcome == "learned" if good is None else rows[column] <= most)
        for rows in (first, second)
    )
    a, b = (flags == 1.0 for flags in paired(one, other, "good"))
    p = statistics.mcnemar(a, b)
    short = f"{word}: {a.sum()} and {b.sum()}"
    return f"{short} of {len(a)} (p = {p:.2g})", short if p < LEVEL else ""


def _reached(curves: Sequence[pd.DataFrame]) -> str:
    """The median trial at which each condition's loss is a tenth of the untrained networks'."""
    trials = []
    for rows in curves:
        if not len(rows):
            return ""
        untrained = float(rows.loss[rows.trial == 1].median())
        low = rows[rows.loss <= LEARNED * untrained].groupby("network").trial.min()
        found = float(median(low.reindex(rows.network.unique()).fillna(np.inf).to_numpy(float)))
        trials.append(f"{found:,.0f}" if math.isfinite(found) else "never")
    return f"a tenth of the untrained loss at trial {' and '.join(trials)}" if trials else ""


def by_period(
    frame: pd.DataFrame,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    test: Test,
    periods_tau: Sequence[float] | None = None,
    curves: pd.DataFrame | None = None,
) -> list[Part]:
    """`compared` at each period (all of the table's unless said), a part a period.

    curves: the table of learning curves, if there is one.
    """
    known = sorted(map(float, frame.period_tau.unique())) if periods_tau is None else periods_tau

    def rows(table: pd.DataFrame, period_tau: float) -> tuple[pd.DataFrame, pd.DataFrame]:
        one, other = (where(table, {**of, "period_tau": period_tau}) for of in (first, second))
        return one, other

    return [
        compared(
            f"{period_tau:g} τ",
            *rows(frame, period_tau),
            test,
            curves=() if curves is None else rows(curves, period_tau),
        )
        for period_tau in known
    ]


def slopes(frame: pd.DataFrame, x: str, y: str, log_x: bool = False, log_y: bool = False) -> Any:
    """Slope of y on x for each network: the median of the slopes between any two of its points (Theil and Sen).

    An infinite y, such as the loss of a network that ran away, counts as above all others and no more; a network with a
    missing y is left out.
    """
    found = []
    for _, rows in frame.groupby("network"):
        at, to = rows[x].to_numpy(float), rows[y].to_numpy(float)
        at, to = arithmetic.log10(at) if log_x else at, arithmetic.log10(to) if log_y else to
        one, other = np.nonzero(at[:, np.newaxis] < at)
        with np.errstate(invalid="ignore"):
            between = (to[other] - to[one]) / (at[other] - at[one])
        # two infinities say nothing of each other
        known = between[~np.isnan(between)]
        if len(known) and not np.isnan(to).any():
            found.append(float(median(known)))
    return np.array(found)
