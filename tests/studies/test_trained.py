"""The trained network of every figure, and of a sweep: as its table has it."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.paper import registry
from rflo_repro.runs import provenance, tables
from rflo_repro.runs.conditions import of_scale
from rflo_repro.runs.session import last_part
from rflo_repro.runs.store import FOLDER, Store

RESULTS = Path(rr.__file__).parents[1] / "results"
FIGURES = [name for name, about in registry.figures().items() if about.computed]


def same(one, other):
    return all(getattr(one, n).tobytes() == getattr(other, n).tobytes() for n in ("w_in", "w_rec", "w_out", "h0"))


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """Where each figure's smoke tables are."""
    place = tmp_path_factory.mktemp("smoke")
    made = {}
    for figure in FIGURES:
        made[figure] = place / figure
        options = ["--scale", "smoke", "--no-plot", "--jobs", "2", "--results", str(made[figure])]
        run = CliRunner().invoke(cli, [figure, *options], prog_name="rflo-repro")
        assert run.exit_code == 0, run.output
    return made


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_gives_its_networks(computed, figure, monkeypatch):
    """From the store and trained again, the same bits; its curve ends in the table's final loss."""
    experiment = registry.figures()[figure].experiment
    final, _ = tables.read(computed[figure], registry.figures()[figure].experiment.schemas["final"])
    column = "final_loss" if "final_loss" in final else None
    every = of_scale(experiment, "smoke")
    condition = next((c for c in every if c.values.get("rates") != "tuned"), every[0])
    named = {k: v for k, v in condition.values.items() if k not in ("eta", "panel", "figure")}
    given = {"network": 1, "scale": "smoke", **named}
    monkeypatch.setattr(type(condition.jobs[0]), "run", None)
    stored = rr.trained(figure, results=computed[figure], **given)
    monkeypatch.undo()
    assert same(stored, rr.trained(figure, results=Path("nowhere"), **given))
    assert not Path("nowhere").exists()
    job = condition.jobs[1]
    arrays = job.run(lambda _: None)
    assert same(stored, job.trained(arrays))
    if column:
        row = final[(final.network == 1) & np.logical_and.reduce([final[k] == v for k, v in named.items()])]
        assert row[column].tolist() == [last_part(arrays["loss"])]


AT_PAPER_SCALE = {"fig2": {"rule": "rflo", "period_tau": 20.0}}


@pytest.mark.long
@pytest.mark.parametrize("figure", FIGURES)
def test_a_network_at_paper_scale_has_the_final_loss_of_the_committed_table(figure, tmp_path):
    """Trained by today's source: to the last bit."""
    experiment, wanted = registry.figures()[figure].experiment, AT_PAPER_SCALE.get(figure, {})
    every = [c for c in of_scale(experiment, "paper") if wanted.items() <= c.values.items()]
    condition = next((c for c in every if c.values["rates"] != "tuned"), every[0])
    job = condition.jobs[4]
    arrays = job.run(lambda _: None)
    Store(tmp_path / FOLDER).put(job, arrays, provenance.of_result(1.0))
    named = {k: v for k, v in condition.values.items() if k not in ("eta", "panel", "figure")}
    assert same(rr.trained(figure, network=4, results=tmp_path, **named), job.trained(arrays))
    final, _ = tables.read(RESULTS, experiment.schemas["final"])
    row = final[(final.network == 4) & np.logical_and.reduce([final[k] == v for k, v in named.items()])]
    assert row.final_loss.tolist() == [last_part(arrays["loss"])]
    assert np.median(arrays["loss"][-len(arrays["loss"]) // 100 :]) == pytest.approx(row.final_loss.item())


def test_a_network_of_figure_2_has_the_loss_that_is_next(monkeypatch):
    """What is returned is the network after the last trial: one trial more starts from it."""
    given = {"rule": "rflo", "period": 20, "network": 0, "scale": "smoke"}
    net = rr.trained("fig2", **given)
    condition = next(
        c
        for c in of_scale(registry.figures()["fig2"].experiment, "smoke")
        if (c.values["rule"], c.values["period_tau"], c.values["rates"]) == ("rflo", 20.0, "printed")
    )
    session = condition.jobs[0]
    longer = rr.train(
        session.initial(), session.task, session.rule, session.eta, session.n_trials + 1, np.random.default_rng(0)
    )
    inputs, targets = session.task.trial(np.random.default_rng(0))
    assert rr.weight_updates(net, inputs, targets).loss == pytest.approx(longer.loss[-1], rel=1e-10)


SWEEP = """
name = "mine"
networks = 2
trials = 5
[grid]
rule = ["rflo", "bptt"]
period = 2
n_rec = [5, 6]
eta = 0.01
"""


def test_a_sweep_gives_its_networks():
    Path("mine.toml").write_text(SWEEP)
    run = CliRunner().invoke(cli, ["sweep", "mine.toml", "--jobs", "1"], prog_name="rflo-repro")
    assert run.exit_code == 0, run.output
    got = []
    found = Store.get
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "get", lambda self, r: got.append(found(self, r)) or got[-1])
        stored = rr.trained("mine.toml", rule="bptt", n_rec=6, network=1)
        assert got[0] is not None
        again = rr.trained("mine.toml", rule="bptt", n_rec=6, network=1, results="nowhere")
        assert got[1] is None
    assert same(stored, again)
    assert stored.n_rec == 6
    with pytest.raises(ValueError, match=r"2 conditions are left: say rule \(.*\) too"):
        rr.trained("mine.toml", n_rec=6)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("fig9", {}, "name must be one of fig2, "),
        ("fig1", {}, "name must be one of fig2, "),
        (3, {}, "name must be one of fig2, "),
        ("nowhere.toml", {}, "nowhere.toml: No such file"),
        ("fig2", {"scale": "huge"}, "scale must be one of paper, quick, smoke"),
        ("fig2", {"rule": "rflo", "period": 20, "network": 9}, "network must be a whole number from 0 to 8"),
        (
            "fig2",
            {"rule": "rflo", "period": 21},
            "period_tau must be one of 20.0, 40.0, 80.0, 160.0 with rule='rflo', got 21",
        ),
        ("fig2", {"rule": "rflo"}, "conditions are left: say period_tau"),
        ("fig2", {"speed": 1}, "condition must be among figure, panel, rule"),
    ],
)
def test_what_there_is_not(name, given, message):
    with pytest.raises(ValueError, match=message):
        rr.trained(name, **given)


def test_a_condition_that_is_elsewhere_is_named_with_the_figure():
    with pytest.raises(ValueError, match=r"period_tau must be one of 80\.0 .*got 20; fig2-locality has one"):
        rr.trained("fig2", rule="local", period=20)
    with pytest.raises(ValueError, match=r"rule must be one of .*'bptt'.*, got 'none'$"):
        rr.trained("fig2", rule="none")
    refused = CliRunner().invoke(cli, ["fig2", "--panel", "d", "--period", "20"])
    assert (refused.exit_code, "`rflo-repro fig2-locality` has them" in refused.output) == (2, True)
