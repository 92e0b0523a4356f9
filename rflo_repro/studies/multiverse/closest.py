"""`rflo-repro multiverse --closest FIGURE`: the variant closest to the paper's statements, on other networks.

A statement is a primary part of a claim. Closest is the variant in which most of them have an estimate where the
paper says it lies; of a tie, that in which the estimates lie farthest inside, in sum.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
from rich.console import Console

from rflo_repro.runs import folders, tables, variants
from rflo_repro.runs.choices import vary
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.folders import Folders
from rflo_repro.runs.request import Request, RequestError, Selection
from rflo_repro.studies.multiverse import ABOUT
from rflo_repro.studies.multiverse.design import BASELINE, DESIGN, FARTHEST
from rflo_repro.studies.multiverse.experiment import SCHEMAS
from rflo_repro.studies.multiverse.marginal_effects import pairs

SEED = 90212
N_NETWORKS = 27


def ranking(frame: pd.DataFrame) -> pd.DataFrame:
    """The baseline of one figure and the variants of the design, the closest to the paper's statements first.

    Columns: reading (the variant's number), choices, n_inside: statements whose estimate lies where the paper says,
    n: all of them, and inside: by how much, in sum.
    """
    rows = frame[frame.primary & frame.kind.isin([BASELINE, DESIGN])]
    rows = rows.assign(inside=rows.inside.fillna(-FARTHEST).clip(-FARTHEST, FARTHEST))
    by_variant = rows.groupby("reading", sort=True).agg(
        choices=("choices", "first"),
        n_inside=("inside", lambda inside: int((inside > 0.0).sum())),
        n=("inside", "size"),
        inside=("inside", "sum"),
    )
    return by_variant.reset_index().sort_values(["n_inside", "inside"], ascending=False, kind="stable")


def experiment(figure: About, choices: str) -> Experiment[Any]:
    """The figure in a variant, with its own pictures and claims, on other networks and with all its trials."""
    whole = figure.experiment
    about = dataclasses.replace(
        figure,
        home=f"{figure.name}_closest",
        command=f"{ABOUT.command} --closest {figure.command}",
        title=f"{figure.title} In the variant closest to the paper's statements.",
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


def run(figure: About, request: Request, console: Console) -> None:
    """Find the closest variant in the table `readings`, say which it is, and compute and draw the figure in it.

    Raises RequestError if the table has none of the figure, if a part or other choices are asked for, and as
    `runs.run` does.
    """
    from rflo_repro.runs.run import run as compute

    if request.selection.partial or request.sets or (request.networks, request.seed) != (None, None):
        raise RequestError("closest", "goes without --panel, --networks, --seed and --set")
    folder = Folders.of_scale(request.scale, request.results).results
    command = f"`rflo-repro {ABOUT.command}{folders.options(folder)}`"
    frame = tables.load(folder, {"readings": SCHEMAS["readings"]}, command)["readings"].frame
    mine = frame[frame.figure == figure.command]
    if not len(mine):
        raise RequestError("results", f"{folder} has no variants of {figure.command}: run {command} first")
    first = ranking(mine).iloc[0]
    console.print(
        f"variant  {first.reading}: {first.choices or 'the baseline'} ({first.n_inside} of {first.n} statements)",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    whole = dataclasses.replace(request, selection=Selection(rates=figure.rates[:1]))
    compute(experiment(figure, first.choices), whole, console)
