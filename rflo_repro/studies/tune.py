"""`rflo-repro tune FIGURE`: the paper's own procedure, a grid search over the learning rate for each condition.

The rate with the smallest median final loss over networks is chosen, the smaller one of a tie; a network that diverged
counts as above all others. The networks are not those of the figures: they come from another root seed.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from rich.console import Console

from rflo_repro.paper.rates import TUNED, condition_key, tuned_rates
from rflo_repro.report import style
from rflo_repro.runs import provenance, road
from rflo_repro.runs.experiment import About
from rflo_repro.runs.learning_curves import final_loss, quartiles
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.realisation import Arrays, Condition, describe
from rflo_repro.runs.request import Refused, Selection
from rflo_repro.runs.store import FOLDER, Store, replacing
from rflo_repro.runs.sweep import sweep
from rflo_repro.runs.tables import Column, Schema, write

# Methods: "[1e-4, 3e-4, 1e-3, ..., 3e-1]"
GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
SEED_OF_TUNING = 1  # added to the figure's root seed
N_NETWORKS = 9  # an experiment's TUNING may change this and other choices, to keep a search within an hour
COLUMNS = (
    Column("figure", "text", "", "the figure command whose conditions are tuned"),
    Column("condition", "text", "", "what tells the condition from others of the figure"),
    Column("eta", "number", "", "learning rate"),
    Column("network", "integer", "", "index of the random initial network, from 0; not the figure's networks"),
    Column("final_loss", "number", "", "median loss L of the last 1% of trials; empty after a divergence"),
    Column("chosen", "flag", "", "whether this is the rate chosen for the condition"),
)


def schema(figure: About) -> Schema:
    """The table of a figure's grid search."""
    return Schema(f"tune_{figure.name}", "one network trained at one rate", COLUMNS, ("condition",))


@dataclasses.dataclass(frozen=True)
class Search:
    """A condition of the figure, and the same condition at each rate of the grid."""

    key: str
    at: tuple[Condition, ...]


def searches(figure: About, choices: Any) -> list[Search]:
    """What is tuned: each condition of the figure that has a learning rate. Raises Refused if none has."""
    columns = zip(*(figure.experiment.conditions(choices, Selection(eta=eta)) for eta in GRID), strict=True)
    found = [Search(condition_key(at[0].values), tuple(at)) for at in columns if at[0].values["rates"] == "given"]
    if not found:
        raise Refused(None, f"{figure.command} has no learning rate to tune")
    return found


def best(losses: Sequence[Sequence[float]]) -> int:
    """The index of the rate with the smallest median final loss; the first, smaller one of a tie."""
    return int(np.argmin([quartiles(of_rate)[1] for of_rate in losses]))


def tune(
    figure: About,
    scale: str,
    networks: int | None,
    jobs: int | None,
    results: Path,
    figures: Path,
    console: Console,
    scheduler: str | None = None,
) -> None:
    """Search, write the table and the heat map, and at paper scale the chosen rates (package data).

    Raises Refused, before anything is touched, if the directories cannot be written.
    """
    chosen = figure.experiment.scales[scale]
    tuning = dict(getattr(figure.experiment, "TUNING", {}))
    most = tuning.pop("n_networks", N_NETWORKS)
    choices = dataclasses.replace(
        chosen,
        **{**tuning, "seed": chosen.seed + SEED_OF_TUNING, "n_networks": networks or min(most, chosen.n_networks)},
    )
    road.check_folder("results", results)
    road.check_folder("figures", figures)
    found = searches(figure, choices)
    everything = [
        dataclasses.replace(c, label=f"{search.key} eta={c.values['eta']:g}") for search in found for c in search.at
    ]
    arrays = iter(
        sweep(
            everything,
            Store(results / FOLDER),
            jobs or joblib.cpu_count(),
            Reporter(console),
            _summary,
            scheduler=scheduler,
        )
    )
    rows, rates = [], {}
    for search in found:
        losses = [[final_loss(session) for session in next(arrays)] for _ in search.at]
        winner = best(losses)
        rates[search.key] = GRID[winner]
        for i, of_rate in enumerate(losses):
            rows += [
                {
                    "figure": figure.command,
                    "condition": search.key,
                    "eta": GRID[i],
                    "network": network,
                    "final_loss": loss,
                    "chosen": i == winner,
                }
                for network, loss in enumerate(of_rate)
            ]
    frame = pd.DataFrame(rows)
    modules = sorted({m for c in everything for m in provenance.modules_of(c.realisations[0])})
    page = {
        "settings": {"scale": scale, "choices": describe(choices)},
        "root_seed": choices.seed,
        "runs": [
            {
                **provenance.record(),
                "numerical_source": {"digest": provenance.numerical_digest(*modules), "of": modules},
                "conditions": list(rates),
            }
        ],
    }
    files = [write(results, schema(figure), frame, page), *draw(frame).save(figures / schema(figure).name)]
    if scale == "paper" and networks is None:
        keep(figure, rates)
        files.append(Path(str(TUNED)))
    for path in files:
        console.print(str(path), highlight=False, soft_wrap=True)


def keep(figure: About, rates: dict[str, float]) -> None:
    """Put the chosen rates into the package's data, in place of those that the figure had."""
    others = {key: eta for key, eta in tuned_rates().items() if key[0] != figure.name}
    together = {**others, **{(figure.name, condition): eta for condition, eta in rates.items()}}
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["figure", "condition", "eta"])
    out.writerows([name, condition, f"{eta:g}"] for (name, condition), eta in sorted(together.items()))
    with replacing(Path(str(TUNED))) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
    tuned_rates.cache_clear()


def _summary(sessions: Sequence[Arrays]) -> str:
    return f"loss {quartiles([final_loss(arrays) for arrays in sessions])[1]:.3g}"


def draw(frame: pd.DataFrame) -> style.Picture:
    """The grid search as a heat map: median final loss by condition and rate, the chosen rate framed."""
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
        image = axes.imshow(values, aspect="auto", cmap="viridis_r", norm=LogNorm(low, 1.0))
        image.cmap.set_bad("#DDDDDD")
        axes.set_xticks(range(len(median.columns)), [f"{eta:g}" for eta in median.columns])
        axes.set_yticks(range(len(median)), [name.replace("rule=", "").replace("_", " ") for name in median.index])
        axes.tick_params(length=0)
        axes.set_xlabel("learning rate η")
        for row, condition in enumerate(median.index):
            column = list(median.columns).index(marks[condition])
            axes.plot(column, row, marker="o", markersize=5, color="white", markeredgecolor="black")
        figure.colorbar(image, ax=axes, label="median final loss", pad=0.02)
    return figure
