"""The alternatives to the open choices: each changes what it says, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import rflo_repro
from rflo_repro.cli import cli
from rflo_repro.learning.training import LearningRates
from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.studies import sensitivity, summary
from rflo_repro.studies.sensitivity import ALTERNATIVES, AS_CHOSEN, Alternative, all_alternatives, conditions

DOCS = Path(rflo_repro.__file__).parent.parent / "docs"


def baseline(figure):
    return Alternative(figure, AS_CHOSEN, AS_CHOSEN)


@pytest.mark.parametrize("alternative", ALTERNATIVES, ids=lambda a: f"{a.figure} {a.label}")
def test_an_alternative_is_another_run(alternative, tuned):
    before, after = conditions(baseline(alternative.figure), "smoke"), conditions(alternative, "smoke")
    changed = [c.label for c, d in zip(before, after, strict=True) if c.realisations != d.realisations]
    if "trials" in alternative.choice:  # the smoke scale has the same trials throughout
        return
    assert changed
    if alternative.rules:
        assert {c.values["rule"] for c in after if c.label in changed} == set(alternative.rules) & {
            c.values["rule"] for c in after
        }


@pytest.mark.parametrize("alternative", ALTERNATIVES, ids=lambda a: f"{a.figure} {a.label}")
def test_a_choice_is_documented(alternative):
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("assumptions*.md"))
    assert alternative.choice.startswith("printed ") or f"### {alternative.choice}\n" in text


def test_every_figure_has_a_baseline_first(tuned):
    found = all_alternatives("paper")
    assert len(found) == len(ALTERNATIVES) + 3
    for figure in ("fig2", "fig3", "fig4"):
        assert next(a for a in found if a.figure == figure) == baseline(figure)


def session_of(alternative, rule):
    return next(c for c in conditions(alternative, "smoke") if c.values["rule"] == rule).realisations[0]


def test_rates_with_another_feedback_and_without_1_over_t(tuned):
    plain = session_of(baseline("fig2"), "rflo")
    scaled = session_of(replace(baseline("fig2"), feedback=3.0), "rflo")
    assert scaled.eta == LearningRates(3 * plain.eta, 3 * plain.eta, plain.eta)
    # BPTT has no B
    assert session_of(replace(baseline("fig2"), feedback=3.0), "bptt").eta == LearningRates(*[0.03] * 3)
    summed = session_of(replace(baseline("fig2"), rate="T"), "rflo")
    assert summed.eta == LearningRates(*[plain.eta * plain.task.n_steps] * 3)


def test_a_scaled_feedback_is_a_scaled_rate():
    """What `feedback` rests on: a network with 3 B learns as one whose w_rec and w_in have three times the rate."""
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
    frame, page = tables.read(tmp_path, sensitivity.SCHEMA)
    assert set(frame.alternative) == {a.label for a in all_alternatives("smoke")}
    for command, part in frame.groupby("figure"):
        assert set(part.claim) == {claim.name for claim in registry.figures()[command].experiment.claims}
    assert (tmp_path / "sensitivity.png").stat().st_size > 10_000
    assert page["settings"]["scale"] == "smoke"


def test_what_changes(tmp_path):
    import pandas as pd

    rows = [("fig2", AS_CHOSEN, AS_CHOSEN, "c", "holds"), ("fig2", "a", "b", "c", "does not hold"),
            ("fig2", "d", "e", "c", "holds")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["figure", "choice", "alternative", "claim", "verdict"])
    assert summary.changes(frame) == (("a", "b", "c", "holds", "does not hold"),)
