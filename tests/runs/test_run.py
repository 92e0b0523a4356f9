"""From a request to tables: what is never touched, and what a part replaces."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.runs import run, tables
from rflo_repro.runs.request import JobError, RequestError, Selection

PART = Selection(periods_tau=(20.0,), rules=("rflo",))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_where_the_files_of_a_run_are(fig2, ask, short_paper):
    for changes, place in (
        ({"scale": "paper"}, "results"),
        ({"scale": "smoke", "trials": 6}, "results/custom/smoke-trials6"),
        ({"scale": "smoke"}, "results/smoke"),
    ):
        ran = ask(fig2, PART, plot=False, **changes)
        assert {path.parent for path in ran.outcome.files} == {Path(place)}
        assert all(path.exists() for path in ran.outcome.files)
        assert "tables   " + "  ".join(map(str, ran.outcome.files)) in ran.log
    assert not Path("figures").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": "smoke"},
        {"scale": "paper", "seed": 1},
        {"scale": "paper", "trials": 3},
        {"scale": "paper", "selection": Selection(periods_tau=(20.0,), rules=("rflo",), eta=0.1)},
        {"scale": "paper", "selection": Selection(periods_tau=(30.0,), rules=("rflo",))},
    ],
)
def test_the_papers_tables_are_not_touched_by_another_run(fig2, ask, short_paper, changes):
    results = Path("results")
    ask(fig2, PART, scale="paper", plot=False)
    before = contents(results)
    assert len(before) == 6
    with pytest.raises(RequestError, match="tables of the paper's scale") as refusal:
        ask(fig2, results=results, plot=False, **{"selection": PART, **changes})
    assert refusal.value.option == "results"
    assert contents(results) == before
    # Negative control: the paper's own run may.
    ask(fig2, PART, scale="paper", plot=False)
    assert tables.read(results, fig2.experiment.schemas["final"])[0].shape[0] == 2


def test_another_seed_is_another_table(fig2, ask, smoke):
    # Negative control of the test above.
    ask(fig2, PART, results=Path("other"), plot=False, seed=1)
    schema = fig2.experiment.schemas["final"]
    one, other = tables.read(smoke / "results", schema)[0], tables.read(Path("other"), schema)[0]
    one = one[(one.rule == "rflo") & (one.period_tau == 20.0)]
    assert not np.isin(other.first_loss, one.first_loss).any()


def test_a_second_run_reads_what_is_stored_and_writes_the_same(fig2, ask, own_smoke):
    before = contents(own_smoke / "results")
    ran = ask(fig2, results=own_smoke / "results", plot=False)
    assert ran.log.count("(stored)") == len(fig2.experiment.conditions(fig2.experiment.scales["smoke"], Selection()))
    for name, content in contents(own_smoke / "results").items():
        if name.endswith(".csv"):
            assert content == before[name]


def test_a_part_replaces_only_its_own_rows(fig2, ask, own_smoke):
    results = own_smoke / "results"
    own = {}
    for part, schema in fig2.experiment.schemas.items():
        frame, page = tables.read(results, schema)
        own[part] = tables.conditions(frame, schema) == "rflo|printed|20.0"
        assert own[part].any()
        # a mark that tells rows that were kept from rows that were made again
        marked = {"curves": "loss", "final": "final_loss", "outputs": "y"}[part]
        page = {key: page[key] for key in ("settings", "root_seed", "condition", "runs")}
        tables.write(results, schema, frame.assign(**{marked: frame[marked] + 1000.0}), page)
    before, pages = contents(results), {}
    ask(fig2, PART, results=results, plot=False)
    for part, schema in fig2.experiment.schemas.items():
        old, new = (
            text.splitlines()[1:] for text in (before[f"{schema.name}.csv"], contents(results)[f"{schema.name}.csv"])
        )
        assert len(old) == len(new)
        kept = [a == b for a, b in zip(old, new, strict=True)]
        assert kept == (~own[part]).tolist()
        _, pages[part] = tables.read(results, schema)
    # and what the page says of the conditions that were not run stays too
    for page in pages.values():
        first, second = page["runs"]
        assert second["conditions"] == ["rflo|printed|20.0"]
        assert "rflo|printed|20.0" not in first["conditions"]
        assert len(first["conditions"]) + 1 == len(set(first["conditions"] + second["conditions"]))


def test_parts_put_together_are_the_whole(fig2, ask, smoke):
    """Whatever the order in which parts are computed, the tables are those of one run."""
    for period in (80.0, 20.0, 160.0, 40.0):
        ask(fig2, Selection(periods_tau=(period,)), results=Path("parts"), plot=False)
    together, whole = (
        {name: content for name, content in contents(folder).items() if name.endswith(".csv")}
        for folder in (Path("parts"), smoke / "results")
    )
    assert together == whole


@pytest.mark.parametrize("changes", [{"trials": 7}, {"sets": (("h0", "0.5"),)}, {"seed": 1}, {"networks": 1}])
def test_nothing_is_replaced_by_other_settings_in_a_directory_that_was_named(fig2, ask, own_smoke, changes):
    results = own_smoke / "results"
    before = contents(results)
    with pytest.raises(RequestError, match="csv of other settings") as refusal:
        ask(fig2, PART, results=results, plot=False, **changes)
    assert refusal.value.option == "results"
    assert contents(results) == before


def test_more_networks_of_the_same_settings_may_come_in_place_of_fewer(fig2, ask, own_smoke):
    results = own_smoke / "results"
    n_before = fig2.experiment.scales["smoke"].n_networks
    ask(fig2, results=results, plot=False, networks=n_before + 1)
    frame, _ = tables.read(results, fig2.experiment.schemas["final"])
    assert set(frame.network) == set(range(n_before + 1))


def test_settings_that_deviate_have_places_of_their_own(fig2, ask):
    """Found again by the same command, by `plot` and by `list`."""
    places = {
        "networks2-trials5": {},
        "eta0.02-networks2-trials5": {"selection": replace(PART, eta=0.02)},
        "h00.5-networks2-trials5": {"sets": (("h0", "0.5"),)},
        "networks2-seed7-trials5": {"seed": 7},
        "h0uniform-networks2-trials5": {"sets": (("h0", '"uniform"'),)},
    }
    for name, changes in places.items():
        selection = changes.pop("selection", PART)
        for stored in (False, True):
            ran = ask(fig2, selection, scale="paper", networks=2, trials=5, plot=False, **changes)
            assert {path.parent for path in ran.outcome.files} == {Path("results/custom", name)}
            assert ("(stored)" in ran.log) == stored
    listed = CliRunner().invoke(cli, ["list"]).output
    for name in places:
        assert f"fig2  custom/{name} " in listed
    drawn = CliRunner().invoke(cli, ["plot", "fig2", "--results", "results/custom/networks2-trials5"])
    assert drawn.exit_code == 0, drawn.output
    assert Path("figures/custom/networks2-trials5/fig2.png").exists()
    assert not Path("figures/fig2.png").exists()
    # a fewer networks' store is the same store
    ran = ask(fig2, PART, scale="paper", networks=1, trials=5, plot=False)
    assert "(stored)" in ran.log


@pytest.mark.parametrize("name", ["fig2_final.csv", "fig2_curves.json"])
def test_a_part_does_not_go_into_a_damaged_table(fig2, ask, own_smoke, name):
    results = own_smoke / "results"
    path = results / name
    path.write_bytes(path.read_bytes()[:-20])
    before = contents(results)
    with pytest.raises(RequestError, match="in full") as refusal:
        ask(fig2, PART, results=results, plot=False)
    assert refusal.value.option == "results"
    assert contents(results) == before
    # the whole figure may be made anew
    ask(fig2, results=results, plot=False)
    tables.read(results, fig2.experiment.schemas["final"])


def test_the_page_says_where_a_table_comes_from(fig2, smoke):
    page = json.loads((smoke / "results" / "fig2_final.json").read_text(encoding="utf-8"))
    assert page["settings"]["scale"] == "smoke"
    assert page["settings"]["choices"]["n_trials"] == fig2.experiment.scales["smoke"].n_trials
    assert page["root_seed"] == fig2.experiment.scales["smoke"].seed
    (run,) = page["runs"]
    assert len(run["numerical_source"]["digest"]) == 64
    assert set(run["numerical_source"]["of"]) >= {"runs/session.py", "tasks/periodic.py"}
    assert run["seconds"] >= 0


def test_forced_it_is_computed_again(fig2, ask, own_smoke):
    before = contents(own_smoke / "results")["fig2_final.csv"]
    ran = ask(fig2, PART, results=own_smoke / "results", plot=False, force=True)
    assert "(stored)" not in ran.log
    assert contents(own_smoke / "results")["fig2_final.csv"] == before


def test_an_error_while_computing_is_blamed_on_no_option(fig2, ask, monkeypatch):
    def broken(*_):
        raise ValueError("nothing to do with the choices")

    monkeypatch.setattr(run, "sweep", broken)
    with pytest.raises(ValueError, match=r"^nothing to do with the choices$"):
        ask(fig2, PART, sets=(("tau", "20"),))
    done = CliRunner().invoke(cli, ["fig2", "--scale", "smoke", "--period", "20", "--set", "tau=20"])
    assert done.exit_code == 1
    assert isinstance(done.exception, ValueError)
    assert "--set" not in done.output


def test_plot_all_draws_what_it_can_and_names_the_rest(ask, fig2):
    ask(fig2, scale="smoke")
    done = CliRunner().invoke(cli, ["plot", "all", "--scale", "smoke"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert {"fig1.png", "fig2.png"} <= {path.name for path in Path("figures/smoke").iterdir()}
    lines = done.output.splitlines()
    left_out = [line for line in lines if " left out: results/smoke has no " in line]
    assert [line.split()[0] for line in left_out] == [
        "fig2-locality", "fig2-dale", "fig2-readout", "fig2-size", "fig3", "fig4",
    ]  # fmt: skip
    assert lines[-1].startswith("Error: Invalid value for '--results': 6 of 8 were not drawn")


def test_a_figure_that_fails_does_not_stop_the_others(monkeypatch):
    began = []

    def failing(experiment, request, console):
        began.append(experiment.about.command)
        if began[-1] == "fig2":
            raise JobError(["rflo 20 tau, network 3: MemoryError"], [])
        return run.Outcome({}, (), 0.0, False)

    monkeypatch.setattr(run, "run", failing)
    done = CliRunner().invoke(cli, ["all", "--scale", "smoke"])
    assert len(began) == 8
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "Error: fig2: rflo 20 tau, network 3: MemoryError"
