"""A history as a file and as a picture."""

import matplotlib as mpl
import numpy as np
import pytest
from varied import Varied, same_history

import rflo_repro as rr

mpl.use("agg")


def history(n_trials=300, **options):
    net = rr.Network.random(6, 2, 1, np.random.default_rng(1), tau=np.linspace(2.0, 5.0, 6), bias=0.1)
    return rr.train(net, Varied(), "rflo", 0.02, n_trials, np.random.default_rng(5), **options)


def test_a_saved_history_comes_back_bit_for_bit(tmp_path):
    saved = history(snapshots=[10, 200], evaluate_every=100)
    saved.save(tmp_path / "history.npz")
    loaded = rr.History.load(tmp_path / "history.npz")
    same_history(saved, loaded)
    assert loaded.evaluated.tolist() == [100, 200, 300]
    assert loaded.evaluated_loss.tobytes() == saved.evaluated_loss.tobytes()
    assert loaded.metric.tobytes() == saved.metric.tobytes()
    assert loaded.network.tau.tobytes() == saved.network.tau.tobytes()
    with pytest.raises(ValueError, match="loaded from a file"):
        loaded.resume(10)


def test_a_file_that_is_no_history(tmp_path):
    history().network.save(tmp_path / "network.npz")
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("network.npz", "text.npz"):
        with pytest.raises(ValueError, match="no saved history"):
            rr.History.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        rr.History.load(tmp_path / "none.npz")


def test_what_it_draws():
    drawn = history()
    axes = drawn.plot(label="RFLO")
    (line,) = axes.get_lines()
    at, middle = line.get_data()
    assert at.tolist() == list(range(3, 301, 3))
    np.testing.assert_array_equal(middle, np.median(drawn.loss.reshape(100, 3), axis=1))
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("trial", "loss", "log")
    assert history(5).plot(axes) is axes
    assert len(axes.get_lines()) == 2
    mpl.pyplot.close("all")
