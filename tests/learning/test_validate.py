"""What comes in is checked once: each error names the argument, the value on one line, and what is allowed."""

import math
from fractions import Fraction

import numpy as np
import pytest

from rflo_repro.learning import validate
from rflo_repro.learning.network import Network


class Rude:
    """An object that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.5, "3.5"),
        ("a\nb", r"'a\nb'"),
        (np.eye(2), "array([[1., 0.], [0., 1.]])"),
        pytest.param(10**5000, "an object of type int", id="huge"),
        (Rude(), "an object of type Rude"),
    ],
)
def test_a_value_is_shown_on_one_line(value, text):
    assert validate.short_repr(value) == text


def test_a_long_value_is_cut():
    assert validate.short_repr("x" * 1000) == "'" + "x" * 199 + "..."


@pytest.mark.parametrize("value", [1, 4, np.int8(2), np.uint64(3)])
def test_whole_numbers(value):
    found = validate.integer("size", value, 1, 4)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize(
    "value",
    [
        0,
        5,
        2.0,
        True,
        np.bool_(True),
        "2",
        None,
        math.nan,
        np.array(2),
        np.timedelta64(2, "s"),
        pytest.param(10**5000, id="huge"),
    ],
)
def test_what_is_no_whole_number_in_the_range(value):
    with pytest.raises(ValueError, match=r"^size must be a whole number from 1 to 4, got "):
        validate.integer("size", value, 1, 4)


@pytest.mark.parametrize("value", [1, 2.5, np.float32(3), np.int8(2), Fraction(5, 2), np.longdouble(2)])
def test_numbers(value):
    found = validate.real("length", value, 1.0, 4.0)
    assert found == float(value)
    assert type(found) is float


@pytest.mark.parametrize(
    "value",
    [0.5, 4.5, True, "2", None, math.nan, math.inf, -math.inf, 2j, np.array(2.0), np.ones(3), 10**400, -(10**400)],
)
def test_what_is_no_number_in_the_range(value):
    with pytest.raises(ValueError, match=r"^length must be a finite number from 1 to 4, got "):
        validate.real("length", value, 1.0, 4.0)


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ((), "a finite number,"),
        ((0.5,), "a finite number of at least 0.5,"),
        ((0.5, 2.0), "a finite number from 0.5 to 2,"),
    ],
)
def test_what_is_allowed_is_said(limits, allowed):
    with pytest.raises(ValueError, match=f"^length must be {allowed} got nan$"):
        validate.real("length", math.nan, *limits)


@pytest.mark.parametrize("value", ["c", "", None, 3, ["a"], np.array("a"), np.array(["a", "b"]), b"a"])
def test_what_is_none_of_the_words(value):
    assert validate.one_of("kind", np.str_("a"), ("a", "b")) == "a"
    with pytest.raises(ValueError, match=r"^kind must be one of a, b, got "):
        validate.one_of("kind", value, ("a", "b"))


def test_what_is_of_another_class():
    assert validate.instance("place", Fraction(3), Fraction) == 3
    with pytest.raises(ValueError, match=r"^place must be a Fraction, got 'x'$"):
        validate.instance("place", "x", Fraction)


def masked(*shape):
    values = np.ma.array(np.ones(shape), mask=np.zeros(shape, dtype=bool))
    values[(0,) * len(shape)] = np.ma.masked
    return values


@pytest.mark.parametrize(
    "value",
    [masked(2, 2), [masked(2), masked(2)], (np.zeros(2), masked(2)), [[1.0, 2.0], [np.ma.masked, 3.0]]],
    ids=["array", "list", "tuple", "constant"],
)
def test_masked_entries_are_refused_by_name(value):
    with pytest.raises(ValueError, match="weights must have no masked entries"):
        validate.array("weights", value, (2, 2))


def test_an_array_with_nothing_masked_is_an_array():
    np.testing.assert_array_equal(validate.array("weights", np.ma.array([[1.0, 2.0]]), (1, 2)), [[1.0, 2.0]])


@pytest.mark.parametrize("h0", [masked(1)[0], masked(3), [masked(1)[0], 1.0, 2.0]])
def test_a_masked_initial_state_is_refused_by_name(h0):
    with pytest.raises(ValueError, match="h0 must have no masked entries"):
        Network.random(3, 0, 1, np.random.default_rng(0), h0=h0)


@pytest.mark.parametrize("mask", [np.ma.array(np.ones((3, 3), dtype=bool), mask=np.eye(3)), [[True], [True, False]]])
def test_a_mask_of_synapses_that_is_none_is_refused_by_name(mask):
    with pytest.raises(ValueError, match=r"^mask must "):
        Network.random(3, 0, 1, np.random.default_rng(0), mask=mask)
