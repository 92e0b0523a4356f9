"""From sessions to tables: what counts as the final loss, and what a divergence counts as."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rflo_repro.runs import learning_curves, tables
from rflo_repro.runs.job import Condition
from rflo_repro.runs.learning_curves import final_loss, log_spaced
from rflo_repro.runs.session import last_part
from rflo_repro.stats.statistics import quartiles

nan, inf = math.nan, math.inf


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_quartiles_are_numpys(values):
    np.testing.assert_allclose(quartiles(values), np.percentile(values, [25, 50, 75]), rtol=1e-12, atol=1e-12)


@given(values=st.lists(st.floats(0, 1e6), max_size=8), n_diverged=st.integers(1, 8))
def test_a_divergence_counts_as_above_all_others(values, n_diverged):
    found = quartiles([*values, *[nan] * n_diverged])
    assert not any(map(math.isnan, found))
    # as they would be with a number above all others; infinite where that number is heard
    huge = np.percentile([*values, *[1e300] * n_diverged], [25, 50, 75])
    for one, other in zip(found, huge, strict=True):
        if other < 1e290:
            assert one == pytest.approx(other, rel=1e-12, abs=1e-12)
        else:
            assert one == inf


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0], (1.0, 1.0, 1.0)),
        ([nan], (inf, inf, inf)),
        ([1, 2, 3, 4, 5], (2, 3, 4)),
        ([1, 2, 3, 4, nan], (2, 3, 4)),
        ([1, 2, 3, nan, nan], (2, 3, inf)),
        ([nan, 1, nan, 2, nan], (2, inf, inf)),
        ([1, nan], (inf, inf, inf)),
        ([1, inf], (inf, inf, inf)),
        ([inf], (inf, inf, inf)),
        ([1, 2, 3, inf, nan], (2, 3, inf)),
        ([3, 1, 2], (1.5, 2, 2.5)),
        (list(range(9)), (2, 4, 6)),
        ([0, 1, 2, 3, 4, 5, 6, nan, nan], (2, 4, 6)),
    ],
)
def test_quartiles_by_hand(values, expected):
    assert quartiles(values) == expected


def test_the_final_loss_is_the_median_of_the_last_hundredth():
    loss = np.r_[np.full(990, 5.0), [1, 2, 3, 4, 100, 0, 2, 2, 2, 2]]
    assert last_part(loss) == final_loss({"loss": loss}) == 2.0
    assert last_part(np.array([3.0, 1.0])) == 1.0  # at least one trial
    assert math.isnan(last_part(np.r_[loss[:-1], nan]))
    assert math.isnan(last_part(np.r_[loss[:-10], np.full(10, nan)]))


@given(n_trials=st.integers(1, 10**6))
def test_trials_of_a_curve(n_trials):
    trials = log_spaced(n_trials)
    assert trials[0] == 1
    assert trials[-1] == n_trials
    assert (np.diff(trials) > 0).all()
    assert len(trials) <= 100
    if n_trials >= 10_000:
        assert len(trials) > 75


def session(losses, diverged=False, n_steps=4):
    losses = np.array(losses, dtype=float)
    return {
        "loss": losses,
        "alignment": np.where(np.isnan(losses), nan, 0.5),
        "diverged": np.array(diverged),
        "y": np.full((n_steps, 2), losses[0]),
        "targets": np.zeros((n_steps, 2)),
    }


@pytest.fixture(scope="module")
def tabulated():
    """Three networks: the second diverged, the third is the best."""
    values = {"figure": "f", "panel": "a", "rule": "rflo", "rates": "printed", "period_tau": 20.0, "eta": 0.1}
    condition = Condition("rflo 20 tau", values, ())
    sessions = [session([3.0, 2.0, 2.0]), session([4.0, nan, nan], True), session([5.0, 0.5, 1.0])]
    return learning_curves.tabulate([condition], [sessions], tau=10.0), sessions


def test_a_divergence_is_a_row(tabulated):
    final = tabulated[0]["final"]
    assert final.diverged.tolist() == [False, True, False]
    assert math.isnan(final.final_loss[1])
    assert final.first_loss.tolist() == [3.0, 4.0, 5.0]
    assert final.smallest_loss.tolist() == [2.0, 4.0, 0.5]
    assert final.final_loss[[0, 2]].tolist() == [2.0, 1.0]
    assert final.n_trials.tolist() == [3, 3, 3]


def test_curves_are_by_trial_from_1(tabulated):
    curves = tabulated[0]["curves"]
    assert curves.trial.tolist() == [1, 2, 3] * 3
    assert curves.network.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    np.testing.assert_array_equal(curves.loss, [3, 2, 2, 4, nan, nan, 5, 0.5, 1])


def test_the_outputs_are_those_of_the_median_network(tabulated):
    outputs = tabulated[0]["outputs"]
    assert set(outputs.network) == {0}  # losses 1, 2 and above all others
    assert set(outputs.y) == {3.0}
    assert outputs.time_tau.tolist() == [0.1, 0.2, 0.3, 0.4] * 2
    assert outputs.output.tolist() == [0] * 4 + [1] * 4


def test_the_tables_fit_their_schemas(tabulated, tmp_path):
    schemas = learning_curves.schemas("f", ("rule", "rates", "period_tau"))
    for part, schema in schemas.items():
        frame = tabulated[0][part]
        assert list(frame.columns) == [column.name for column in schema.columns]
        tables.write(tmp_path, schema, frame, {})
        pd.testing.assert_frame_equal(tables.read(tmp_path, schema)[0], frame, check_exact=True)
        assert schema.name == f"f_{part}"


def test_every_session_diverged_at_once():
    values = {"figure": "f", "panel": "a", "rule": "rflo", "rates": "given", "period_tau": 20.0, "eta": 1e9}
    sessions = [session([nan, nan], True), session([nan, nan], True)]
    frames = learning_curves.tabulate([Condition("x", values, ())], [sessions], tau=10.0)
    assert frames["final"].smallest_loss.isna().all()
    assert set(frames["outputs"].network) == {0}


def test_the_progress_line_says_how_many_diverged(tabulated):
    assert learning_curves.summary(tabulated[1]) == "loss 2  (quartiles 1.5, inf)  1 diverged"
    assert learning_curves.summary(tabulated[1][:1]) == "loss 2  (quartiles 2, 2)"
