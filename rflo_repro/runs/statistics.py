"""Statistics over networks; intervals are paired where two conditions are compared on the same networks.

A network that diverged counts as above all others: its loss is taken as infinite.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rflo_repro.learning import arithmetic
from rflo_repro.learning.validate import Array
from rflo_repro.runs.claims import Interval

N_RESAMPLES = 10_000
N_DRAWS = 2_000_000  # in all; of many networks there are fewer resamples
LEVEL = 0.95
SEED = 43299


@functools.cache
def _resamples(n: int) -> npt.NDArray[np.int64]:
    """Which networks are in each resample: the same for every statistic, so that a page is the same twice."""
    indices = np.random.default_rng(SEED).integers(0, n, (min(N_RESAMPLES, N_DRAWS // n), n))
    indices.setflags(write=False)
    return indices


def median(values: Array) -> Array:
    """Median along the last axis; halfway between opposite infinities is 0."""
    with np.errstate(invalid="ignore"):
        middle: Array = np.nan_to_num(np.median(values, axis=-1), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return middle


def mean(values: Array) -> Array:
    """Mean along the last axis."""
    return arithmetic.mean(values)


def quartiles(values: npt.ArrayLike) -> tuple[float, float, float]:
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


def interval(values: Array, statistic: Callable[[Array], Array] = median) -> Interval:
    """Percentile bootstrap of a statistic (the median unless said) over networks.

    values: (n,), one a network; infinities are allowed, NaN is not. The ends are values that resamples took, never
    between two of them. Raises ValueError if there are none, or for a NaN.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not len(values) or np.isnan(values).any():
        raise ValueError(f"values must be numbers, one a network, got {values!r}")
    drawn = statistic(values[_resamples(len(values))])
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail], method="inverted_cdf")
    return Interval(float(statistic(values)), float(low), float(high), len(values))


def where(frame: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    """The rows in which these columns have these values."""
    chosen = np.ones(len(frame), dtype=bool)
    for column, value in values.items():
        chosen &= (frame[column] == value).to_numpy()
    return frame[chosen]


def paired(first: pd.DataFrame, second: pd.DataFrame, column: str) -> tuple[Array, Array]:
    """A column of two conditions on the networks that both have, in the same order. Raises ValueError for a network
    that a condition has twice."""
    both = first[["network", column]].merge(second[["network", column]], on="network", validate="one_to_one")
    return both[f"{column}_x"].to_numpy(float), both[f"{column}_y"].to_numpy(float)


def log_ratio(above: Array, below: Array, floor: float = 0.0) -> Array:
    """log10(above / below) by network; values under `floor` count as it.

    A missing value (a network that diverged) is infinite; a pair in which both are, or both are zero, says nothing and
    is left out.
    """
    a, b = (np.maximum(np.nan_to_num(v, nan=np.inf, posinf=np.inf), floor) for v in (above, below))
    # two infinities, or two zeros, differ by NaN
    with np.errstate(invalid="ignore"):
        ratio: Array = arithmetic.log10(a) - arithmetic.log10(b)
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
