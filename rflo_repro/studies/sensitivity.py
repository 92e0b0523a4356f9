"""`rflo-repro sensitivity`: which claims rest on which of the choices that the paper leaves open.

Each alternative that is declared beside a choice of Figures 2, 3 and 4 is run at a reduced scale, and the figure's own
claims are judged. Learning rates stay those of the choices as they are: nothing is tuned anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from rich.console import Console

from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.runs import provenance, road
from rflo_repro.runs.choices import Alternative, Choices, declared, defaults
from rflo_repro.runs.claims import VERDICTS
from rflo_repro.runs.learning_curves import final_loss, quartiles
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.realisation import Arrays, Condition
from rflo_repro.runs.request import Selection
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.runs.tables import Column, Schema, write

AS_CHOSEN = "as chosen"


@dataclass(frozen=True)
class Case:
    """A figure with one choice made otherwise, or none.

    figure: the command whose claims it may turn. choice: entry in docs/assumptions.md, or a value that the paper
    prints. label: what it becomes. sets: fields of the figure's choices. periods_tau: in place of its scale's.
    """

    figure: str
    choice: str = AS_CHOSEN
    label: str = AS_CHOSEN
    sets: Mapping[str, Any] = field(default_factory=dict)
    periods_tau: tuple[float, ...] = ()


@dataclass(frozen=True)
class Scale:
    """How a figure is run here: fields of its choices, the kind of rates and periods (Figure 2)."""

    sets: Mapping[str, Any]
    rates: str
    periods_tau: tuple[float, ...] = ()


SCALES: dict[str, dict[str, Scale]] = {
    "paper": {
        "fig2": Scale({"n_networks": 5, "n_trials": 3000}, "tuned", (20.0, 40.0, 80.0)),
        "fig3": Scale({"n_networks": 5, "n_trials": 1500}, "printed"),
        "fig4": Scale({"n_networks": 5, "n_trials": 600}, "tuned"),
    },
    "smoke": {
        "fig2": Scale({"n_networks": 5, "n_trials": 20}, "printed", (2.0, 4.0)),
        "fig3": Scale({"n_networks": 5, "n_trials": 10, "n_rec": 10}, "printed"),
        "fig4": Scale({"n_networks": 5, "n_trials": 5, "n_rec": 10}, "tuned"),
    },
}

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
        Column("low", "number", "", "lower end of its 95% bootstrap interval over networks"),
        Column("high", "number", "", "upper end"),
        Column("n_networks", "integer", "", "networks in the interval"),
    ),
    ("figure", "choice", "alternative"),
)


def cases(scale: str) -> list[Case]:
    """Each figure as chosen, and with each alternative that is declared beside its choices; printed ones come last."""
    found = []
    for figure in SCALES[scale]:
        chosen = choices(Case(figure), scale)
        known = sorted(declared(chosen).items(), key=lambda item: item[1].printed)
        found += [Case(figure), *(case for name, _ in known for case in _alternatives(figure, name, chosen, scale))]
    return found


def _alternatives(figure: str, name: str, chosen: Choices, scale: str) -> list[Case]:
    """Of one choice. Where the scale reduces it, its value in the figure is one of them."""
    choice, reduced = declared(chosen)[name], SCALES[scale][figure].sets
    others = choice.alternatives
    if others and name in reduced:
        default = defaults(chosen)[name]
        others = (Alternative(default, f"{default:,}"), *others)
    return [
        # the smoke scale stays as small as it is
        Case(figure, choice.entry, other.label, {} if scale == "smoke" and name in reduced else {name: other.value},
             other.periods_tau if scale == "paper" else ())
        for other in others
        if other.value != getattr(chosen, name)
    ]  # fmt: skip


def choices(case: Case, scale: str) -> Any:
    """The figure's choices at this scale in a case."""
    chosen = registry.figures()[case.figure].experiment.scales["paper"]
    return replace(chosen, **{**SCALES[scale][case.figure].sets, **case.sets})


def conditions(case: Case, scale: str) -> list[Condition]:
    """The figure's conditions in a case."""
    how = SCALES[scale][case.figure]
    selection = Selection(periods_tau=case.periods_tau or how.periods_tau, rates=(how.rates,))
    found = registry.figures()[case.figure].experiment.conditions(choices(case, scale), selection)
    return [condition for condition in found if condition.values["rule"] != "untrained"]


def rows(
    case: Case, scale: str, found: Sequence[Condition], results: Sequence[Sequence[Arrays]]
) -> list[dict[str, Any]]:
    """The table's rows for one case: the figure's claims judged from its tables."""
    figure = registry.figures()[case.figure]
    frames = figure.experiment.tabulate(choices(case, scale), found, results)
    out = []
    for claim in figure.experiment.claims:
        for finding in claim.findings(frames):
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


def sensitivity(
    scale: str, jobs: int | None, results: Path, figures: Path, console: Console, force: bool = False
) -> None:
    """Run every alternative, judge, write the table, draw the picture. Raises Refused for a folder it cannot use."""
    road.check_folder("results", results)
    road.check_folder("figures", figures)
    store = Store(results / FOLDER)
    out: list[dict[str, Any]] = []
    everything: list[Condition] = []
    for case in cases(scale):
        console.print(f"{case.figure}, {case.choice}: {case.label}", highlight=False, markup=False)
        found = conditions(case, scale)
        # one sweep a case: what an earlier one has computed is read
        arrays = sweep(found, store, jobs or joblib.cpu_count(), Reporter(console), _summary, force)
        out += rows(case, scale, found, arrays)
        everything += found
    frame = pd.DataFrame(out)
    settings = {
        figure: {"sets": dict(how.sets), "rates": how.rates, "periods_tau": how.periods_tau}
        for figure, how in SCALES[scale].items()
    }
    source = provenance.numerical_source(r for c in everything for r in c.realisations[:1])
    run = {**provenance.record(), "numerical_source": source, "conditions": [c.label for c in everything]}
    about = {"settings": {"scale": scale, "choices": settings}, "runs": [run]}
    files = [write(results, SCHEMA, frame, about), *draw(frame, caption(scale)).save(figures / SCHEMA.name)]
    console.print("\n".join(str(path) for path in files), highlight=False, soft_wrap=True)


def _summary(sessions: Sequence[Arrays]) -> str:
    return f"loss {quartiles([final_loss(arrays) for arrays in sessions])[1]:.3g}"


def caption(scale: str) -> str:
    """The scale in words."""
    parts = []
    for figure, how in SCALES[scale].items():
        periods = f", {' '.join(f'{p:g}' for p in how.periods_tau)} τ" if how.periods_tau else ""
        trials, networks = how.sets["n_trials"], how.sets["n_networks"]
        parts.append(f"{figure}: {networks} networks × {trials:,} trials{periods}, {how.rates} rates")
    return "; ".join(parts) + ". Rates are not tuned anew."


def draw(frame: pd.DataFrame, note: str) -> style.Picture:
    """Claims down, alternatives across, a figure a block, the verdict in colour and as a letter."""
    known = list(frame.figure.unique())
    parts = [frame[frame.figure == figure] for figure in known]
    heights = [part.claim.nunique() for part in parts]
    with style.style():
        widest = max(part[["choice", "alternative"]].drop_duplicates().shape[0] for part in parts)
        picture = style.new_figure(3.6 + 0.62 * widest, 1.0 + 0.36 * sum(heights) + 1.55 * len(parts))
        grid = picture.subplots(len(parts), 1, squeeze=False, height_ratios=[h + 2.2 for h in heights])[:, 0]
        for axes, part, figure in zip(grid, parts, known, strict=True):
            _block(axes, part, widest)
            axes.set_title(registry.figures()[figure].title, loc="left", fontweight="bold")
        handles = [
            grid[-1].plot([], [], "s", color=style.VERDICTS[v], markersize=9, label=f"{style.LETTERS[v]}  {v}")[0]
            for v in VERDICTS
        ]
        picture.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8)
        picture.suptitle(note, fontsize=7.5, x=0.01, ha="left")
    return picture


def _block(axes: Axes, part: pd.DataFrame, widest: int) -> None:
    columns = list(part[["choice", "alternative"]].drop_duplicates().itertuples(index=False, name=None))
    claims = list(part.claim.unique())
    verdicts = part.drop_duplicates(["choice", "alternative", "claim"]).set_index(["choice", "alternative", "claim"])
    for x, (choice, alternative) in enumerate(columns):
        for y, claim in enumerate(claims):
            verdict = str(verdicts.verdict[choice, alternative, claim])
            axes.add_patch(
                Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, facecolor=style.VERDICTS[verdict], edgecolor="none")
            )
            axes.text(x, y, style.LETTERS[verdict], ha="center", va="center", fontsize=8, color="white")
    axes.axvline(0.5, color="black", linewidth=1.0)
    axes.set_xlim(-0.5, widest - 0.5)
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.set_yticks(range(len(claims)), claims)
    names = [alternative if choice == alternative else f"{choice}:\n{alternative}" for choice, alternative in columns]
    axes.set_xticks(range(len(columns)), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=7)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
