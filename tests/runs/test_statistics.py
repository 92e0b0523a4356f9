"""Intervals over networks."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from rflo_repro.runs.statistics import interval, log_ratio, mean, median, paired, shift, where

inf, nan = math.inf, math.nan


def test_the_interval_of_a_median_of_nine_is_that_of_order_statistics():
    """The bootstrap of a median of nine takes only the nine values; 95% of it lies from the second or third to its
    mirror, by the binomial distribution: P(median* <= x(2)) = P(Bin(9, 2/9) >= 5) = 0.025."""
    found = interval(np.arange(1.0, 10.0))
    assert found.estimate == 5.0
    assert (found.low, found.high) in {(2.0, 8.0), (3.0, 7.0), (2.0, 7.0), (3.0, 8.0)}
    assert found.n == 9


def test_the_interval_covers():
    """Of 300 samples of nine, the interval of the median holds the truth in most: exactly 96% for ranks 2 to 8."""
    rng = np.random.default_rng(0)
    intervals = [interval(rng.normal(1.0, 2.0, 9)) for _ in range(300)]
    assert 0.90 < np.mean([i.low <= 1.0 <= i.high for i in intervals]) <= 1.0


def test_the_interval_of_a_mean_is_about_two_standard_errors():
    values = np.random.default_rng(1).normal(3.0, 1.0, 400)
    found = interval(values, mean)
    assert found.estimate == values.mean()
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_the_same_twice():
    values = np.random.default_rng(2).normal(size=9)
    assert interval(values) == interval(values)


def test_infinities_count_as_what_they_are():
    found = interval(np.array([1.0, 2.0, 3.0, 4.0, inf, inf, inf, inf, inf]))
    assert found.estimate == inf
    assert math.isfinite(found.low)
    assert interval(np.full(5, inf)).low == inf
    assert median(np.array([-inf, inf])) == 0.0
    assert median(np.array([1.0, inf])) == inf


@pytest.mark.parametrize("values", [[], [nan], [1.0, nan], [[1.0]]])
def test_what_has_no_interval(values):
    with pytest.raises(ValueError, match="one a network"):
        interval(np.array(values))


def test_ratios_of_losses():
    found = log_ratio(np.array([1.0, nan, 1e-3, nan, 0.0]), np.array([0.1, 1.0, nan, nan, 0.0]))
    # both diverged, or both zero: nothing is known
    np.testing.assert_allclose(found, [1.0, inf, -inf])
    np.testing.assert_allclose(log_ratio(np.array([0.0, 0.2]), np.array([0.1, 10.0]), floor=1.0), [0.0, -1.0])


def test_pairs_are_by_network():
    first = pd.DataFrame({"network": [2, 0, 1], "loss": [3.0, 1.0, 2.0]})
    second = pd.DataFrame({"network": [0, 2, 5], "loss": [10.0, 30.0, 50.0]})
    a, b = paired(first, second, "loss")
    assert sorted(zip(a, b, strict=True)) == [(1.0, 10.0), (3.0, 30.0)]
    with pytest.raises(ValueError, match="unique"):
        paired(pd.concat([first, first]), second, "loss")


def test_rows_by_value():
    frame = pd.DataFrame({"rule": ["a", "a", "b"], "period": [1.0, 2.0, 1.0]})
    assert list(where(frame, {"rule": "a", "period": 1.0}).index) == [0]
    assert len(where(frame, {})) == 3


def test_a_shift_between_samples_and_how_often_its_interval_holds_it():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.7, 1.0, 40), rng.normal(0.0, 1.0, 30)
    middle, low, high = shift(a, b)
    differences = np.array([x - y for x in a for y in b])
    assert middle == pytest.approx(np.median(differences))
    assert low < 0.7 < high
    assert shift(a + 1.0, b)[0] == pytest.approx(middle + 1.0)
    held = 0
    for _ in range(300):
        _, low, high = shift(rng.standard_cauchy(24) + 0.5, rng.standard_cauchy(16))
        held += low <= 0.5 <= high
    assert 0.92 <= held / 300 <= 0.99
    assert shift([np.inf, np.inf, 1.0], [0.0, np.inf])[2] == inf
    assert shift([1.0], [0.0]) == (1.0, 1.0, 1.0)
    for bad in (([], [1.0]), ([np.nan], [1.0])):
        with pytest.raises(ValueError, match="samples must be numbers"):
            shift(*bad)
