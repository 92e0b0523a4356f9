"""Every figure, every study, every grid search and every sample to judge by passes the same guards: a new one cannot
lack any."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

from rflo_repro import cli
from rflo_repro.runs import cluster, output, run, tables
from rflo_repro.runs.choices import declared
from rflo_repro.runs.cluster import ClusterError
from rflo_repro.runs.experiment import About
from rflo_repro.runs.request import Request, Selection
from rflo_repro.runs.sample import CONFIRMATION
from rflo_repro.studies import tune

COMPUTED = [about for about in cli.EXPERIMENTS.values() if about.computed]
SEARCHES = [("tune", command) for command in cli.tune.commands]
COMMANDS = [(about.command,) for about in COMPUTED] + SEARCHES
SAMPLES = [("confirm", command) for command in cli.SAMPLED]
everything = pytest.mark.parametrize("command", COMMANDS + SAMPLES, ids=" ".join)
# a sample is what it is
with_choices = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


@pytest.fixture(autouse=True)
def rates(tuned):
    """The tests here do not depend on the tuned rates of the day."""


def experiment_of(command):
    if " ".join(command) in cli.SEARCHES:
        return cli.SEARCHES[" ".join(command)].experiment
    about = cli.EXPERIMENTS[command[-1]]
    if command[0] == "confirm":
        return CONFIRMATION.of(about.experiment)
    return tune.experiment(about) if command[0] == "tune" else about.experiment


def options_of(command):
    found = cli.tune.commands[command[1]] if command[0] == "tune" else cli.cli.commands[command[0]]
    return {name for p in found.params if isinstance(p, click.Option) for name in p.opts}


def contents():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def refused(*arguments, names):
    """Whether the command ends with exit code 2 and one line that names the option, and touches nothing."""
    before = contents()
    done = CliRunner().invoke(cli.cli, [*arguments], prog_name="rflo-repro", env={"COLUMNS": "200"})
    assert done.exit_code == 2, done.output
    (error,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert names in error
    assert contents() == before
    return error


def smoke(command):
    return (*command, "--scale", "smoke")


def without_rows(schema):
    return pd.DataFrame({column.name: np.array([]) for column in schema.columns})


def paper_tables(command):
    """Tables as the paper's scale writes them, if without rows."""
    folder = CONFIRMATION.folder_in(Path("results")) if command in SAMPLES else Path("results")
    for schema in experiment_of(command).schemas.values():
        tables.write(folder, schema, without_rows(schema), {"settings": {"scale": "paper"}, "runs": []})


@everything
def test_the_papers_tables_are_never_overwritten_by_another_scale(command):
    paper_tables(command)
    varied = [] if command in SAMPLES else [(*command, "--set", f"{_some_choice(command)}=1")]
    for asked in (smoke(command), (*command, "--scale", "quick"), *varied):
        assert "tables of the paper's scale" in refused(*asked, "--results", "results", names="'--results'")


def _some_choice(command):
    known = declared(experiment_of(command).scales["smoke"])
    return next(name for name in ("n_networks", "n_steps") if name in known)


@everything
def test_memory_is_checked_first(command, monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: 16 if name == "SC_PAGE_SIZE" else 1)
    refused(*smoke(command), names="GiB of memory, and this machine has")


@everything
def test_directories_are_tried_first(command):
    Path("file").write_text("")
    assert "not a directory" in refused(*smoke(command), "--results", "file", names="'--results'")
    if experiment_of(command).draw:
        assert "not a directory" in refused(*smoke(command), "--figures", "file", names="'--figures'")


@with_choices
def test_choices_can_be_varied_and_wrong_ones_are_refused(command):
    assert "is not one of" in refused(*smoke(command), "--set", "no_such_choice=1", names="'--set'")
    for name in declared(experiment_of(command).scales["smoke"]):
        assert name in refused(*smoke(command), "--set", f"{name}=x y", names="'--set'")


@everything
def test_it_runs_on_a_cluster_unless_it_times_this_machine(command, monkeypatch):
    def reached(address, *_):
        raise ClusterError(f"asked {address}")

    monkeypatch.setattr(cluster, "compute", reached)
    timed = experiment_of(command).about.timed
    assert ({"--jobs", "--cluster", "--force"} <= options_of(command)) is not timed
    if not timed:
        done = CliRunner().invoke(cli.cli, [*smoke(command), "--cluster", "tcp://127.0.0.1:9", "--results", "r"])
        assert done.exit_code == 2
        assert "'--cluster': asked tcp://127.0.0.1:9" in done.output
        assert not list(Path("r").rglob("*.csv"))


@everything
def test_tables_change_under_the_folders_lock_only(command, monkeypatch):
    """Nothing is computed here; while somebody else holds the lock, nothing is written, be it by what takes none."""
    experiment = experiment_of(command)
    empty = {part: without_rows(schema) for part, schema in experiment.schemas.items()}
    experiment = replace(experiment, tabulate=lambda *_: empty, claims=())
    monkeypatch.setattr(run, "sweep", lambda *_: [])
    monkeypatch.setattr(output, "_producers", lambda *_: [])
    monkeypatch.setattr(tables, "write", lambda folder, schema, *_: (folder / f"{schema.name}.csv").write_text(""))
    monkeypatch.setattr(tables, "LOCK_SECONDS", 0.05)
    folder, held, done = Path("results"), threading.Event(), threading.Event()
    request = Request("smoke", _all_of(experiment.about), jobs=1, results=folder, plot=False)

    def hold():
        with tables.lock(folder):
            held.set()
            done.wait()

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    try:
        with pytest.raises(TimeoutError):
            run.run(experiment, request, Console(quiet=True))
        assert not list(folder.glob("*.csv"))
    finally:
        done.set()
        other.join()
    run.run(experiment, request, Console(quiet=True))
    assert {path.stem for path in folder.glob("*.csv")} == {schema.name for schema in experiment.schemas.values()}


@everything
def test_it_has_every_scale_and_the_paper_s_is_what_the_command_runs(command):
    experiment = experiment_of(command)
    assert set(experiment.scales) == {"smoke", "quick", "paper"}
    assert {"--scale", "--results", *(["--set"] if command in COMMANDS else [])} <= options_of(command)
    for choices in experiment.scales.values():
        assert type(choices) is experiment.about.choices


@everything
def test_conditions_name_the_rows_of_its_tables(command):
    experiment = experiment_of(command)
    found = experiment.conditions(experiment.scales["smoke"], _all_of(experiment.about))
    assert found
    for condition in found:
        assert condition.jobs
        assert any(schema.has(condition.values) for schema in experiment.schemas.values())
    for schema in experiment.schemas.values():
        assert any(schema.has(condition.values) for condition in found)
        assert set(schema.condition) <= {column.name for column in schema.columns}


def _all_of(about: About):
    return Selection(rates=about.rates[:1])


@pytest.mark.parametrize("about", COMPUTED, ids=lambda about: about.command)
def test_it_is_listed_and_plot_knows_it(about):
    listed = CliRunner().invoke(cli.cli, ["list"])
    assert listed.exit_code == 0, listed.output
    assert any(line.split()[:2] == [about.command, "none"] for line in listed.output.splitlines())
    if about.experiment.draw:
        assert f"run `rflo-repro {about.command}` first" in refused("plot", about.command, names="'--results'")


def test_a_study_that_is_timed_says_so():
    """Negative control of the exemption: exactly one measures time."""
    assert [about.command for about in COMPUTED if about.timed] == ["fig-cost"]
