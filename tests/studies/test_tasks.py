"""`fig-tasks`: its table and its picture, and a sweep over one of its tasks."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import identity
from rflo_repro.runs.session import METRIC_TRIALS, Session
from rflo_repro.studies.tasks import ABOUT, plot
from rflo_repro.studies.tasks.experiment import TASKS

GRAMMAR = """
name = "grammar"
networks = 2
trials = 50

[grid]
rule = "rflo"
eta = [0.1, 0.3]
task = "grammar"
loss = "cross-entropy"
n_rec = 10

[tasks.grammar]
is = "EmbeddedReberTask"

[plot]
x = "eta"
y = "final_metric"
"""


def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "task": name, "rule": rule, "network": k, "metric": rng.uniform(0.5, 1.0), "first_loss": 1.0,
            "final_loss": rng.uniform(0.1, 1.0),
        }
        for name in TASKS
        for rule in ABOUT.rules
        for k in range(4)
    )  # fmt: skip


def test_an_exploded_network_is_an_arrowhead():
    table = frame()
    table.loc[0, "final_loss"] = 1e21
    picture, _ = plot.draw({"final": table}, ("b",))
    arrows = [line for line in picture.axes[0].get_lines() if line.get_marker() == "^" and len(line.get_ydata())]
    assert [line.get_ydata().tolist() for line in arrows] == [[plot.EXPLODED]]


def test_a_dot_a_network():
    table = frame()
    picture, notes = plot.draw({"final": table}, ("a", "b"))
    assert not notes
    assert len(picture.axes) == 2 * len(TASKS)
    for axes, name in zip(picture.axes, TASKS, strict=False):
        shown = np.sort(np.concatenate([line.get_ydata() for line in axes.get_lines() if len(line.get_ydata()) == 4]))
        np.testing.assert_array_equal(shown, np.sort(table[table.task == name].metric))
        assert axes.get_title() == TASKS[name].title


def test_the_metric_of_a_session_is_that_of_its_network():
    session = Session(rr.EmbeddedReberTask(), "rflo", 0.1, 20, Initialisation(8), 1, 0, loss="cross-entropy")
    arrays = session.run(lambda trials: None)
    net = session.trained(arrays)
    from rflo_repro.runs.initialisation import generator

    rng = generator(1, 0, "test")
    session.task.trial(rng)
    found = rr.evaluate(net, session.task, METRIC_TRIALS, rng, loss="cross-entropy")
    assert float(arrays["metric"]) == found.metric
    assert float(arrays["zero_output_loss"]) == pytest.approx(np.log(7))


def test_a_job_of_the_usual_loss_is_called_as_before():
    usual = Session(rr.PeriodicTask(20), "rflo", 0.1, 20, Initialisation(8), 1, 0)
    other = Session(rr.PeriodicTask(20), "rflo", 0.1, 20, Initialisation(8), 1, 0, loss="cross-entropy")
    assert "loss" not in identity(usual)
    assert '"loss": "cross-entropy"' in identity(other)


def test_a_sweep_over_classes_has_the_metric(tmp_path):
    (tmp_path / "grammar.toml").write_text(GRAMMAR)
    ran = CliRunner().invoke(cli, ["sweep", str(tmp_path / "grammar.toml"), "--results", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    table = pd.read_csv(tmp_path / "out" / "grammar_final.csv")
    assert table.final_metric.between(0.0, 1.0).all()
    assert (table.loss_function == "cross-entropy").all()
    assert (tmp_path / "out" / "grammar.png").exists()
