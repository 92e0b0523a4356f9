"""Reaches and holds: one input a direction, velocity that leads one movement away, and a cursor within bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.tasks.reaching import DIRECTIONS, VECTORS


@pytest.mark.parametrize("profile", ["constant", "bell"])
def test_a_movement_is_one_long_and_a_hold_stays(profile):
    reaching = rr.Reaching(40, profile=profile)
    for direction, vector in enumerate(VECTORS):
        path = reaching.position(reaching.velocity([direction]))
        assert path.shape == (80, 2)
        np.testing.assert_allclose(path[39:], np.tile(vector, (41, 1)), atol=1e-12)
    assert reaching.speed.max() == pytest.approx(1.0, abs=2e-3)


def test_the_input_is_tonic_in_the_movement_and_off_in_the_hold():
    inputs = rr.Reaching(5).inputs(2)
    assert inputs.shape == (10, len(DIRECTIONS))
    assert (inputs[:5] == [0, 0, 1, 0]).all()
    assert not inputs[5:].any()


def test_what_is_allowed_keeps_the_cursor_within_bounds():
    reaching = rr.Reaching()
    assert reaching.allowed(np.zeros(2)).tolist() == [True, True, True, True]
    assert reaching.allowed(np.array([1.0, 0.0])).tolist() == [False, True, True, True]
    assert reaching.allowed(np.array([-1.0, -1.0])).tolist() == [True, True, False, False]


def test_single_movements_never_leave_the_square_and_take_every_direction():
    task, rng = rr.MovementTask(rr.Reaching(3)), np.random.default_rng(1)
    places, directions = set(), []
    at = np.zeros(2)
    for _ in range(400):
        inputs, targets = task.trial(rng)
        assert inputs.shape == (task.n_steps, 4) == (6, 4)
        direction = int(inputs[0].argmax())
        np.testing.assert_array_equal(targets, task.reaching.velocity([direction]))
        at = at + VECTORS[direction]
        np.testing.assert_array_equal(task.cursor, at)
        places.add(tuple(at.tolist()))
        directions.append(direction)
    assert places == {(float(x), float(y)) for x in (-1, 0, 1) for y in (-1, 0, 1)}
    assert set(directions) == {0, 1, 2, 3}


def test_the_whole_sequence_is_its_movements_one_after_the_other():
    task = rr.SequenceTask((0, 1, 2, 3), rr.Reaching(50))
    inputs, targets = task.trial(np.random.default_rng(0))
    assert inputs.shape == (400, 0)
    assert task.n_steps == len(targets) == 400
    ends = rr.Reaching(50).position(targets)[49::50]
    np.testing.assert_allclose(ends[::2], [[1, 0], [1, 1], [0, 1], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(ends[1::2], ends[::2], atol=1e-12)
    assert task.trial(np.random.default_rng(1))[1] is targets
    with pytest.raises(ValueError, match="read-only"):
        targets[0] = 1.0


def test_half_the_mean_square_of_the_paper_s_sequence():
    targets = rr.SequenceTask((0, 1, 2, 3)).trial(np.random.default_rng(0))[1]
    assert len(targets) == 1600
    assert 0.5 * np.mean(np.sum(targets**2, axis=1)) == 0.25


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_steps", 0), ("n_steps", 2.5), ("bound", 0.2), ("bound", math.nan), ("profile", "square")],
)
def test_a_wrong_value_is_named(field, value):
    with pytest.raises(ValueError, match=field):
        rr.Reaching(**{field: value})
