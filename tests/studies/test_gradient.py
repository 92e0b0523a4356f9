"""The cosine between a rule's update and the exact gradient, during training."""

import math

import numpy as np
import pytest
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.learning import exact_math
from rflo_repro.report import palette
from rflo_repro.report.words import SHORT_RATES
from rflo_repro.runs import tables
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session
from rflo_repro.studies.gradient import ABOUT
from rflo_repro.studies.gradient.experiment import SCHEMA
from rflo_repro.studies.gradient.trial import GradientSession


def session(rule, **fields):
    return Session(
        rr.PeriodicTask(40),
        rule,
        **{"eta": 0.01, "n_trials": 30, "init": Initialisation(8), "seed": 1, "network": 0, **fields},
    )


def measured(rule, trials=(1, 2, 11, 30), **fields):
    return GradientSession(session(rule, **fields), trials).run(lambda done: None)


@pytest.mark.parametrize("how", [{"reset_state": False}, {"online": True}])
def test_the_session_is_trained_as_it_says(how):
    """However often it is stopped to be measured: the state goes on, and updates come when they should."""
    seldom, often = (measured("rflo", trials, **how)["w_rec"] for trials in ((1, 11, 30), (1, 2, 5, 11, 30)))
    np.testing.assert_array_equal(seldom, often[[0, 3, 4]])
    assert not np.array_equal(seldom, measured("rflo", (1, 11, 30))["w_rec"])


def test_bptt_is_the_gradient():
    found = measured("bptt")
    np.testing.assert_allclose(found["w_rec"], 1.0, atol=1e-12)


def test_the_readouts_update_is_exact_in_every_rule():
    for rule in ABOUT.rules:
        found = measured(rule)
        np.testing.assert_allclose(found["w_out"], 1.0, atol=1e-12)
        assert (np.abs(found["w_rec"]) < 0.9999).all()


def test_the_training_is_the_sessions_own():
    """The cosine before trial 11 is that of a network trained for 10 trials at one go."""
    found = measured("rflo")
    net = session("rflo", n_trials=10).train(lambda done: None).network
    trial = rr.PeriodicTask(40).trial(np.random.default_rng(0))
    own, exact = (rr.weight_updates(net, *trial, rule=rule).w_rec for rule in ("rflo", "bptt"))
    assert found["w_rec"][2] == exact_math.cosine_similarity(own, exact)


def test_after_a_divergence_there_is_none():
    found = measured("rflo", trials=(1, 10, 30), eta=1e200)
    assert math.isfinite(found["w_rec"][0])
    assert math.isnan(found["w_rec"][-1])


def test_cosines():
    one = np.array([[3.0, 0.0]])
    assert exact_math.cosine_similarity(one, np.array([[0.0, 2.0]])) == 0.0
    assert exact_math.cosine_similarity(one, -one) == pytest.approx(-1.0)
    assert math.isnan(exact_math.cosine_similarity(one, 0 * one))


def test_the_command_writes_table_and_picture(tuned, saved, tmp_path):
    options = ["--scale", "smoke", "--results", str(tmp_path), "--figures", str(tmp_path), "--jobs", "1"]
    done = CliRunner().invoke(cli, ["fig-gradient", *options])
    assert done.exit_code == 0, done.output
    frame, _ = tables.read(tmp_path, SCHEMA)
    assert set(frame.rule) == set(ABOUT.rules)
    assert set(frame.rates) == {"printed", "tuned"}
    assert frame.cosine.between(-1.0, 1.0).all()
    shown = frame[frame.matrix == "w_rec"]
    periods = sorted(shown.period_tau.unique())
    grid = np.array(saved["gradient"].axes).reshape(2, len(periods) + 1)
    for row, (rates, part) in zip(grid, shown.groupby("rates"), strict=True):
        for axes, period in zip(row[:-1], periods, strict=True):
            assert (axes.get_title(), axes.get_ylim()) == (f"{period:g} τ, {SHORT_RATES[rates]}", (-1.05, 1.05))
            lines = {line.get_label(): line.get_xydata() for line in axes.lines}
            for rule, mine in part[part.period_tau == period].groupby("rule"):
                medians = mine.groupby("trial").cosine.median()
                np.testing.assert_allclose(lines[palette.name(rule)], [*medians.items()], atol=1e-12)
