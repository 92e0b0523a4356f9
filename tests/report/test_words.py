"""Answers and numbers in plain words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rflo_repro.report import words
from rflo_repro.report.words import Named
from rflo_repro.stats.answers import Answered
from rflo_repro.stats.claims import Claim, Part

LOSS = Claim("c", "A claim.", "Figure 0", "log10(final loss A / final loss B)", "so", lambda tables: [])


def part(answer="yes", median=0.9, low=0.5, high=1.2, learned=(9, 18), share=(-0.1, -0.2, -0.02), **more):
    return Part("20 τ", Answered(answer, 90, median, low, high, learned, share), **more)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-0.524, "−0.52"), (1234.5, "1.23e+03"), (150.0, "150"), (np.inf, "∞"), (-np.inf, "−∞"),
     (3.2e-11, "3.2e−11"), (0.0, "0"), (2e-5, "2e−5")],
)  # fmt: skip
def test_numbers(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("decades", "text"),
    [(0.0, "1"), (math.log10(7.65), "7.7"), (math.log10(0.86), "0.86"), (-1.0, "1/10"), (math.inf, "over 10,000"),
     (-math.inf, "under 1/10,000"), (9.0, "over 10,000")],
)  # fmt: skip
def test_factors(decades, text):
    assert words.factor(decades) == text


def test_effects():
    assert words.effect(LOSS, part()) == "7.9 times the loss"
    assert words.effect(LOSS, part(median=-1.0)) == "1/10 of the loss"
    assert words.effect(LOSS, part(median=-1.0, unit="decades per decade of N")) == "1/10 of the loss per ten times N"
    assert words.effect(LOSS, part(median=math.nan)) == ""
    assert words.effect(LOSS, Part("20 τ")) == ""
    assert words.brief(LOSS, part()) == "7.9 (3.2 to 16)"


def test_a_phrase_says_what_the_answer_rests_on():
    by_losses, by_shares = part(), part(low=-0.1)
    assert words.short(LOSS, by_losses) == "7.9 times the loss"
    assert words.short(LOSS, by_shares) == "learned 9 and 18 of 90"
    assert words.short(LOSS, part("no test")) == "learned 9 and 18 of 90"
    assert words.short(LOSS, part(why="farther off by 1.3 (1.1, 1.6) τ")) == "farther off by 1.3 τ"
    assert words.short(LOSS, Part("20 τ", why="the table has no such rows")) == "the table has no such rows"


def test_how_many_learned():
    assert words.learned(part(learned="within 3 τ: 9 and 18 of 90 (p = 0.1)")) != ""
    assert words.share(part()) == "−10 of 100 (−20 to −2)"
    assert words.share(part(share=(0.0, -0.001, 0.1))) == "0 of 100 (0 to +10)"


def test_an_answer_of_several_parts_names_those_that_have_it():
    parts = [Named("20 τ", part()), Named("40 τ", part()), Named("80 τ", part("no")), Named("160 τ", part("no test"))]
    assert words.answers(parts) == [("no", "80 τ"), ("yes", "20 and 40 τ"), ("no test", "160 τ")]
    assert words.answers(parts[:2]) == [("yes", "")]
    assert words.answers([]) == []
