"""Parts of a schematic: a canvas without axes, and arrows."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

INK = "#222222"
Point = tuple[float, float]


def canvas(axes: Axes, x: Point, y: Point) -> None:
    """An empty plane of these limits, in which a circle is round."""
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_xlim(*x)
    axes.set_ylim(*y)


def arrow(
    axes: Axes,
    start: Point,
    end: Point,
    colour: str = INK,
    bend: float = 0.0,
    width: float = 1.0,
    shrink: float = 1.0,
    head: float = 7.0,
) -> None:
    """An arrow, `bend` to the side, that keeps `shrink` points away from what it joins."""
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=head, color=colour, linewidth=width,
            connectionstyle=f"arc3,rad={bend}", shrinkA=shrink, shrinkB=shrink,
        )
    )  # fmt: skip
