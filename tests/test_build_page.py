"""docs/build.md: its code runs as it stands, and what it says of its results is so."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")

PAGE = Path(__file__).parents[1] / "docs" / "build.md"


def test_the_page_does_what_it_says(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 8
    names: dict = {}
    for text in blocks:
        exec(compile(text, PAGE.name, "exec"), names)
    assert "phi='softplus'" in capsys.readouterr().out
    final = names["final"].groupby("rule").median()
    assert final["bptt"] < final["rflo"] < 0.03
    assert [trial for trial, _ in names["history"].snapshots] == [1, 10, 100, 150]
    for picture in ("build.png", "switches.png"):
        assert Path(picture).exists()
        assert (PAGE.parent / picture).exists()
    # five networks and their median by either rule; twenty noisy trials by either rule and the target
    assert [len(names[axes].lines) for axes in ("left", "right")] == [2 * 6, 2 * 20 + 1]
    assert [axes.get_title() for axes in names["panels"].flat] == [*names["switches"]]
    assert all(len(axes.lines) == 2 for axes in names["panels"].flat)
    # every switch learns: an output of zero has 0.33
    assert max(names["ends"].values()) < 0.3
    # the loss of an output of zero: half of one, in 20 steps of 65 on average
    losses = [20 / (2 * (10 + delay + 20)) for delay in range(20, 51)]
    assert sum(losses) / len(losses) == pytest.approx(0.16, abs=0.01)
