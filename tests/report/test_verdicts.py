"""From intervals to verdicts."""

from __future__ import annotations

import pandas as pd
import pytest

from rflo_repro.report.claims import above, below, by_period, compared, judged, slopes, untestable, within
from rflo_repro.runs.claims import Claim, Finding, Interval, Part, together

H, P, U, N, C = "holds", "holds in part", "undecided", "does not hold", "cannot be tested"


@pytest.mark.parametrize(
    ("low", "high", "is_above", "is_below", "is_same"),
    [
        (0.1, 0.2, H, N, H),
        (-0.2, -0.1, N, H, H),
        (-0.1, 0.1, U, U, H),
        (0.0, 0.1, U, U, H),
        (0.1, 0.9, H, N, U),
        (0.6, 0.9, H, N, N),
        (-0.9, -0.6, N, H, N),
        (-0.9, 0.9, U, U, U),
    ],
)
def test_verdicts(low, high, is_above, is_below, is_same):
    found = Interval((low + high) / 2, low, high, 9)
    assert (above()(found), below()(found), within(0.5)(found)) == (is_above, is_below, is_same)
    shifted = Interval(0.0, low + 2.0, high + 2.0, 9)
    assert (above(2.0)(shifted), below(2.0)(shifted), within(0.5, 2.0)(shifted)) == (is_above, is_below, is_same)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([H], H), ([H, H], H), ([H, C], H), ([N, C], N), ([C], C), ([C, C], C), ([], C),
        ([H, N], P), ([H, U], P), ([U], U), ([U, U], U), ([U, C], U), ([N, U], N), ([N, N], N), ([H, U, N, C], P),
    ],
)  # fmt: skip
def test_parts_together(parts, whole):
    assert together(parts) == whole


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
    assert (part.verdict, part.why) == (C, "neither learns")
    assert compared("x", frame([0.32] * 9), frame([0.01] * 9), within()).verdict == N


def test_what_cannot_be_tested_says_why():
    assert "no such rows" in compared("x", frame([]), frame([0.1] * 9), above()).why
    assert "4 networks" in compared("x", frame([0.1] * 4), frame([0.1] * 4), above()).why
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


def test_a_claim_is_judged_at_each_kind_of_rates():
    claim = Claim("n", "s", "w", "t", "c", lambda tables: [judged("x", tables["final"].final_loss, above(0.1))])
    rows = pd.concat([frame([0.01] * 9, rates="printed"), frame([0.2] * 9, rates="tuned")])
    assert [(f.rates, f.verdict) for f in claim.findings({"final": rows})] == [("printed", N), ("tuned", H)]
    assert [f.rates for f in claim.findings({"final": rows.drop(columns="rates")})] == [""]


def test_a_finding_has_the_verdict_of_its_parts():
    assert Finding("printed", (Part("a", H), Part("b", U))).verdict == P


def test_one_that_ran_away_counts_as_one_that_diverged():
    """However far it got: 46 decades are no effect."""
    good = frame([0.01] * 9).assign(outcome="learned")
    lost = frame([1e44, *[0.02] * 8]).assign(outcome=["ran away", *["learned"] * 8])
    diverged = lost.assign(final_loss=[None, *[0.02] * 8], outcome=["diverged", *["learned"] * 8])
    one, other = (compared("x", rows, good, above()) for rows in (lost, diverged))
    assert one == other
    assert one.interval.high == pytest.approx(0.301, abs=1e-3)
