"""Draws the cost of a timestep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rflo_repro.report import palette, style
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import where
from rflo_repro.studies.cost.claims import EXPONENTS, LARGEST, exponents


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """Cost of a timestep against N, on logarithmic axes, with the fitted exponents."""
    frame = tables["cost"]
    with style.style():
        picture = style.new_picture(4.6, 3.6)
        axes = picture.subplots()
        for rule, power in EXPONENTS.items():
            part = where(frame, {"rule": rule})
            k, _ = exponents(part)
            axes.plot(part.n_rec, part.us_per_step, "o", color=palette.colour(rule), markersize=4)
            large = part.sort_values("n_rec").tail(LARGEST)
            middle = np.exp(np.log(large.us_per_step).mean()), np.exp(np.log(large.n_rec).mean())
            at = np.array([large.n_rec.min(), large.n_rec.max()])
            axes.plot(
                at,
                middle[0] * (at / middle[1]) ** k,
                color=palette.colour(rule),
                label=f"{palette.name(rule)}  $N^{{{k:.1f}}}$  (paper: $N^{power}$)",
            )
        axes.set_xscale("log")
        style.log_decades(axes, 10 ** np.floor(np.log10(frame.us_per_step.min())), None)
        axes.set_xlabel("number of units N")
        axes.set_ylabel("time of a timestep  (µs)")
        axes.legend(loc="lower right")
    return picture, []
