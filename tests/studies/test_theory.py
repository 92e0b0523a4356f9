"""RTRL against BPTT, Appendix 2 against finite differences, and the control of the alignment."""

from dataclasses import replace

import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.studies.theory import experiment as theory
from rflo_repro.studies.theory import trial as of_theory
from rflo_repro.studies.theory.experiment import CHOICES
from rflo_repro.studies.theory.trial import Appendix


def nothing(done):
    pass


def appendix(linear, **fields):
    values = {"period_steps": 60, "init": Initialisation(12, g=0.5 if linear else 1.5), "seed": 3,
              "first": 0, "count": 4}  # fmt: skip
    return Appendix(linear, **{**values, **fields})


def test_a_small_network_is_linear():
    one = appendix(linear=True)
    net = one.initial(0)
    inputs, _ = rr.PeriodicTask(one.period_steps).trial(np.random.default_rng(0))
    y = rr.run(net, inputs).y
    h, expected = net.h0, []
    for _ in range(one.period_steps):
        h = h + (-h + net.w_rec @ h) / net.tau
        expected.append(net.w_out @ h)
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-9)
    assert np.abs(y).max() > 0.1


@pytest.mark.parametrize("linear", [True, False])
def test_the_loss_change_is_that_of_a_small_update(linear):
    one = appendix(linear)
    found = one.run(nothing)
    trial = rr.PeriodicTask(one.period_steps).trial(np.random.default_rng(0))
    for k in range(one.count):
        net = one.initial(k)
        update = rr.weight_updates(net, *trial, "rflo").w_rec
        step = 1e-4 / np.abs(update).max()
        after, before = (
            rr.weight_updates(replace(net, w_rec=net.w_rec + s * step * update), *trial).loss for s in (1, -1)
        )
        scale = of_theory.SMALL if linear else 1.0
        assert (after - before) / (2 * step) == pytest.approx(found["loss_change"][k] * scale, rel=1e-4)
        assert found["overlap"][k] == net.alignment
        assert abs(found["loss_change_cosine"][k]) <= 1
        assert np.sign(found["loss_change_cosine"][k]) == np.sign(found["loss_change"][k])


def test_the_alignments_growth_is_the_mixed_derivative():
    """G of Eq. 42: how the second trial's update of Wout overlaps with B more after an update of W."""
    one = appendix(linear=False, count=1)
    net = one.initial(0)
    trial = rr.PeriodicTask(one.period_steps).trial(np.random.default_rng(0))
    update = rr.weight_updates(net, *trial, "rflo").w_rec
    eta = 1e-5 * np.linalg.norm(net.w_rec) / np.linalg.norm(update)
    overlap = [
        np.sum(rr.weight_updates(replace(net, w_rec=net.w_rec + e * update), *trial, "rflo").w_out * net.feedback.T)
        for e in (eta, 0.0)
    ]
    assert (overlap[0] - overlap[1]) / eta == pytest.approx(one.run(nothing)["alignment_growth"][0], rel=1e-3)


def test_the_frozen_control_is_figure_2_but_for_the_rate_of_w_rec(tuned):
    found = theory.alignment_conditions(CHOICES["smoke"])
    assert {(c.values["recurrent"], c.values["rates"]) for c in found} == {
        (recurrent, rates) for recurrent in ("trained", "frozen") for rates in ("printed", "tuned")
    }
    trained, frozen = found[0], found[1]
    assert (trained.values["recurrent"], frozen.values["recurrent"]) == ("trained", "frozen")
    fig2 = registry.figures()["fig2"].experiment
    one, other = trained.jobs[0], frozen.jobs[0]
    assert one in {r for c in fig2.conditions(fig2.scales["smoke"], registry_selection()) for r in c.jobs}
    assert replace(other, eta=one.eta) == one
    history = other.train(nothing)
    before = other.initial()
    np.testing.assert_array_equal(history.network.w_rec, before.w_rec)
    assert not np.array_equal(history.network.w_out, before.w_out)


def test_the_frozen_control_keeps_what_was_chosen_of_the_rates(tuned):
    choices = replace(CHOICES["smoke"], feedback_scale=3.0, per_trial_average=False)
    trained, frozen = (c.jobs[0].eta for c in theory.alignment_conditions(choices)[:2])
    assert trained == replace(frozen, w_rec=trained.w_rec)
    assert (trained.w_rec, frozen.w_rec) == (3 * trained.w_out, 0.0)
    assert trained.w_out == 0.03 * 200


def registry_selection():
    from rflo_repro.runs.request import Selection

    return Selection(rules=("rflo",))


def test_the_command_writes_its_tables(tuned, tmp_path):
    from click.testing import CliRunner

    from rflo_repro.cli import cli

    done = CliRunner().invoke(cli, ["theory", "--scale", "smoke", "--results", str(tmp_path), "--jobs", "1"])
    assert done.exit_code == 0, done.output
    exact, page = tables.read(tmp_path, theory.EXACT)
    assert len(exact) == 2 * CHOICES["smoke"].n_exact
    assert exact.rtrl.max() < 1e-10 < 0.01 < exact.rflo.min()
    assert page["settings"]["scale"] == "smoke"
    appendix_table, _ = tables.read(tmp_path, theory.APPENDIX)
    assert appendix_table.groupby(["units", "period_tau"]).network.apply(list).tolist() == [list(range(20))] * 2
    aligned, _ = tables.read(tmp_path, theory.ALIGNMENT)
    assert set(aligned.recurrent) == {"trained", "frozen"}
    assert not aligned.isna().any().any()
