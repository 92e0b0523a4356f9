"""Answers and numbers in plain words."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rflo_repro.report import words
from rflo_repro.stats.answers import Answered
from rflo_repro.stats.claims import Claim, Part
from rflo_repro.stats.measured import above

LOSS = Claim("c", "A claim.", "Figure 0", "log10(final loss A / final loss B)", "so", lambda tables: [])


def part(answer="yes", median=0.9, low=0.5, high=1.2, learned=(9, 18), share=(-0.1, -0.2, -0.02), **more):
    return Part("20 τ", Answered(answer, 90, median, low, high, learned, share), **{"test": above(), **more})


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-0.524, "−0.52"), (1234.5, "1.23e+03"), (150.0, "150"), (np.inf, "∞"), (-np.inf, "−∞"),
     (3.2e-11, "3.2e−11"), (0.0, "0"), (2e-5, "2e−5")],
)  # fmt: skip
def test_numbers(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("decades", "text"),
    [(0.0, "1.0"), (math.log10(7.65), "7.7"), (math.log10(0.86), "0.86"), (-1.0, "0.1"), (2.764, "580"),
     (57.2, "10^57"), (-9.0, "10^−9"), (math.inf, "∞"), (-math.inf, "0")],
)  # fmt: skip
def test_factors(decades, text):
    assert words.factor(decades) == text


PER_TEN = {"unit": "decades per decade of N"}
RISE = {"unit": "", "log": False}


@pytest.mark.parametrize(
    ("statistic", "median", "more", "said"),
    [
        (LOSS.statistic, 0.8848, {}, "7.7 times the loss"),
        (LOSS.statistic, -0.5, {}, "0.32 times the loss"),
        (LOSS.statistic, math.inf, {}, "∞ times the loss"),
        (LOSS.statistic, -0.65, PER_TEN, "÷4.5 per ten times N"),
        (LOSS.statistic, 0.65, PER_TEN, "×4.5 per ten times N"),
        (LOSS.statistic, -0.94, {"unit": "decades per unit of g"}, "÷8.7 per unit of g"),
        (LOSS.statistic, 1.5, {"unit": "exponent", "log": False}, "1.5 exponent"),
        ("log10(final loss / first loss)", -0.066, {}, "ends at 0.86 of the start"),
        ("log10(error A / error B), paired", 0.3, {"medians": (1.55, 0.2)}, "off by 1.55 τ against 0.20"),
        ("log10(error A / error B), paired", 0.3, {}, "2.0 times the error"),
        ("final alignment less", 0.75, RISE, "cosine +0.75"),
        ("slope of the alignment", -0.746, {**RISE, "unit": "per decade of the period"},
         "−0.75 for ten times the period"),
    ],
)  # fmt: skip
def test_effects_in_plain_units(statistic, median, more, said):
    assert words.effect(replace(LOSS, statistic=statistic), part(median=median, **more)) == said


def test_effects_with_their_intervals():
    assert words.effect(LOSS, part(median=math.nan)) == words.effect(LOSS, Part("20 τ")) == ""
    assert words.brief(LOSS, part()) == "7.9 (3.2 to 16)"
    assert words.brief(LOSS, part(median=-0.9, low=-1.2, high=0.1, **PER_TEN)) == "÷7.9 (÷16 to ×1.3) per ten times N"
    assert words.brief(LOSS, part(median=math.nan)) == words.interval(Part("20 τ")) == ""


def test_a_phrase_says_what_the_answer_rests_on():
    assert words.short(LOSS, part()) == "7.9 times the loss"
    assert words.short(LOSS, part(low=-0.1)) == "learned 9 and 18 of 90"
    assert words.short(LOSS, part("no test")) == "learned 9 and 18 of 90"
    assert words.short(LOSS, part("open", low=-0.1)) == "7.9 times the loss"
    assert words.short(LOSS, part(low=-0.1, learned=())) == "7.9 times the loss"
    assert words.short(LOSS, Part("20 τ", why="the table has no such rows")) == "the table has no such rows"
    assert words.short(LOSS, Part("20 τ")) == "nothing to compare"


def test_how_many_learned():
    assert words.learned(part(good="within 3 τ")) == "within 3 τ 9 and 18 of 90"
    assert words.count(part()) == "9, 18 of 90"
    assert words.learned(part(learned=())) == words.count(Part("20 τ")) == ""
    assert words.share(part()) == "−10 of 100 (−20 to −2)"
    assert words.share(part(share=(0.0, -0.001, 0.1))) == "0 of 100 (0 to +10)"


def test_an_answer_of_several_parts_names_those_that_have_it():
    of = (("20 tau", "yes"), ("40 tau", "yes"), ("80 tau", "no"), ("160 tau", "no test"))
    parts = [part(answer, name=name) for name, answer in of]
    assert words.answers(parts) == [("no", "80 τ"), ("yes", "20 and 40 τ"), ("no test", "160 τ")]
    assert words.answers(parts[:2]) == [("yes", "")]
    assert words.answers([]) == []
