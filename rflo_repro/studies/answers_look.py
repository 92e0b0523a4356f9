"""What both pictures of the answers share: colours, kinds of learning rates, and a sheet in points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.report.words import tau
from rflo_repro.stats.answers import Answer
from rflo_repro.studies.answers import Entry

# Points of the README's column, of which a hundred are drawn as an inch, and of its left margin
WIDTH, POINTS, LEFT = 830.0, 100.0, 10.0
INK, SOFT, FAINT = "#222222", "#5F5F5F", "#A6A6A6"
GREEN, OURS = "#D8EDDA", "#E9E9E9"
TINTS: dict[Answer, str] = {
    "yes": "#DDF0E4",
    "no": "#F8DEDA",
    "worse": "#FAEFCF",
    "open": "#E4E8F0",
    "no test": "#F1F1F1",
}


@dataclass(frozen=True)
class Kind:
    """How a kind of learning rates looks: its marker, colour and heading."""

    marker: str
    colour: str
    heading: str


PALE = "#A3A3A3"  # of the paper's rates, where they are another rule's
KINDS = {
    "printed": Kind("o", INK, "the paper's"),
    "tuned": Kind("s", "#1F5FBF", "tuned"),
    "clipped": Kind("D", "#E06C00", "clipped"),
    "batches": Kind("o", INK, "the paper's"),
}
BATCHES = "5,000 batches"
# The kinds that have a column of answers; of `batches` there are rows of their own, in the first
COLUMNS = ("printed", "tuned", "clipped")


def canvas(height: float, title: str) -> tuple[style.Picture, Axes]:
    """An empty picture of this height, and axes over all of it in points from the upper left corner."""
    picture = style.Picture(figsize=(WIDTH / POINTS, height / POINTS))
    FigureCanvasAgg(picture)
    sheet = picture.add_axes((0.0, 0.0, 1.0, 1.0), gid="sheet")
    sheet.set_xlim(0.0, WIDTH)
    sheet.set_ylim(height, 0.0)
    sheet.axis("off")
    write(sheet, LEFT, 20.0, title, size=15.0, weight="bold", gid="title")
    return picture, sheet


def write(axes: Axes, x: float, y: float, text: str, size: float = 11.5, colour: str = INK, **more: Any) -> None:
    """A text of this height in points, its middle at y; tau as a letter."""
    more = {"ha": "left", "va": "center_baseline", **more}
    axes.text(x, y, tau(text), fontsize=size * 72.0 / POINTS, color=colour, parse_math=False, **more)


def sign(axes: Axes, x: float, y: float, answer: Answer, size: float = 12.5, **more: Any) -> None:
    """An answer's sign in its colour."""
    write(axes, x, y, style.SIGNS[answer], size, style.ANSWERS[answer], **{"ha": "center", "weight": "bold", **more})


def numbers() -> dict[str, str]:
    """The numbers of the paper's claims, by key."""
    known = [claim for about in registry.figures().values() if about.computed for claim in about.experiment.claims]
    return {claim.key: str(i) for i, claim in enumerate((c for c in known if c.key and not c.ours), start=1)}


def mark(entry: Entry) -> str:
    """What the marks of an entry are called in the picture."""
    return "|".join(entry.key)


def part_name(entry: Entry) -> str:
    """The name of a part beside its claim's, such as `40 tau` or `over BPTT`."""
    name = entry.name.rpartition(", ")[2].removeprefix("to ")
    return name.replace("behind ", "over ").replace("as ", "over ")
