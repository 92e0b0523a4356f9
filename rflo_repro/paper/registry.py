"""Finds the figures: each folder beside this file is one, and says in its `__init__.py` what it offers.

Nothing numerical is imported until a figure is computed or drawn, so that the command line's help is instant.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import rflo_repro.paper

if TYPE_CHECKING:
    from rflo_repro.report.claims import Claim


@dataclass(frozen=True)
class Figure:
    """A figure command.

    command: its name on the command line; the folder's and the files' name is this with underscores.
    title: one line for tables of contents.
    help: the command's help: panels, what it writes, how long it takes.
    panels: letter and meaning of each panel.
    selectors: which of `period`, `panel`, `rule` choose a part of it.
    rules: the learning rules it runs.
    rates: the kinds of learning rates it is committed with, `printed`, `tuned` or both.
    apart: whether each kind of rates has a picture of its own.
    computed: whether it has an experiment and tables, or is a drawing only.
    place: where it comes among the figures.
    """

    command: str
    title: str
    help: str
    panels: dict[str, str]
    selectors: tuple[str, ...]
    rules: tuple[str, ...]
    rates: tuple[str, ...]
    place: int
    apart: bool = True
    computed: bool = True

    @property
    def name(self) -> str:
        """Folder under `rflo_repro/paper/`, and stem of the figure's tables and pictures."""
        return self.command.replace("-", "_")

    @property
    def experiment(self) -> ModuleType:
        """What is run: CHOICES, SCHEMAS, conditions, tabulate, summary."""
        return importlib.import_module(f"rflo_repro.paper.{self.name}.experiment")

    @property
    def plot(self) -> ModuleType:
        """What is seen: draw(tables, panels)."""
        return importlib.import_module(f"rflo_repro.paper.{self.name}.plot")

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What it means: the paper's statements, judged from the tables; a drawing makes none."""
        if not self.computed:
            return ()
        found: tuple[Claim, ...] = importlib.import_module(f"rflo_repro.paper.{self.name}.claims").CLAIMS
        return found


@functools.cache
def figures() -> dict[str, Figure]:
    """Every figure, by command, in the paper's order."""
    found = [
        importlib.import_module(f"rflo_repro.paper.{folder.name}").FIGURE
        for folder in pkgutil.iter_modules(rflo_repro.paper.__path__)
        if folder.ispkg
    ]
    return {figure.command: figure for figure in sorted(found, key=lambda f: f.place)}
