"""`rflo-repro tune FIGURE`: the paper's own procedure, a grid search over the learning rate for each condition.

The rate with the smallest median final loss over networks is chosen, the smaller one of a tie; a network that diverged
counts as above all others. The networks are not those of the figures: they come from another root seed.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from rich.console import Console

from rflo_repro.paper.rates import TUNED, condition_key, tuned_rates
from rflo_repro.report import style
from rflo_repro.runs import road
from rflo_repro.runs.claims import Tables
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.learning_curves import final_loss, summary
from rflo_repro.runs.realisation import Condition, Results
from rflo_repro.runs.request import Refused, Request, Selection
from rflo_repro.runs.statistics import quartiles
from rflo_repro.runs.store import replacing
from rflo_repro.runs.tables import Column, Schema

# Methods: "[1e-4, 3e-4, 1e-3, ..., 3e-1]"
GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
SEED_OF_TUNING = 1  # added to the figure's root seed
N_NETWORKS = 9  # a figure's `tuning` may change this and other choices, to keep a search within an hour
COLUMNS = (
    Column("figure", "text", "", "the figure command whose conditions are tuned"),
    Column("condition", "text", "", "what tells the condition from others of the figure"),
    Column("eta", "number", "", "learning rate"),
    Column("network", "integer", "", "index of the random initial network, from 0; not the figure's networks"),
    Column("final_loss", "number", "", "median loss L of the last 1% of trials; empty after a divergence"),
    Column("chosen", "flag", "", "whether this is the rate chosen for the condition"),
)


def experiment(figure: About) -> Experiment[Any]:
    """A figure's grid search. Raises Refused if the figure has no learning rate to tune."""
    about = About(
        home=f"tune_{figure.name}",
        command=f"tune {figure.command}",
        title=f"Grid search over the learning rates of {figure.command}.",
        help="",
        place=figure.place,
        choices=figure.choices,
        panels={"a": "median final loss by condition and rate"},
    )
    tuning = dict(figure.tuning)
    most = tuning.pop("n_networks", N_NETWORKS)
    scales = {
        scale: dataclasses.replace(
            chosen,
            **{**tuning, "seed": chosen.seed + SEED_OF_TUNING, "n_networks": min(most, chosen.n_networks)},
        )
        for scale, chosen in figure.experiment.scales.items()
    }

    def conditions(choices: Any, selection: Selection) -> list[Condition]:
        """Each condition of the figure that has a learning rate, at each rate of the grid."""
        columns = zip(*(figure.experiment.conditions(choices, Selection(eta=eta)) for eta in GRID), strict=True)
        found = [_at(c) for at in columns if at[0].values.get("rates") == "given" for c in at]
        if not found:
            raise Refused(None, f"{figure.command} has no learning rate to tune")
        return found

    def tabulate(choices: Any, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
        rows = []
        losses = [[final_loss(arrays) for arrays in sessions] for sessions in results]
        for first in range(0, len(found), len(GRID)):
            winner = best(losses[first : first + len(GRID)])
            rows += [
                {
                    "figure": figure.command,
                    "condition": found[first].values["condition"],
                    "eta": GRID[i],
                    "network": network,
                    "final_loss": loss,
                    "chosen": i == winner,
                }
                for i in range(len(GRID))
                for network, loss in enumerate(losses[first + i])
            ]
        return {"search": pd.DataFrame(rows)}

    schema = Schema(about.name, "one network trained at one rate", COLUMNS, ("condition",))
    return Experiment(
        about, draw, scales, {"search": schema}, conditions, tabulate, summary, keep=functools.partial(keep, figure)
    )


def _at(condition: Condition) -> Condition:
    """A condition at one rate, named by what it is at any."""
    key = condition_key(condition.values)
    return dataclasses.replace(
        condition, label=f"{key} eta={condition.values['eta']:g}", values={**condition.values, "condition": key}
    )


def best(losses: Sequence[Sequence[float]]) -> int:
    """The index of the rate with the smallest median final loss; the first, smaller one of a tie."""
    return int(np.argmin([quartiles(of_rate)[1] for of_rate in losses]))


def tune(figure: About, request: Request, console: Console) -> None:
    """Search, write the table and the heat map, and at paper scale the chosen rates (package data).

    Raises Refused, before anything is touched, for a request that cannot be met.
    """
    road.run(experiment(figure), request, console)


def keep(figure: About, found: Tables) -> Path:
    """Put the chosen rates into the package's data, in place of those that the figure had."""
    path, table = Path(str(TUNED)), found["search"]
    rates: dict[str, float] = dict(table[table.chosen][["condition", "eta"]].itertuples(index=False))
    others = {key: eta for key, eta in tuned_rates().items() if key[0] != figure.name}
    together = {**others, **{(figure.name, condition): eta for condition, eta in rates.items()}}
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["figure", "condition", "eta"])
    out.writerows([name, condition, f"{eta:g}"] for (name, condition), eta in sorted(together.items()))
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
    tuned_rates.cache_clear()
    return path


def draw(tables: Tables, panels: Sequence[str]) -> tuple[style.Picture, list[str]]:
    """The grid search as a heat map: median final loss by condition and rate, the chosen rate framed."""
    frame = tables["search"]
    median = (
        frame.groupby(["condition", "eta"], sort=False)["final_loss"]
        .agg(lambda v: quartiles(v.to_numpy())[1])
        .unstack("eta")
    )
    marks = frame[frame.chosen].drop_duplicates("condition").set_index("condition").eta
    with style.style():
        figure = style.new_figure(6.6, 1.1 + 0.26 * len(median))
        axes = figure.subplots()
        values = np.where(np.isfinite(median.to_numpy()), median.to_numpy(), np.nan)
        low = 10 ** np.floor(np.log10(np.nanmin(values)))
        colours = mpl.colormaps["viridis_r"].with_extremes(bad="#DDDDDD")
        image = axes.imshow(values, aspect="auto", cmap=colours, norm=LogNorm(low, 1.0))
        axes.set_xticks(range(len(median.columns)), [f"{eta:g}" for eta in median.columns])
        axes.set_yticks(range(len(median)), [name.replace("rule=", "").replace("_", " ") for name in median.index])
        axes.tick_params(length=0)
        axes.set_xlabel("learning rate η")
        for row, condition in enumerate(median.index):
            column = list(median.columns).index(marks[condition])
            axes.plot(column, row, marker="o", markersize=5, color="white", markeredgecolor="black")
        figure.colorbar(image, ax=axes, label="median final loss", pad=0.02)
    return figure, []
