"""The knobs: the presets are what the figures train, and the Python and the commands give the same bytes."""

import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cases import further
from click.testing import CliRunner
from prose import printed_by

from rflo_repro import cli
from rflo_repro.explorer.knobs import LARGEST_SEED, PRESETS, PUBLISHED, VALUES, Knobs
from rflo_repro.paper import registry
from rflo_repro.runs.conditions import of_scale
from rflo_repro.runs.job import Condition
from rflo_repro.runs.variants import under
from rflo_repro.studies.registry import studies

SHORT = {name: replace(knobs, n_trials=100) for name, knobs in PRESETS.items()}


def first_job(experiment, **values):
    """The job of the first network of a condition."""
    found: list[Condition] = [
        c for c in of_scale(experiment) if all(c.values.get(name) == value for name, value in values.items())
    ]
    return next(c for c in found if c.values.get("rates") != "tuned").jobs[0]


def test_presets_of_figure_2_are_its_networks():
    for period in (20.0, 80.0):
        preset = PRESETS[f"Figure 2: {period:.0f} τ"]
        for rule, _ in preset.rules:
            job = first_job(registry.figures()["fig2"].experiment, rule=rule, period_tau=period)
            assert job == preset.session(rule)


def test_the_other_presets_are_networks_of_their_figures():
    clipped = under(registry.figures()["fig2"].experiment, "clipped")
    for rule in ("rflo", "bptt"):
        session = PRESETS["Figure 2: 80 τ, clipped"].session(rule)
        assert first_job(clipped, rule=rule, period_tau=80.0) == session
        session = PRESETS["Figure 3: delays to 15 τ"].session(rule)
        assert first_job(registry.figures()["fig3"].experiment, rule=rule, longest_tau=15).session == session
    for rule in (PUBLISHED, "bptt", "rflo"):
        session = PRESETS["The author's notebook"].session(rule)
        assert first_job(studies()["fig-notebook"].experiment, rule=rule) == session


def test_presets_of_the_fields_tasks_are_those_of_the_study():
    for name, task in (
        ("Match to sample", "match-to-sample"),
        ("Evidence accumulation", "evidence"),
        ("Context-dependent integration", "context"),
        ("Flip-flop", "flip-flop"),
    ):
        for rule, _ in PRESETS[name].rules:
            found = of_scale(studies()["fig-tasks"].experiment)
            job = next(c for c in found if (c.values["task"], c.values["rule"]) == (task, rule)).jobs[0]
            assert job == PRESETS[name].session(rule)


def test_the_preset_of_figure_4_is_its_first_stage():
    job = of_scale(registry.figures()["fig4"].experiment)[0].jobs[0]
    session = PRESETS["Figure 4: single movements"].session("rflo")
    assert session.task.reaching == job.reaching
    for name in ("eta", "reset_state", "init", "seed", "network", "optimizer"):
        assert getattr(session, name) == getattr(job, name)
    assert session.n_trials == job.n_trials_stage


def losses(knobs):
    return [knobs.session(rule).train(lambda _: None).loss[-1] for rule, _ in knobs.rules]


EVERYTHING = Knobs(
    "movements", 5, (("local", 0.01), (PUBLISHED, 0.003), ("uoro", 1e-5)), 20, 0.8, 100, 7, "relu", 0.1, 10, 0.5, 0.1
)


@pytest.mark.parametrize("knobs", [SHORT["The author's notebook"], EVERYTHING, *further(*SHORT.values())])
def test_the_python_gives_the_same_bytes(knobs):
    assert printed_by(knobs.python()) == losses(knobs)


def final_losses(commands):
    """Of each command, the loss of its last trial."""
    found = []
    for number, command in enumerate(commands):
        program, *arguments = shlex.split(command)
        where = ["--results", f"r{number}", "--no-plot", "--jobs", "1", "--quiet"]
        done = CliRunner().invoke(cli.cli, [*arguments, *where])
        assert (program, done.exit_code) == ("rflo-repro", 0), done.output
        curves = pd.read_csv(f"r{number}/{arguments[0].replace('-', '_')}_curves.csv")
        found.append(curves[curves.trial == curves.trial.max()].loss.item())
    return found


OTHER = replace(SHORT["Figure 2: 20 τ"], g=1.2, clip=0.1, h0=0.5, n_rec=20, seed=3, readout_scale=0.1)
COMMANDS = [knobs for knobs in SHORT.values() if len(knobs.commands()) == len(knobs.rules)]


@pytest.mark.parametrize(
    "knobs",
    [replace(OTHER, rules=(("rflo", 0.01),)), *further(*COMMANDS, replace(OTHER, rules=(("recurrent-only", 0.03),)))],
)
def test_the_commands_give_the_same_loss(knobs):
    np.testing.assert_allclose(final_losses(knobs.commands()), losses(knobs), rtol=5e-6)  # tables have six digits


def test_there_is_no_command_where_no_figure_trains_such_networks():
    for knobs in (replace(OTHER, phi="relu"), replace(OTHER, batch=10), replace(OTHER, rules=(("uoro", 0.01),))):
        assert knobs.commands() == []
    assert replace(SHORT["Figure 3: delays to 15 τ"], length=20).commands() == []
    assert len(COMMANDS) == 4
    # alone it is fed back in Figure 2, supplement 2
    assert [command.split()[3] for command in SHORT["Rules that train less"].commands()] == ["rflo", "recurrent-only"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "sawtooth"},
        {"length": 21},
        {"rules": ()},
        {"rules": (("rflo", 0.03), ("rflo", 0.01))},
        {"rules": (("rtrl", 0.03),)},
        {"rules": (("rflo", float("nan")),)},
        {"n_rec": 0},
        {"g": -0.1},
        {"n_trials": 10**9},
        {"seed": -1},
        {"seed": LARGEST_SEED + 1},
        {"seed": 1.5},
        {"phi": "step"},
    ],
)
def test_what_no_knob_can_be_is_refused(wrong):
    name = "rule" if "rules" in wrong else next(iter(wrong))
    with pytest.raises(ValueError, match=f"^({name}|rules|eta) must be"):
        Knobs(**wrong)


def test_every_position_of_every_knob_is_allowed():
    for name, values in VALUES.items():
        for value in values:
            if name in ("rule", "eta"):
                assert Knobs(rules=(("rflo", value) if name == "eta" else (value, 0.01),))
            else:
                assert Knobs(**{name: value})
