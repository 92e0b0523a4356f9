"""Draws Figure 2, supplement 2, from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from rflo_repro.report import comparison, style

LINES = [
    comparison.Line({"rule": "rflo"}, "both", style.COLOURS["rflo"]),
    comparison.Line({"rule": "readout-only"}, "readout only, fed back", style.COLOURS["readout-only"]),
    comparison.Line({"rule": "recurrent-only"}, "recurrent only", style.COLOURS["recurrent-only"]),
]


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[Figure, list[str]]:
    """The panels; whatever the tables hold, nothing is left out."""
    return comparison.draw(tables["curves"], tables["final"], LINES, panels, ends_only=True), []
