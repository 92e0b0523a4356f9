"""A named variant is its figure with some choices made otherwise, under a name of its own."""

import dataclasses
import json

import pandas as pd
import pytest
from click.testing import CliRunner

from rflo_repro.cli import EXPERIMENTS, cli
from rflo_repro.paper import registry
from rflo_repro.runs import variants
from rflo_repro.runs.choices import vary
from rflo_repro.runs.conditions import of_scale
from rflo_repro.runs.request import Selection
from rflo_repro.runs.sample import CONFIRMATION
from rflo_repro.stats.claims import KINDS

READ = [(about, name) for about in EXPERIMENTS.values() for name in about.variants]
PERIODIC = ("fig2", "fig2-locality", "fig2-dale", "fig2-readout", "fig2-size")


def test_figure_2_and_its_supplements_have_the_clipped_one():
    assert [(about.command, name) for about, name in READ if about.command != "fig3"] == [
        (command, "clipped") for command in PERIODIC
    ]
    assert registry.figures()["fig3"].variants == {"batches": (("n_trials", "50000"),)}
    assert dict(registry.figures()["fig2"].variants["clipped"]) == {"clip": "0.3"}
    assert {name for _, name in READ} <= set(KINDS)


@pytest.mark.parametrize(("about", "name"), READ, ids=lambda value: getattr(value, "command", value))
def test_it_runs_the_sessions_of_the_figure_with_these_choices(about, name):
    own, under = about.experiment, variants.under(about.experiment, name)
    sets = [(choice, "200" if choice == "n_trials" else value) for choice, value in about.variants[name]]
    plain = own.conditions(vary(own.scales["smoke"], sets), Selection(rates=("printed",)))
    found = of_scale(under, "smoke")
    assert [c.jobs for c in found] == [c.jobs for c in plain]
    assert {c.values["rates"] for c in found} == {name}
    assert not {c.label for c in found} & {c.label for c in of_scale(own, "smoke")}
    trained = [getattr(c.jobs[0], "session", c.jobs[0]) for c in found if not c.untrained]
    assert {r.optimizer.clip for r in trained if name == "clipped"} <= {0.3}


@pytest.mark.parametrize(("about", "name"), READ, ids=lambda value: getattr(value, "command", value))
def test_its_tables_and_sample_have_names_of_their_own(about, name):
    own, under = about.experiment, variants.under(about.experiment, name)
    for one, other in ((own, under), (CONFIRMATION.of(own), CONFIRMATION.of(under))):
        names = {schema.name for schema in one.schemas.values()}
        others = {schema.name for schema in other.schemas.values()}
        assert not names & others
        assert {n.removeprefix(f"{about.name}_") for n in names} == {
            n.removeprefix(f"{about.name}_{name}_") for n in others
        }
    many, usual = (
        CONFIRMATION.of(under).scales["paper"],
        vary(CONFIRMATION.of(own).scales["paper"], about.variants[name]),
    )
    assert many == dataclasses.replace(usual, n_networks=27 if name == "batches" else usual.n_networks)


def test_a_given_rate_is_not_called_by_the_variant():
    under = variants.under(registry.figures()["fig2"].experiment, "clipped")
    found = under.conditions(under.scales["smoke"], Selection(rules=("rflo",), eta=0.02))
    assert {c.values["rates"] for c in found} == {"given"}


def run(*arguments):
    return CliRunner().invoke(cli, list(map(str, arguments)), env={"COLUMNS": "300"})


def test_it_is_computed_drawn_and_judged_beside_the_figure(saved, tmp_path):
    here = ("--scale", "smoke", "--results", tmp_path)
    for command in (
        ("fig2", "--figures", tmp_path, *here),
        ("fig2", "--figures", tmp_path, "--variant", "clipped", *here),
        ("confirm", "fig2", *here),
        ("confirm", "fig2", "--variant", "clipped", *here),
    ):
        assert run(*command).exit_code == 0
    own, under = (pd.read_csv(tmp_path / f"{name}_final.csv") for name in ("fig2", "fig2_clipped"))
    assert set(under.rates) == {"clipped"}
    assert not own.final_loss[own.rates == "printed"].equals(under.final_loss)
    page = json.loads((tmp_path / "confirmation" / "fig2_clipped_final.json").read_text())
    assert page["settings"]["choices"]["clip"] == 0.3
    assert page["settings"]["choices"]["seed"] == CONFIRMATION.seed
    listed = json.loads(run("list", "--json", "--results", tmp_path).output)
    assert listed["fig2 --variant clipped"]["state"] == "fresh"
    assert listed["confirm fig2 --variant clipped"]["state"] == "fresh"
    assert "fig2-dale --variant clipped" not in listed
    claims = json.loads(run("report", "--json", "--results", tmp_path).output)["claims"]
    judged = [claim for claim in claims if claim["command"].startswith("rflo-repro fig2 ")]
    assert judged
    assert all([f["rates"] for f in claim["findings"]] == list(KINDS[:3]) for claim in judged)
    n = {part["n"] for claim in judged for f in claim["findings"] for part in f["parts"] if "n" in part}
    assert n == {20, 60}

    (tmp_path / "fig2_clipped.png").unlink()
    for path in tmp_path.glob("fig2_final*"):
        path.rename(path.with_suffix(".away"))
    for path in [*tmp_path.glob("fig2_curves*"), *tmp_path.glob("fig2_outputs*")]:
        path.unlink()
    assert run("plot", "fig2", "--results", tmp_path, "--figures", tmp_path).exit_code == 0
    assert (tmp_path / "fig2_clipped.png").exists()
    by_period = next(axes for axes in saved["fig2_clipped"].get_axes() if axes.get_title("left") == "b")
    medians = {tuple(line.get_ydata()) for line in by_period.lines if len(line.get_xdata()) == 4}
    for rule in ("bptt", "rflo"):
        assert tuple(under[under.rule == rule].groupby("period_tau").final_loss.median()) in medians


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("fig2", "--variant", "clipped", "--rates", "tuned"),
            "--variant goes with printed only, got tuned",
        ),
        (("fig2", "--variant", "no"), "'--variant': 'no' is not 'clipped'"),
        (("confirm", "fig3", "--variant", "clipped"), "'--variant': clipped is a variant of fig2, "),
        (("fig3", "--variant", "clipped"), "'clipped' is not 'batches'"),
    ],
)
def test_what_does_not_go_with_it_is_refused(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert not list(tmp_path.iterdir())
