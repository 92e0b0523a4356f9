"""A sweep's picture shows whatever the user's own tasks, rules and names make."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rflo_repro.report import palette, style
from rflo_repro.studies import sweeps


class File:
    """The part of a sweep file that its picture takes."""

    columns = ()

    def __init__(self, **plot):
        self.plot = plot


def drawn(rows, **plot):
    """Axes of a sweep's picture of rows, and what it says."""
    file = File(**plot)
    file.columns = [sweeps.AXES[axis].column for axis in ("period", "eta")]
    picture, notes = sweeps.draw(file, {"final": pd.DataFrame(rows)})
    return (picture.axes or [None])[0], notes


def rows(loss, names=("rflo",), **more):
    return [{"rule": name, "eta": eta, "final_loss": loss, **more} for name in names for eta in (0.1, 0.2)]


@pytest.mark.parametrize("loss", [446.0, 1.5, 0.003, 1e5])
def test_limits_come_from_the_data(loss):
    axes, _ = drawn(rows(loss), x="eta", y="final_loss")
    low, high = axes.get_ylim()
    assert low <= loss <= high


def test_what_explodes_does_not_stretch_the_axis_without_end():
    axes, _ = drawn([*rows(0.1), *rows(1e58), *rows(np.nan)], x="eta", y="final_loss")
    assert axes.get_ylim()[1] == style.FAR


NAMES = ["_mine", "__", "$x$ and y^$", r"\frac{", "<b>", "[red]", "|", "*", "שלום", "x" * 64]


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_name_is_text_in_the_legend(tmp_path):
    axes, _ = drawn(rows(0.1, NAMES), x="eta", y="final_loss", lines="rule")
    assert [text.get_text().lstrip("\u200b") for text in axes.get_legend().get_texts()] == NAMES
    assert all(path.stat().st_size for path in axes.figure.save(tmp_path / "names"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([*palette.COLOURS, "trace-2", "trace-8"]) | st.text(max_size=5), unique=True))
def test_colours_are_distinct_within_a_picture(names):
    assert len(set(palette.colours(names).values())) == len(names)


def test_more_than_ten_lines_are_distinct():
    made = [row for i in range(14) for row in rows(0.1, optimizer=f"o{i}")]
    axes, _ = drawn(made, x="eta", y="final_loss", lines="optimizer")
    assert len({handle.get_color() for handle in axes.get_legend().get_lines()}) == 14


def test_a_line_without_values_is_said_in_the_legend():
    made = [*rows(0.1, task="periodic", period_tau=2.0), *rows(446.0, task="own", period_tau=np.nan)]
    axes, notes = drawn(made, x="period_tau", y="final_loss", lines="task")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["task periodic", "task own: no period_tau"]
    assert (axes.get_ylim()[1], notes) == (1.0, [])


def test_a_picture_without_any_value_is_left_out_and_said():
    _, notes = drawn(rows(0.1, period_tau=np.nan), x="period_tau", y="final_loss")
    assert notes == ["picture left out: no period_tau in any condition"]


def test_a_metric_is_drawn_as_it_is():
    axes, _ = drawn([{**row, "final_metric": 0.9} for row in rows(1.0)], x="eta", y="final_metric")
    assert (axes.get_ylabel(), axes.get_yscale()) == ("metric", "linear")
