"""Who computed a number lies with the number: it is not who wrote the table."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cases import further
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.learning.kernels.registers import processor

PROGRAM = Path(sys.executable).parent / "rflo-repro"
PART = ("fig2", "--scale", "smoke", "--period", "20", "--rule", "rflo", "--trials", "5", "--no-plot", "--results", "r")


def run(*argv):
    done = CliRunner().invoke(cli, list(map(str, argv)))
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    return done.stdout


@pytest.fixture
def two_processors():
    """Network 0 by one processor, network 1 by another: what the second run said."""
    # not compiled, which takes longer: which processor it is for is what counts here
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([PROGRAM, *PART, "--networks", "1"], env={**os.environ, **generic}, capture_output=True, check=True)
    return run(*PART, "--networks", "2")


def test_the_page_says_who_computed_each_condition(two_processors):
    (made,) = json.loads(Path("r/fig2_final.json").read_text())["runs"]
    assert not {"machine", "versions"} & set(made)  # of whom?
    by = {entry["machine"]["cpu"]: entry for entry in made["computed"]}
    assert set(by) == {"generic", processor()}
    assert by["generic"]["machine"]["registers"] == 128
    for entry in by.values():
        assert list(entry["conditions"].values()) == [1]
        assert list(entry["conditions"]) == made["conditions"]
        assert entry["first"] <= entry["last"] <= made["date"]
        assert 0.0 < entry["seconds"] < 60.0
        assert set(entry["versions"]) >= {"numpy", "numba", "rflo-repro"}
    assert "  1 of 1 stored networks were computed elsewhere: " in two_processors
    assert " generic, 128 bits, " in two_processors
    # a table that one processor has made is not marked
    listed = run("list", "--results", "r")
    assert "* fig2: computed in parts by 2 processors, sets of versions or commits" in listed
    run(*PART, "--networks", "2", "--force")
    assert "computed in parts" not in run("list", "--results", "r")
    report = run("report", "--results", "r", "--figures", "f")
    assert "gradient: there is no gradient.csv" in report


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    run(*PART[:-1], folder, "--networks", "1")
    return folder


@pytest.mark.parametrize("entry", ["computed", "date", "conditions", "numerical_source"])
@pytest.mark.parametrize("value", [[None], *further(None, 3, "x")])
def test_a_page_of_another_kind_is_one_for_every_reader(made, entry, value):
    """`list`, `report`, `plot` and a run alike: damaged, in one line."""
    shutil.copytree(made, "r")
    path = Path("r/fig2_final.json")
    page = json.loads(path.read_text())
    page["runs"][0][entry] = value
    if value == "x" and entry == "date":
        page["runs"][0]["computed"][0]["machine"] = None
    path.write_text(json.dumps(page))
    for argv in (["list"], ["report", "--figures", "f"]):
        done = CliRunner().invoke(cli, [*argv, "--results", "r"])
        assert done.exit_code == 0, done.output
        assert "r/fig2_final.csv cannot be read with fig2_final.json" in done.output
    for argv in (["plot", "fig2", "--figures", "f"], [*PART[:-2], "--networks", "1"]):
        done = CliRunner().invoke(cli, [*argv, "--results", "r"])
        assert done.exit_code == 2, done.output
        assert "r/fig2_final.csv cannot be read with fig2_final.json" in done.output
