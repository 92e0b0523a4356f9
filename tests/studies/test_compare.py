"""`report --against`: which medians and answers are others in another folder of tables."""

import json
import shutil

import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.paper import registry
from rflo_repro.runs import tables


def said(*arguments):
    done = CliRunner().invoke(cli, ["report", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Figure 2 at smoke scale."""
    folder = tmp_path_factory.mktemp("against")
    options = ["--results", str(folder), "--no-plot", "--jobs", "1", "--networks", "5", "--panel", "b"]
    done = CliRunner().invoke(cli, ["fig2", "--scale", "smoke", *options])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def other(made, tmp_path):
    """The same, but at one condition all networks end a thousand times lower."""
    folder = shutil.copytree(made, tmp_path / "other")
    schema = registry.figures()["fig2"].experiment.schemas["final"]
    frame, page = tables.read(folder, schema)
    lower = (frame.rule == "bptt") & (frame.period_tau == 40)
    frame = frame.assign(final_loss=frame.final_loss.where(~lower, frame.final_loss / 1000.0))
    tables.write(folder, schema, frame, {name: page[name] for name in ("settings", "runs")})
    return folder


def test_a_folder_and_itself(made):
    text = said("--results", made, "--against", made)
    assert text.count("\n") == 1
    assert text.startswith("of what both have, 0 of ")
    assert json.loads(said("--results", made, "--against", made, "--json")) == []


def test_a_median_that_is_another(made, other):
    found = json.loads(said("--results", made, "--against", other, "--json"))
    (median,) = [row for row in found if row["what"] == "median final loss"]
    assert (median["command"], "rule=bptt" in median["at"], "period_tau=40" in median["at"]) == ("fig2", True, True)
    assert float(median["there"]) == pytest.approx(float(median["here"]) / 1000.0, rel=1e-3)
    lines = said("--results", made, "--against", other).splitlines()
    assert lines[0] == f"fig2: median final loss, {median['at']}: {median['here']}; there {median['there']}"
    assert lines[-1].startswith("of what both have, 1 of ")
    assert len(lines) == len(found) + 1


def test_an_answer_that_is_another(made, other, tmp_path):
    """A claim that has no test, as neither rule learns, has one where one of them does."""
    schema = registry.figures()["fig2"].experiment.schemas["final"]
    frame, page = tables.read(other, schema)
    better = (frame.rule == "bptt") & (frame.period_tau == 40)
    frame = frame.assign(outcome=frame.outcome.where(~better, "learned"))
    tables.write(other, schema, frame, {name: page[name] for name in ("settings", "runs")})
    found = json.loads(said("--results", made, "--against", other, "--json"))
    mine = {(row["what"], row["at"]): row for row in found}
    row = mine["comparable at short periods", "the paper's learning rates, 40 τ"]
    assert row["here"].startswith("no test")
    assert not row["there"].startswith("no test")
    assert said("--results", made, "--against", other).splitlines()[-1].endswith(f" answers differ from {other}")


def test_a_median_under_a_variant(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "other")
    options = ["--scale", "smoke", "--variant", "clipped", "--results", str(folder), "--no-plot", "--jobs", "1"]
    done = CliRunner().invoke(cli, ["fig2", *options, "--networks", "2", "--panel", "b"])
    assert done.exit_code == 0, done.output
    found = json.loads(said("--results", made, "--against", folder, "--json"))
    medians = [row for row in found if row["what"] == "median final loss"]
    assert len(medians) > 1
    assert {row["here"] for row in medians} == {"none"}
    assert all("rates=clipped" in row["at"] for row in medians)


def test_tables_that_one_folder_lacks(made, tmp_path):
    nothing = "of what both have, 0 of 0 medians and 0 of 0 answers differ from"
    assert said("--results", made, "--against", tmp_path) == f"fig2: no tables there\n{nothing} {tmp_path}\n"
    assert said("--results", tmp_path, "--against", made) == f"fig2: no tables here\n{nothing} {made}\n"


def test_a_median_that_one_folder_lacks(made, tmp_path):
    folder = tmp_path / "other"
    options = ["--results", str(folder), "--no-plot", "--jobs", "1", "--networks", "5", "--period", "20"]
    done = CliRunner().invoke(cli, ["fig2", "--scale", "smoke", *options])
    assert done.exit_code == 0, done.output
    text = said("--results", made, "--against", folder)
    assert "no tables" not in text
    assert "period_tau=40.0: " in text
    assert "; there none\n" in text


def test_a_damaged_table_is_named(made, other):
    with (other / "fig2_final.csv").open("a") as file:
        file.write("more\n")
    done = CliRunner().invoke(cli, ["report", "--results", str(made), "--against", str(other)])
    assert done.exit_code == 2
    assert "'--against'" in done.stderr
    assert f"{other / 'fig2_final.csv'} is not the table" in done.stderr


def test_a_folder_that_is_none(made, tmp_path):
    for asked, names in ((tmp_path / "none", "--against"), (made, "--table")):
        done = CliRunner().invoke(cli, ["report", "--table", "--results", str(made), "--against", str(asked)])
        assert done.exit_code == 2
        assert names in done.stderr
    assert not (tmp_path / "report.html").exists()
