"""From numbers of networks to the parts of a claim."""

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from rflo_repro.stats import claims
from rflo_repro.stats.answers import Answered
from rflo_repro.stats.by_losses import IN_TABLES, ByLosses, by_losses
from rflo_repro.stats.claims import Claim, judge
from rflo_repro.stats.measured import (
    Measure,
    above,
    at_most,
    below,
    by_period,
    compared,
    judged,
    slopes,
    untestable,
    within,
)
from rflo_repro.stats.statistics import interval

Y, U, N, C = "yes", "open", "no", "no test"
WORSE, BETTER = "worse", "better"


def by_loss(*parts):
    """The multiverse's answer of the first of a claim's parts."""
    return by_losses(parts)[0]


def ranks(low, high, n=9):
    """Values of n networks whose 95% interval, from the second to the last but one, has these ends."""
    return np.array([low - 5.0, *np.linspace(low, high, n - 2), high + 5.0])


@pytest.mark.parametrize(
    ("low", "high", "is_above", "is_below", "is_same", "is_no_more"),
    [
        (0.1, 0.2, Y, N, Y, Y),
        (-0.2, -0.1, N, Y, Y, Y),
        (-0.1, 0.1, U, U, Y, Y),
        (0.0, 0.1, U, U, Y, Y),
        (0.1, 0.9, Y, N, WORSE, WORSE),
        (0.6, 0.9, Y, N, N, N),
        (-0.9, -0.6, N, Y, N, Y),
        (-0.9, -0.1, N, Y, BETTER, Y),
        (-0.9, 0.9, U, U, U, U),
    ],
)
def test_answers_by_losses(low, high, is_above, is_below, is_same, is_no_more):
    values = ranks(low, high)

    def said(test, shift=0.0):
        return by_loss(judged("x", values + shift, test))

    assert [said(test) for test in (above(), below(), within(), at_most())] == [
        is_above,
        is_below,
        is_same,
        is_no_more,
    ]
    assert [said(test(2.0), 2.0) for test in (above, below)] == [is_above, is_below]
    assert said(within(0.5, 2.0), 2.0) == is_same
    # the answer on a difference is the interval's
    found = interval(values)
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    ("test", "inside"),
    [(above(), 0.3), (above(1.0), -0.7), (below(), -0.3), (within(), 0.2), (within(0.2), -0.1), (at_most(), 0.2)],
)
def test_how_far_an_estimate_lies_inside_what_is_claimed(test, inside):
    assert judged("x", np.full(9, 0.3), test).inside == pytest.approx(inside)


def test_sameness_is_an_equivalence_test_at_five_percent():
    """30 networks: the 90% interval is from the 11th to the 20th, the 95% one from the 10th to the 21st."""
    values = np.repeat([-0.9, 0.0, 0.9], [10, 10, 10])
    assert (interval(values, level=0.1).low, interval(values).low) == (0.0, -0.9)
    assert by_loss(judged("x", values, within())) == Y
    assert by_loss(judged("x", np.repeat([-0.9, 0.0, 0.9], [11, 8, 11]), within())) == U


def frame(losses, first_loss=0.33, **values):
    return pd.DataFrame({**values, "network": range(len(losses)), "final_loss": losses, "first_loss": first_loss})


def test_a_comparison_is_paired():
    """Networks that differ by far, and a rule that is always a little better: only a paired interval sees it."""
    base = [10.0**-k for k in range(1, 10)]
    part = compared("x", learned([1.3 * v for v in base]), learned(base), above())
    assert (by_loss(part), part.answer) == (Y, "yes")
    assert part.interval.estimate == part.answered.median == pytest.approx(0.114, abs=1e-3)
    turned = compared("x", learned([1.3 * v for v in base]), learned(base[::-1]), above())
    assert (by_loss(turned), turned.answer) == (U, "open")


def learned(losses, k=9):
    """Networks of which the first k learned."""
    return frame(losses).assign(outcome=["learned"] * k + ["plateau"] * (len(losses) - k))


def test_two_conditions_that_do_not_learn_are_not_the_same():
    part = compared("x", learned([0.32] * 9, 0), learned([0.32] * 9, 4), within())
    assert (by_loss(part), part.answer) == (C, "no test")
    # and their numbers are shown
    assert (part.interval.n, part.answered.median, part.answered.learned) == (9, 0.0, (0, 4))
    part = compared("x", learned([0.32] * 9, 0), learned([0.01] * 9), within())
    assert (by_loss(part), part.answer) == (N, "no")


def test_the_answer_sees_that_fewer_learn_where_the_losses_are_alike():
    part = compared("x", learned([0.3] * 45, 10), learned([0.3] * 45, 40), at_most())
    assert (part.answer, part.answered.median) == ("no", 0.0)
    assert compared("x", learned([0.3] * 45, 10), learned([0.3] * 45, 40), above()).answer == "yes"
    assert compared("x", learned([0.3] * 45, 10), learned([0.3] * 45, 40), below()).answer == "no"


def test_a_part_without_rows_says_so():
    assert "no such rows" in compared("x", frame([]), frame([0.1] * 9), above()).why
    assert untestable("x", "because").answer == "no test"


def test_a_divergence_is_worse_than_anything():
    gone = learned([float("nan")] * 9, 0)
    part = compared("x", gone, learned([0.01] * 9), above())
    assert (by_loss(part), part.answer) == (Y, "yes")
    both = compared("x", gone, gone, within())
    assert (by_loss(both), both.answer) == (C, "no test")


def test_every_period_is_a_part():
    rows = pd.concat(
        learned([loss] * 9).assign(period_tau=period, rule=rule)
        for period in (20.0, 40.0) for rule, loss in (("a", 0.1), ("b", 0.01))
    )  # fmt: skip
    parts = by_period(rows, {"rule": "a"}, {"rule": "b"}, above())
    assert [(p.what, p.answer) for p in parts] == [("20 τ", "yes"), ("40 τ", "yes")]
    assert by_period(rows, {"rule": "a"}, {"rule": "b"}, above(), [80.0])[0].answer == "no test"


def test_slopes_are_by_network():
    rows = pd.DataFrame({"network": [0, 0, 0, 1, 1, 1, 2, 2], "x": [1, 10, 100] * 2 + [1, 10],
                         "y": [1.0, 2.0, 3.0, 6.0, 4.0, 2.0, 1.0, None]})  # fmt: skip
    assert slopes(rows, "x", "y", log_x=True) == pytest.approx([1.0, -2.0])


def test_no_slope_goes_through_a_network_that_ran_away():
    """It counts as above all others, and no more: how far it got changes nothing."""
    x, y = [1.0, 10.0, 100.0, 1000.0], [4.0, 3.0, 2.0, math.inf]
    rows = pd.DataFrame({"network": 0, "x": x, "y": y})
    # -1 three times, infinity three times: the median lies between
    assert slopes(rows, "x", "y", log_x=True).tolist() == [math.inf]
    more = pd.concat([rows, pd.DataFrame({"network": [0], "x": [0.1], "y": [5.0]})])
    assert slopes(more, "x", "y", log_x=True) == pytest.approx([-1.0])
    two = rows.assign(y=[4.0, 3.0, math.inf, math.inf])
    assert slopes(two, "x", "y", log_x=True).tolist() == [math.inf]
    assert len(slopes(rows.assign(y=math.inf), "x", "y")) == 0


def test_a_claim_is_judged_at_each_kind_of_rates():
    claim = Claim("n", "s", "w", "t", "c", lambda tables: [judged("x", tables["final"].final_loss, above(0.1))])
    rows = pd.concat([frame([0.01] * 9, rates="printed"), frame([0.2] * 9, rates="tuned")])
    assert [(f.rates, f.answer) for f in claim.findings({"final": rows})] == [("printed", "no"), ("tuned", "yes")]
    assert [f.rates for f in claim.findings({"final": rows.drop(columns="rates")})] == [""]


def test_kinds_of_rates_are_data(monkeypatch):
    """One more is answered where tables have it; what was given by hand is none."""
    claim = Claim("n", "s", "w", "t", "c", lambda tables: [judged("x", tables["final"].final_loss, above(0.1))])
    kinds = ("printed", "given", "another", "tuned")
    rows = pd.concat([frame([0.2] * 9, rates=kind) for kind in kinds])
    assert [finding.rates for finding in claim.findings({"final": rows})] == ["printed", "tuned"]
    monkeypatch.setattr(claims, "KINDS", ("printed", "another", "tuned"))
    assert [finding.rates for finding in claim.findings({"final": rows})] == ["printed", "another", "tuned"]


def test_one_that_ran_away_counts_as_one_that_diverged():
    """However far it got: 46 decades are no effect."""
    good = frame([0.01] * 9).assign(outcome="learned")
    lost = frame([1e44, *[0.02] * 8]).assign(outcome=["ran away", *["learned"] * 8])
    diverged = lost.assign(final_loss=[None, *[0.02] * 8], outcome=["diverged", *["learned"] * 8])
    one, other = (compared("x", rows, good, above()) for rows in (lost, diverged))
    assert one == other
    assert one.interval.high == pytest.approx(0.301, abs=1e-3)


def coins(heads, n):
    """Values of n networks of which some lie above zero."""
    return np.repeat([1.0, -1.0], [heads, n - heads]) * np.linspace(1.0, 2.0, n)


def test_answers_by_losses_of_a_claim_are_corrected_by_holm():
    """Of nine networks all above zero: 2/512, which four parts survive and thirteen do not."""
    sure, less, none = (judged(name, coins(k, 9), above()) for name, k in (("a", 9), ("b", 8), ("c", 5)))
    assert sure.p == pytest.approx(2 / 512)
    assert less.p == pytest.approx(20 / 512)
    assert [by_loss(part) for part in (sure, less, none)] == [Y, Y, U]
    assert by_losses([none, less, sure]) == [U, U, Y]
    assert set(by_losses([sure] * 12)) == {Y}
    assert set(by_losses([sure] * 13)) == {U}
    # what cannot be tested takes no part in it, nor what decides nothing
    assert by_losses([sure, *[untestable("x", "y")] * 20])[0] == Y
    assert by_losses([sure, *[replace(none, primary=False)] * 20])[0] == Y


def test_directions_are_corrected_among_themselves():
    size_open = judged("a", np.linspace(0.1, 0.9, 9), within())
    assert by_loss(size_open) == WORSE
    assert by_losses([size_open] * 12 + [judged("b", coins(9, 9), above())]) == [WORSE] * 12 + [U]


def test_p_of_an_experiment_is_corrected_among_its_primary_parts_at_a_kind_of_rates():
    def parts(tables):
        return [judged("first", coins(9, 9), above()), judged("second", coins(5, 9), above())]

    both, one = (Claim("n", "s", "w", "t", "c", parts, primary=names) for names in ((), ("first",)))
    ((whole,), (part,)) = judge([both, one], {})
    assert [p.holm for p in (*whole.parts, *part.parts)][:3] == pytest.approx([6 / 512, 1.0, 6 / 512])
    assert math.isnan(part.parts[1].holm)
    assert [p.primary for p in part.parts] == [True, False]
    ((alone,),) = judge([one], {})
    assert alone.parts[0].holm == pytest.approx(2 / 512)


def test_how_many_learned_stands_beside_it():
    """By the outcome in the table or a number."""
    one = frame([0.01] * 9).assign(outcome=["learned"] * 2 + ["plateau"] * 7)
    other = frame([0.01] * 9).assign(outcome=["plateau"] + ["learned"] * 6 + ["plateau"] * 2)
    part = compared("x", one, other, above())
    assert (part.good, part.answered.learned) == ("learned", (2, 6))
    assert compared("x", frame([0.01] * 9), frame([0.2] * 9), above()).answered.learned == ()
    part = compared("x", frame([0.01] * 9), frame([0.2] * 9), above(), Measure(good=("low", 0.05)))
    assert (part.good, part.answered.learned) == ("low", (9, 0))


def test_every_answer_by_losses_has_a_word_in_the_tables():
    assert set(IN_TABLES) == set(get_args(ByLosses))
    assert len(set(IN_TABLES.values())) == len(IN_TABLES)


@pytest.mark.parametrize(
    ("test", "low", "high", "said"),
    [
        (within(), -0.4, 0.4, "yes"),
        (within(), 0.4, 1.5, "worse"),
        (within(), 0.6, 1.5, "no"),
        (within(), -0.9, 0.1, "open"),
        (at_most(), -0.9, 0.1, "yes"),
        (above(), 0.1, 0.2, "yes"),
        (above(), -0.1, 0.2, "open"),
        (below(), 0.1, 0.2, "no"),
    ],
)
def test_what_a_number_says_by_itself(test, low, high, said):
    assert test.by_number(Answered("open", 90, (low + high) / 2, low, high)) == said


def test_parts_among_the_answers_have_names():
    def parts(tables):
        return [judged(what, [1.0] * 9, above()) for what in ("20 τ", "all N")]

    for more, names in (
        ({}, ["20 tau", "all N"]),
        ({"primary": ("20 τ",)}, ["20 tau", ""]),
        ({"named": {"all N": "all"}}, ["", "all"]),
    ):
        (finding,) = Claim("n", "s", "w", "t", "c", parts, **more).findings({})
        assert [part.name for part in finding.parts] == names
        assert [part.name for part in finding.named] == [name for name in names if name]
