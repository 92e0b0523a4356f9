"""`rflo-repro tune FIGURE`: the paper's own procedure, a grid search over the learning rate for each condition.

All rates of the grid are tried on some networks, and the grid goes on by a rate as long as its smallest or largest one
does best; the three best are then tried on more networks, and that with the smallest mean of the log loss is chosen,
the smaller one of a tie. A network that diverged or exploded counts as ten times its first loss. The networks are
neither those of the figures nor those on which claims are judged: they come from a root seed of their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from rflo_repro.learning.files import replacing
from rflo_repro.paper.rates import TUNED, condition_key, tuned_rates
from rflo_repro.runs.experiment import About, Experiment, Picture
from rflo_repro.runs.job import Condition, Results
from rflo_repro.runs.learning_curves import final_loss, summary
from rflo_repro.runs.request import Request, RequestError, Selection
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import interval, mean
from rflo_repro.studies.rules.trial import GRID, HIGHEST, LOWEST, bounded_log, rate

SEED = 90211
N_GRID, N_BEST = 9, 27  # networks of every rate, and of the best ones; a figure's `tuning` may have fewer of them
BEST = 3
COLUMNS = (
    Column("figure", "text", "", "the figure command whose conditions are tuned"),
    Column("condition", "text", "", "what tells the condition from others of the figure"),
    Column("eta", "number", "", "learning rate"),
    Column("network", "integer", "", "index of the random initial network, from 0; not the figure's networks"),
    Column("first_loss", "number", "", "loss L in the first trial"),
    Column("final_loss", "number", "", "median loss L of the last 1% of trials; empty after a divergence"),
    Column("chosen", "flag", "", "whether this is the rate chosen for the condition"),
    Column("as_good", "flag", "", "whether the 95% interval over networks leaves open that the rate is as good"),
)
Schedule = Mapping[str, Mapping[int, int]]
"""By condition: the rates that are tried, as grid indices, and on how many networks each."""


def experiment(figure: About, schedule: Schedule | None = None) -> Experiment[Any]:
    """A figure's search, as far as it is planned; the whole grid if no schedule is given.

    Raises RequestError if the figure has no learning rate to tune.
    """
    about = About(
        home=f"tune_{figure.name}",
        command=f"tune {figure.command}",
        title=f"Grid search over the learning rates of {figure.command}.",
        help="",
        order=figure.order,
        choices=figure.choices,
        panels={"a": "loss by condition and rate"},
    )
    tuning = {"n_networks": N_BEST, **figure.tuning}
    scales = {
        scale: dataclasses.replace(
            chosen, seed=SEED, **{name: _fewer(scale, getattr(chosen, name), most) for name, most in tuning.items()}
        )
        for scale, chosen in figure.experiment.scales.items()
    }

    def conditions(choices: Any, selection: Selection) -> list[Condition]:
        """Each condition of the figure that has a learning rate, at each rate that is planned for it."""
        indices = sorted({index for of in schedule.values() for index in of}) if schedule else GRID
        columns = zip(
            *(figure.experiment.conditions(choices, Selection(eta=rate(index))) for index in indices), strict=True
        )
        everywhere = dict.fromkeys(GRID, min(N_GRID, choices.n_networks))
        found = []
        for at in columns:
            planned = (schedule or {}).get(condition_key(at[0].values), everywhere)
            if at[0].values.get("rates") == "given":
                found += [_at(c, planned[index]) for index, c in zip(indices, at, strict=True) if index in planned]
        if not found:
            raise RequestError(None, f"{figure.command} has no learning rate to tune")
        return found

    schema = Schema(about.name, "one network trained at one rate", COLUMNS, ("condition",))
    return Experiment(about, draw, scales, {"search": schema}, conditions, tabulate, summary)


def _fewer(scale: str, of_scale: int, most: int) -> int:
    return most if scale == "paper" else min(of_scale, most)


def _at(condition: Condition, n_networks: int) -> Condition:
    """A condition at one rate, named by what it is at any, with the first of its networks."""
    key = condition_key(condition.values)
    return dataclasses.replace(
        condition,
        label=f"{key} eta={condition.values['eta']:g}",
        values={**condition.values, "condition": key},
        jobs=condition.jobs[:n_networks],
    )


def tabulate(choices: Any, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of COLUMNS."""
    rows = [
        {
            **{name: condition.values[name] for name in ("figure", "condition", "eta")},
            "network": network,
            "first_loss": arrays["loss"][0],
            "final_loss": final_loss(arrays),
        }
        for condition, sessions in zip(found, results, strict=True)
        for network, arrays in enumerate(sessions)
    ]
    frame = pd.DataFrame(rows)
    judged = [_judged(group) for _, group in frame.groupby("condition", sort=False)]
    return {"search": pd.concat(judged).loc[frame.index]}


def _judged(of_condition: pd.DataFrame) -> pd.DataFrame:
    """A condition's rows with the rate that is chosen, of those tried on most networks, and those that are as good."""
    losses = _losses(of_condition)
    tried = losses.notna().sum()
    best = mean_loss(losses[tried.index[tried == tried.max()]]).idxmin()
    as_good = [eta for eta in losses if interval((losses[eta] - losses[best]).dropna().to_numpy()).low <= 0.0]
    return of_condition.assign(chosen=of_condition.eta == best, as_good=of_condition.eta.isin(as_good))


def _losses(of_condition: pd.DataFrame) -> pd.DataFrame:
    """log10 of the final loss, bounded, by network and rate; rates in ascending order."""
    bounded = bounded_log(of_condition.final_loss.to_numpy(float), of_condition.first_loss.to_numpy(float))
    return of_condition.assign(bounded=bounded).pivot(index="network", columns="eta", values="bounded")


def mean_loss(losses: pd.DataFrame) -> pd.Series[float]:
    """Mean over the networks of a table of `_losses`, by rate."""
    return pd.Series({eta: float(mean(losses[eta].dropna().to_numpy(float))) for eta in losses})


def tried(table: pd.DataFrame) -> Schedule:
    """What a table of COLUMNS has."""
    index_of = {rate(index): index for index in range(LOWEST, HIGHEST + 1)}
    return {
        str(condition): {index_of[eta]: int((group.eta == eta).sum()) for eta in group.eta.unique()}
        for condition, group in table.groupby("condition", sort=False)
    }


def following(table: pd.DataFrame, n_best: int) -> Schedule:
    """What to try next, given what has been: the next rate where the smallest or the largest one is best, and once that
    is so nowhere, the best rates on `n_best` networks, the next one among them where the smallest or the largest is
    chosen. What has been tried already when there is no more to try."""
    before, n_grid = tried(table), min(N_GRID, n_best)
    schedule: dict[str, dict[int, int]] = {}
    wider = False
    for condition, group in table.groupby("condition", sort=False):
        of = before[str(condition)]
        indices = sorted(of)
        order = mean_loss(_losses(group).iloc[:n_grid]).to_numpy().argsort(kind="stable")
        best = indices[order[0]]
        beyond = best + {indices[0]: -1, indices[-1]: 1}.get(best, 0)
        schedule[str(condition)] = {**of, **{indices[i]: n_best for i in order[:BEST]}}
        if schedule[str(condition)] == of:
            chosen = indices[list(_losses(group)).index(group[group.chosen].eta.iloc[0])]
            after = chosen + {indices[0]: -1, indices[-1]: 1}.get(chosen, 0)
            schedule[str(condition)] |= {after: n_best} if LOWEST <= after <= HIGHEST else {}
        elif beyond not in of and LOWEST <= beyond <= HIGHEST:
            schedule[str(condition)] = {**of, beyond: n_grid}
            wider = True
    if not wider:
        return schedule
    return {
        condition: of if len(of) > len(before[condition]) else before[condition] for condition, of in schedule.items()
    }


def tune(figure: About, request: Request, console: Console) -> None:
    """Search, write the table and the picture, and at paper scale the chosen rates (package data).

    Raises RequestError, before anything is touched, for a request that cannot be met.
    """
    from rflo_repro.runs.plan import choices
    from rflo_repro.runs.run import run

    search = experiment(figure)
    n_best = choices(search, request).n_networks
    outcome = run(search, request, console)
    # what is stored need not be computed again
    request = dataclasses.replace(request, force=False)
    while (schedule := following(outcome.tables["search"], n_best)) != tried(outcome.tables["search"]):
        outcome = run(experiment(figure, schedule), request, console)
    if outcome.reference:
        console.print(f"rates    {save(figure, outcome.tables)}", highlight=False, soft_wrap=True)


def save(figure: About, found: Tables) -> Path:
    """Put the chosen rates into the package's data, in place of those that the figure had."""
    path, table = Path(str(TUNED)), found["search"]
    rates: dict[str, float] = dict(table[table.chosen][["condition", "eta"]].itertuples(index=False))
    others = {key: eta for key, eta in tuned_rates().items() if key[0] != figure.name}
    together = {**others, **{(figure.name, condition): eta for condition, eta in rates.items()}}
    rows = [(name, condition, f"{eta:g}") for (name, condition), eta in sorted(together.items())]
    with replacing(path) as temporary:
        pd.DataFrame(rows, columns=["figure", "condition", "eta"]).to_csv(temporary, index=False, lineterminator="\n")
    tuned_rates.cache_clear()
    return path


def draw(tables: Tables, panels: Sequence[str]) -> tuple[Picture, list[str]]:
    """The search as a heat map: mean loss by condition and rate; the chosen rate has a dot, those as good a ring."""
    import matplotlib as mpl

    from rflo_repro.report import style

    frame = tables["search"]
    groups = {str(name): group for name, group in frame.groupby("condition", sort=False)}
    means = pd.DataFrame({name: mean_loss(_losses(group)) for name, group in groups.items()}).T.sort_index(axis=1)
    with style.style():
        picture = style.new_picture(6.6, 1.1 + 0.26 * len(means))
        axes = picture.subplots()
        colours = mpl.colormaps["viridis_r"].with_extremes(bad="#DDDDDD")
        image = axes.imshow(means.to_numpy(float), aspect="auto", cmap=colours, vmax=0.0)
        axes.set_xticks(range(means.shape[1]), [f"{eta:g}" for eta in means], rotation=45)
        axes.set_yticks(range(len(means)), [name.replace("rule=", "").replace("_", " ") for name in means.index])
        axes.tick_params(length=0)
        axes.set_xlabel("learning rate η")
        for row, group in enumerate(groups.values()):
            for flag, face in (("as_good", "none"), ("chosen", "white")):
                at = [list(means).index(eta) for eta in group[group[flag]].eta.unique()]
                axes.plot(at, [row] * len(at), "o", markersize=5, color=face, markeredgecolor="black")
        picture.colorbar(image, ax=axes, label="mean log10 of\nthe final loss", pad=0.02)
    return picture, []
