"""The alternatives to the open choices: each changes what it says, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import rflo_repro
from rflo_repro.cli import cli
from rflo_repro.learning.training import LearningRates
from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.runs.choices import declared
from rflo_repro.studies import report
from rflo_repro.studies.sensitivity.experiment import AS_CHOSEN, EXPERIMENT, SCHEMA, Case, cases, conditions_in

SCALES = EXPERIMENT.scales
PAPER = cases(SCALES["paper"])


@pytest.mark.parametrize("case", PAPER, ids=lambda c: f"{c.figure} {c.choice} {c.label}")
def test_a_case_is_another_run(case, tuned):
    before, after = (conditions_in(c, SCALES["paper"]) for c in (Case(case.figure), case))
    changed = [c.label for c, d in zip(before, after, strict=False) if c.realisations != d.realisations]
    assert bool(changed) == (case.choice != AS_CHOSEN)
    if case.choice == "end-of-trial-updates":
        assert {c.values["rule"] for c in after if c.label in changed} <= {"rflo", "local", "loop"}


def test_every_alternative_of_three_figures_and_as_chosen_first():
    for figure in ("fig2", "fig3", "fig4"):
        mine = [case for case in PAPER if case.figure == figure]
        assert mine[0] == Case(figure)
        wanted = {
            (choice.entry, other.label)
            for choice in declared(registry.figures()[figure].experiment.scales["paper"]).values()
            for other in choice.alternatives
            if not other.jointly
        }
        found = {(case.choice, case.label) for case in mine[1:]}
        # the study's own number of trials is no alternative to itself, and the figure's is
        assert wanted - found == ({("number-of-trials", "3,000")} if figure == "fig2" else set())
        own = {"fig2": {("number-of-trials", "10,000")}, "fig3": {("trials-or-batches", "5,000")}, "fig4": set()}
        assert found - wanted == own[figure]
        assert len(found) == len(mine) - 1


def test_a_number_of_trials_for_one_period(tuned):
    (case,) = [case for case in PAPER if case.label == "100,000 at 160 τ"]
    found = conditions_in(case, SCALES["paper"])
    assert {c.values["period_tau"] for c in found} == {160.0}
    assert {r.n_trials for c in found for r in c.realisations} == {100_000}
    # and in seconds
    small = next(other for other in cases(SCALES["smoke"]) if other.label == case.label)
    assert {r.n_trials for c in conditions_in(small, SCALES["smoke"]) for r in c.realisations} == {20}


def test_a_scaled_feedback_is_a_scaled_rate():
    """What `feedback_scale` rests on: 3 B is three times the rate of w_rec and w_in."""
    rng = np.random.default_rng(0)
    net = rflo_repro.Network.random(8, 0, 1, rng)
    task = rflo_repro.PeriodicTask(30)
    one = rflo_repro.train(replace(net, feedback=3 * net.feedback), task, "rflo", 0.01, 20)
    other = rflo_repro.train(net, task, "rflo", LearningRates(0.03, 0.03, 0.01), 20)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)


def test_the_command_writes_table_and_picture(tuned, tmp_path):
    options = ["--scale", "smoke", "--results", str(tmp_path), "--figures", str(tmp_path), "--jobs", "2"]
    done = CliRunner().invoke(cli, ["sensitivity", *options])
    assert done.exit_code == 0, done.output
    frame, page = tables.read(tmp_path, SCHEMA)
    assert set(frame.alternative) == {case.label for case in cases(SCALES["smoke"])}
    for command, part in frame.groupby("figure"):
        assert set(part.claim) == {claim.name for claim in registry.figures()[command].experiment.claims}
    assert (tmp_path / "sensitivity.png").stat().st_size > 10_000
    assert page["settings"]["scale"] == "smoke"


def test_what_changes(tmp_path):
    import pandas as pd

    rows = [("fig2", AS_CHOSEN, AS_CHOSEN, "c", "holds"), ("fig2", "a", "b", "c", "does not hold"),
            ("fig2", "d", "e", "c", "holds")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["figure", "choice", "alternative", "claim", "verdict"])
    assert report.changes(frame) == (("a", "b", "c", "holds", "does not hold"),)
