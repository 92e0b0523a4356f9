"""Trainings in pieces: the same bytes as in one, held and resumed, and curves in windows."""

import time
from dataclasses import replace

import numpy as np

from rflo_repro.explorer import trainings as module
from rflo_repro.explorer.knobs import PRESETS, Knobs
from rflo_repro.explorer.trainings import Trainings

KNOBS = Knobs(n_trials=1000, n_rec=10, length=5)


def test_pieces_give_the_bytes_of_one_training():
    trainings = Trainings(KNOBS)
    trainings.start()
    trainings.wait()
    assert trainings.finished
    assert not trainings.running
    for rule, _ in KNOBS.rules:
        whole = KNOBS.session(rule).train(lambda _: None)
        assert trainings.histories[rule].loss.tobytes() == whole.loss.tobytes()


def test_it_holds_and_goes_on(monkeypatch):
    monkeypatch.setattr(module, "PIECE_SECONDS", 1e-6)  # a trial a piece
    trainings = Trainings(replace(KNOBS, n_trials=100_000))
    assert not trainings.histories
    trainings.start()
    while len(trainings.histories) < 2:
        time.sleep(0.001)
    trainings.stop()
    trainings.wait()
    held = {rule: len(history.loss) for rule, history in trainings.histories.items()}
    assert not trainings.finished
    assert max(held.values()) - min(held.values()) <= 1  # side by side
    assert max(held.values()) < 100_000
    trainings.start()
    while min(len(history.loss) for history in trainings.histories.values()) == min(held.values()):
        time.sleep(0.001)
    trainings.stop()
    trainings.wait()
    whole = replace(trainings.sessions["rflo"], n_trials=len(trainings.histories["rflo"].loss)).train(lambda _: None)
    assert trainings.histories["rflo"].loss.tobytes() == whole.loss.tobytes()


def test_a_curve_has_the_median_of_each_window():
    trainings = Trainings(replace(PRESETS["Figure 3: delays to 15 τ"], n_trials=300, n_rec=10))
    assert len(trainings.curve("rflo").trial) == 0
    trainings.start()
    trainings.wait()
    loss, curve = trainings.histories["rflo"].loss, trainings.curve("rflo")
    assert curve.trial[-1] == 300
    assert set(np.diff(curve.trial, prepend=0) % 10) == {0.0}  # whole batches
    first = int(curve.trial[-2])
    assert curve.loss[-1] == np.median(loss[first:])
    assert np.array_equal(trainings.curve("rflo", 5).trial, curve.trial[5:])


def test_the_output_is_that_of_the_network_so_far():
    trainings = Trainings(KNOBS)
    trainings.start(learn=False)
    trainings.wait()
    assert not trainings.histories
    before = trainings.outputs["rflo"]
    assert before.shape == trainings.targets.shape
    trainings.start()
    trainings.wait()
    error = [np.mean((y - trainings.targets) ** 2) for y in (before, trainings.outputs["rflo"])]
    assert error[1] < error[0] / 2


def test_what_goes_wrong_is_said(monkeypatch):
    trainings = Trainings(KNOBS)
    monkeypatch.setattr(trainings, "_piece", lambda rule, n: 1 / 0)
    trainings.start()
    trainings.wait()
    assert trainings.error == "ZeroDivisionError: division by zero"
    assert trainings.finished


def test_a_training_that_diverges_ends_and_the_others_go_on():
    trainings = Trainings(replace(KNOBS, rules=(("rflo", 0.01), ("bptt", 1.0)), phi="identity", g=3.0, n_rec=100))
    trainings.start()
    trainings.wait()
    assert trainings.finished
    assert trainings.histories["bptt"].diverged
