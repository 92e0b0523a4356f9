"""Draws what a step of credit assignment buys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from matplotlib.transforms import offset_copy

from rflo_repro.report import palette, style
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.measured import slopes
from rflo_repro.stats.statistics import interval, quartiles, where
from rflo_repro.studies.rules import field, task_specs, twelve
from rflo_repro.studies.rules.claims import rank_correlations
from rflo_repro.studies.rules.family import PERIODIC

COLUMN, ROW = 2.25, 2.6
# Room above the lines for the legend of panel d, and for the names in panel a, as factors
ROOM, FRONT = 8.0, 10.0
BESIDE = 1.6  # points between rules of one cost
# Horizons of nothing and of the whole trial, where the others are half a tau to ten tau
NOTHING, EVERYTHING = 0.25, 20.0
HORIZONS = {
    "local": "trace, symmetric",
    "rflo": "trace, random",
    "bptt": "K, symmetric",
    "random-feedback": "K, random",
}
LEAST_COST = 0.9
TICKS = (1, 2, 3, 10, 30, 100)
# The theory's powers of N and T in the error of a draw: noise of N T independent numbers; UORO's N, which Kronecker
# factors do not have
POWERS = {
    "uoro": {"n_rec": 0.5},
    "kf-rtrl": {"n_rec": 0.0},
    "node-perturbation": {"n_rec": 0.5, "n_steps": 0.5},
    "reward-hybrid": {"n_rec": 0.5, "n_steps": 0.5},
}


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Pictures, list[str]]:
    """Twelve rules by name, if panel a is asked for and the tables have any of them; as `appendix` panels a to d that
    the tables can fill, a row each; as `tasks` panel e; and a line on each panel that they cannot fill."""
    named = twelve.draw(tables["final"]) if "a" in panels else None
    appendix, notes = _appendix(tables, [panel for panel in panels if panel != "e"])
    pictures = {**({} if named is None else {"": named}), "appendix": appendix}
    if "e" in panels and len(tables["tasks"]):
        pictures["tasks"] = field.draw(tables["tasks"])
    elif "e" in panels:
        notes.append("panel e left out: the table has no networks that learn tasks of the field")
    return style.Pictures(pictures), notes


def _appendix(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    final, noise = tables["final"], tables["noise"]
    final = final.assign(title=task_specs.title(final)) if len(final) else final
    periodic = where(final, {"task": PERIODIC})
    left_out = {
        "a": "" if len(final) else "the table has no trained networks",
        "b": "" if periodic.cosine.notna().any() else "the table has no rule that trains W on the periodic task",
        "c": "" if periodic.base.isin(HORIZONS).any() else "the table has no rule with a horizon on the periodic task",
        "d": "" if len(noise) else "the table has no draws",
    }
    drawn = [panel for panel in panels if not left_out[panel]]
    notes = [f"panel {panel} left out: {left_out[panel]}" for panel in panels if left_out[panel]]
    numbers = {"a": final.title.nunique() if len(final) else 0, "b": periodic.title.nunique() if len(periodic) else 0}
    numbers |= {"c": numbers["b"], "d": 2}
    with style.style():
        widest = max([numbers[panel] for panel in drawn], default=1)
        picture = style.new_picture(max(4.0, 0.4 + COLUMN * widest), 1.0 + ROW * max(1, len(drawn)))
        rows = picture.subfigures(max(1, len(drawn)), 1, squeeze=False)[:, 0]
        for row, panel in zip(rows, drawn, strict=False):
            axes = row.subplots(1, numbers[panel], squeeze=False)[0]
            if panel == "d":
                _draws(axes, noise)
            else:
                one = {"a": _costs, "b": _cosines, "c": _horizons}[panel]
                shown = (final if panel == "a" else periodic).groupby("title", sort=False)
                for ax, (title, part) in zip(axes, shown, strict=False):
                    one(ax, part)
                    ax.set_title(str(title))
                    style.loss_axis(ax, part.final_loss)
                    if panel == "a":
                        ax.set_ylim(top=FRONT * ax.get_ylim()[1])
                for ax in axes[1:]:
                    ax.set_ylabel("")
            style.letter(axes[0], panel)
        if drawn:
            _legend(picture, final, noise)
    return picture, notes


def _legend(picture: style.Picture, final: pd.DataFrame, noise: pd.DataFrame) -> None:
    """A colour for each rule, and a shape for what it is made with."""
    names = list(dict.fromkeys([*final.base, *noise.rule]))
    axes = picture.axes[0]
    known = [
        axes.plot([], [], "o", color=palette.colour(name), markersize=4, label=palette.name(name))[0] for name in names
    ]
    if (final.optimizer == "rmsprop").any():
        known += axes.plot([], [], "o", color="black", fillstyle="none", markersize=4, label="with RMSprop")
    picture.legend(handles=known, loc="outside lower center", ncols=6)


def _points(axes: Axes, frame: pd.DataFrame, x: str, beside: float = 0.0) -> pd.DataFrame:
    """A dot for each rule: median and quartiles of its final loss against the median of x; returns the medians.

    beside: by how many points those at one x lie apart.
    """
    found = []
    place = frame.groupby("rule")[x].median()
    for rule, rows in frame.groupby("rule", sort=False):
        at = float(place[rule])
        same = list(place.index[place == at])
        shift = beside * (same.index(rule) - (len(same) - 1) / 2)
        figure = cast(Figure, axes.figure)
        moved = offset_copy(axes.transData, figure, shift, units="points") if shift else axes.transData
        low, middle, high = style.drawable(quartiles(rows.final_loss.to_numpy()))
        base, hollow = rows.base.iloc[0], rows.optimizer.iloc[0] != "sgd"
        colour, shape = palette.colour(base), "X" if base == "own" else "o"
        axes.plot([at, at], [low, high], color=colour, linewidth=0.8, alpha=0.5, transform=moved)
        axes.plot(
            at, middle, shape, color=colour, markersize=4, fillstyle="none" if hollow else "full", transform=moved
        )
        found.append({"rule": rule, "base": base, "x": at, "loss": middle, "draws": rows.draws.iloc[0]})
    return pd.DataFrame(found)


def _costs(axes: Axes, frame: pd.DataFrame) -> None:
    """Panel a: cost against loss, draws of one rule joined, the Pareto front in grey."""
    found = _points(axes, frame, "cost", BESIDE).sort_values(["x", "loss"])
    for base, rows in found.groupby("base", sort=False):
        if rows.draws.nunique() > 1:
            axes.plot(rows.x, rows.loss, color=palette.colour(str(base)), linewidth=0.8)
    front = found[found.loss == found.loss.cummin()].drop_duplicates("x")
    axes.plot([*front.x, 1e3 * front.x.max()], [*front.loss, front.loss.min()], color="#999999", zorder=0,
              linewidth=1.0, drawstyle="steps-post")  # fmt: skip
    named = "\n".join(["on the front:", *(palette.name(str(rule)) for rule in front.rule)])
    axes.text(0.98, 0.99, named, fontsize=6, ha="right", va="top", transform=axes.transAxes)
    axes.set_xscale("log")
    axes.set_xlim(LEAST_COST, 1.6 * found.x.max())
    axes.set_xticks(ticks := [cost for cost in TICKS if cost < 1.6 * found.x.max()], [f"{cost}" for cost in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("cost  (forward pass = 1)")


def _cosines(axes: Axes, frame: pd.DataFrame) -> None:
    """Panel b: cosine against loss."""
    frame = frame[frame.cosine.notna()]
    _points(axes, frame, "cosine")
    axes.set_xlabel("mean cosine to −gradient, W")
    found = rank_correlations(frame)
    if len(found):
        seen = interval(found)
        axes.text(0.98, 0.98, f"rank correlation {seen.estimate:.2f}\n[{seen.low:.2f}, {seen.high:.2f}]", fontsize=7,
                  ha="right", va="top", transform=axes.transAxes)  # fmt: skip


def _horizons(axes: Axes, frame: pd.DataFrame) -> None:
    """Panel c: horizon against loss, a line each for traces and truncation by either feedback."""
    plain = where(frame, {"optimizer": "sgd"})
    immediate = where(plain, {"rule": "snap-0"})
    for base, label in HORIZONS.items():
        rows = where(plain, {"base": base})
        if HORIZONS[base].endswith("symmetric"):
            rows = pd.concat([immediate, rows])
        if len(rows):
            at = rows.horizon_tau.replace({0.0: NOTHING, np.inf: EVERYTHING})
            dashes = {"linestyle": "--"} if label.startswith("K") else {}
            rows, colour = rows.assign(at=at), palette.colour(base)
            style.band(axes, rows, "at", "final_loss", colour, label, marker="o", markersize=3, **dashes)
    alone = where(plain, {"rule": "readout-only"})
    if len(alone):
        axes.axhline(quartiles(alone.final_loss.to_numpy())[1], color=palette.colour("readout-only"), linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xticks([NOTHING, 0.5, 1, 2.5, 5, 10, EVERYTHING], ["0", "½", "1", "2.5", "5", "10", "∞"])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("horizon  θ or K  (τ)")
    axes.legend(fontsize=6)


def _draws(axes: Sequence[Axes], frame: pd.DataFrame) -> None:
    """Panel d: error of a draw against N and against T, with fitted exponents and those of the theory dashed."""
    for ax, (x, name) in zip(axes, {"n_rec": "number of units N", "n_steps": "timesteps T"}.items(), strict=False):
        for rule in dict.fromkeys(frame.rule):
            rows = _along(where(frame, {"rule": rule}), x)
            found = slopes(rows, x, "relative_error", log_x=True, log_y=True)
            slope = f", power {np.median(found):.2f}" if len(found) else ""
            style.band(ax, rows, x, "relative_error", palette.colour(rule), f"{palette.name(rule)}{slope}", marker="o",
                       markersize=3)  # fmt: skip
            theory = POWERS.get(str(rule), {}).get(x)
            if theory is not None:
                at = np.array([rows[x].min(), rows[x].max()], dtype=float)
                first = quartiles(rows[rows[x] == at[0]].relative_error.to_numpy())[1]
                ax.plot(at, first * (at / at[0]) ** theory, ":", color=palette.colour(rule), linewidth=1.0)
        ax.set_xscale("log")
        ax.set_xticks(sizes := sorted(_along(frame, x)[x].unique()), [f"{size:g}" for size in sizes])
        ax.xaxis.set_minor_locator(NullLocator())
        quarters = [
            quartiles(rows.to_numpy()) for _, rows in frame.groupby(["rule", "n_rec", "n_steps"]).relative_error
        ]
        style.log_decades(ax, min(low for low, _, _ in quarters) / 1.5, ROOM * max(high for _, _, high in quarters))
        ax.set_xlabel(name)
        ax.set_ylabel("error of one draw, relative")
        ax.legend(fontsize=6, loc="upper left")


def _along(frame: pd.DataFrame, x: str) -> pd.DataFrame:
    """The rows that differ in x alone: at the other size that has the most of them."""
    other = "n_steps" if x == "n_rec" else "n_rec"
    return frame[frame[other] == frame.groupby(other)[x].nunique().idxmax()]
