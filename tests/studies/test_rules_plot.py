"""The pictures of the family of rules: twelve by name, and all in the appendix."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation, Text

from rflo_repro.learning.rules import RULES
from rflo_repro.runs import tables
from rflo_repro.stats.statistics import interval
from rflo_repro.studies.rules import twelve
from rflo_repro.studies.rules.experiment import EXPERIMENT, SCHEMAS
from rflo_repro.studies.rules.family import FAMILY

RESULTS = Path(__file__).parents[2] / "results"


@functools.cache
def committed():
    return tables.read(RESULTS, SCHEMAS["final"])[0]


@functools.cache
def shown():
    picture = twelve.draw(committed())
    picture.draw_without_rendering()
    return picture


def names(picture):
    return [text for text in picture.axes[0].texts if isinstance(text, Annotation)]


def points(picture):
    return [line for line in picture.axes[0].lines if len(line.get_xdata()) == 1]


def test_the_twelve_are_the_rows_of_the_table_of_rules_that_are_trained_as_they_stand():
    plain = {member.name for member in FAMILY if not member.base}
    assert {*twelve.PAPERS, *twelve.OTHERS} == plain - {"snap-1-random"}
    assert plain <= set(RULES)
    assert len({**twelve.PAPERS, **twelve.OTHERS}) == 12


def test_each_of_the_twelve_has_a_mark_at_its_median_and_a_name_of_its_own():
    texts = names(shown())
    assert {text.get_text() for text in texts} == {*twelve.PAPERS.values(), *twelve.OTHERS.values()}
    marks = points(shown())
    assert len(marks) == len(texts) == 12
    rows = committed()[(committed().task == "periodic") & (committed().period_tau == 20)]
    names_of = {said: rule for rule, said in {**twelve.PAPERS, **twelve.OTHERS}.items()}
    for text, mark in zip(texts, marks, strict=True):
        rule = names_of[text.get_text()]
        of = rows[rows.rule == rule]
        assert mark.get_ydata()[0] == pytest.approx(interval(of.final_loss.fillna(np.inf)).estimate)
        assert mark.get_xdata()[0] == pytest.approx(of.cost.iloc[0], rel=0.02)
        assert mark.get_fillstyle() == ("full" if rule in twelve.PAPERS else "none")
        assert text.get_fontweight() == ("bold" if rule in twelve.PAPERS else "normal")
    colours = [mark.get_color() for mark in marks if mark.get_fillstyle() == "full"]
    assert len(set(colours)) == len(twelve.PAPERS)
    (axes,) = shown().axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert "multiply-adds" in axes.get_xlabel()
    assert "final loss" in axes.get_ylabel()


def test_no_name_lies_on_another_or_on_a_mark_or_outside():
    picture = shown()
    (axes,) = picture.axes
    # without the line to the mark
    boxes = [Text.get_window_extent(text) for text in names(picture)]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1
        assert axes.bbox.y0 <= box.y0 < box.y1 <= axes.bbox.y1
        for mark in points(picture):
            (at,) = mark.get_transform().transform(mark.get_xydata())
            assert not box.padded(5.0).contains(*at)


def test_things_are_spread_no_farther_than_they_must():
    assert twelve.spread([0.0, 1.0], [0.5, 0.5]) == [0.0, 1.0]
    np.testing.assert_allclose(twelve.spread([0.0, 0.1], [0.5, 0.5]), [-0.2, 0.3])
    found = twelve.spread([0.0, 0.0, 0.1, 3.0], [1.0, 0.5, 0.5, 0.2])
    assert (np.diff(found) >= np.array([0.75, 0.5, 0.35]) - 1e-6).all()


def test_the_twelve_are_drawn_with_panel_a_and_everything_in_the_appendix():
    parts = {part: tables.read(RESULTS, schema)[0] for part, schema in SCHEMAS.items()}
    found, notes = EXPERIMENT.draw(parts, tuple("abcd"))
    assert (list(found), notes) == (["", "appendix"], [])
    letters = [axes.get_title("left") for axes in found["appendix"].axes]
    assert [letter for letter in letters if letter] == list("abcd")
    assert list(EXPERIMENT.draw(parts, ("b",))[0]) == ["appendix"]
    none = {**parts, "final": parts["final"].iloc[:0]}
    assert list(EXPERIMENT.draw(none, ("a", "d"))[0]) == ["appendix"]


def test_tasks_of_the_field_have_a_picture_of_their_own():
    table = tables.read(RESULTS, SCHEMAS["tasks"])[0]
    parts = {"final": committed().iloc[:0], "noise": pd.DataFrame(columns=["rule"]), "tasks": table}
    axes = EXPERIMENT.draw(parts, ("e",))[0]["tasks"].axes
    for column, row in (("metric", axes[:3]), ("final_loss", axes[3:])):
        for ax, (_, of_task) in zip(row, table.groupby("field_task", sort=False), strict=True):
            shown = np.concatenate([line.get_xdata() for line in ax.get_lines() if len(line.get_xdata()) == 27])
            wanted = np.minimum(of_task[column], 3.0 * of_task.first_loss.max() if column == "final_loss" else np.inf)
            np.testing.assert_array_equal(np.sort(shown), np.sort(wanted))


def test_rules_of_the_users_own_are_named_too_and_one_that_diverged_is_at_the_top():
    rows = committed()[committed().rule == "rflo"]
    own = rows.assign(rule="mine", base="own", final_loss=np.nan, rates="given")
    picture = twelve.draw(pd.concat([rows, own]))
    assert [text.get_text() for text in names(picture)] == ["RFLO", "mine"]
    assert points(picture)[1].get_ydata() == [1.0]
    assert "of the table" in picture.legends[0].get_title().get_text()
    assert twelve.draw(rows.assign(rule="rflo-theta-2")) is None
