"""What is run: each alternative that is declared beside a choice of Figures 2, 3 and 4, at a reduced scale.

The figure's own claims are then judged. Learning rates stay those of the choices as they are: nothing is tuned anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.runs.choices import Alternative, declared, defaults
from rflo_repro.runs.claims import judge
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.learning_curves import summary
from rflo_repro.runs.realisation import Condition, Results
from rflo_repro.runs.request import Selection
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.sensitivity import ABOUT
from rflo_repro.studies.sensitivity.choices import Choices
from rflo_repro.studies.sensitivity.plot import draw

AS_CHOSEN = "as chosen"
FIGURES = ("fig2", "fig3", "fig4")


@dataclass(frozen=True)
class Case:
    """A figure with one choice made otherwise, or none.

    figure: the command whose claims it may turn. choice: entry in docs/assumptions.md, or a value that the paper
    prints. label: what it becomes. sets: fields of the figure's choices. periods_tau: in place of the study's.
    """

    figure: str
    choice: str = AS_CHOSEN
    label: str = AS_CHOSEN
    sets: Mapping[str, Any] = field(default_factory=dict)
    periods_tau: tuple[float, ...] = ()


SCHEMA = Schema(
    "sensitivity",
    "one part of a claim under one alternative",
    (
        Column("figure", "text", "", "the figure command whose claim it is"),
        Column("choice", "text", "", "entry of docs/assumptions.md, or a value the paper prints; as chosen: baseline"),
        Column("alternative", "text", "", "what the choice becomes"),
        Column("rates", "text", "", "kind of learning rates; they are not tuned anew for the alternative"),
        Column("claim", "text", "", "the claim"),
        Column("verdict", "text", "", "verdict on the claim"),
        Column("part", "text", "", "part of the claim"),
        Column("part_verdict", "text", "", "verdict on the part"),
        Column("estimate", "number", "", "the part's statistic (see the report for each claim's); empty if untestable"),
        Column("low", "number", "", "lower end of its 95% interval over networks"),
        Column("high", "number", "", "upper end"),
        Column("n_networks", "integer", "", "networks in the interval"),
    ),
    ("figure", "choice", "alternative"),
)


def reduced(figure: str, chosen: Choices) -> dict[str, Any]:
    """The choices by which a figure is smaller here."""
    sets = {
        "n_networks": chosen.n_networks,
        "n_trials": {"fig2": chosen.trials_fig2, "fig3": chosen.trials_fig3, "fig4": chosen.trials_fig4}[figure],
        "seed": chosen.seed,
        **({} if figure == "fig2" else {"n_rec": chosen.n_rec}),
    }
    default = defaults(registry.figures()[figure].experiment.scales["paper"])
    return {name: value for name, value in sets.items() if value != default[name]}


def cases(chosen: Choices) -> list[Case]:
    """Each figure as chosen, and with each alternative that is declared beside its choices; printed ones come last."""
    found = []
    for figure in FIGURES:
        known = declared(registry.figures()[figure].experiment.scales["paper"]).items()
        names = [name for name, _ in sorted(known, key=lambda item: item[1].printed)]
        found += [Case(figure), *(case for name in names for case in _alternatives(figure, name, chosen))]
    return found


def _alternatives(figure: str, name: str, chosen: Choices) -> list[Case]:
    """Of one choice. Where it is reduced here, its value in the figure is one of them."""
    of_figure, small = choices_in(Case(figure), chosen), name in reduced(figure, chosen)
    choice = declared(of_figure)[name]
    others = tuple(other for other in choice.alternatives if not other.jointly)
    if others and small:
        default = defaults(of_figure)[name]
        others = (Alternative(default, f"{default:,}"), *others)
    return [
        Case(figure, choice.entry, other.label, {} if small and chosen.stay_small else {name: other.value},
             () if chosen.stay_small else other.periods_tau)
        for other in others
        if other.value != getattr(of_figure, name)
    ]  # fmt: skip


def choices_in(case: Case, chosen: Choices) -> Any:
    """The figure's choices in a case."""
    of_figure = registry.figures()[case.figure].experiment.scales["paper"]
    return replace(of_figure, **{**reduced(case.figure, chosen), **case.sets})


def conditions_in(case: Case, chosen: Choices) -> list[Condition]:
    """The figure's conditions in a case."""
    figure = registry.figures()[case.figure]
    periods = case.periods_tau or chosen.periods_tau if "period" in figure.selectors else ()
    rates = chosen.rates if "tuned" in figure.rates and "printed" in figure.rates else figure.rates[0]
    found = figure.experiment.conditions(choices_in(case, chosen), Selection(periods_tau=periods, rates=(rates,)))
    return [condition for condition in found if not condition.untrained]


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """Those of every case."""
    return [
        replace(
            condition,
            label=f"{case.figure} {case.choice}, {case.label}: {condition.label}",
            values={**condition.values, "figure": case.figure, "choice": case.choice, "alternative": case.label},
        )
        for case in cases(choices)
        for condition in conditions_in(case, choices)
    ]


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    remaining, out = iter(results), []
    for case in cases(choices):
        own = conditions_in(case, choices)
        out += rows(case, choices, own, [next(remaining) for _ in own])
    return {"sensitivity": pd.DataFrame(out)}


def rows(case: Case, chosen: Choices, found: Sequence[Condition], results: Results) -> list[dict[str, Any]]:
    """The table's rows for one case: the figure's claims judged from its tables."""
    figure = registry.figures()[case.figure]
    frames = figure.experiment.tabulate(choices_in(case, chosen), found, results)
    out = []
    for claim, findings in zip(figure.experiment.claims, judge(figure.experiment.claims, frames), strict=True):
        for finding in findings:
            for part in finding.parts:
                seen = part.interval
                out.append(
                    {
                        "figure": figure.command,
                        "choice": case.choice,
                        "alternative": case.label,
                        "rates": finding.rates,
                        "claim": claim.name,
                        "verdict": finding.verdict,
                        "part": part.what,
                        "part_verdict": part.verdict,
                        "estimate": seen.estimate if seen else np.nan,
                        "low": seen.low if seen else np.nan,
                        "high": seen.high if seen else np.nan,
                        "n_networks": seen.n if seen else 0,
                    }
                )
    return out


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=draw,
    scales={
        "paper": Choices(),
        "quick": Choices(trials_fig2=600, trials_fig3=300, trials_fig4=100, periods_tau=(20.0, 40.0), stay_small=True),
        "smoke": Choices(
            trials_fig2=20, trials_fig3=10, trials_fig4=5, periods_tau=(2.0, 4.0), rates="printed", n_rec=10,
            stay_small=True,
        ),
    },
    schemas={"sensitivity": SCHEMA},
    conditions=conditions,
    tabulate=tabulate,
    summary=summary,
)  # fmt: skip
