"""What an experiment is: all that `runs.run` needs to know of a figure or a study to take a request to files.

Nothing numerical is imported here, nor by what an experiment says about itself (`About`), so that the command line's
help is instant; the experiment itself is imported when it is computed or drawn.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from rflo_repro.runs.choices import Choices
from rflo_repro.runs.request import Selection

if TYPE_CHECKING:
    import pandas as pd

    from rflo_repro.runs.job import Arrays, Condition, Results
    from rflo_repro.runs.tables import Schema
    from rflo_repro.stats.claims import Claim, Tables

C = TypeVar("C")


class Picture(Protocol):
    """What `draw` makes."""

    def save(self, stem: Path) -> list[Path]:
        """Write the picture's files beside each other and return their paths. Raises OSError."""

    def footer(self, text: str) -> None:
        """Say this below all else, in small grey type."""


Draw = Callable[["Tables", Sequence[str]], tuple[Picture, Sequence[str]]]
"""From tables (by part) and letters of panels to a picture, and a line on each panel that the tables cannot fill."""


@dataclass(frozen=True)
class About:
    """What an experiment says about itself: names and texts.

    home: the package it lives in (`__name__`), whose module `experiment` has the `EXPERIMENT`; of one that is derived
    from another or from a file, its name.
    command: its name on the command line.
    title: one line for tables of contents.
    help: what its command does, and how long it takes; the help has its panels and files too.
    order: the lower, the earlier it is listed.
    choices: what can be varied of it; a mere drawing has none.
    rules: the learning rules it runs. tasks: what they learn, where one can be chosen.
    panels: letter and meaning of each panel.
    legend: how to read its pictures, where their panels do not say it.
    selectors: which of `period`, `panel`, `rule`, `task` choose a part of it.
    rates: the kinds of learning rates it can be asked for, `printed`, `tuned` or both.
    variants: named variants in which it is computed as well: name and text of each choice that is made otherwise, as
    `--set` takes it.
    separate_figures: whether each kind of rates has a figure of its own.
    tuning: choices by which a search for its rates differs from those of other figures, to end within an hour.
    closest: figures of which it finds the variant closest to the paper's statements.
    sample: how many times its networks there are in the confirmation sample, on which its claims are answered; 0 if
    there is none. sameness: the conditions of which claims say that they are alike, by column and values: of those
    there are three times as many networks in it. sample_of: variants of which there is another number of networks.
    timed: whether it measures time: then it runs on one thread of this machine, and nothing stored counts.
    """

    home: str
    command: str
    title: str
    help: str
    order: int
    choices: type[Choices] | None = None
    rules: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    panels: Mapping[str, str] = field(default_factory=dict)
    legend: str = ""
    selectors: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    variants: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    separate_figures: bool = False
    tuning: Mapping[str, Any] = field(default_factory=dict)
    closest: tuple[str, ...] = ()
    sample: int = 0
    sameness: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    sample_of: Mapping[str, int] = field(default_factory=dict)
    timed: bool = False

    @property
    def name(self) -> str:
        """The folder it lives in, and stem of its tables and pictures."""
        return self.home.rpartition(".")[2]

    @property
    def computed(self) -> bool:
        """Whether it has conditions and tables, or is a drawing only."""
        return self.choices is not None

    @property
    def experiment(self) -> Experiment[Any]:
        """All of it, imported now."""
        found: Experiment[Any] = importlib.import_module(f"{self.home}.experiment").EXPERIMENT
        return found


@dataclass(frozen=True)
class Experiment(Generic[C]):
    """A figure or a study; C is the frozen dataclass of its choices (`runs.choices.Choices`, if they can be varied).

    draw: its picture, None if it has none.
    scales: the choices at each scale; `paper` is the one that is committed.
    schemas: its tables, by part. A condition belongs to those of whose naming columns it has a value.
    conditions: what is run, of a part of it. Raises RequestError if there is nothing, ValueError for choices
        that make none.
    tabulate: from choices, conditions, and arrays by condition and network, to the tables by part.
    summary: what a progress line says of a finished condition.
    claims: what its tables are judged by.
    save: what a run of the paper's values writes besides: from its tables to the file of rates.
    """

    about: About
    draw: Draw | None = None
    scales: Mapping[str, C] = field(default_factory=dict)
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    conditions: Callable[[C, Selection], Sequence[Condition]] = lambda choices, selection: ()
    tabulate: Callable[[C, Sequence[Condition], Results], Mapping[str, pd.DataFrame]] = lambda *_: {}
    summary: Callable[[Sequence[Arrays]], str] = lambda sessions: ""
    claims: Sequence[Claim] = ()
    save: Callable[[Tables], Path] | None = None

    @property
    def computed(self) -> bool:
        """Whether it has tables, or is a drawing only."""
        return bool(self.schemas)


def plot_of(about: About) -> Draw:
    """`draw` of an experiment's module `plot`, which is imported when it draws: matplotlib takes long to load."""

    def draw(tables: Tables, panels: Sequence[str]) -> tuple[Picture, Sequence[str]]:
        found: tuple[Picture, Sequence[str]] = importlib.import_module(f"{about.home}.plot").draw(tables, panels)
        return found

    return draw


def listed(package: ModuleType) -> dict[str, About]:
    """Every experiment that has a folder of its own in a package, by command, in their `order`."""
    found = [
        importlib.import_module(f"{package.__name__}.{folder.name}").ABOUT
        for folder in pkgutil.iter_modules(package.__path__)
        if folder.ispkg
    ]
    return {about.command: about for about in sorted(found, key=lambda about: about.order)}
