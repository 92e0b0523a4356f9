"""The tutorials: their code runs as it stands, and prints what they show."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

mpl.use("Agg")

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
PATHS = sorted(FOLDER.glob("*.ipynb"))


def text_of(cell):
    return "".join(line for output in cell["outputs"] for line in output.get("text", []))


@pytest.mark.parametrize(
    "path", [PATHS[0], *(pytest.param(path, marks=pytest.mark.long) for path in PATHS[1:])], ids=lambda path: path.stem
)
def test_a_tutorial_prints_what_it_shows(path, monkeypatch):
    """Numbers are the same on every machine, so that a text that was saved long ago is still what is printed."""
    monkeypatch.chdir(FOLDER)
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    names, drawn = {}, 0
    plt.close("all")  # other tests' pictures
    for cell in cells:
        printed = io.StringIO()
        with mpl.rc_context(), contextlib.redirect_stdout(printed):
            exec(compile("".join(cell["source"]), path.name, "exec"), names)
        assert printed.getvalue() == text_of(cell), "run `make tutorials`"
        assert len(plt.get_fignums()) == sum("image/png" in output.get("data", {}) for output in cell["outputs"])
        drawn += len(plt.get_fignums())
        plt.close("all")
    assert drawn >= 2
    assert any(text_of(cell) for cell in cells)
