"""The rule of the answers, on numbers made for it. With each of its lines broken a test here falls."""

import math

import numpy as np
import pytest

from rflo_repro.stats import answers
from rflo_repro.stats.answers import Pair, ahead, as_good, behind, between, fails, learns, newcombe, together, trend

INF = math.inf
N = 90


def flags(k, n=N):
    return np.arange(n) < k


def pair(first, second, kA=N, kB=N):
    """Two conditions with these losses, of which the first kA and kB networks learned."""
    one, other = (np.broadcast_to(np.asarray(v, float), N).copy() for v in (first, second))
    return Pair(one, other, flags(kA), flags(kB))


def spread(factor, off=0.0):
    """Losses of ninety networks whose x is spread evenly by this factor around 10**off."""
    return 10.0 ** (np.linspace(-1.0, 1.0, N) * math.log10(factor) + off)


def test_x_is_by_network_and_nothing_where_both_exploded():
    both = Pair(np.array([10.0, INF, 1.0, INF]), np.array([1.0, 1.0, INF, INF]), *[flags(4, 4)] * 2)
    assert both.values.tolist() == [1.0, INF, -INF, 0.0]


@pytest.mark.parametrize(
    ("counts", "interval"), [((36, 12, 2, 0), (0.0569, 0.3404)), ((20, 12, 2, 16), (0.0562, 0.3292))]
)
def test_newcombe_is_as_published(counts, interval):
    """Newcombe (1998), method 10 at 95%, for pairs with both, the first only, the second only, neither."""
    first, second = (np.repeat(flag, counts) for flag in ([True, True, False, False], [True, False, True, False]))
    assert newcombe(first, second, 0.05) == pytest.approx((0.2, *interval), abs=1e-4)


def test_newcombe_of_equal_flags_is_around_nothing_and_turns_with_them():
    some = flags(30)
    d, low, high = newcombe(some, some)
    assert d == 0.0
    assert low == pytest.approx(-high)
    assert newcombe(flags(60), flags(20)) == pytest.approx(
        [-v for v in np.array(newcombe(flags(20), flags(60)))[[0, 2, 1]]]
    )


@pytest.mark.parametrize(("k", "n"), [(0, 90), (1, 90), (45, 90), (90, 90), (7, 9)])
def test_clopper_pearson_holds_the_share_with_its_chance(k, n):
    """The binomial tails at its ends are half the level."""
    from rflo_repro.stats.statistics import chance

    low, high = answers.clopper_pearson(k, n)
    assert low <= k / n <= high
    if k:
        assert chance(k, n, low) == pytest.approx(0.005, rel=1e-6)
    if k < n:
        assert 1.0 - chance(k + 1, n, high) == pytest.approx(0.005, rel=1e-6)


CASES = [
    # two-sided, one-sided
    (pair(spread(2.0), 1.0), "yes", "yes"),
    (pair(spread(2.0, 1.0), 1.0), "no", "no"),
    (pair(spread(2.0, -1.0), 1.0), "no", "yes"),
    (pair(spread(100.0, 0.3), 1.0), "open", "open"),
    (pair(spread(2.5, 0.45), 1.0), "worse", "worse"),
    (pair(spread(1.05, 0.45), 1.0), "yes", "yes"),
    # better than the margin in some: not sure to be alike, and no worse
    (pair(spread(1.6, -0.45), 1.0), "open", "yes"),
    # fewer learn, though the losses are the same
    (pair(0.33, 0.33, 20, 50), "no", "no"),
    (pair(0.33, 0.33, 62, 75), "worse", "worse"),
    (pair(0.33, 0.33, 75, 62), "open", "yes"),
    # neither learned in half of the networks
    (pair(0.33, 0.33, 44, 44), "no test", "no test"),
    (pair(0.33, 0.33, 45, 45), "yes", "yes"),
    (pair(INF, INF), "yes", "yes"),
    (pair(INF, 0.01), "no", "no"),
]


@pytest.mark.parametrize(("found", "two_sided", "one_sided"), CASES)
def test_as_good(found, two_sided, one_sided):
    assert as_good(found, two_sided=True).answer == two_sided
    assert as_good(found, two_sided=False).answer == one_sided


def test_sameness_is_asked_at_98_percent_and_worse_at_99():
    """Of 90 networks the 98% interval ends at the 57th, the 99% one at the 58th value from below."""
    values = 10.0 ** np.repeat([0.0, 0.6], [57, 33])
    assert as_good(pair(values, 1.0), two_sided=False).answer == "yes"
    values = 10.0 ** np.repeat([0.0, 0.6], [56, 34])
    assert as_good(pair(values, 1.0), two_sided=False).answer == "open"
    assert as_good(pair(10.0 ** np.repeat([0.0, 0.1], [32, 58]), 1.0), two_sided=False).answer == "yes"
    found = as_good(pair(10.0 ** np.repeat([0.0, 0.6], [33, 57]), 1.0), two_sided=False)
    assert (found.answer, found.low) == ("open", 0.0)
    assert as_good(pair(10.0 ** np.repeat([0.0, 0.6], [32, 58]), 1.0), two_sided=False).answer == "no"


def test_another_condition_can_be_the_gate():
    few = pair(0.33, 0.33, 10, 10)
    assert as_good(few, two_sided=True, gate=flags(45)).answer == "yes"
    assert as_good(pair(0.33, 0.33, 90, 90), two_sided=True, gate=flags(44)).answer == "no test"


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (pair(spread(2.0, 1.0), 1.0), "yes"),
        (pair(spread(2.0, -1.0), 1.0), "no"),
        (pair(spread(2.0), 1.0), "open"),
        (pair(0.33, 0.33, 20, 50), "yes"),
        (pair(0.33, 0.33, 50, 20), "no"),
        # the losses say one thing and the shares another
        (pair(spread(2.0, 1.0), 1.0, 60, 20), "open"),
        (pair(spread(2.0, 1.0), 1.0, 44, 44), "no test"),
        (pair(INF, 0.01), "yes"),
    ],
)
def test_behind_and_ahead(found, answer):
    assert behind(found).answer == answer
    turned = ahead(found.turned)
    assert turned.answer == answer
    straight = ahead(found)
    assert (straight.median, straight.low, straight.high) == pytest.approx(
        (behind(found).median, behind(found).low, behind(found).high)
    )
    assert straight.learned == behind(found).learned
    assert straight.share == pytest.approx(behind(found).share)


@pytest.mark.parametrize(
    ("fall", "alone", "both", "answer"),
    [
        (0.0, 5, 80, "yes"),
        (-0.2, 5, 80, "yes"),
        (-0.4, 5, 80, "no"),
        (0.0, 78, 80, "open"),
        (-0.2, 78, 80, "open"),
        (0.0, 0, 44, "no test"),
    ],
)
def test_fails(fall, alone, both, answer):
    found = fails(np.full(N, fall), flags(alone), flags(both))
    assert (found.answer, found.learned) == (answer, (alone, both))


@pytest.mark.parametrize(
    ("slope", "largest", "smallest", "answer"),
    [(-1.0, 90, 60, "yes"), (-1.0, 60, 60, "yes"), (-1.0, 10, 60, "open"), (1.0, 90, 60, "no"), (0.0, 90, 60, "open")],
)
def test_trend(slope, largest, smallest, answer):
    assert trend(np.full(N, slope) + np.linspace(-0.1, 0.1, N), flags(largest), flags(smallest)).answer == answer


def test_a_trend_keeps_its_infinities():
    found = trend(np.array([-1.0] * 80 + [INF] * 10), flags(N), flags(N))
    assert (found.answer, found.n, found.median) == ("yes", N, -1.0)


@pytest.mark.parametrize(("value", "answer"), [(0.2, "yes"), (-0.2, "no"), (0.0, "open")])
def test_between(value, answer):
    assert between(np.full(N, value) + np.linspace(-0.1, 0.1, N), low=0.0).answer == answer
    assert between(-np.full(N, value) + np.linspace(-0.1, 0.1, N), high=0.0).answer == answer
    assert between(np.full(N, 0.3), -0.5, 0.5).answer == "yes"


@pytest.mark.parametrize(
    ("k", "answer"), [(90, "yes"), (58, "yes"), (57, "open"), (45, "open"), (33, "open"), (32, "no"), (0, "no")]
)
def test_learns_is_more_than_half_for_sure(k, answer):
    """P(58 or more of 90 | 1/2) is 0.0039, and of 57 or more 0.0074."""
    assert learns(flags(k)).answer == answer


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["yes"], "yes"), (["yes", "yes"], "yes"), (["yes", "no test"], "yes"), (["no test"], "no test"),
        ([], "no test"), (["yes", "no"], "no"), (["open", "no"], "no"), (["yes", "open"], "open"),
        (["worse"], "worse"), (["worse", "worse", "no test"], "worse"), (["yes", "worse"], "open"),
        (["open", "no test"], "open"),
    ],
)  # fmt: skip
def test_parts_together(parts, whole):
    assert together(parts) == whole


def test_power_grows_with_the_networks_and_is_nothing_where_half_learned():
    rng = np.random.default_rng(1)

    def power(n, share):
        losses = 10.0 ** rng.normal(-3.0, 0.2, n)
        return answers.power(losses, np.arange(n) < share * n, two_sided=True)

    assert power(90, 1.0) == 1.0
    assert power(90, 0.5) < 0.1
    assert power(90, 0.5) < power(400, 0.5)
