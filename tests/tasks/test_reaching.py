"""Reaches and holds: one input a direction, velocity that leads one movement away, and a cursor within bounds."""

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


def test_the_input_s_amplitude_and_its_staying_on_in_the_hold():
    inputs = rr.Reaching(5, amplitude=2.0, input_in_hold=True).inputs(1)
    assert (inputs == [0, 2, 0, 0]).all()
    assert len(inputs) == 10
    # neither is what is wanted of the output
    np.testing.assert_array_equal(
        rr.Reaching(5, amplitude=2.0, input_in_hold=True).velocity([1]), rr.Reaching(5).velocity([1])
    )


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
    [
        ("n_steps", 0),
        ("n_steps", 2.5),
        ("n_steps", 3.0),
        ("bound", 0.2),
        ("bound", math.inf),
        ("bound", "1"),
        ("profile", "square"),
        ("profile", b"bell"),
        ("profile", 3),
        ("input_in_hold", 1),
        ("input_in_hold", None),
        *(
            (field, value)
            for field in ("n_steps", "bound", "profile", "amplitude")
            for value in (None, True, math.nan, np.ones(2), np.array(["bell", "constant"]), ["bell"], 1j)
        ),
    ],
)
def test_a_wrong_value_is_named(field, value):
    with pytest.raises(ValueError, match=f"^{field} must be .*, got "):
        rr.Reaching(**{field: value})


def test_numbers_and_words_of_numpy_are_numbers_and_words():
    reaching = rr.Reaching(np.int16(3), np.float32(2), np.str_("bell"), 2, np.bool_(True))
    assert reaching == rr.Reaching(3, 2.0, "bell", 2.0, True)
    assert [type(value) for value in vars(reaching).values()] == [int, float, str, float, bool]


@pytest.mark.parametrize(
    "directions",
    [
        (), [], np.zeros(0, int), "0123", b"\0\1", None, 2, {0, 1}, iter([0]), np.array(1), np.zeros((1, 2), int),
        np.ones(2), (4,), (-1,), (True,), (1.0,), ("up",), (None,), ((0,),), [[0], [1, 2]], (np.ones(2),),
    ],
)  # fmt: skip
def test_directions_that_are_none(directions):
    with pytest.raises(ValueError, match=r"^directions must be .* from 0 to 3"):
        rr.SequenceTask(directions)
    with pytest.raises(ValueError, match=r"^directions must be .* from 0 to 3"):
        rr.Reaching(3).velocity(directions)


@pytest.mark.parametrize("directions", [[0, 3], range(0, 4, 3), np.array([0, 3]), (np.int8(0), np.uint64(3))])
def test_directions_in_any_ordered_kind(directions):
    task = rr.SequenceTask(directions)
    assert task.directions == (0, 3)
    assert {type(direction) for direction in task.directions} == {int}
    assert task == rr.SequenceTask((0, 3))
    assert hash(task) == hash(rr.SequenceTask((0, 3)))


@pytest.mark.parametrize("reaching", [None, 3, "constant", np.ones(2), rr.SequenceTask((0,)), rr.Reaching])
def test_movements_that_are_none(reaching):
    with pytest.raises(ValueError, match=r"^reaching must be a Reaching, got "):
        rr.SequenceTask((0,), reaching)
    with pytest.raises(ValueError, match=r"^reaching must be a Reaching, got "):
        rr.MovementTask(reaching)


@pytest.mark.parametrize(
    "cursor",
    [
        None,
        0,
        "ab",
        [0.0],
        np.zeros(3),
        np.zeros((1, 2)),
        [math.nan, 0.0],
        [math.inf, 0.0],
        [5.0, 0.0],
        [1e308, 0],
        [1j, 0],
    ],
)
def test_a_cursor_that_is_none(cursor):
    with pytest.raises(ValueError, match=r"^cursor must "):
        rr.MovementTask(cursor=cursor)


def test_a_square_without_a_movement_from_the_cursor():
    with pytest.raises(ValueError, match=r"^cursor must have a movement that keeps it within -0\.5\.\.0\.5, got array"):
        rr.MovementTask(rr.Reaching(3, bound=0.5))
    task, rng = rr.MovementTask(rr.Reaching(3, bound=0.5), np.array([-0.5, 0.0])), np.random.default_rng(0)
    for _ in range(10):
        task.trial(rng)
        assert np.abs(task.cursor).max() <= 0.5


def test_a_cursor_is_not_shared():
    given = np.zeros(2)
    task = rr.MovementTask(cursor=given)
    task.trial(np.random.default_rng(0))
    assert given.tolist() == [0.0, 0.0]
    assert task != rr.MovementTask()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda reaching: reaching.inputs(4), "direction"),
        (lambda reaching: reaching.inputs(-1), "direction"),
        (lambda reaching: reaching.inputs("up"), "direction"),
        (lambda reaching: reaching.allowed(np.zeros(3)), "cursor"),
        (lambda reaching: reaching.allowed(None), "cursor"),
        (lambda reaching: rr.MovementTask(reaching).trial(None), "rng"),
    ],
)
def test_what_movements_cannot_be_asked(call, named):
    with pytest.raises(ValueError, match=f"^{named} must "):
        call(rr.Reaching(3))
