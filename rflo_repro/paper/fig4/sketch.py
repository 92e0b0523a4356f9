"""The schematic parts of Figure 4: the network with its inputs and outputs, and the loop around it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from rflo_repro.report.schematic import INK, Point, arrow, canvas

# one a direction, in the tasks' order
COLOURS = ("#E69F00", "#0072B2", "#CC79A7", "#56B4E9")
ARROWS = ("→", "↑", "←", "↓")
HEIGHTS = (1.2, 0.4, -0.4, -1.2)
CENTRE = (3.2, 0.0)
RADIUS = 1.35
HEIGHT = (-2.6, 2.4)


def task(axes: Axes) -> None:
    """Four tonic inputs, the network, and the cursor's velocity as its two outputs."""
    canvas(axes, (-0.9, 6.9), HEIGHT)
    _body(axes)
    _text(axes, (0.0, 1.9), "tonic inputs")
    for y, label in ((0.55, "$v_x$"), (-0.55, "$v_y$")):
        arrow(axes, (CENTRE[0] + RADIUS, 0.6 * y), (5.5, y))
        axes.add_patch(Circle((5.7, y), 0.2, facecolor="white", edgecolor=INK))
        _text(axes, (6.25, y), label)
    _text(axes, (5.7, 1.25), "cursor")


def loop(axes: Axes) -> None:
    """The readout Ws at a movement's end, the winner, and the input that it switches on."""
    canvas(axes, (-0.9, 8.3), HEIGHT)
    _body(axes)
    for y, colour in zip(HEIGHTS, COLOURS, strict=True):
        arrow(axes, (CENTRE[0] + RADIUS * 0.98, 0.45 * y), (6.3, y), "#8A8A8A", width=0.8)
        axes.add_patch(Circle((6.5, y), 0.2, facecolor="white", edgecolor=colour, linewidth=1.5))
    axes.add_patch(Circle((6.5, HEIGHTS[1]), 0.2, facecolor=COLOURS[1], edgecolor=COLOURS[1], linewidth=1.5))
    _text(axes, (5.35, 1.25), "$W^s$")
    _text(axes, (6.5, 1.9), "winner takes all,\nat a movement's end")
    back = [(6.75, HEIGHTS[1]), (7.4, HEIGHTS[1]), (7.4, -2.1), (-0.65, -2.1), (-0.65, HEIGHTS[1]), (-0.25, HEIGHTS[1])]
    axes.plot(*zip(*back[:-1], strict=True), color=COLOURS[1], linewidth=1.5, solid_joinstyle="round")
    arrow(axes, back[-2], back[-1], COLOURS[1], width=1.5)
    _text(axes, (3.4, -2.4), "switches on the next input", COLOURS[1])


def _body(axes: Axes) -> None:
    """Four inputs and the recurrent units."""
    for y, colour, sign in zip(HEIGHTS, COLOURS, ARROWS, strict=True):
        arrow(axes, (0.2, y), (CENTRE[0] - RADIUS * 0.98, 0.45 * y), "#8A8A8A", width=0.8)
        axes.add_patch(Circle((0.0, y), 0.24, facecolor=colour, edgecolor="none"))
        _text(axes, (0.0, y - 0.02), sign, "white")
    axes.add_patch(Circle(CENTRE, RADIUS, facecolor="#F3F3F3", edgecolor=INK, linewidth=1))
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False) + 0.3
    units = [(CENTRE[0] + 0.95 * np.cos(a), CENTRE[1] + 0.95 * np.sin(a)) for a in angles]
    for i, unit in enumerate(units):
        arrow(axes, unit, units[(i + 3) % len(units)], "#8A8A8A", bend=0.2, width=0.7, shrink=4)
        axes.add_patch(Circle(unit, 0.13, facecolor="white", edgecolor=INK, linewidth=1, zorder=3))


def _text(axes: Axes, at: Point, text: str, colour: str = INK) -> None:
    axes.text(*at, text, ha="center", va="center", color=colour, fontsize=8.5, zorder=4)
