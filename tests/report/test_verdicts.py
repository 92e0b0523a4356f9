"""From intervals to verdicts."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest

from rflo_repro.report.claims import above, at_most, below, by_period, compared, judged, slopes, untestable, within
from rflo_repro.runs import claims
from rflo_repro.runs.claims import LEVEL, Claim, Finding, Part, family, judge, together
from rflo_repro.runs.statistics import interval, mean

H, P, U, N, C = "holds", "holds in part", "not decided", "does not hold", "cannot be tested"
BEHIND, AHEAD = "behind, size open", "ahead, size open"


def ranks(low, high, n=9):
    """Values of n networks whose 95% interval, from the second to the last but one, has these ends."""
    return np.array([low - 5.0, *np.linspace(low, high, n - 2), high + 5.0])


@pytest.mark.parametrize(
    ("low", "high", "is_above", "is_below", "is_same", "is_no_more"),
    [
        (0.1, 0.2, H, N, H, H),
        (-0.2, -0.1, N, H, H, H),
        (-0.1, 0.1, U, U, H, H),
        (0.0, 0.1, U, U, H, H),
        (0.1, 0.9, H, N, BEHIND, BEHIND),
        (0.6, 0.9, H, N, N, N),
        (-0.9, -0.6, N, H, N, H),
        (-0.9, -0.1, N, H, AHEAD, H),
        (-0.9, 0.9, U, U, U, U),
    ],
)
def test_verdicts(low, high, is_above, is_below, is_same, is_no_more):
    values = ranks(low, high)

    def verdict(test, shift=0.0):
        return judged("x", values + shift, test).verdict

    assert [verdict(test) for test in (above(), below(), within(), at_most())] == [
        is_above,
        is_below,
        is_same,
        is_no_more,
    ]
    assert [verdict(test(2.0), 2.0) for test in (above, below)] == [is_above, is_below]
    assert verdict(within(0.5, 2.0), 2.0) == is_same
    # the verdict on a difference is the interval's
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
    assert judged("x", values, within()).verdict == H
    assert judged("x", np.repeat([-0.9, 0.0, 0.9], [11, 8, 11]), within()).verdict == U


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([H], H), ([H, H], H), ([H, C], H), ([N, C], N), ([C], C), ([C, C], C), ([], C),
        ([H, N], P), ([H, U], H), ([U], U), ([U, U], U), ([U, C], U), ([N, U], N), ([N, N], N), ([H, U, N, C], P),
        ([H, U, U], U), ([N, U, U], U), ([H, U, U, C, C], U), ([H, H, U, U, U, C], U), ([H, U, C, C], H),
        ([H, N, U, U], P),
        ([H, BEHIND], H), ([N, BEHIND], N), ([BEHIND, C], BEHIND), ([BEHIND, U], U), ([BEHIND, AHEAD], U),
    ],
)  # fmt: skip
def test_parts_together(parts, whole):
    assert together(parts) == whole


def test_holds_and_does_not_hold_are_treated_alike():
    mirror = {H: N, N: H}
    for parts in itertools.product((H, P, U, N, C, BEHIND), repeat=3):
        turned = [mirror.get(verdict, verdict) for verdict in parts]
        assert together(turned) == mirror.get(together(parts), together(parts))


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([H, H], ""), ([H, C], "a only"), ([H, U, H], "a and c only"), ([H, H, H, N], "3 of 4 parts"),
        ([N, U], "a only"), ([C, C], ""), ([U, BEHIND], "a only"), ([BEHIND, AHEAD], ""), ([H], ""),
    ],
)  # fmt: skip
def test_a_verdict_says_of_which_parts_it_is(verdicts, said):
    found = Finding("", tuple(Part(name, verdict) for name, verdict in zip("abcd", verdicts, strict=False)))
    assert found.coverage == said


def frame(losses, first_loss=0.33, **values):
    return pd.DataFrame({**values, "network": range(len(losses)), "final_loss": losses, "first_loss": first_loss})


def test_a_comparison_is_paired():
    """Networks that differ by far, and a rule that is always a little better: only a paired interval sees it."""
    base = [10.0**-k for k in range(1, 10)]
    part = compared("x", frame([1.3 * v for v in base]), frame(base), above())
    assert part.verdict == H
    assert part.interval.estimate == pytest.approx(0.114, abs=1e-3)
    assert compared("x", frame([1.3 * v for v in base]), frame(base[::-1]), above()).verdict == U


def test_two_conditions_that_do_not_learn_are_not_the_same():
    part = compared("x", frame([0.32] * 9), frame([0.32] * 9), within())
    assert (part.verdict, part.why) == (C, "neither learns: medians 0.32 and 0.32, not below 0.165")
    # and their numbers are shown
    assert (part.interval.n, part.interval.estimate) == (9, 0.0)
    assert compared("x", frame([0.32] * 9), frame([0.01] * 9), within()).verdict == N


def test_what_cannot_be_tested_says_why():
    assert "no such rows" in compared("x", frame([]), frame([0.1] * 9), above()).why
    assert untestable("x", "because").verdict == C


def test_a_divergence_is_worse_than_anything():
    part = compared("x", frame([float("nan")] * 9), frame([0.01] * 9), above())
    assert part.verdict == H
    assert compared("x", frame([float("nan")] * 9), frame([float("nan")] * 9), within()).verdict == C


def test_every_period_is_a_part():
    rows = pd.concat(
        frame([loss] * 9, period_tau=period, rule=rule)
        for period in (20.0, 40.0) for rule, loss in (("a", 0.1), ("b", 0.01))
    )  # fmt: skip
    parts = by_period(rows, {"rule": "a"}, {"rule": "b"}, above())
    assert [(p.what, p.verdict) for p in parts] == [("20 τ", H), ("40 τ", H)]
    assert by_period(rows, {"rule": "a"}, {"rule": "b"}, above(), [80.0])[0].verdict == C


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
    assert [(f.rates, f.verdict) for f in claim.findings({"final": rows})] == [("printed", N), ("tuned", H)]
    assert [f.rates for f in claim.findings({"final": rows.drop(columns="rates")})] == [""]


def test_kinds_of_rates_are_data(monkeypatch):
    """One more is judged where tables have it, in its own family; what was given by hand is none."""
    claim = Claim("n", "s", "w", "t", "c", lambda tables: [judged("x", tables["final"].final_loss, above(0.1))])
    kinds = ("printed", "given", "another", "tuned")
    rows = pd.concat([frame([0.2] * 9, rates=kind) for kind in kinds])
    assert [finding.rates for finding in claim.findings({"final": rows})] == ["printed", "tuned"]
    monkeypatch.setattr(claims, "KINDS", ("printed", "another", "tuned"))
    assert [finding.rates for finding in claim.findings({"final": rows})] == ["printed", "another", "tuned"]


def test_a_finding_has_the_verdict_of_its_parts():
    assert Finding("printed", (Part("a", H), Part("b", N))).verdict == P


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


def test_answers_of_a_family_are_corrected_by_holm():
    """Of nine networks all above zero: 2/512, which four parts survive and thirteen do not."""
    sure, less, none = (judged(name, coins(k, 9), above()) for name, k in (("a", 9), ("b", 8), ("c", 5)))
    assert sure.p == pytest.approx(2 / 512)
    assert less.p == pytest.approx(20 / 512)
    assert (sure.verdict, less.verdict, none.verdict) == (H, H, U)
    found = family([none, less, sure])
    assert [part.what for part in found] == ["c", "b", "a"]
    assert [part.verdict for part in found] == [U, U, H]
    assert [part.p for part in found] == pytest.approx([1.0, 40 / 512, 6 / 512])
    assert {part.verdict for part in family([sure] * 12)} == {H}
    assert {part.verdict for part in family([sure] * 13)} == {U}
    # what cannot be tested takes no part in it
    assert family([sure, *[untestable("x", "y")] * 20])[0].verdict == H


def test_a_family_of_truths_has_a_false_answer_in_one_of_twenty_samples_at_most():
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(400):
        parts = family([judged("x", rng.normal(0.0, 1.0, 30), above()) for _ in range(6)])
        wrong += any(part.verdict != U for part in parts)
    assert wrong / 400 < LEVEL + 0.025


def test_directions_are_a_second_family():
    size_open = judged("a", np.linspace(0.1, 0.9, 9), within())
    assert (size_open.verdict, size_open.p) == (BEHIND, pytest.approx(2 / 512))
    sides = [part.verdict for part in family([size_open] * 12 + [judged("b", coins(9, 9), above())])]
    assert sides == [BEHIND] * 12 + [U]


def test_only_primary_parts_are_corrected_and_decide():
    def parts(tables):
        return [judged("first", coins(8, 9), above()), judged("second", coins(5, 9), above())]

    both = Claim("n", "s", "w", "t", "c", parts)
    one = Claim("n", "s", "w", "t", "c", parts, primary=("first",))
    (whole,), (part,) = both.findings({}), one.findings({})
    assert (whole.verdict, part.verdict) == (U, H)
    assert [p.verdict for p in part.parts] == [H, U]
    assert [p.primary for p in part.parts] == [True, False]


def test_the_claims_of_an_experiment_are_one_family():
    claims = [Claim(str(i), "s", "w", "t", "c", lambda tables: [judged("x", coins(9, 9), above())]) for i in range(13)]
    assert {finding.verdict for findings in judge(claims, {}) for finding in findings} == {U}
    assert {finding.verdict for claim in claims for finding in claim.findings({})} == {H}


def test_what_is_not_decided_says_how_many_networks_it_would_take():
    """Seven of ten above zero: the sign test decides nine times of ten with about 66."""
    part = judged("x", coins(7, 10), above())
    assert part.verdict == U
    n = int(part.needs)
    rng = np.random.default_rng(0)

    def decided(n):
        found = [judged("x", np.where(rng.random(n) < 0.7, 1.0, -1.0), above()).verdict for _ in range(400)]
        return np.mean([verdict != U for verdict in found])

    assert decided(n) > 0.87
    assert decided(n * 3 // 4) < 0.87
    assert judged("x", coins(5, 10), above()).needs == "more than 1,000"
    assert judged("x", coins(9, 9), above()).needs == ""
    assert int(judged("x", np.linspace(0.1, 0.7, 9), within()).needs) > 9  # behind, size open


def test_a_mean_says_so_too():
    values = np.random.default_rng(1).normal(size=100)
    # one and a half standard errors above 0; it takes 3.24 of them
    part = judged("x", (values - values.mean()) / values.std() + 0.15, above(), statistic=mean)
    assert part.verdict == U
    n = int(part.needs)
    assert 440 <= n <= 490


def test_a_part_of_sameness_says_for_which_margins_it_would_turn():
    found = judged("x", ranks(0.6, 0.9), within())
    assert "holds for margins above 0.90 (a factor of 7.9), does not hold below 0.60 (a factor of 4)" in found.remark
    assert judged("x", ranks(0.6, 0.9), within(0.91)).verdict == H
    assert judged("x", ranks(0.6, 0.9), within(0.89)).verdict == BEHIND
    assert judged("x", ranks(0.6, 0.9), within(0.59)).verdict == N
    assert "no margin would settle it" in judged("x", coins(3, 4), within()).remark
    # an upper bound has no lower one
    assert "holds for margins above 0.00 (" in judged("x", ranks(-0.9, -0.6), at_most()).remark


@pytest.mark.parametrize("spread", [0.2, 0.6, 1.5])
def test_identical_rules_pass_for_the_same_or_the_part_says_how_many_networks_it_takes(spread):
    """Samples are drawn anew from the sample's own spread around no difference at all."""
    rng = np.random.default_rng(7)
    values = rng.normal(0.3, spread, 30)
    part = judged("x", values, within())
    said = re.findall(r"to show sameness takes (\d+), even if nothing differs", part.remark)

    def passed(n):
        samples = rng.choice(values - np.median(values), (400, n))
        return np.mean([judged("x", sample, within()).verdict == H for sample in samples])

    assert bool(said) == (spread > 1.0)
    assert passed(int(said[0]) if said else 30) > 0.87
    if said:
        assert passed(int(said[0]) * 2 // 3) < 0.87


def test_how_many_learned_stands_beside_it():
    """By the outcome in the table or a number; McNemar's test is of the pairs that differ: one against five."""
    one = frame([0.01] * 9).assign(outcome=["learned"] * 2 + ["plateau"] * 7)
    other = frame([0.01] * 9).assign(outcome=["plateau"] + ["learned"] * 6 + ["plateau"] * 2)
    part = compared("x", one, other, above())
    assert (part.learned, part.unlike) == ("learned: 2 and 6 of 9 (p = 0.22)", "")
    assert compared("x", frame([0.01] * 9), frame([0.2] * 9), above()).learned == ""
    part = compared("x", frame([0.01] * 9), frame([0.2] * 9), above(), good=("low", 0.05))
    assert (part.learned, part.unlike) == ("low: 9 and 0 of 9 (p = 0.0039)", "low: 9 and 0")


def test_the_trial_at_which_a_tenth_is_reached_stands_beside_it():
    def curve(reached):
        trials = [(network, trial) for network in range(3) for trial in (1, 10, 100)]
        rows = [(n, t, 0.3 if t == 1 or t < reached[n] else 0.02) for n, t in trials]
        return pd.DataFrame(rows, columns=["network", "trial", "loss"])

    curves = [curve([10, 100, 10]), curve([100, 1000, 1000])]
    part = compared("x", frame([0.01] * 9), frame([0.01] * 9), above(), curves=curves)
    assert part.learned == "a tenth of the untrained loss at trial 10 and never"
