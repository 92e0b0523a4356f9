"""Draws Figure 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from rflo_repro.report import palette, style
from rflo_repro.report.schematic import INK, arrow, canvas

ERROR = palette.colour("red")
HEAD = 8.0
INPUTS = [(0.0, 1.1), (0.0, 0.0), (0.0, -1.1)]
CENTRE, RADIUS = (4.0, 0.0), 1.75
OUTPUTS = [(8.0, 0.65), (8.0, -0.65)]


def draw(tables: Mapping[str, pd.DataFrame], panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The schematic; it needs no tables."""
    with style.style():
        picture = style.new_picture(7.2, 3.5)
        axes = picture.subplots()
        canvas(axes, (-0.9, 10.2), (-3.1, 2.6))
        _network(axes)
    return picture, []


def _network(axes: Axes) -> None:
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False) + 0.2
    units = [(CENTRE[0] + 1.25 * np.cos(a), CENTRE[1] + 1.25 * np.sin(a)) for a in angles]
    axes.add_patch(Circle(CENTRE, RADIUS, facecolor="#F3F3F3", edgecolor=INK, linewidth=1))
    for i, start in enumerate(units):
        for step, bend in ((2, 0.25), (5, -0.2)):
            arrow(axes, start, units[(i + step) % len(units)], "#8A8A8A", bend, 0.8, shrink=5, head=HEAD)
    for x, y in INPUTS:
        for unit in sorted(units)[:3]:
            arrow(axes, (x, y), unit, INK, 0.0, 0.8, shrink=6, head=HEAD)
    for output in OUTPUTS:
        for unit in sorted(units)[-3:]:
            arrow(axes, unit, output, INK, 0.0, 0.8, shrink=6, head=HEAD)
        arrow(axes, output, (9.15, output[1]), ERROR, 0.0, 1.2, shrink=6, head=HEAD)
    for places, colour in ((INPUTS, "white"), (units, "white"), (OUTPUTS, "white")):
        for place in places:
            axes.add_patch(Circle(place, 0.17, facecolor=colour, edgecolor=INK, linewidth=1.2, zorder=3))
    # the error's way back: from beside the outputs, below the network, to its units
    arrow(axes, (9.45, -0.5), (CENTRE[0] + 0.7, -RADIUS + 0.05), ERROR, -0.5, 1.6, shrink=2, head=HEAD)
    text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 10}
    axes.text(0.0, 1.85, "inputs  $x(t)$", **text)
    axes.text(CENTRE[0], 2.2, "recurrent units  $h(t)$", **text)
    axes.text(8.0, 1.45, "outputs  $y(t)$", **text)
    axes.text(1.25, -1.55, r"$W^{\mathrm{in}}$", **text)
    axes.text(CENTRE[0], 0.0, "$W$", bbox={"facecolor": "#F3F3F3", "edgecolor": "none", "pad": 1.5}, **text)
    axes.text(6.75, 1.15, r"$W^{\mathrm{out}}$", **text)
    axes.text(9.55, 0.0, "error\n$\\varepsilon = y^{*} - y$", color=ERROR, **text)
    axes.text(7.3, -2.65, "fixed random feedback  $B$", color=ERROR, **text)
    rule = r"$\Delta W_{ab} = \eta\,[B\varepsilon(t)]_a\; p_{ab}(t)$"
    axes.text(1.9, -2.65, rule + "    eligibility trace $p$", fontsize=10, ha="center", va="center")
