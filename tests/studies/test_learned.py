"""The picture of how many networks learned shows the shares that the answers rest on."""

from pathlib import Path

import pandas as pd
import pytest

from rflo_repro.report.words import RATES
from rflo_repro.runs.sample import FIRST
from rflo_repro.studies import learned
from rflo_repro.studies.answers import Answers

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def entries():
    return Answers(RESULTS).entries(FIRST)


def test_shares_are_those_of_the_tables(entries):
    found = learned.shares(entries)
    assert set(found) == {(r, rule, p) for r in learned.KINDS for rule in learned.RULES for p in learned.PERIODS_TAU}
    folder = RESULTS / FIRST.folder
    frame = pd.concat(pd.read_csv(folder / f"fig2_locality{name}_final.csv") for name in ("", "_clipped"))
    frame["learned"] = frame.outcome == "learned"
    for (rates, rule, period), mine in frame.groupby(["rates", "rule", "period_tau"]):
        assert found[rates, rule, int(period)] == (mine.learned.sum(), len(mine))


def test_a_panel_a_kind_of_rates_and_a_line_a_rule(entries):
    drawn = learned.picture(entries)
    assert [axes.get_title() for axes in drawn.axes] == [RATES[kind] for kind in learned.KINDS]
    found = learned.shares(entries)
    for axes, rates in zip(drawn.axes, learned.KINDS, strict=True):
        lines = {line.get_label(): line for line in axes.get_lines() if line.get_label() in learned.RULES.values()}
        for rule, name in learned.RULES.items():
            seen = [k / n for k, n in (found[rates, rule, period] for period in learned.PERIODS_TAU)]
            assert list(lines[name].get_ydata()) == pytest.approx(seen)
            assert list(lines[name].get_xdata()) == list(learned.PERIODS_TAU)


def test_what_is_missing_is_left_out(entries, tmp_path):
    few = [entry for entry in entries if entry.rates == "tuned"]
    assert [axes.get_title() for axes in learned.picture(few).axes] == [RATES["tuned"]]
    assert learned.picture([]) is None
    assert learned.draw(Answers(tmp_path), tmp_path) == []


def test_it_is_drawn_from_the_tables_with_the_same_bytes(tmp_path):
    one, other = (learned.draw(Answers(RESULTS), tmp_path / name) for name in "ab")
    assert [path.name for path in one] == ["learned.png", "learned.pdf"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
