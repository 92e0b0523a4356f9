"""Statistics over networks; intervals are paired where two conditions are compared on the same networks.

A network that diverged or exploded counts as above all others: its loss is taken as infinite. What is said of a median
rests on ranks alone: its interval lies between two of the values, and its tests count the networks on either side.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from rflo_repro.learning import exact_math

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
K = TypeVar("K")

LEVEL = 0.05  # of an interval, unless another is asked for

N_RESAMPLES = 10_000
N_DRAWS = 2_000_000  # in all; of many networks there are fewer resamples
SEED = 43299


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval over n networks."""

    estimate: float
    low: float
    high: float
    n: int


@functools.cache
def _resamples(n: int) -> npt.NDArray[np.int64]:
    """Which networks are in each resample: the same for every statistic, so that a page is the same twice."""
    indices = np.random.default_rng(SEED).integers(0, n, (min(N_RESAMPLES, N_DRAWS // n), n))
    indices.setflags(write=False)
    return indices


@functools.lru_cache(maxsize=4)
def _bootstrap(values: bytes, statistic: Statistic) -> Array:
    """A statistic of every resample of these values; the last few are cached: one sample is asked for its interval at
    several levels and for its tests."""
    of = np.frombuffer(values)
    return statistic(of[_resamples(len(of))])


def median(values: Array) -> Array:
    """Median along the last axis; halfway between opposite infinities is 0."""
    with np.errstate(invalid="ignore"):
        middle: Array = np.nan_to_num(np.median(values, axis=-1), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return middle


def mean(values: Array) -> Array:
    """Mean along the last axis."""
    return exact_math.mean(values)


def quartiles(values: npt.ArrayLike) -> tuple[float, float, float]:
    """25th, 50th and 75th percentile over networks; a network that diverged (NaN) counts as above all others."""
    ordered = np.sort(np.nan_to_num(np.asarray(values, dtype=float), nan=np.inf, posinf=np.inf))
    rank = np.array([0.25, 0.5, 0.75]) * (len(ordered) - 1)
    low, high, share = np.floor(rank).astype(int), np.ceil(rank).astype(int), rank % 1.0
    # an infinity beside a finite neighbour must not become NaN
    mixed = [
        ordered[a] if s == 0.0 else ordered[a] * (1.0 - s) + ordered[b] * s
        for a, b, s in zip(low, high, share, strict=True)
    ]
    return float(mixed[0]), float(mixed[1]), float(mixed[2])


def at_least(k: int, n: int) -> float:
    """The chance that of n fair coins k or more show heads, exactly."""
    ways = together = 1 if k <= n else 0
    for i in range(n, max(k, 0), -1):
        ways = ways * i // (n - i + 1)
        together += ways
    share: float = together / 2**n
    return share


@functools.cache
def critical(n: int, level: float) -> int:
    """The smallest number of n networks on one side whose chance is at most `level`; n + 1 if there is none."""
    most, k, ways, together = Fraction(level) * 2**n, n + 1, 1, 1
    while k and together <= most:
        k -= 1
        ways = ways * k // (n - k + 1)
        together += ways
    return k


def interval(values: Array, statistic: Statistic = median, level: float = LEVEL) -> Interval:
    """A statistic over networks with the interval that holds the truth in all but a share `level` of samples, or fewer.

    That of a median lies between two order statistics, exactly; it is infinite where there are too few networks for
    any. That of another statistic is the percentile bootstrap's, whose ends are values that resamples took.
    values: (n,), one a network; infinities are allowed, NaN is not. Raises ValueError if there are none, or for a NaN.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not len(values) or np.isnan(values).any():
        raise ValueError(f"values must be numbers, one a network, got {values!r}")
    n = len(values)
    if statistic is median:
        ordered, outside = np.sort(values), n - critical(n, level / 2.0)
        low, high = (ordered[outside], ordered[n - 1 - outside]) if outside >= 0 else (-np.inf, np.inf)
    else:
        resampled = _bootstrap(values.tobytes(), statistic)
        low, high = np.quantile(resampled, [level / 2.0, 1.0 - level / 2.0], method="inverted_cdf")
    return Interval(float(statistic(values)), float(low), float(high), n)


def one_sided(values: Array, bound: float, statistic: Statistic = median) -> tuple[float, float]:
    """The chance of values that lie so much above `bound` if the statistic were at most it, and of such below if it
    were at least it.

    Of a median by the sign test, in which a value that is the bound counts for neither side; else by the bootstrap.
    """
    if statistic is median:
        n = len(values)
        return at_least(int((values > bound).sum()), n), at_least(int((values < bound).sum()), n)
    resampled = _bootstrap(np.asarray(values, dtype=float).tobytes(), statistic)
    return tuple((1 + int(side.sum())) / (1 + len(resampled)) for side in (resampled <= bound, resampled >= bound))  # type: ignore[return-value]


def holm(p: Mapping[K, float]) -> dict[K, float]:
    """Each p corrected by Holm's step-down procedure."""
    found: dict[K, float] = {}
    least = 0.0
    for rank, name in enumerate(sorted(p, key=lambda name: p[name])):
        found[name] = least = min(1.0, max(least, (len(p) - rank) * p[name]))
    return found


def chance(k: int, n: int, share: float) -> float:
    """The chance that of n networks k or more are of a kind that has this share of all."""
    if share in (0.0, 1.0) or k <= 0:
        return float(k <= n * share)
    ways = math.lgamma(n + 1)
    one, other = math.log(share), math.log1p(-share)
    return sum(
        math.exp(ways - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * one + (n - i) * other)
        for i in range(k, n + 1)
    )


def where(frame: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    """The rows in which these columns have these values."""
    chosen = np.ones(len(frame), dtype=bool)
    for column, value in values.items():
        chosen &= (frame[column] == value).to_numpy()
    return frame[chosen]


def paired(first: pd.DataFrame, second: pd.DataFrame, column: str) -> tuple[Array, Array]:
    """A column of two conditions on the networks that both have, in the same order. Raises ValueError for a network
    that a condition has twice."""
    one, other = first["network"].to_numpy(), second["network"].to_numpy()
    if len(np.unique(one)) < len(one) or len(np.unique(other)) < len(other):
        raise ValueError("networks must be unique within a condition")
    _, at, to = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    order = np.argsort(at)
    return first[column].to_numpy(float)[at[order]], second[column].to_numpy(float)[to[order]]


def log_ratio(above: Array, below: Array, floor: float = 0.0) -> Array:
    """log10(above / below) by network; values under `floor` count as it.

    A missing value (a network that diverged) is infinite; a pair in which both are, or both are zero, says nothing and
    is left out.
    """
    a, b = (np.maximum(np.nan_to_num(v, nan=np.inf, posinf=np.inf), floor) for v in (above, below))
    # two infinities, or two zeros, differ by NaN
    with np.errstate(invalid="ignore"):
        ratio: Array = exact_math.log10(a) - exact_math.log10(b)
    return ratio[~np.isnan(ratio)]


def shift(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[float, float, float]:
    """By how much one sample lies above another that is not paired with it: the median of all differences
    (Hodges-Lehmann), and its 95% interval by the ranks of Wilcoxon and of Mann and Whitney.

    Infinities are allowed. Raises ValueError for an empty sample or a NaN.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if not (len(a) and len(b)) or np.isnan(a).any() or np.isnan(b).any():
        raise ValueError(f"samples must be numbers, at least one each, got {len(a)} and {len(b)}")
    with np.errstate(invalid="ignore"):
        differences = np.sort(np.nan_to_num((a[:, np.newaxis] - b).ravel(), nan=0.0, posinf=np.inf, neginf=-np.inf))
    n = len(differences)
    off = 1.959963984540054 * (n * (len(a) + len(b) + 1) / 12.0) ** 0.5
    rank = max(0, int(np.floor(n / 2.0 - off)))
    return float(median(differences)), float(differences[rank]), float(differences[n - 1 - rank])
