"""Lines compared: what their panels show."""

import pandas as pd
import pytest

from rflo_repro.report import comparison, style
from rflo_repro.report.comparison import Line
from rflo_repro.stats.answers import clopper_pearson

LINES = (Line({"rule": "rflo"}, "RFLO", "green"), Line({"rule": "bptt"}, "BPTT", "black"))


def table(learned, n):
    """Final losses of n networks of each rule and period, of which some learned."""
    rows = [
        (rule, period, network, 0.1, "learned" if network < k else "plateau")
        for (rule, period), k in learned.items()
        for network in range(n)
    ]
    return pd.DataFrame(rows, columns=["rule", "period_tau", "network", "final_loss", "outcome"])


def curves():
    rules = ["rflo", "rflo", "bptt", "bptt"]
    return pd.DataFrame({"rule": rules, "period_tau": 20.0, "trial": [1, 10, 1, 10], "loss": 0.3})


FINAL = table({("rflo", 20.0): 3, ("rflo", 80.0): 1, ("bptt", 20.0): 4, ("bptt", 80.0): 2}, 4)


@pytest.mark.parametrize(("larger", "n"), [(None, 4), (table({("rflo", 20.0): 5, ("rflo", 80.0): 2}, 10), 10)])
def test_how_many_learned_is_shown_of_the_larger_sample_where_there_is_one(larger, n):
    picture = comparison.draw(curves(), FINAL, LINES, ("c",), sample=larger)
    (axes,) = picture.axes
    seen = {line.get_label(): list(line.get_ydata()) for line in axes.lines if not line.get_label().startswith("_")}
    shares = {"RFLO": [3 / 4, 1 / 4], "BPTT": [4 / 4, 2 / 4]} if larger is None else {"RFLO": [5 / 10, 2 / 10]}
    assert seen == shares
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(shares)
    ends = [tuple(segment[:, 1]) for lines in axes.collections for segment in lines.get_segments()]
    assert ends == [pytest.approx(clopper_pearson(round(share * n), n)) for of in shares.values() for share in of]


def test_all_panels_stand_beside_each_other():
    with style.style():
        picture = comparison.draw(curves(), FINAL, LINES, ("a", "b", "c"))
    assert [axes.get_title("left") for axes in picture.axes] == ["a", "b", "c"]
    assert [axes.get_legend() is not None for axes in picture.axes] == [True, False, False]
