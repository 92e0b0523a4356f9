"""Options that are given twice, or that contradict each other, and paths that a shell left as they are."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from cases import further
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from rflo_repro import options
from rflo_repro.cli import cli

QUICK = "fig2 --scale smoke --period 20 --rule rflo --networks 1 --trials 20 --no-plot"


def invoke(*arguments):
    return CliRunner().invoke(cli, [*arguments], prog_name="rflo-repro")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("fig2 --eta 0.01 --eta 0.03", "'--eta': takes one value, got 0.01 and 0.03: a command each, or"),
        ("fig3 --seed 1 --seed 2", "'--seed': takes one value, got 1 and 2"),
        ("all --scale smoke --scale quick", "'--scale': takes one value, got smoke and quick"),
        ("tune fig2 --jobs 1 --jobs 2", "'--jobs': takes one value, got 1 and 2"),
        (
            "fig2 --set g=1.2 --set g=1.8",
            "'--set': g has two values, 1.2 and 1.8: a command each, or `rflo-repro sweep`",
        ),
        ("fig2 --set g=1.2,1.8", "'--set': g takes one value, got 1.2,1.8: a command each, or `rflo-repro sweep`"),
        ("fig2 --networks 3 --set n_networks=5", "n_networks is what --networks gives"),
        ("fig2 --rates tuned --eta 0.1", "'--eta': one rate takes the place of the tuned ones: leave out --rates"),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_to_type_instead(arguments, said):
    refused = invoke(*arguments.split())
    assert (refused.exit_code, said in refused.output) == (2, True), refused.output
    assert not [*Path().iterdir()]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=2, max_size=4))
def test_an_option_of_one_value_takes_one_value(seeds):
    done = invoke("theory", *(f"--seed={seed}" for seed in seeds), "--no-such-option")
    assert ("takes one value" in done.output) == (len(set(seeds)) > 1)


@pytest.mark.parametrize("named", ["~/out", "~", "~/a b/$x"])
def test_a_tilde_is_the_home_folder_once_and_everywhere(named, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    done = invoke(*QUICK.split(), f"--results={named}")
    assert done.exit_code == 0, done.output
    folder = home / named.removeprefix("~").lstrip("/")
    assert (folder / "fig2_final.csv").stat().st_size > 0
    assert not Path("~").exists()


@pytest.mark.parametrize("named", ["./~", "~nobody_of_this_name/x", "a~b", "$HOME"])
def test_any_other_path_is_what_it_says(named, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    done = invoke(*QUICK.split(), "--results", named)
    assert done.exit_code == 0, done.output
    assert (Path.cwd() / named / "fig2_final.csv").stat().st_size > 0
    assert not [*home.iterdir()]


def test_a_part_of_many_conditions_has_a_short_name():
    periods = [f"--period={p}" for p in range(1, 101)]
    done = invoke("fig2", "--scale", "smoke", "--rule", "untrained", "--networks", "1", "--trials", "20", *periods)
    assert done.exit_code == 0, done.output
    drawn = sorted(path.name for path in Path("figures").rglob("*.png"))
    assert [len(name) <= 80 for name in drawn] == [True]


@pytest.mark.parametrize("arguments", [["--help"], ["plot", "--help"], ["tune", "--help"], ["fig2", "--help"]])
def test_help_is_there_without_docstrings(arguments):
    command = [sys.executable, "-OO", "-m", "rflo_repro", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "".join(done.stdout.split()) == "".join(invoke(*arguments).output.split())


def test_names_are_taken_in_any_case():
    done = invoke(*QUICK.replace("rflo", "RFLO").split())
    assert done.exit_code == 0, done.output
    assert Path(next(Path("results").rglob("fig2_final.csv"))).read_text().count("rflo") == 1


@pytest.mark.parametrize(
    ("words", "near"),
    [
        ("fig2 --rule rlfo", "rflo"),
        ("fig2 --scale smok", "smoke"),
        ("plot fig22", "fig2"),
        ("fig2 --set fedback_scale=1", "feedback_scale"),
        *further(("confirm fig_3", "fig3"), ("fig2 --rates tuend", "tuned"), ("fig2 --variant cliped", "clipped")),
    ],
)
def test_an_error_says_which_name_is_near(words, near):
    run = invoke(*words.split())
    assert run.exit_code == 2
    assert run.output.splitlines()[-1].rstrip(".").endswith(f"; did you mean {near!r}?")


@pytest.mark.parametrize(("name", "rule"), [("RFLO", "rflo"), ("e-prop", "local"), ("E_PROP_RANDOM", "rflo")])
def test_a_rule_by_another_name(name, rule):
    assert options.OneOf(("bptt", "rflo", "local")).convert(name, None, None) == rule
    with pytest.raises(click.BadParameter):
        options.OneOf(("bptt",)).convert(name, None, None)
