"""The answer to a claim: by the losses of the networks and by how many of them learned, at 99%.

Losses are compared by network: x = log10(loss of the first / loss of the second), infinite where the first exploded or
diverged, 0 where both did. Of x the median counts, with its exact interval between order statistics. A network learned
or did not, and D is the first condition's share of networks that learned less the second's, with Newcombe's interval.
Neither may stand alone: where few networks learn, medians of losses are alike whatever a rule does, and where all
learn, shares are.

References
----------
Newcombe RG (1998) Improved confidence intervals for the difference between binomial proportions based on paired data.
Statistics in Medicine 17:2635-2650, method 10.
Clopper CJ, Pearson ES (1934) The use of confidence or fiducial limits illustrated in the case of the binomial.
Biometrika 26:404-413.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import exact_math
from rflo_repro.stats import statistics
from rflo_repro.stats.statistics import Statistic

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Answer = Literal["yes", "no", "worse", "open", "no test"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)

# Intervals are shown, and decide, at 99%; sameness is two one-sided tests at 1%, for which the 98% interval counts.
LEVEL, LEVEL_OF_SAMENESS = 0.01, 0.02
# What still counts as the same: half a decade, a factor of 3.2, and 15 of 100 networks
MARGIN, MARGIN_OF_SHARES = 0.5, 0.15
# Training fails if the loss does not fall to half
HALF = math.log10(0.5)
# Pairs of samples from one condition by which the power of a comparison is estimated
DRAWS, SEED = 200, 43299

NEITHER_LEARNED = "neither learned in half of the networks"


@dataclass(frozen=True)
class Answered:
    """An answer and what it rests on.

    answer: yes, no, worse (size open), open, or no test.
    n: number of networks. median, low, high: of x (of the value itself where no two conditions are compared) with its
    99% interval; NaN if there is none.
    learned: how many networks learned under the first and the second condition, as far as there are such.
    share: D with its 99% interval; NaN if no two conditions are compared. why: a word on the answer, if it needs one.
    power: how often this comparison would find a true sameness, where sameness is claimed.
    """

    answer: Answer
    n: int = 0
    median: float = math.nan
    low: float = math.nan
    high: float = math.nan
    learned: tuple[int, ...] = ()
    share: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    why: str = ""
    power: Callable[[], float] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Pair:
    """Two conditions on the same n networks.

    first, second: (n,) losses or errors; infinite for a network that exploded or diverged.
    first_learned, second_learned: (n,) whether a network learned.
    """

    first: Values
    second: Values
    first_learned: Flags
    second_learned: Flags

    @property
    def values(self) -> Values:
        """x, (n,)."""
        with np.errstate(invalid="ignore"):
            x = exact_math.log10(self.first) - exact_math.log10(self.second)
        return np.where(self.first == self.second, 0.0, x)

    @property
    def turned(self) -> Pair:
        """The second over the first."""
        return Pair(self.second, self.first, self.second_learned, self.first_learned)

    def answered(self) -> Answered:
        """What an answer rests on, without one."""
        return _with_shares(self.values, self.first_learned, self.second_learned)


def measured(values: Values, statistic: Statistic = statistics.median) -> Answered:
    """A statistic of one value a network with its 99% interval, without an answer."""
    found = statistics.interval(values, statistic, LEVEL)
    return Answered("open", found.n, found.estimate, found.low, found.high)


def _with_shares(values: Values, first: Flags, second: Flags) -> Answered:
    return replace(measured(values), learned=(int(first.sum()), int(second.sum())), share=newcombe(first, second))


def newcombe(first: Flags, second: Flags, level: float = LEVEL) -> tuple[float, float, float]:
    """The difference of two shares of the same networks, first less second, with its interval.

    first, second: (n,) flags. Returns the difference and the interval's ends. Newcombe (1998), method 10: Wilson's
    interval of each share, joined by the correlation of the flags, which is corrected for continuity.
    """
    n = len(first)
    both, one, other = (int(count.sum()) for count in (first & second, first & ~second, second & ~first))
    neither = n - both - one - other
    p, (low_p, high_p) = (both + one) / n, wilson(both + one, n, level)
    q, (low_q, high_q) = (both + other) / n, wilson(both + other, n, level)
    product = (both + one) * (other + neither) * (both + other) * (one + neither)
    cross = both * neither - one * other
    if cross > 0:
        cross = max(cross - n / 2, 0)  # type: ignore[assignment]
    phi = cross / math.sqrt(product) if product else 0.0
    off_low = math.sqrt(max(0.0, (p - low_p) ** 2 - 2 * phi * (p - low_p) * (high_q - q) + (high_q - q) ** 2))
    off_high = math.sqrt(max(0.0, (high_p - p) ** 2 - 2 * phi * (high_p - p) * (q - low_q) + (q - low_q) ** 2))
    return p - q, p - q - off_low, p - q + off_high


def wilson(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of the share k of n."""
    z = NormalDist().inv_cdf(1.0 - level / 2.0)
    middle, off = 2 * k + z * z, z * math.sqrt(z * z + 4 * k * (1 - k / n))
    return (middle - off) / (2 * (n + z * z)), (middle + off) / (2 * (n + z * z))


def clopper_pearson(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of the share k of n."""

    def share(at_least: int, chance: float) -> float:
        """The share under which so many or more have this chance."""
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2.0
            low, high = (middle, high) if statistics.chance(at_least, n, middle) < chance else (low, middle)
        return low

    return (share(k, level / 2.0) if k else 0.0), (share(k + 1, 1.0 - level / 2.0) if k < n else 1.0)


def half_learned(*conditions: Flags) -> bool:
    """Whether at least half of the networks learned under one of these conditions."""
    return any(2 * int(flags.sum()) >= len(flags) for flags in conditions)


def as_good(pair: Pair, two_sided: bool, gate: Flags | None = None) -> Answered:
    """Whether the first condition is at most the margin worse than the second (two-sided: nor better).

    gate: the condition that must have learned in half of the networks; either, if not given.
    """
    found = pair.answered()
    if not half_learned(*((pair.first_learned, pair.second_learned) if gate is None else (gate,))):
        return replace(found, answer="no test", why=NEITHER_LEARNED)
    fewer = found.share[2]
    found = replace(found, power=lambda: power(pair.second, pair.second_learned, two_sided))
    if found.low > MARGIN or fewer < -MARGIN_OF_SHARES or (two_sided and found.high < -MARGIN):
        return replace(found, answer="no")
    close = statistics.interval(pair.values, level=LEVEL_OF_SAMENESS)
    _, close_low, close_high = newcombe(pair.first_learned, pair.second_learned, LEVEL_OF_SAMENESS)
    no_worse = close.high < MARGIN and close_low > -MARGIN_OF_SHARES
    if no_worse and (not two_sided or (close.low > -MARGIN and close_high < MARGIN_OF_SHARES)):
        return replace(found, answer="yes")
    return replace(found, answer="worse" if found.low > 0.0 or fewer < 0.0 else "open")


def behind(pair: Pair) -> Answered:
    """Whether the first condition is worse than the second, by losses or by how many networks learned."""
    found = pair.answered()
    if not half_learned(pair.first_learned, pair.second_learned):
        return replace(found, answer="no test", why=NEITHER_LEARNED)
    _, low, high = found.share
    worse, better = found.low > 0.0 or high < 0.0, found.high < 0.0 or low > 0.0
    return replace(found, answer="yes" if worse and not better else "no" if better and not worse else "open")


def ahead(pair: Pair) -> Answered:
    """Whether the first condition is better than the second: the other way round."""
    found = behind(pair.turned)
    d, low, high = found.share
    return replace(
        found,
        median=-found.median,
        low=-found.high,
        high=-found.low,
        learned=found.learned[::-1],
        share=(-d, -high, -low),
    )


def fails(falls: Values, alone: Flags, both: Flags) -> Answered:
    """Whether training a part of the weights alone fails: its loss does not fall to half, and fewer networks learn than
    where both parts are trained.

    falls: (n,) log10(final / first loss). alone, both: (n,) whether a network learned.
    """
    found = _with_shares(falls, alone, both)
    if not half_learned(both):
        return replace(found, answer="no test", why="training both did not learn in half of the networks")
    if found.low > HALF and found.share[2] < 0.0:
        return replace(found, answer="yes")
    return replace(found, answer="no" if found.high < HALF else "open")


def trend(slopes: Values, largest: Flags, smallest: Flags) -> Answered:
    """Whether the loss falls, and the share of networks that learned does not from the smallest to the largest.

    slopes: one a network. largest, smallest: (n,) whether a network learned at either end.
    """
    found = _with_shares(slopes, largest, smallest)
    if found.low > 0.0:
        return replace(found, answer="no")
    return replace(found, answer="yes" if found.high < 0.0 and found.share[2] >= 0.0 else "open")


def between(
    values: Values, low: float = -math.inf, high: float = math.inf, statistic: Statistic = statistics.median
) -> Answered:
    """Whether a statistic over networks lies above `low` and below `high`."""
    found = measured(values, statistic)
    if found.low > low and found.high < high:
        return replace(found, answer="yes")
    return replace(found, answer="no" if found.low > high or found.high < low else "open")


def learns(learned: Flags) -> Answered:
    """Whether more than half of networks learn, of which these are a sample."""
    k, n = int(learned.sum()), len(learned)
    low, high = clopper_pearson(k, n)
    return Answered("yes" if low > 0.5 else "no" if high < 0.5 else "open", n, learned=(k,))


def together(answers: Sequence[Answer]) -> Answer:
    """The answer to a claim of several parts: no if one is no; else that of all parts that could be tested, if they
    agree; else open."""
    tested = [answer for answer in answers if answer != "no test"]
    if not tested:
        return "no test"
    if "no" in tested:
        return "no"
    return tested[0] if len(set(tested)) == 1 else "open"


def power(losses: Values, learned: Flags, two_sided: bool, draws: int = DRAWS) -> float:
    """How often two samples of one condition would be called as good: networks are sampled with replacement."""
    n = len(losses)
    sampled = np.random.default_rng(SEED).integers(0, n, (draws, 2, n))
    one, other = sampled[:, 0], sampled[:, 1]
    x, first, second = (
        Pair(losses[one], losses[other], learned[one], learned[other]).values,
        learned[one],
        learned[other],
    )
    gate = 2 * np.maximum(first.sum(axis=1), second.sum(axis=1)) >= n
    outside = n - statistics.critical(n, LEVEL_OF_SAMENESS / 2.0)
    if outside < 0:
        return 0.0
    ordered = np.sort(x, axis=1)
    close = gate & (ordered[:, n - 1 - outside] < MARGIN)
    if two_sided:
        close &= ordered[:, outside] > -MARGIN
    alike = [_shares_alike(first[i], second[i], two_sided) for i in np.flatnonzero(close)]
    return sum(alike) / draws


def _shares_alike(first: Flags, second: Flags, two_sided: bool) -> bool:
    """Whether not many fewer (two-sided: nor more) networks learned under the first condition, at 98%."""
    _, low, high = newcombe(first, second, LEVEL_OF_SAMENESS)
    return low > -MARGIN_OF_SHARES and (not two_sided or high < MARGIN_OF_SHARES)
