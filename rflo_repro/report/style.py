"""One look for all figures: colours, type, axes, and how a picture is saved."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox, offset_copy

from rflo_repro.learning.files import replacing

if TYPE_CHECKING:
    import pandas as pd

# Of answers, told apart by their words and signs too
ANSWERS = {
    "yes": "#00795A",
    "no": "#B3392F",
    "worse": "#9A6A00",
    "better": "#2E7FB8",
    "open": "#4A5A78",
    "no test": "#6E6E6E",
}
SIGNS = {"yes": "✓", "no": "✗", "worse": "↓", "open": "?", "no test": "–"}
# Of an answer on another scale than the paper's
GREY = "#6E6E6E"
LOSS = "loss  (½ mean squared error)"
PERIODS = LinearSegmentedColormap.from_list("periods", ["#7FD4B6", "#009E73", "#00553E", "#001F17"])

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,
    "svg.hashsalt": "rflo-repro",
    "path.simplify": True,
    "axes.unicode_minus": True,
}
FILL = 0.18
FAR = 1e6
FAR_DECADES = 6
# Of ticks that say factors, the coarsest first
MANTISSAS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.2, 2.0, 5.0))
DPI = 200
DECIMALS = 9  # of a position
# Of what stands below a picture: its size in points; in inches what is free around it, a line, the widest character
FOOTER_SIZE = 7
MARGIN, FOOTER_LINE, FOOTER_CHARACTER = 0.06, 0.125, 0.085


def label(text: str) -> str:
    """A text in a legend, which leaves out what begins with an underscore."""
    return f"\u200b{text}" if text.startswith("_") else text


@contextmanager
def style() -> Iterator[None]:
    """Everything drawn inside has the suite's look, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)  # type: ignore[arg-type]
        yield


class Layout(ConstrainedLayoutEngine):
    """A constrained layout that is the same each time: its solver adds in an order that hangs on memory addresses, and
    the last bit of a position can move a title by a pixel."""

    def execute(self, fig: Figure) -> None:
        super().execute(fig)
        for axes in fig.axes:
            corners = axes.get_position(original=True).get_points()
            axes.set_position(Bbox(corners.round(DECIMALS)))
            axes.set_in_layout(True)  # set_position takes axes out of the layout


class Picture(Figure):
    """A figure that knows how it is saved."""

    def footer(self, text: str) -> None:
        """Say this below all else, in small grey type; the figure grows by as much."""
        width, height = self.get_size_inches()
        lines = textwrap.wrap(text, int((width - 2 * MARGIN) / FOOTER_CHARACTER), break_on_hyphens=False)
        strip = MARGIN + len(lines) * FOOTER_LINE
        self.set_size_inches(width, height + strip)
        rest = (0.0, strip / (height + strip), 1.0, height / (height + strip))
        cast(ConstrainedLayoutEngine, self.get_layout_engine()).set(rect=rest)
        for legend in self.legends:
            legend.set_bbox_to_anchor(rest)
        at = MARGIN / width, MARGIN / (height + strip)
        self.text(
            *at, "\n".join(lines), fontsize=FOOTER_SIZE, color=GREY, va="bottom", parse_math=False, linespacing=1.2
        )

    def save(self, stem: Path) -> list[Path]:
        """Write `<stem>.png` (200 dpi) and `<stem>.pdf` (real text, no date), each by one rename. Raises OSError."""
        stem.parent.mkdir(parents=True, exist_ok=True)
        paths = [stem.parent / f"{stem.name}.png", stem.parent / f"{stem.name}.pdf"]
        metadata: Sequence[dict[str, Any]] = (
            {"Software": None},
            {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
        )
        for path, facts in zip(paths, metadata, strict=True):
            with style(), replacing(path) as temporary:
                self.savefig(temporary, format=path.suffix[1:], dpi=DPI, metadata=facts)
        return paths


class Pictures(dict[str, Picture]):
    """Several pictures of one experiment, by what the name of each adds to the experiment's; nothing for its first."""

    def footer(self, text: str) -> None:
        """Say this below all else of each, in small grey type."""
        for picture in self.values():
            picture.footer(text)

    def save(self, stem: Path) -> list[Path]:
        """Write each as `<stem>_<name>`, or as `<stem>`. Raises OSError."""
        return [
            path
            for name, picture in self.items()
            for path in picture.save(stem.with_name(f"{stem.name}_{name}" if name else stem.name))
        ]


def new_picture(width: float, height: float) -> Picture:
    """An empty figure of this size in inches, laid out without overlaps."""
    picture = Picture(figsize=(width, height), layout=Layout(w_pad=0.06, h_pad=0.06))
    FigureCanvasAgg(picture)
    return picture


def letter(axes: Axes, text: str) -> None:
    """A panel's letter, above its upper left corner."""
    axes.set_title(text, loc="left", fontweight="bold", fontsize=12, x=-0.14)


def answer_legend(picture: Picture) -> None:
    """What the colours of answers mean, below the picture."""
    handles = [picture.axes[0].plot([], [], "o", color=c, markersize=5, label=name)[0] for name, c in ANSWERS.items()]
    across = max(2, int(picture.get_figwidth() / 1.5))
    picture.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), across), fontsize=8)


def log_decades(axes: Axes, low: float, high: float | None) -> None:
    """A logarithmic y axis with a label a decade, wide enough for these values."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10, numticks=12))
    axes.yaxis.set_minor_locator(LogLocator(base=10, subs=tuple(range(2, 10)), numticks=12))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(low, high)


def loss_axis(axes: Axes, losses: pd.Series[float], top: float = 1.0) -> None:
    """A y axis for losses, in whole decades down from `top`, at least one; the lowest half percent may lie lower."""
    seen = losses[np.isfinite(losses) & (losses > 0) & (losses < top)]
    log_decades(axes, 10 ** float(np.floor(np.log10(seen.quantile(0.005)))) if len(seen) else top / 10.0, top)
    axes.set_ylabel(LOSS)


def loss_top(losses: pd.Series[float]) -> float:
    """The decade above all but the highest half percent of losses of any target: at least 1, and not where they
    explode."""
    seen = losses[np.isfinite(losses)]
    return 10.0 ** float(np.ceil(np.log10(np.clip(seen.quantile(0.995), 1.0, FAR)))) if len(seen) else 1.0


def factor(exponent: float) -> str:
    """A power of ten as a factor: `×10`, `÷3`, `1`."""
    size = f"{float(f'{10.0 ** abs(exponent):.2g}'):,g}"
    return "1" if size == "1" else f"{'×' if exponent > 0.0 else '÷'}{size}"


def factor_axis(axis: Axis, least: int = 3, most: int = 7) -> None:
    """Ticks of an axis of logarithms to base 10 that say factors: of the coarsest of MANTISSAS that has at least so
    many, if any has; of whole decades every second, third and so on where there are more than `most`."""
    low, high = sorted(axis.get_view_interval())
    for mantissas in MANTISSAS:
        sizes = [decade + np.log10(mantissa) for decade in range(FAR_DECADES) for mantissa in mantissas]
        both = sorted({float(sign * size) for size in sizes for sign in (-1.0, 1.0)})
        found = [at for at in both if low <= at <= high]
        if len(found) >= least:
            break
    ticks, step = found, 1
    while len(ticks) > most:
        step += 1
        ticks = [at for at in found if at % step == 0.0]
    axis.set_ticks(ticks, [factor(at) for at in ticks])


def trial_axis(axes: Axes, n_trials: int) -> None:
    """A logarithmic x axis of training trials."""
    axes.set_xscale("log")
    axes.set_xlim(1, n_trials)
    axes.set_xlabel("trial")


def period_axis(axes: Axes, periods_tau: Sequence[float]) -> None:
    """A logarithmic x axis with a tick at each of these periods, in tau."""
    axes.set_xscale("log")
    axes.set_xticks(periods_tau, [f"{p:g}" for p in periods_tau])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("period  (τ)")


def drawable(values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The values, those far off the axes at no more than a million, with which matplotlib does not overflow."""
    near: np.ndarray[Any, np.dtype[np.float64]] = np.clip(np.asarray(values, dtype=float), -FAR, FAR)
    return near


def band(axes: Axes, frame: pd.DataFrame, x: str, y: str, colour: Any, label: str = "", **line: Any) -> None:
    """Median over networks against x, with the band from the 25th to the 75th percentile.

    frame: one row a network and x. A missing value (a network that diverged) counts as above all others; a part of
    the band that lies there is cut off at the top of the axes.
    """
    from rflo_repro.stats.statistics import quartiles

    groups = list(frame.groupby(x, sort=True))
    at = np.array([value for value, _ in groups], dtype=float)
    low, middle, high = drawable([quartiles(group[y].to_numpy()) for _, group in groups]).T
    axes.fill_between(at, low, high, color=colour, alpha=FILL, linewidth=0)
    axes.plot(at, middle, color=colour, label=label, **line)


def networks(
    axes: Axes, frame: pd.DataFrame, x: str, y: str, colour: Any, shift: float = 0.0, top: float = np.inf
) -> None:
    """A dot a network where a median stands for them, `shift` points to the right of x; one above `top`, or missing, is
    a triangle there."""
    beside = offset_copy(axes.transData, cast(Figure, axes.figure), shift, units="points")
    at, values = frame[x].to_numpy(float), drawable(frame[y].fillna(np.inf))
    for marker, shown in (("o", values <= top), ("^", values > top)):
        if shown.any():
            axes.plot(
                at[shown], np.minimum(values[shown], top), marker, color=colour, markersize=2.5, alpha=0.45,
                markeredgewidth=0, transform=beside, clip_on=marker == "o", zorder=1.5,
            )  # fmt: skip


def medians(axes: Axes, values: Mapping[Any, Any], colour: Any, shift: float = 0.0, **line: Any) -> None:
    """The median of networks and its 95% interval as a thin line, by position on the x axis, `shift` points aside."""
    from rflo_repro.stats.statistics import interval

    beside = offset_copy(axes.transData, cast(Figure, axes.figure), shift, units="points")
    found = [interval(np.asarray(of, dtype=float)) for of in values.values()]
    low, middle, high = drawable([(f.low, f.estimate, f.high) for f in found]).T
    axes.vlines([*values], low, high, color=colour, linewidth=0.9, transform=beside)
    axes.plot([*values], middle, "_", color=colour, markersize=4, transform=beside, **line)
