"""Runs of Figure 2 that several modules look at: at smoke scale, and at a paper scale small enough to be run."""

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rflo_repro.paper import registry
from rflo_repro.runs.experiment import About
from rflo_repro.runs.request import Request, Selection
from rflo_repro.runs.run import Outcome, run


@pytest.fixture(autouse=True)
def rates(tuned: None) -> None:
    """What uses these fixtures does not depend on the tuned rates of the day."""


@dataclass(frozen=True)
class Ran:
    """What a request made and said."""

    outcome: Outcome
    log: str


def compute(figure: About, selection: Selection | None = None, **request: Any) -> Ran:
    """Run a figure as its command would."""
    console = Console(file=io.StringIO(), width=200)
    asked = Request(selection=selection or Selection(), **{"scale": "smoke", "jobs": 1, **request})
    return Ran(run(figure.experiment, asked, console), console.file.getvalue())  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def ask() -> Callable[..., Ran]:
    """Runs a figure as its command would: at smoke scale on one thread unless said."""
    return compute


@pytest.fixture(scope="session")
def fig2() -> About:
    return registry.figures()["fig2"]


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, fig2: About) -> Path:
    """A folder in which Figure 2 was run at smoke scale: its tables in `results`, its pictures in `figures`."""
    folder = tmp_path_factory.mktemp("smoke")
    compute(fig2, results=folder / "results", figures=folder / "figures")
    return folder


@pytest.fixture
def own_smoke(smoke: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(smoke, tmp_path / "smoke"))


@pytest.fixture
def short_paper(fig2: About, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The paper's scale with few trials, so that a test can run it."""
    choices = replace(fig2.experiment.scales["paper"], n_trials=5, n_networks=2)
    monkeypatch.setitem(fig2.experiment.scales, "paper", choices)
    return choices
