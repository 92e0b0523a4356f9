"""Interval matching: pulses where the paper puts them, and delays within bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rflo_repro as rr

SMALL = {"longest": 60, "shortest": 20, "pulse_sd": 6.0, "first": 25, "tail": 30}


@given(delay=st.integers(20, 60), channels=st.integers(1, 2))
def test_the_target_trails_the_second_pulse_by_the_delay(delay, channels):
    inputs, targets = rr.IntervalMatchingTask(**SMALL, channels=channels).with_delay(delay)
    assert inputs.shape == (175, channels)
    assert targets.shape == (175, 1)
    # row k is time k+1
    assert np.argmax(inputs[: 25 + delay // 2, 0]) + 1 == 25
    second = inputs[25 + delay // 2 :, -1]
    assert np.argmax(second) + 1 + 25 + delay // 2 == 25 + delay
    assert np.argmax(targets[:, 0]) + 1 == 25 + 2 * delay


def test_pulses_are_gaussian_and_one_high():
    task = rr.IntervalMatchingTask(longest=150)
    pulse = task.pulse(200)
    assert len(pulse) == task.n_steps == 450
    assert pulse[199] == 1.0
    for away in (15, 30, 45):
        assert pulse[199 + away] == pytest.approx(math.exp(-0.5 * (away / 15) ** 2), rel=1e-14)
        assert pulse[199 - away] == pulse[199 + away]


def test_one_channel_carries_both_pulses_and_two_one_each():
    one = rr.IntervalMatchingTask(**SMALL, channels=1).with_delay(40)[0]
    two = rr.IntervalMatchingTask(**SMALL, channels=2).with_delay(40)[0]
    np.testing.assert_allclose(two.sum(axis=1), one[:, 0], rtol=1e-14)
    assert two[24].tolist() == [1.0, pytest.approx(two[64, 0])]


def test_delays_are_drawn_from_the_whole_range_and_no_further():
    task, rng = rr.IntervalMatchingTask(**SMALL), np.random.default_rng(0)
    drawn = {(int(np.argmax(task.trial(rng)[1])) + 1 - 25) // 2 for _ in range(1500)}
    assert drawn == set(range(20, 61))


def test_the_generator_decides_the_trial():
    task = rr.IntervalMatchingTask(**SMALL)
    first, second = (task.trial(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("longest", 10),
        ("longest", 60.5),
        ("shortest", 0),
        ("channels", 0),
        ("channels", 3),
        ("pulse_sd", 0.0),
        ("pulse_sd", math.nan),
        ("first", 0),
        ("tail", -1),
    ],
)
def test_a_wrong_value_is_named(field, value):
    with pytest.raises(ValueError, match=field):
        rr.IntervalMatchingTask(**{**SMALL, field: value})
