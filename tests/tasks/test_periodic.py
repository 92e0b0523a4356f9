"""The periodic task is the target of the paper's Methods."""

import math

import numpy as np
import pytest

import rflo_repro as rr


def test_the_target():
    """A sum of three sines, whose mean square over a period is 0.65625."""
    inputs, targets = rr.PeriodicTask(period=200).trial(np.random.default_rng(0))
    assert inputs.shape == (200, 0)
    assert targets.shape == (200, 1)
    for t in (1, 17, 50, 200):
        phase = 2 * math.pi * t / 200
        expected = math.sin(phase) + 0.5 * math.sin(2 * phase) + 0.25 * math.sin(4 * phase)
        assert targets[t - 1, 0] == pytest.approx(expected, abs=1e-13)
    assert np.mean(targets**2) == pytest.approx(0.65625, rel=1e-12)


def test_trials_are_the_same_read_only_arrays():
    task = rr.PeriodicTask(period=8)
    first, second = task.trial(np.random.default_rng(0)), task.trial(np.random.default_rng(1))
    assert first[0] is second[0]
    assert first[1] is second[1]
    with pytest.raises(ValueError, match="read-only"):
        first[1][0] = 1.0


@pytest.mark.parametrize("period", [0, -1, 2.5, 200.0, "200", None, True, math.nan, np.array(3), np.ones(2), 3 + 0j])
def test_periods_that_are_none(period):
    with pytest.raises(ValueError, match="period"):
        rr.PeriodicTask(period=period)


def test_tasks_of_the_package_are_tasks():
    task = rr.PeriodicTask(period=np.int64(3))
    assert isinstance(task, rr.Task)
    assert not isinstance(object(), rr.Task)
    assert task == rr.PeriodicTask(period=3)
