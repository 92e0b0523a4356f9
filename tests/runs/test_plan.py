"""From a request to a plan: what is the paper's, where files go, what is refused before anything is made."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.paper import registry
from rflo_repro.runs import folders, plan
from rflo_repro.runs.request import Request, RequestError, Selection

PART = Selection(periods_tau=(20.0,), rules=("rflo",))
OTHER = Selection(periods_tau=(30.0,))


def request(**changes):
    return Request(**{"jobs": 1, **changes})


@pytest.mark.parametrize(
    ("changes", "reference"),
    [
        ({}, True),
        ({"selection": PART}, True),
        ({"selection": Selection(panels=("d",))}, True),
        ({"networks": 9, "trials": 10_000, "seed": 2019}, True),
        ({"jobs": 2, "force": True}, True),
        ({"scale": "smoke"}, False),
        ({"scale": "quick"}, False),
        ({"networks": 8}, False),
        ({"trials": 9999}, False),
        ({"seed": 1}, False),
        ({"selection": Selection(eta=0.01)}, False),
        ({"selection": OTHER}, False),
        ({"selection": Selection(periods_tau=(20.0, 30.0))}, False),
    ],
)
def test_which_runs_are_the_papers(fig2, changes, reference):
    asked = request(**changes)
    assert plan.plan(fig2.experiment, replace(asked, plot=False)).reference is reference


@pytest.mark.parametrize(
    ("changes", "results", "figures"),
    [
        ({}, "results", "figures"),
        ({"selection": PART}, "results", "figures"),
        ({"scale": "smoke"}, "results/smoke", "figures/smoke"),
        ({"scale": "quick", "selection": PART}, "results/quick", "figures/quick"),
        ({"scale": "smoke", "seed": 1}, "results/custom/smoke-seed1", "figures/custom/smoke-seed1"),
        ({"seed": 1}, "results/custom/seed1", "figures/custom/seed1"),
        ({"selection": OTHER}, "results/custom/other-conditions", "figures/custom/other-conditions"),
        ({"results": Path("mine")}, "mine", "figures"),
        ({"results": Path("mine"), "scale": "smoke", "seed": 1}, "mine", "figures/custom/smoke-seed1"),
        ({"figures": Path("mine"), "seed": 1}, "results/custom/seed1", "mine"),
    ],
)
def test_folders(fig2, changes, results, figures):
    assert plan.plan(fig2.experiment, request(**changes)).folders == folders.Folders(Path(results), Path(figures))


def test_the_conditions_of_the_paper_are_made_once(fig2):
    made = []

    def conditions(choices, selection):
        made.append(selection)
        return fig2.experiment.conditions(choices, selection)

    planned = plan.plan(replace(fig2.experiment, conditions=conditions), request())
    assert planned.reference
    assert set(planned.paper_order) == {schema.name for schema in fig2.experiment.schemas.values()}
    assert len(made) == 2  # those that are asked for, and those of the paper


@pytest.mark.parametrize("text", ["0.1234567890123456", "1e-300", "uniform"])
def test_names_of_places_are_short_and_tell_all_settings_apart(fig2, text):
    long = {"g": "1.23456789012345", "tau": "12.3456789012345", "n_rec": "123456", "feedback_scale": "1.2345678901234"}
    sets = tuple({**long, "h0": text}.items())
    asked = [request(sets=(*sets[:-1], ("h0", h0))) for h0 in (text, "0.25")]
    plans = [plan.Plan(fig2.experiment, one, plan.choices(fig2.experiment, one), ()) for one in asked]
    names = {one.folders.results.name for one in plans}
    assert len(names) == 2
    for name in names:
        assert len(name) <= folders.LONGEST_NAME
        assert re.fullmatch(r"[A-Za-z0-9._+-]+", name)


def test_a_request_too_large_for_memory_is_refused_before_anything_is_made(fig2, ask):
    with pytest.raises(RequestError, match="GiB of memory") as refusal:
        ask(fig2, Selection(periods_tau=(1e7,), rules=("rflo",)), jobs=64)
    assert refusal.value.option == "period"
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("n_units", "3", "not one of"),
        ("n_rec", "3.5", "a whole number"),
        ("n_rec", "true", "a whole number"),
        ("tau", "ten", "a finite number"),
        ("tau", "NaN", "a finite number"),
        ("tau", "Infinity", "a finite number"),
        ("tau", "[1]", "a finite number"),
        ("online", "yes", "true or false"),
        ("online", "1", "true or false"),
        ("tau", "0.5", "from 1 to 1e"),
        ("tau", "1e300", "from 1 to 1e"),
        ("tau", "9" * 400, "a finite number"),
        ("n_rec", "0", "from 1 to 1000000000"),
        ("n_rec", "9" * 400, "from 1 to 1000000000"),
        ("n_rec", "9" * 5000, "a whole number"),
        ("n_rec", "[" * 50_000, "a whole number"),
        ("n_rec", "3\n4", "a whole number .*, got '3.n4'"),
        ("h0", "gauss", "a finite number .*, or the word uniform or normal, got 'gauss'"),
        ("g", "-1", "from 0 to 1e"),
        ("clip", "0", "or the word none, got 0"),
        ("h0", "1e300", "from -1e.* to 1e"),
        ("n_networks", "100001", "from 1 to 100000"),
        ("n_trials", "0", "from 1 to 1000000000"),
        ("seed", "-1", "from 0 to 9223372036854775807"),
        ("seed", "9223372036854775808", "from 0 to 9223372036854775807"),
    ],
    ids=lambda value: value[:12],
)
def test_choices_that_are_refused(fig2, name, text, message):
    with pytest.raises(RequestError, match=message) as refusal:
        plan.choices(fig2.experiment, request(sets=((name, text),)))
    assert refusal.value.option == "set"
    assert str(refusal.value).startswith((f"{name} must be ", f"'{name}' is not one of "))
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("changes", "option", "message"),
    [
        ({"trials": 7}, "trials", r"n_trials must be a multiple of batch \(10\), got 7"),
        ({"trials": 7, "sets": (("batch", "3"),)}, "trials", r"n_trials must be a multiple of batch \(3\), got 7"),
        ({"sets": (("n_trials", "7"),)}, "set", r"n_trials must be a multiple of batch \(10\), got 7"),
        ({"trials": 20, "sets": (("n_trials", "7"),)}, "set", "n_trials is what --trials gives"),
        ({"sets": (("batch", "7"),)}, "set", r"n_trials must be a multiple of batch \(7\), got 20"),
        ({"networks": 0}, "networks", "n_networks must be a whole number from 1"),
        ({"seed": -1, "sets": (("g", "1"),)}, "seed", "seed must be a whole number from 0"),
    ],
)
def test_a_wrong_choice_is_blamed_on_the_option_that_made_it(changes, option, message):
    with pytest.raises(RequestError, match=f"^{message}") as refusal:
        plan.choices(registry.figures()["fig3"].experiment, request(scale="smoke", **changes))
    assert refusal.value.option == option


def test_an_error_of_the_conditions_names_the_entries_that_were_set(fig2):
    def broken(*_):
        raise ValueError("this cannot be")

    experiment = replace(fig2.experiment, conditions=broken)
    chosen = fig2.experiment.scales["smoke"]
    sets = (("tau", "20"), ("g", "1"))
    with pytest.raises(RequestError, match=r"^tau='20', g='1': this cannot be$") as refusal:
        plan.conditions(experiment, chosen, request(sets=sets))
    assert refusal.value.option == "set"
    # without them it is nobody's but the program's own
    with pytest.raises(ValueError, match=r"^this cannot be$"):
        plan.conditions(experiment, chosen, request())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--period", "1e9"], "Invalid value for '--period': 1000000000 needs about"),
        (["--period", "1.7e307"], "Invalid value for '--period': 1.7e+307 needs about"),
        (["--period", "1e307", "--set", "n_rec=1000000000"], "--period 1e+307 --set n_rec=1000000000 needs about inf"),
        (["--set", "tau=1e8"], "Invalid value for '--set': tau=1e8 needs about"),
        (["--period", "20", "--set", "tau=1e8", "--set", "g=1"], "--period 20 --set tau=1e8, g=1 needs about"),
        (["--trials", "1000000000", "--period", "1e6"], "--period 1000000 --trials 1000000000 needs about"),
    ],
)
def test_what_needs_too_much_memory_is_named(arguments, says):
    run = CliRunner().invoke(cli, ["fig2", "--scale", "smoke", "--jobs", "1000", "--rule", "rflo", *arguments])
    assert run.exit_code == 2
    (line,) = [line for line in run.output.splitlines() if line.startswith("Error: ")]
    assert line.startswith(f"Error: {says}")
    assert list(Path().iterdir()) == []


def test_choices_can_be_varied(fig2):
    varied = plan.choices(
        fig2.experiment, request(scale="smoke", sets=(("n_rec", "12"), ("online", "true"), ("g", "1")))
    )
    assert varied == replace(fig2.experiment.scales["smoke"], n_rec=12, online=True, g=1.0)
    assert type(varied.g) is float


def test_where_files_can_be_put(tmp_path):
    folders.check("results", tmp_path)
    folders.check("results", tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path, why in (("file", "not a directory"), ("file/folder", "not a directory"), ("link/folder", "broken link")):
        with pytest.raises(RequestError, match=why) as refusal:
            folders.check("results", tmp_path / path)
        assert refusal.value.option == "results"
