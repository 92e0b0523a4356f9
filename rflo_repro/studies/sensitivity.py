"""`rflo-repro sensitivity`: which claims rest on which of the choices that the paper leaves open.

Each alternative changes one choice of one figure and runs the figure's conditions at a reduced scale; the figure's own
claims are then judged. Learning rates stay those of the choices as they are: nothing is tuned anew.
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

from rflo_repro.learning.training import LearningRates
from rflo_repro.paper import registry
from rflo_repro.paper.fig3.trial import IntervalSession
from rflo_repro.paper.fig4.trial import LoopSession
from rflo_repro.report import style
from rflo_repro.runs import road
from rflo_repro.runs.claims import VERDICTS
from rflo_repro.runs.learning_curves import final_loss, quartiles
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.realisation import Arrays, Condition, Realisation
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.runs.tables import Column, Schema, write
from rflo_repro.studies.theory import page
from rflo_repro.tasks import IntervalMatchingTask

AS_CHOSEN = "as chosen"


@dataclass(frozen=True)
class Alternative:
    """One choice made otherwise.

    figure: the command whose claims it may turn. choice: its entry in docs/assumptions.md, or a value that the paper
    prints. label: what it becomes. sets: fields of the figure's choices. rules: those it is for; others stay as they
    are. rate: factor of all learning rates, or `T`, the timesteps of a trial. feedback: factor of B; as B only carries
    the error to w_rec and w_in, it is a factor of their rates. task: fields of the task.
    periods: of Figure 2, in tau, in place of its scale's.
    """

    figure: str
    choice: str
    label: str
    sets: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    rate: float | str = 1.0
    feedback: float = 1.0
    task: Mapping[str, Any] = field(default_factory=dict)
    periods: tuple[float, ...] = ()


LOCAL_IN_TIME = ("rflo", "local")
ALTERNATIVES = (
    Alternative("fig2", "initial-state", "h(0) = 0.5", {"h0": 0.5}),
    Alternative("fig2", "initial-state", "h(0) ~ U(-1, 1)", {"h0": "uniform"}),
    Alternative("fig2", "state-between-trials", "state carried on", {"reset_state": False}),
    Alternative("fig2", "end-of-trial-updates", "RFLO within the trial", {"online": True}, LOCAL_IN_TIME),
    Alternative("fig2", "per-trial-average", "no 1/T", rate="T"),
    Alternative("fig2", "number-of-trials", "10,000", {"n_trials": 10_000}),
    Alternative("fig2", "number-of-trials", "100,000 at 160 τ", {"n_trials": 100_000}, periods=(160.0,)),
    Alternative("fig2", "printed B ~ N(0, 1)", "B / 3", feedback=1 / 3),
    Alternative("fig2", "printed B ~ N(0, 1)", "3 B", feedback=3.0),
    Alternative("fig2", "printed g = 1.5", "g = 1.2", {"g": 1.2}),
    Alternative("fig2", "printed g = 1.5", "g = 1.8", {"g": 1.8}),
    Alternative("fig3", "initial-state-intervals", "h(0) ~ U(-1, 1)", {"h0": "uniform"}),
    Alternative("fig3", "input-channels", "one input", {"channels": 1}),
    Alternative("fig3", "delays", "from 2 τ on", {"shortest_tau": 2}),
    Alternative("fig3", "pulse-height", "inputs twice as high", task={"input_height": 2.0}),
    Alternative("fig4", "holds", "input on in the hold", task={"input_in_hold": True}),
    Alternative("fig4", "tonic-amplitude", "inputs twice as high", task={"amplitude": 2.0}),
    Alternative("fig4", "velocity-profile", "sin² speed", {"profile": "bell"}),
    Alternative("fig4", "state-between-movements", "state reset in stage 1", {"reset_state": True}),
    Alternative("fig4", "time-of-choice", "read at the hold's end", {"read_at": "hold"}),
)


@dataclass(frozen=True)
class Scale:
    """How a figure is run here: fields of its choices, periods (Figure 2) and the kind of rates."""

    sets: Mapping[str, Any]
    rates: str
    periods: tuple[float, ...] = ()


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


def all_alternatives(scale: str) -> list[Alternative]:
    """The baseline of each figure, and its alternatives."""
    return [
        alternative
        for figure in SCALES[scale]
        for alternative in (Alternative(figure, AS_CHOSEN, AS_CHOSEN), *ALTERNATIVES)
        if alternative.figure == figure
    ]


def choices(alternative: Alternative, scale: str) -> Any:
    """The figure's choices at this scale under an alternative."""
    how = SCALES[scale][alternative.figure]
    sets = {**how.sets, **alternative.sets}
    if scale == "smoke" and "n_trials" in alternative.sets:
        sets["n_trials"] = how.sets["n_trials"]
    return replace(registry.figures()[alternative.figure].experiment.scales["paper"], **sets)


def conditions(alternative: Alternative, scale: str) -> list[Condition]:
    """The figure's conditions under an alternative."""
    how = SCALES[scale][alternative.figure]
    periods = (alternative.periods if scale == "paper" else ()) or how.periods
    selection = Selection(periods=periods, rates=(how.rates,))
    find = registry.figures()[alternative.figure].experiment.conditions
    before = find(choices(Alternative(alternative.figure, AS_CHOSEN, AS_CHOSEN), scale), selection)
    after = find(choices(alternative, scale), selection)
    return [
        replace(new, realisations=tuple(vary(r, alternative) for r in new.realisations))
        if not alternative.rules or new.values["rule"] in alternative.rules
        else old
        for old, new in zip(before, after, strict=True)
        if new.values["rule"] != "untrained"
    ]


def vary(realisation: Realisation, alternative: Alternative) -> Realisation:
    """A realisation with the alternative's rates and task; its choices are already in it."""
    if isinstance(realisation, IntervalSession):
        session = realisation.session
        assert isinstance(session.task, IntervalMatchingTask)
        return replace(realisation, session=replace(session, task=replace(session.task, **alternative.task)))
    if isinstance(realisation, LoopSession):
        return replace(realisation, reaching=replace(realisation.reaching, **alternative.task))
    assert isinstance(realisation, Session)
    factor = realisation.task.n_steps if alternative.rate == "T" else float(alternative.rate)
    if factor == alternative.feedback == 1.0:
        return realisation
    assert isinstance(realisation.eta, (int, float))
    eta = factor * realisation.eta
    inner = eta * (alternative.feedback if realisation.rule in ("rflo", "random-feedback") else 1.0)
    return replace(realisation, eta=LearningRates(inner, inner, eta))


def rows(
    alternative: Alternative, scale: str, found: Sequence[Condition], results: Sequence[Sequence[Arrays]]
) -> list[dict[str, Any]]:
    """The table's rows for one alternative: the figure's claims judged from its tables."""
    figure = registry.figures()[alternative.figure]
    frames = figure.experiment.tabulate(choices(alternative, scale), found, results)
    out = []
    for claim in figure.experiment.claims:
        for finding in claim.findings(frames):
            for part in finding.parts:
                seen = part.interval
                out.append(
                    {
                        "figure": figure.command,
                        "choice": alternative.choice,
                        "alternative": alternative.label,
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
    for alternative in all_alternatives(scale):
        console.print(f"{alternative.figure}, {alternative.choice}: {alternative.label}", highlight=False, markup=False)
        found = conditions(alternative, scale)
        # one sweep an alternative: what an earlier one has computed is read
        arrays = sweep(found, store, jobs or joblib.cpu_count(), Reporter(console), _summary, force)
        out += rows(alternative, scale, found, arrays)
        everything += found
    frame = pd.DataFrame(out)
    settings = {
        figure: {"sets": dict(how.sets), "rates": how.rates, "periods_tau": how.periods}
        for figure, how in SCALES[scale].items()
    }
    about = page(scale, registry.figures()["fig2"].experiment.scales["paper"], everything)
    about["settings"] = {"scale": scale, "choices": settings}
    files = [write(results, SCHEMA, frame, about), *draw(frame, caption(scale)).save(figures / SCHEMA.name)]
    console.print("\n".join(str(path) for path in files), highlight=False, soft_wrap=True)


def _summary(sessions: Sequence[Arrays]) -> str:
    return f"loss {quartiles([final_loss(arrays) for arrays in sessions])[1]:.3g}"


def caption(scale: str) -> str:
    """The scale in words."""
    parts = []
    for figure, how in SCALES[scale].items():
        periods = f", {' '.join(f'{p:g}' for p in how.periods)} τ" if how.periods else ""
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
