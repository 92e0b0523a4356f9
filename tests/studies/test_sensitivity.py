"""The alternatives to the open choices: each changes what it says, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import rflo_repro
from rflo_repro.cli import cli
from rflo_repro.learning.optimizers import LearningRates
from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.runs.choices import declared
from rflo_repro.studies import appendix
from rflo_repro.studies.multiverse.experiment import conditions_of
from rflo_repro.studies.sensitivity.experiment import EXPERIMENT, SCHEMA, variants
from rflo_repro.studies.sensitivity.plot import draw

SCALES = EXPERIMENT.scales
FIGURES = [*registry.figures()][1:]
PAPER = [variant for figure in FIGURES for variant in variants(figure, SCALES["paper"])]


@pytest.mark.parametrize("variant", PAPER, ids=lambda r: f"{r.figure} {r.written}")
def test_a_variant_is_another_run(variant):
    before, after = (conditions_of(r, SCALES["paper"]) for r in (replace(variant, sets={}), variant))
    known = [c.jobs for c in before]
    changed = {c.values["rule"] for c in after if c.jobs not in known}
    assert bool(changed) == (variant.number > 0)
    if "online" in variant.sets:
        assert "rflo" in changed
        assert not changed & {"bptt", "random-feedback"}


@pytest.mark.parametrize("figure", FIGURES)
def test_every_alternative_by_itself_and_the_baseline_first(figure):
    first, *others = variants(figure, SCALES["paper"])
    assert (first.kind, first.sets) == ("as chosen", {})
    wanted = [
        (name, other.value)
        for name, choice in declared(registry.figures()[figure].experiment.scales["paper"]).items()
        for other in choice.alternatives
        if not other.design_only
    ]
    assert sorted(map(str, (pair for other in others for pair in other.sets.items()))) == sorted(map(str, wanted))
    assert [other.kind for other in others] == ["alone"] * len(wanted)


def test_a_number_of_trials_for_one_period():
    (variant,) = [r for r in PAPER if r.figure == "fig2" and r.sets.get("n_trials") == 100_000]
    found = conditions_of(variant, SCALES["paper"])
    assert {c.values["period_tau"] for c in found} == {160.0}
    assert {r.n_trials for c in found if not c.untrained for r in c.jobs} == {100_000}
    # not in seconds
    assert not any("n_trials" in other.sets for other in variants("fig2", SCALES["smoke"]))


def test_a_scaled_feedback_is_a_scaled_rate():
    """What `feedback_scale` rests on: 3 B is three times the rate of w_rec and w_in."""
    rng = np.random.default_rng(0)
    net = rflo_repro.Network.random(8, 0, 1, rng)
    task = rflo_repro.PeriodicTask(30)
    one = rflo_repro.train(replace(net, feedback=3 * net.feedback), task, "rflo", 0.01, 20)
    other = rflo_repro.train(net, task, "rflo", LearningRates(0.03, 0.03, 0.01), 20)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)


def test_the_command_writes_table_and_pictures(saved, tmp_path):
    options = ["--scale", "smoke", "--results", str(tmp_path), "--figures", str(tmp_path), "--jobs", "2"]
    done = CliRunner().invoke(cli, ["sensitivity", *options, "--panel", "a", "--panel", "c"])
    assert done.exit_code == 0, done.output
    frame, page = tables.read(tmp_path, SCHEMA)
    assert set(frame.figure) == {"fig2", "fig4"}
    for command, part in frame.groupby("figure"):
        assert set(part.choices) == {variant.written for variant in variants(command, SCALES["smoke"])}
        claims = registry.figures()[command].experiment.claims
        assert set(part.claim) == {claim.name for claim in claims if claim.varied}
        axes = saved[f"sensitivity-a-c_{command}"].axes
        primary, tested = part[part.primary], part[part.primary & part.estimate.notna()]
        compared = next(rows for rows in (tested[tested.reading == 0], tested, primary) if len(rows))
        assert len(axes) == len(compared[["claim", "part"]].drop_duplicates())
        marked = {float(x) for one in axes for line in one.lines if line.get_marker() == "o" for x in line.get_xdata()}
        assert set(compared.estimate.dropna().clip(-3.0, 3.0)) <= marked
    assert page["settings"]["scale"] == "smoke"
    # an effect less itself
    assert set(frame["shift"][frame.reading == 0].dropna()) == {0.0}
    tested = frame[frame["shift"].notna() & (frame.reading > 0)]
    assert len(tested)
    assert (tested["shift"] != 0.0).any()


def test_the_parts_of_a_figure_stand_in_rows_each_with_the_names_of_the_choices():
    frame, _ = tables.read(Path(__file__).parents[2] / "results", SCHEMA)
    assert frame[(frame.figure == "fig2") & frame.primary].groupby(["claim", "part"]).ngroups == 15
    drawn, _ = draw({"sensitivity": frame}, ["a"])
    places = [axes.get_subplotspec() for axes in drawn["fig2"].axes]
    assert [(at.rowspan.start, at.colspan.start) for at in places] == [divmod(i, 5) for i in range(15)]
    for axes, at in zip(drawn["fig2"].axes, places, strict=True):
        named = [label.get_text() for label in axes.get_yticklabels()]
        assert bool(named) == at.is_first_col()
        assert not named or (named[0], named[6]) == ("baseline", "clip: norm of updates at most 0.3")


def test_a_part_that_the_choices_made_here_do_not_have_is_not_drawn():
    frame, _ = tables.read(Path(__file__).parents[2] / "results", SCHEMA)
    frame = frame[frame.figure == "fig2-dale"]
    assert "160 τ" in set(frame[frame.estimate.notna()].part)
    drawn, _ = draw({"sensitivity": frame}, ["d"])
    axes = drawn["fig2_dale"].axes
    assert [one.get_title("left").rpartition("\n")[2] for one in axes] == ["20 τ", "40 τ"]
    assert "n_trials: 100,000" not in [label.get_text() for label in axes[0].get_yticklabels()]


def test_what_changes():
    row = {"figure": "fig2", "claim": "c", "part": "20 τ", "primary": True, "estimate": 0.5, "verdict": "holds"}
    rows = [
        {**row, "reading": 0, "choices": "", "shift": 0.0, "shift_low": 0.0, "shift_high": 0.0},
        {**row, "reading": 1, "choices": "h0=0.5", "verdict": "does not hold", "shift": 1, "shift_low": 0.5,
         "shift_high": 2.0},
        # another answer by chance, and an effect that moves and turns nothing
        {**row, "reading": 2, "choices": "noise=0.1", "verdict": "not decided", "shift": 1, "shift_low": -1,
         "shift_high": 2.0},
        {**row, "reading": 3, "choices": "clip=0.3", "shift": 1, "shift_low": 0.5, "shift_high": 2.0},
    ]  # fmt: skip
    assert appendix.changes(pd.DataFrame(rows)) == (
        ("fig2", "h0=0.5", "c", "20 τ", "0.50, yes", "0.50, no", "1.00 (0.50, 2.00)"),
    )
