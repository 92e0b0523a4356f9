"""`rflo-repro closest FIGURE`: the reading that comes closest to the paper's statements, on other networks.

A statement is a primary part of a claim. Closest is the reading under which most of them have an estimate where the
paper says it lies; of a tie, that in which the estimates lie farthest inside, in sum.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from rflo_repro.runs import road, tables, variants
from rflo_repro.runs.choices import vary
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.request import Request, RequestError, Selection
from rflo_repro.studies.readings import ABOUT, CLOSEST
from rflo_repro.studies.readings.experiment import SCHEMAS
from rflo_repro.studies.readings.moves import pairs
from rflo_repro.studies.readings.plot import FARTHEST

SEED = 90212
N_NETWORKS = 27


def closest(frame: pd.DataFrame) -> pd.DataFrame:
    """The readings of one figure that combine choices, and the figure as chosen, the closest first.

    Columns: reading, choices, n_inside: statements whose estimate lies where the paper says, n: all of them, and
    inside: by how much, in sum.
    """
    rows = frame[frame.primary & frame.kind.isin(["as chosen", "joint"])]
    rows = rows.assign(inside=rows.inside.fillna(-FARTHEST).clip(-FARTHEST, FARTHEST))
    by_reading = rows.groupby("reading", sort=True).agg(
        choices=("choices", "first"),
        n_inside=("inside", lambda inside: int((inside > 0.0).sum())),
        n=("inside", "size"),
        inside=("inside", "sum"),
    )
    return by_reading.reset_index().sort_values(["n_inside", "inside"], ascending=False, kind="stable")


def experiment(figure: About, choices: str) -> Experiment[Any]:
    """The figure under a reading, with its own pictures and claims, on other networks and with all its trials."""
    whole = figure.experiment
    name = f"{figure.name}_closest"
    about = dataclasses.replace(
        figure,
        home=name,
        command=f"closest {figure.command}",
        title=f"{figure.title} As it is under the reading closest to the paper's statements.",
        rates=figure.rates[:1],
        variants={},
        sample=0,
    )
    scales = {
        scale: dataclasses.replace(
            vary(chosen, pairs(choices)),
            seed=SEED,
            n_networks=N_NETWORKS if scale == "paper" else chosen.n_networks,
        )
        for scale, chosen in whole.scales.items()
    }
    return variants.renamed(whole, about, scales)


def closest_of(known: Mapping[str, About]) -> dict[str, Experiment[Any]]:
    """Each figure of which the closest reading is looked for, by its command: whose tables and pictures they are."""
    return {command: experiment(known[command], "") for command in CLOSEST}


def run(figure: About, request: Request, console: Console) -> None:
    """Find the reading in the tables of `readings`, say which it is, and compute and draw the figure under it.

    Raises RequestError if these have none of the figure, and as `road.run` does.
    """
    folder: Path = road.usual("results", request.results, request.scale)
    try:
        frame, _ = tables.read(folder, SCHEMAS["readings"])
    except FileNotFoundError:
        frame = pd.DataFrame({"figure": []})
    except tables.TableError as error:
        again = f"run `rflo-repro {ABOUT.command}{road.into(folder)}` to make it anew"
        raise RequestError("results", f"{error}: {again}") from None
    mine = frame[frame.figure == figure.command]
    if not len(mine):
        raise RequestError(
            "results",
            f"{folder} has no readings of {figure.command}: run `rflo-repro {ABOUT.command}{road.into(folder)}` first",
        )
    first = closest(mine).iloc[0]
    console.print(
        f"reading  {first.reading}: {first.choices or 'as chosen'} ({first.n_inside} of {first.n} statements)",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    whole = dataclasses.replace(request, selection=Selection(rates=figure.rates[:1]))
    road.run(experiment(figure, first.choices), whole, console)
