"""Draws Figure 2, supplement 1, from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from rflo_repro.report import comparison, style

LINES = [
    comparison.Line({"dale": False}, "RFLO", style.COLOURS["rflo"]),
    comparison.Line({"dale": True}, "RFLO, Dale's law", style.COLOURS["dale"]),
]


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[Figure, list[str]]:
    """The panels; whatever the tables hold, nothing is left out."""
    return comparison.draw(tables["curves"], tables["final"], LINES, panels, ends_only=True), []
