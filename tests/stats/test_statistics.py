"""Intervals over networks."""

import math

import numpy as np
import pandas as pd
import pytest

from rflo_repro.stats.statistics import (
    at_least,
    chance,
    critical,
    interval,
    log_ratio,
    mean,
    median,
    one_sided,
    paired,
    shift,
    where,
)

inf, nan = math.inf, math.nan


def heads(k, n):
    """P(Bin(n, 1/2) >= k), by the book."""
    return sum(math.comb(n, i) for i in range(max(k, 0), n + 1)) / 2**n


@pytest.mark.parametrize("n", [0, 1, 5, 9, 30, 31])
def test_tails_are_those_of_the_binomial_distribution(n):
    for k in range(-1, n + 2):
        assert at_least(k, n) == heads(k, n)
        for share in (0.0, 0.2, 0.5, 1.0):
            by_hand = sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(max(k, 0), n + 1))
            assert chance(k, n, share) == pytest.approx(by_hand)
    for level in (1e-3, 0.025, 0.05, 0.1):
        assert critical(n, level) == next(k for k in range(n + 2) if heads(k, n) <= level)


def test_tails_of_many():
    assert at_least(50_100, 100_000) == pytest.approx(0.2646, abs=1e-4)
    assert 1e-125 < at_least(1500, 2000) < 1e-100
    assert chance(900, 1000, 0.9) == pytest.approx(0.5266, abs=1e-4)


def test_the_interval_of_a_median_lies_between_order_statistics():
    """From the second to the eighth of nine, the 36th to the 55th of 90: none narrower holds the median in 95%."""
    for n, low, high in ((9, 2, 8), (90, 36, 55), (6, 1, 6)):
        found = interval(np.arange(1.0, n + 1.0))
        assert (found.low, found.high, found.n) == (low, high, n)
        assert 2 * heads(n - low + 1, n) <= 0.05 < 2 * heads(n - low, n)
        assert found.estimate == (n + 1) / 2
    assert interval(np.arange(1.0, 91.0), level=0.1).low == 37
    # of five not even the outermost two do
    few = interval(np.arange(1.0, 6.0))
    assert (few.low, few.estimate, few.high) == (-inf, 3.0, inf)


def test_the_interval_covers():
    """Of samples of nine, the interval of the median holds the truth in exactly 1 - 20/512 = 96.1%."""
    rng = np.random.default_rng(0)
    intervals = [interval(rng.standard_cauchy(9)) for _ in range(4000)]
    assert np.mean([i.low <= 0.0 <= i.high for i in intervals]) == pytest.approx(0.961, abs=0.01)


def test_a_median_is_tested_by_signs():
    """A value that is the bound counts for neither side."""
    values = np.array([-1.0, 0.0, 1.0, 2.0, inf])
    assert one_sided(values, 0.0) == (heads(3, 5), heads(1, 5))
    above, below = one_sided(values + 10.0, 0.0, mean)
    assert (above, below) == (1 / 10_001, 1.0)


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
    assert interval(np.full(6, inf)).low == inf
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
