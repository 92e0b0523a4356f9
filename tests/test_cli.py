"""The command line: help, clear errors, and nothing left behind by a request that is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rflo_repro
from rflo_repro import cli
from rflo_repro.paper import registry
from rflo_repro.runs.choices import declared, defaults, written
from rflo_repro.studies import regression

PROGRAM = Path(sys.executable).parent / "rflo-repro"
FIGURES = registry.figures()
COMPUTED = {name: figure for name, figure in FIGURES.items() if figure.computed}
COMMANDS = {**cli.cli.commands, **{f"tune {name}": command for name, command in cli.tune.commands.items()}}
ONE = ("--scale", "smoke", "--period", "20", "--rule", "rflo", "--jobs", "1")


@pytest.fixture(autouse=True)
def rates(tuned):
    """The tests here do not depend on the tuned rates of the day."""


@pytest.fixture
def results_of_the_paper():
    """The committed tables."""
    return Path(rflo_repro.__file__).parents[1] / "results"


def run(*arguments, columns=200):
    """A command's exit code and what it says, as `rflo-repro` itself would end."""
    wide = {"COLUMNS": str(columns)}
    return CliRunner().invoke(cli.cli, [str(a) for a in arguments], prog_name="rflo-repro", env=wide)


def made():
    """All files and folders in the working directory."""
    return sorted(str(path) for path in Path().rglob("*"))


def refused(*arguments, names):
    """Whether a command ends with exit code 2 and an error line that names the option, and makes nothing."""
    before = made()
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert names in errors[0]
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert made() == before
    return errors[0]


def test_help_lists_every_command():
    result = run("--help")
    assert result.exit_code == 0
    for name in (*FIGURES, "plot", "list", "check"):
        assert f"  {name} " in result.output
    assert run("-h").output == result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(name):
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: rflo-repro {name}")
    command = COMMANDS[name]
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{option.name} has no help"
            assert option.opts[0] in result.output


@pytest.mark.parametrize(("columns", "widest"), [(200, 100), (100, 100), (80, 80)])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_as_wide_as_a_page(name, columns, widest):
    lines = run(*name.split(), "--help", columns=columns).output.splitlines()
    # the names in a synopsis are one word
    assert [line for line in lines if len(line) > (100 if "{" in line else widest)] == []


@pytest.mark.parametrize("name", list(COMPUTED))
def test_help_of_a_figure_names_its_panels(name):
    text = run(name, "--help").output
    for letter in COMPUTED[name].panels:
        assert f"\n  {letter}  " in text


def unwrapped(text):
    """Without what wrapping adds: spaces, and the end of a line after a hyphen."""
    return "".join(text.split())


@pytest.mark.parametrize("name", [name for name, about in cli.EXPERIMENTS.items() if about.choices is not None])
def test_help_lists_every_choice_with_its_default_and_alternatives(name):
    text = unwrapped(run(name, "--help").output)
    choices = cli.EXPERIMENTS[name].choices
    for field, choice in declared(choices).items():
        line = text.partition(unwrapped(f"{field}={written(defaults(choices)[field])}{choice.meaning}"))[2]
        others = ",".join(unwrapped(written(other.value)) for other in choice.alternatives)
        expected = (f";alternatives:{others}" if others else "") + f"[{choice.entry}".replace(" ", "")
        assert line.startswith(expected), field


def test_version():
    assert run("--version").output == f"rflo-repro, version {rflo_repro.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [("figg2",), ("fig",), ("--fig2",), ("fig2", "extra"), ("plot",), ("plot", "fig9")]
)
def test_unknown_commands_and_arguments(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.output.count("Error: ") == 1
    assert made() == []


@pytest.mark.parametrize("command", ["plot", "tune", "confirm"])
def test_a_figure_that_is_not_known_is_refused_by_name(command):
    error = refused(command, "fig9", names="FIGURE")
    assert "'fig9' is not one of 'fig" in error
    said = run(command, "--help").output
    assert "FIGURE is one of fig" in said or "\n  fig2 " in said


NUMBERS = ["-1", "0", "-0.0", "nan", "NaN", "inf", "-inf", "infinity", "1e999", "", "twenty", "20,40", "1e-400", "0x10"]
COUNTS = ["-1", "0", "1.5", "nan", "inf", "", "ten", "1e3", "99999999999999999999"]


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("option", ["--period", "--eta"])
def test_numbers_that_are_refused(option, value):
    error = refused("fig2", *ONE, option, value, names=option)
    assert "finite number above 0" in error
    assert repr(value) in error


@pytest.mark.parametrize("value", COUNTS)
@pytest.mark.parametrize("option", ["--networks", "--trials", "--jobs"])
def test_counts_that_are_refused(option, value):
    refused("fig2", *ONE, option, value, names=option)


@pytest.mark.parametrize("value", ["-1", "1.5", "nan", "", "seed", "9223372036854775808"])
def test_seeds_that_are_refused(value):
    refused("fig2", *ONE, "--seed", value, names="--seed")


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("--rule", "backprop", "rflo"),
        ("--rule", "rfl0", "rflo"),
        ("--panel", "z", "a"),
        ("--panel", "", "a"),
        ("--panel", "ab", "a"),
        ("--scale", "huge", "quick"),
        ("--rates", "fast", "printed"),
    ],
)
def test_unknown_names_are_answered_with_those_known(option, value, known):
    error = refused("fig2", option, value, names=option)
    assert repr(value) in error
    assert f"'{known}'" in error


@pytest.mark.parametrize(
    "value", ["n_rec", "=3", "n_rec=", "", "n_units=3", "n_rec=3.5", "tau=nan", "tau=NaN", "online=maybe"]
)
def test_settings_that_are_refused(value):
    refused("fig2", *ONE, "--set", value, names="--set")


def test_a_period_that_is_not_whole_timesteps():
    error = refused("fig2", *ONE, "--period", "20.05", names="--period")
    assert "20.05 tau is not a whole number of timesteps" in error
    refused("fig2", *ONE, "--period", "1e-300", names="--period")


def test_an_empty_part():
    assert "no part of Figure 2" in refused("fig2", "--panel", "d", "--period", "20", names="")


@pytest.mark.parametrize("option", ["--results", "--figures"])
def test_directories_that_cannot_be_written(option, tmp_path):
    Path("file").write_text("not a directory")
    Path("link").symlink_to(tmp_path / "nowhere")
    Path("round").symlink_to("round")
    places = [("file", "not a directory"), ("file/folder", "not a directory"), ("link", "broken link")]
    places += [
        ("round", "cannot be written"),
        ("x" * 300, "cannot be written"),
        ("x" * 300 + "/x", "cannot be written"),
    ]
    if Path("/proc/self").exists():
        places += [("/proc", "cannot be written"), ("/proc/new", "cannot be written")]
    for place, why in places:
        assert why in refused("fig2", *ONE, option, place, names=option)
    assert Path("file").read_text() == "not a directory"


def test_a_file_where_the_usual_folder_should_be():
    Path("results").write_text("")
    refused("fig2", *ONE, names="--results")
    Path("results").unlink()
    Path("figures").write_text("")
    refused("fig2", *ONE, names="--figures")


def test_plot_without_tables():
    for name in COMPUTED:
        assert f"rflo-repro {name}" in refused("plot", name, names="--results")
    refused("plot", "fig2", "--panel", "z", names="--panel")
    Path("file").write_text("")
    refused("plot", "fig2", "--figures", "file", names="--figures")


def test_list_of_nothing():
    result = run("list")
    assert result.exit_code == 0, result.output
    for name in COMPUTED:
        assert name in result.output
    assert made() == []


def test_json_for_programs():
    listed = json.loads(run("list", "--json").stdout)
    assert {listed[name]["state"] for name in COMPUTED} == {"none"}
    claims = json.loads(run("report", "--json").stdout)["claims"]
    assert {claim["command"].split()[1] for claim in claims} >= set(COMPUTED)
    assert all("computes it" in claim["missing"] and claim["findings"] == [] for claim in claims)
    assert made() == []
    refused("report", "--json", "--table", names="--json")


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if name not in ("plot", "tune", "report", "list", "explore")]
)
def test_every_command_that_computes_can_be_quiet(name):
    """What is refused is said all the same."""
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {"--quiet", "-q"} <= options
    assert refused(*name.split(), "--quiet", "--no-such-option", names="--no-such-option")


def test_quiet_says_nothing_and_does_all():
    said, quiet = run("fig2", *ONE, "--results", "a"), run("fig2", *ONE, "--results", "b", "-q", "--figures", "drawn")
    assert said.output
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert csv("a") == csv("b") != {}
    assert len(list(Path("drawn").iterdir())) == 2
    Path("b/fig2_final.csv").write_text("torn")
    assert "fig2_final.csv" in refused("fig2", *ONE, "--results", "b", "--quiet", names="'--results'")


@pytest.mark.parametrize("asked", [("list",), ("report",), ("check", "--quiet")], ids=" ".join)
def test_json_into_a_pipe_that_nobody_reads(asked, monkeypatch, tmp_path):
    """The exit code is that of the command: to be cut off by `head` is no failure."""
    nothing_computed = (
        "from rflo_repro import cli; from rflo_repro.studies import regression; "
        "regression.computed = lambda *_: regression.read(); cli.main()"
    )
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", nothing_computed, *asked, "--json"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("quiet", [True, False])
def test_a_check_that_finds_a_difference_says_it_in_json_and_on_stderr_if_quiet(quiet, monkeypatch):
    line = regression.Compared("short: what differs", False)
    monkeypatch.setattr(regression, "computed", lambda *_: {})
    monkeypatch.setattr(regression, "compare", lambda *_: [line])
    said = run("check", "--json", *(["--quiet"] if quiet else []))
    assert said.exit_code == 1
    assert json.loads(said.stdout) == {
        "identical": False, "generation": 1, "proven": True, "kinds": [{"line": line.line, "good": False}],
    }  # fmt: skip
    plain = run("check", *(["--quiet"] if quiet else []))
    assert plain.exit_code == 1
    assert line.line in (plain.stderr if quiet else plain.stdout)
    assert (plain.stdout == "") == quiet


def test_json_of_a_command_that_is_killed_is_none_or_whole(tmp_path):
    command = [PROGRAM, "check", "--json", "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr.readline()  # it is under way
        running.terminate()
        said, complaint = running.communicate(timeout=60)
    assert (running.returncode, said) == (128 + signal.SIGTERM, "")
    assert complaint.splitlines()[-1].startswith("stopped")


def test_what_was_found_is_the_same_in_json(results_of_the_paper):
    said = json.loads(run("report", "--json", "--results", results_of_the_paper).stdout)
    table = run("report", "--table", "--results", results_of_the_paper).stdout
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    answered = [claim for claim in said["claims"] if claim["findings"] and claim["key"]]
    assert answered
    for claim in answered:
        (row,) = [row for row in rows if row.startswith(f"| {claim['statement']}")]
        for finding in claim["findings"]:
            # more trials are a variant, which has no column
            assert finding["answer"] in row or finding["rates"] == "batches"
            assert {part["n"] for part in finding["parts"] if part["learned"]} != {0}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    arguments=st.lists(
        st.sampled_from(
            ["fig2", "plot", "list", "--scale", "smoke", "--period", "--rule", "rflo", "--panel", "-1", "--eta"]
        )
        | TEXT,
        max_size=5,
    )
)
def test_no_command_line_brings_a_traceback(arguments):
    # a bad option last, so that nothing is computed
    result = run(*arguments, "--no-such-option")
    assert result.exit_code == 2 or "Usage: rflo-repro" in result.output
    assert made() == []


def test_a_run_and_its_redrawing():
    result = run("fig2", *ONE, "--trials", "5", "--networks", "1")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("fig2 (period20 rflo)")
    assert lines[1].split()[:4] == ["rflo", "20", "tau", "1/1"]
    results, figures = (Path(base, "custom", "smoke-networks1-trials5") for base in ("results", "figures"))
    assert {path.suffix for path in results.iterdir() if path.is_file()} == {".csv", ".json"}
    assert {path.name for path in figures.iterdir()} == {"fig2-period20-rflo.png", "fig2-period20-rflo.pdf"}
    assert "\x1b" not in result.output
    redrawn = run("plot", "fig2", "--results", results, "--figures", "again", "--panel", "b")
    assert redrawn.exit_code == 0, redrawn.output
    assert {path.name for path in Path("again").iterdir()} == {"fig2-b.png", "fig2-b.pdf"}
    listed = run("list", "--results", results)
    assert listed.exit_code == 0, listed.output
    assert "custom" in next(line for line in listed.output.splitlines() if line.startswith("fig2 "))


def test_an_option_given_twice_counts_once():
    run("fig2", *ONE, "--trials", "5", "--networks", "1", "--no-plot", "--period", "20", "--rule", "rflo")
    text = Path("results/custom/smoke-networks1-trials5/fig2_final.csv").read_text()
    assert len(text.splitlines()) == 2


def test_a_run_that_diverges_is_a_result():
    result = run("fig2", *ONE, "--trials", "60", "--networks", "2", "--eta", "1e6", "--no-plot")
    assert result.exit_code == 0, result.output
    assert "2 diverged" in result.output
    assert Path("results/custom/smoke-eta1000000-trials60/fig2_final.csv").read_text().count("True") == 2


def test_odd_names_of_directories():
    place = "a [b] [/c] :smile: ä"
    result = run("fig2", *ONE, "--trials", "5", "--networks", "1", "--no-plot", "--results", place)
    assert result.exit_code == 0, result.output
    assert f"{place}/fig2_final.csv" in result.output
    assert Path(place, "fig2_final.csv").exists()


def test_a_full_disk_is_one_line(monkeypatch):
    from rflo_repro.runs.store import Store

    def full(*_):
        raise OSError(28, "No space left on device", "some/file")

    monkeypatch.setattr(Store, "put", full)
    result = run("fig2", *ONE, "--trials", "5", "--networks", "1")
    assert result.exit_code == 1
    assert "Error: some/file: No space left on device" in result.output
    assert "Traceback" not in result.output
    assert list(Path("results").rglob("*.csv")) == []


def process(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, check=False, **options)


def test_the_program_itself():
    good = process("--version")
    assert (good.returncode, good.stderr) == (0, "")
    bad = process("fig2", "--period", "nan")
    assert bad.returncode == 2
    assert bad.stdout == ""
    assert bad.stderr.splitlines()[-1].startswith("Error: Invalid value for '--period': 'nan'")
    never = process("fig2", "--checkpoint", "0")
    assert never.returncode == 2
    assert never.stderr.splitlines()[-1] == (
        "Error: Invalid value for '--checkpoint': '0' is not a finite number above 0"
    )
    empty = process("fig2", "--panel", "d", "--period", "20")
    assert empty.returncode == 2
    assert empty.stderr.splitlines()[-1].startswith("Error: no part of Figure 2")
    assert made() == []


def csv(folder):
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.csv")}


def interrupted(command, folder, how):
    """Start a command, stop it as soon as there is one more stored job; its exit code and complaints."""
    n_before = len(list(folder.rglob("*.npz")))
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
        while running.poll() is None and len(list(folder.rglob("*.npz"))) == n_before:
            time.sleep(0.005)
        running.send_signal(how)
        said = running.communicate(timeout=60)[1].decode()
    assert n_before < len(list(folder.rglob("*.npz"))) < 8
    return running.returncode, said.strip()


def test_a_run_that_is_stopped_at_any_moment_goes_on_where_it_was(tmp_path):
    command = ["fig2", "--scale", "smoke", "--rule", "rflo", "--period", "80", "--trials", "1200", "--networks", "8",
               "--jobs", "2", "--no-plot", "--results"]  # fmt: skip
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    code, said = interrupted([PROGRAM, *command, stopped], stopped, signal.SIGINT)
    assert code == 130
    assert said.startswith("stopped; what is finished is saved: the same command ")
    assert "\n" not in said
    assert csv(stopped) == {}
    code, _ = interrupted([PROGRAM, *command, stopped], stopped, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert csv(stopped) == {}
    resumed = process(*command, stopped)
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert len(list(stopped.rglob("*.npz"))) == 8
    assert run(*command, whole).exit_code == 0
    assert csv(stopped) == csv(whole) != {}
