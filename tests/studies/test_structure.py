"""`fig-structure`: singular values, two layers, and what RFLO changes in a network of linear units."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import rflo_repro as rr
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.studies.structure import ABOUT, plot
from rflo_repro.studies.structure.experiment import DIRECTIONS, shares
from rflo_repro.studies.structure.singular_values import singular_values


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (30, 30), (5, 12)])
def test_singular_values(shape):
    matrix = np.random.default_rng(0).normal(size=shape) * np.logspace(0, -6, shape[1])
    np.testing.assert_allclose(singular_values(matrix), np.linalg.svd(matrix, compute_uv=False), rtol=1e-9, atol=1e-14)


def test_singular_values_of_less_than_full_rank():
    rng = np.random.default_rng(1)
    found = singular_values(rng.normal(size=(9, 2)) @ rng.normal(size=(2, 9)))
    assert (found[:2] > 0.1).all()
    assert (found[2:] < 1e-12).all()
    assert np.isnan(singular_values(np.array([[1.0, np.nan]]))).all()


def test_shares_of_a_known_matrix():
    found = shares(np.diag([2.0, 1.0, 0.0, 0.0]))
    assert found["share_1"] == 0.8
    assert found["share_2"] == found["share_20"] == 1.0
    assert np.isnan(shares(np.zeros((3, 3)))["share_1"])


@pytest.mark.parametrize("n_out", [1, 3])
def test_rflo_changes_as_many_directions_of_linear_units_as_there_are_outputs(n_out):
    """With phi' = 1 a trace p_j is that of every unit: the update is B times a row. BPTT is the control."""

    class Sampled:
        n_in = 2

        def trial(self, rng):
            return rng.normal(size=(20, 2)), rng.normal(size=(20, n_out))

    task = Sampled()
    task.n_out = n_out
    net = rr.Network.random(12, 2, n_out, np.random.default_rng(0), g=0.5, phi="identity", tau=4.0)
    for rule, low in (("rflo", True), ("bptt", False)):
        trained = rr.train(net, task, rule, 0.01, 50, np.random.default_rng(1)).network
        values = singular_values(trained.w_rec - net.w_rec)
        assert (values[n_out] < 1e-10 * values[0]) == low


def test_two_layers():
    task = rr.MatchToSampleTask()
    net = Initialisation(10, layers=2).draw(task, 3, 1)
    first = np.arange(10) < 5
    assert not net.w_rec[np.ix_(first, ~first)].any()
    assert net.w_rec[np.ix_(~first, first)].all()
    assert net.w_in[first].all()
    assert not net.w_in[~first].any()
    assert net.w_out[:, ~first].all()
    assert not net.w_out[:, first].any()
    with pytest.raises(ValueError, match="multiple of the 2 layers, got 9"):
        Initialisation(9, layers=2).draw(task, 3, 1)


def test_a_block_of_two_layers_is_as_large_as_a_layer_of_its_size():
    nets = [Initialisation(200, layers=2).draw(rr.PeriodicTask(20), 3, k) for k in range(3)]
    blocks = np.concatenate([net.w_rec[100:, :100].ravel() for net in nets])
    assert blocks.std() == pytest.approx(1.5 / np.sqrt(100), rel=0.02)
    readout = np.concatenate([net.w_out[:, 100:].ravel() for net in nets])
    assert np.abs(readout).max() == pytest.approx(1 / np.sqrt(100), rel=0.05)


def test_what_is_drawn():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "rule": rule, "period_tau": period, "layers": layers, "network": k, "final_loss": rng.uniform(0.1, 1.0),
            **{f"share_{d}": rng.uniform() for d in DIRECTIONS},
        }
        for rule in ABOUT.rules
        for period in (20.0, 40.0)
        for layers in (1, 2)
        for k in range(5)
    )  # fmt: skip
    picture, notes = plot.draw({"final": table}, ("a", "b"))
    assert not notes
    directions, layers = picture.axes[0], picture.axes[2]
    for line, rule in zip(directions.get_lines(), ABOUT.rules, strict=True):
        of = table[(table["rule"] == rule) & (table.period_tau == 20.0) & (table.layers == 1)]
        np.testing.assert_allclose(line.get_ydata(), [of[f"share_{d}"].median() for d in DIRECTIONS])
    assert [len(line.get_xdata()) for line in layers.get_lines()] == [5, 5, 5, 2]


def test_a_network_of_one_layer_is_as_before():
    task = rr.PeriodicTask(20)
    one, usual = Initialisation(10, layers=1), Initialisation(10)
    assert one == usual
    assert one.draw(task, 3, 1).mask is None
    assert replace(one, layers=2).plain is False
