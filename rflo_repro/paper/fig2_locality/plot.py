"""Draws the locality figure from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from rflo_repro.paper.fig2_locality import FIGURE
from rflo_repro.report import comparison, style

LINES = [comparison.Line({"rule": rule}, style.NAMES[rule], style.COLOURS[rule]) for rule in FIGURE.rules]


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[Figure, list[str]]:
    """The panels; whatever the tables hold, nothing is left out."""
    return comparison.draw(tables["curves"], tables["final"], LINES, panels), []
