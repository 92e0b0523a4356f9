"""Interval matching: pulses where the paper puts them, and delays within bounds."""

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


@pytest.mark.parametrize("channels", [1, 2])
def test_the_height_is_that_of_the_inputs_alone(channels):
    plain, high = (rr.IntervalMatchingTask(**SMALL, channels=channels, input_height=a) for a in (1.0, 2.0))
    for one, other, factor in zip(plain.with_delay(55), high.with_delay(55), (2.0, 1.0), strict=True):
        np.testing.assert_array_equal(factor * one, other)


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
        ("pulse_sd", math.inf),
        ("pulse_sd", True),
        ("input_height", 0.0),
        ("input_height", -1.0),
        *(
            (field, value)
            for field in ("longest", "shortest", "channels", "pulse_sd", "first", "tail", "input_height")
            for value in (None, "9", np.ones(2), np.array(9), [9], 9j, np.bool_(True), math.nan)
        ),
        *((field, 30.0) for field in ("longest", "shortest", "channels", "first", "tail")),
    ],
)
def test_a_wrong_value_is_named(field, value):
    with pytest.raises(ValueError, match=f"^{field} must be"):
        rr.IntervalMatchingTask(**{**SMALL, field: value})


def test_numbers_of_numpy_are_numbers():
    task = rr.IntervalMatchingTask(
        np.int64(60), np.int8(20), np.uint8(1), np.float32(6), np.int16(25), np.int32(30), 1, np.int8(2)
    )
    assert task == rr.IntervalMatchingTask(60, 20, 1, 6.0, 25, 30, 1.0, 2)
    assert [type(value) for value in vars(task).values()] == [int, int, int, float, int, int, float, int]


def test_a_pulse_too_narrow_for_a_timestep_is_one_timestep_high():
    pulse = rr.IntervalMatchingTask(**{**SMALL, "pulse_sd": 1e-300}).pulse(30)
    assert np.flatnonzero(pulse).tolist() == [29]


@pytest.mark.parametrize("delay", [-1, 61, 2.5, True, None, "3", np.ones(2), math.nan])
def test_a_delay_that_does_not_fit_the_trial(delay):
    with pytest.raises(ValueError, match=r"^delay must be a whole number from 0 to 60, got "):
        rr.IntervalMatchingTask(**SMALL).with_delay(delay)


@pytest.mark.parametrize("rng", [None, 0, np.random.RandomState(0), np.ones(2)])
def test_a_generator_that_is_none(rng):
    with pytest.raises(ValueError, match=r"^rng must be a numpy\.random\.Generator"):
        rr.IntervalMatchingTask(**SMALL).trial(rng)


def test_the_first_pulse_at_a_random_time():
    task = rr.IntervalMatchingTask(**SMALL, first_spread=30)
    plain = rr.IntervalMatchingTask(**SMALL)
    assert task.n_steps == plain.n_steps + 30
    rng = np.random.default_rng(0)
    firsts, delays = set(), set()
    for _ in range(500):
        inputs, targets = task.trial(rng)
        first, second, third = inputs[:, 0].argmax() + 1, inputs[:, 1].argmax() + 1, targets[:, 0].argmax() + 1
        assert second - first == third - second
        firsts.add(first - task.first)
        delays.add(second - first)
    assert firsts == set(range(31))
    assert delays == set(range(task.shortest, task.longest + 1))
    # the delays are drawn first, and without a spread nothing else is
    one, other = np.random.default_rng(1), np.random.default_rng(1)
    plain.trial(one)
    other.integers(plain.shortest, plain.longest + 1)
    assert one.bit_generator.state == other.bit_generator.state
    for bad in (-1, 31, 0.5):
        with pytest.raises(ValueError, match="later"):
            task.with_delay(50, bad)
