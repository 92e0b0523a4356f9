"""The author's published example: his losses trial by trial, what is run, its table and its picture."""

from dataclasses import replace
from pathlib import Path

import naive
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.runs import tables
from rflo_repro.runs.request import Selection
from rflo_repro.studies.notebook import ABOUT
from rflo_repro.studies.notebook.choices import Choices
from rflo_repro.studies.notebook.experiment import LEARNING_RULES, SCHEMA, conditions, tabulate
from rflo_repro.studies.notebook.plot import PRINTED, below, draw
from rflo_repro.studies.notebook.task import FirstStepGiven

TASK = FirstStepGiven(rr.PeriodicTask(100))
ETA = 0.03
RULES = {"rflo": "loss_rflo", "bptt-published": "loss_bptt"}


@pytest.fixture(scope="module")
def his():
    """Weights of one network, and the losses of 300 trials from them that the author's own class gives by rule."""
    with np.load(Path(__file__).with_name("notebook.npz")) as file:
        return dict(file)


def network(his):
    weights = {name: his[name] for name in ("w_rec", "w_out", "feedback")}
    return rr.Network(w_in=np.zeros((50, 0)), h0=np.full(50, 0.1), tau=10.0, **weights)


def trained(his, rule, n_trials=50):
    """Losses over the whole period, as the study trains."""
    rule = LEARNING_RULES.get(rule, rule)
    history = rr.train(network(his), TASK, rule, ETA * TASK.share, n_trials, np.random.default_rng(0))
    return TASK.share * history.loss


def clipped(net, u):
    """The derivative of tanh in the author's class."""
    return 1 / np.cosh(10 * np.tanh(u / 10)) ** 2


def plain(his, rule, n_trials):
    """Losses over the whole period of the equations in plain NumPy."""
    net, trial, losses = naive.Net.of(network(his)), TASK.trial(np.random.default_rng(0)), []
    for _ in range(n_trials):
        exact = rule != "rflo"
        made = naive.gradient(net, *trial, symmetric=exact, full=exact, next_error=rule == "bptt-published")
        losses.append(made.loss)
        eta = ETA * TASK.share
        net = replace(net, w=net.w + eta * made.w, w_out=net.w_out + eta * made.w_out)
    return TASK.share * np.array(losses)


def apart(losses, his, rule):
    return np.abs(losses / his[RULES[rule]][: len(losses)] - 1.0).max()


@pytest.mark.parametrize("rule", RULES)
def test_training_follows_the_author_s_class(his, rule):
    """Up to the clip of his derivative: 1.9e-4 by RFLO, 2.3e-4 by BPTT."""
    assert apart(trained(his, rule), his, rule) < 2.5e-4


def test_the_exact_gradient_does_not(his):
    """Negative control: the error of the next step makes a difference that shows."""
    assert apart(trained(his, "bptt"), his, "bptt-published") > 3e-3


@pytest.mark.parametrize(("rule", "n_trials"), [("rflo", 300), ("bptt-published", 150)])
def test_with_his_derivative_it_is_his_class(his, rule, n_trials, monkeypatch):
    """From about trial 150 on a difference grows by two thirds a trial by BPTT as published, one of the last bit too:
    after trial 190 nothing follows it."""
    monkeypatch.setattr(naive, "slope", clipped)
    assert apart(plain(his, rule, n_trials), his, rule) < 1e-9


@pytest.mark.parametrize("rule", [*RULES, "bptt"])
def test_with_the_exact_derivative_it_is_the_study(his, rule):
    np.testing.assert_allclose(plain(his, rule, 20), trained(his, rule, 20), rtol=1e-10)


def test_the_first_step_of_the_period_is_given():
    inputs, targets = TASK.trial(np.random.default_rng(0))
    time = np.arange(1, 100)[:, np.newaxis] / 100
    sines = [a * np.sin(2 * np.pi * k * time) for a, k in ((1.0, 1), (0.5, 2), (0.25, 4))]
    assert (TASK.n_steps, inputs.shape) == (99, (99, 0))
    np.testing.assert_allclose(targets, sum(sines), atol=1e-14)


def test_three_rules_train_the_same_networks():
    found = conditions(Choices(n_networks=3), Selection())
    assert [c.values["rule"] for c in found] == list(ABOUT.rules)
    rules = [c.jobs[0].rule for c in found]
    assert rules == [replace(rr.RULES["bptt"], next_error=True), "bptt", "rflo"]
    for condition in found:
        for job, first in zip(condition.jobs, found[0].jobs, strict=True):
            assert replace(job, rule=first.rule) == first
    job = found[0].jobs[0]
    assert (job.task, job.eta, job.n_trials, job.seed) == (TASK, ETA * 99 / 100, 10_000, 90215)
    assert (job.init.n_rec, job.init.readout_scale, job.init.h0, job.init.g) == (50, 0.1, 0.1, 1.5)


def test_losses_are_averages_over_the_whole_period():
    arrays = {
        "loss": np.array([0.4, 0.3, 0.2]), "alignment": np.zeros(3), "diverged": np.array(False),
        "targets": TASK.trial(np.random.default_rng(0))[1],
    }  # fmt: skip
    found = conditions(Choices(n_networks=1), Selection())[:1]
    (row,) = tabulate(Choices(), found, [[arrays]])["final"].itertuples()
    assert row.first_loss == 0.99 * 0.4
    assert row.smallest_loss == row.final_loss == row.last_loss == 0.99 * 0.2
    assert row.outcome == "plateau"
    assert row.plateau == 0.99 * 0.2


def test_a_percentile_counts_the_networks_below():
    assert below(np.array([1.0, 2.0, 3.0, np.inf]), 2.5) == 50.0


def losses():
    """Five networks a rule: RFLO's losses ten times those of BPTT as published, of exact BPTT one network diverged."""
    by_rule = {"bptt-published": 1e-4, "bptt": 2e-4, "rflo": 1e-3}
    found = [
        {"rule": rule, "network": i, "n_trials": 10, "last_loss": (i + 1) * unit}
        for rule, unit in by_rule.items()
        for i in range(5)
    ]
    found[9]["last_loss"] = np.nan
    return pd.DataFrame(found)


def texts(picture):
    return [text.get_text() for axes in picture.get_axes() for text in axes.texts]


def test_the_picture_shows_distributions_and_what_is_printed():
    picture, notes = draw({"final": losses()}, ("a", "b"))
    axes = picture.get_axes()
    assert notes == []
    assert len(axes) == 4
    counts = [sum(bar.get_height() for bar in ax.patches if bar.get_height() > 0) for ax in axes[:3]]
    assert counts == [5, 4, 5]  # a network that diverged is on no axis
    printed = [[line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"] for ax in axes[:3]]
    assert printed == [[2.316e-4], [], [1.519e-4]]
    assert [*PRINTED.values()] == [2.316e-4, 1.519e-4]
    said = texts(picture)
    assert any("percentile 40" in text for text in said)  # 1e-4 and 2e-4 of five
    assert any("percentile 0" in text for text in said)
    assert any("median ×10.00" in text for text in said)
    assert all(ax.get_ylabel() for ax in axes)


@pytest.mark.parametrize("panel", ABOUT.panels)
def test_a_panel_alone(panel):
    picture, _ = draw({"final": losses()}, (panel,))
    assert {ax.get_title(loc="left") for ax in picture.get_axes()} - {""} == {panel}


def test_the_command_writes_table_and_picture(saved, tmp_path):
    options = ["--scale", "smoke", "--results", str(tmp_path), "--figures", str(tmp_path), "--jobs", "1"]
    done = CliRunner().invoke(cli, ["fig-notebook", *options])
    assert done.exit_code == 0, done.output
    frame, _ = tables.read(tmp_path, SCHEMA)
    assert frame.groupby("rule").network.nunique().to_dict() == dict.fromkeys(ABOUT.rules, 3)
    assert frame.last_loss.between(0.0, 1.0).all()
    # from the same network: the first trial is the same by every rule
    assert (frame.groupby("network").first_loss.nunique() == 1).all()
    bars = [sum(bar.get_height() for bar in axes.patches) for axes in saved["notebook"].get_axes()[: len(ABOUT.rules)]]
    assert bars == [3] * len(ABOUT.rules)
