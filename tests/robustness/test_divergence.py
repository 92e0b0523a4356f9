"""A learning rate far too large: finite numbers or `diverged`, by every rule on every task, and everything goes on."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from cases import further

import rflo_repro as rr
from rflo_repro.paper import registry
from rflo_repro.tasks import IntervalMatchingTask, MovementTask, PeriodicTask, Reaching, SequenceTask

TASKS = {
    "periodic": lambda: PeriodicTask(100),
    "interval": lambda: IntervalMatchingTask(longest=30, shortest=10),
    "movements": lambda: MovementTask(Reaching(n_steps=20)),
    "sequence": lambda: SequenceTask((0, 1, 2, 3), Reaching(n_steps=20)),
}
COMPUTED = [figure.command for figure in registry.figures().values() if figure.computed]


# every rule on one task, and one rule on every task
EVERY = [
    (rule, task, online, eta)
    for rule, made in rr.RULES.items()
    for task in TASKS
    for online in (False, True)[: 1 + made.local_in_time]
    for eta in (10.0, 1e8)
]
USUAL = [case for case in EVERY if case[3] == 1e8 and (case[0] == "rflo" or case[1] == "periodic")]


@pytest.mark.parametrize(
    ("rule", "task", "online", "eta"), [*USUAL, *further(*(case for case in EVERY if case not in USUAL))]
)
def test_every_rule_on_every_task(rule, task, online, eta):
    task = TASKS[task]()
    net = rr.Network.random(8, task.n_in, task.n_out, np.random.default_rng(0))
    history = rr.train(net, task, rule, eta, 40, np.random.default_rng(1), online=online)
    finite = np.isfinite(history.loss)
    assert history.diverged or finite.all()
    if history.diverged:
        assert finite[: finite.argmin()].all()
        assert not finite[finite.argmin() :].any()
        assert not np.isinf(history.loss).any()
    for name in ("w_in", "w_rec", "w_out"):
        assert np.isfinite(getattr(history.network, name)).all()
    assert np.isfinite(rr.run(history.network, np.zeros((5, task.n_in))).y).all()


# outputs far above the axes, whose square is infinite, whose sum is none
EVERYDAY = [("fig2", "10"), ("fig3", "1e12"), ("fig4", "1e120")]
ETAS = ("10", "1e12", "1e120", "1e300", "1.7e308")
LONG = [(c, eta) for c in COMPUTED for eta in ETAS if (c, eta) not in EVERYDAY]


@pytest.mark.parametrize(("command", "eta"), [*EVERYDAY, *further(*LONG)])
def test_every_figure_goes_on(server, tmp_path, command, eta):
    code, log = server.run(
        command, "--scale", "smoke", "--networks", "1", "--trials", "20", "--eta", eta, "--results", tmp_path / "r",
        "--figures", tmp_path / "f",
    )  # fmt: skip
    assert code == 0, log
    assert "Traceback" not in log
    assert "Warning" not in log
    # no divergence is a number that is merely large
    assert "e+308" not in log
    figure = registry.figures()[command]
    final = pd.read_csv(tmp_path / "r" / f"{figure.name}_final.csv")
    assert (final.diverged == final.final_loss.isna()).all()
    if float(eta) > 10:
        assert (final.diverged | (final.final_loss > 1)).any()
    assert list((tmp_path / "f").glob("*.png"))
    for claim in figure.experiment.claims:
        assert dataclasses.is_dataclass(claim)
