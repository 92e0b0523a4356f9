"""`rflo-repro fig-gradient`: how well each rule's update points along the exact gradient while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Console

from rflo_repro.learning import arithmetic
from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.runs import road
from rflo_repro.runs.learning_curves import log_spaced
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.realisation import Arrays, Condition, Progress
from rflo_repro.runs.recipe import generator
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.runs.tables import Column, Schema, write
from rflo_repro.studies.theory import page

RULES = ("local", "random-feedback", "rflo")
MATRICES = ("w_rec", "w_out")
N_POINTS = 30
N_NETWORKS = 5

SCHEMA = Schema(
    "gradient",
    "one trial of one network",
    (
        Column("rule", "text", "", "the rule that trains the network and whose update is measured"),
        Column("rates", "text", "", "printed or tuned"),
        Column("period_tau", "number", "tau", "period of the target"),
        Column("eta", "number", "", "learning rate"),
        Column("network", "integer", "", "index of the random initial network, from 0"),
        Column("trial", "integer", "trials", "number of the trial, from 1; before its update"),
        Column("matrix", "text", "", "w_rec or w_out (whose update is the exact one in every rule)"),
        Column("cosine", "number", "", "cosine of the rule's update and minus the exact gradient of Eq. 2"),
    ),
    ("rule", "rates", "period_tau"),
)


@dataclass(frozen=True)
class GradientSession:
    """A session in which each rule's update is compared with the exact gradient before some of its trials.

    session: on a task without randomness, with states reset. trials: their numbers, from 1, in order.
    """

    session: Session
    trials: tuple[int, ...]

    @property
    def n_trials(self) -> int:
        """Training trials."""
        return self.session.n_trials

    @property
    def n_bytes(self) -> int:
        """Those of the session."""
        return self.session.n_bytes

    def run(self, progress: Progress) -> Arrays:
        """w_rec, w_out: the cosine (len(trials),) by matrix; NaN after a divergence or where an update is zero."""
        from rflo_repro.learning.training import train, weight_updates

        session = self.session
        trial = session.task.trial(generator(session.seed, session.network, "task"))
        found = {matrix: np.full(len(self.trials), np.nan) for matrix in MATRICES}
        net, done = session.initial(), 0
        for i, number in enumerate(self.trials):
            if number - 1 > done:
                history = train(
                    net, session.task, session.rule, session.eta, number - 1 - done, progress=_ahead(progress, done)
                )
                net, done = history.network, number - 1
                if history.diverged:
                    break
            own, exact = (weight_updates(net, *trial, rule=rule) for rule in (session.rule, "bptt"))
            for matrix in MATRICES:
                found[matrix][i] = cosine(getattr(own, matrix), getattr(exact, matrix))
        return found


def _ahead(progress: Progress, done: int) -> Progress:
    return lambda trials: progress(done + trials)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two arrays as vectors; NaN if either is zero."""
    sizes = arithmetic.size(one) * arithmetic.size(other)
    return arithmetic.inner(one, other) / sizes if sizes > 0.0 else np.nan


def conditions(scale: str) -> list[Condition]:
    """The rules with an approximation, at every period of the locality figure and its rates."""
    figure = registry.figures()["fig2-locality"]
    choices = figure.experiment.scales[scale]
    choices = replace(choices, n_networks=min(N_NETWORKS, choices.n_networks))
    names = ("rule", "rates", "period_tau", "eta")
    return [
        Condition(
            c.label,
            {name: c.values[name] for name in names},
            tuple(
                GradientSession(s, tuple(int(t) for t in log_spaced(s.n_trials, N_POINTS)))
                for s in c.realisations
                if isinstance(s, Session)
            ),
        )
        for c in figure.experiment.conditions(choices, Selection(rules=RULES, rates=figure.rates))
    ]


def tabulate(found: Sequence[Condition], results: Sequence[Sequence[Arrays]]) -> pd.DataFrame:
    """The table of SCHEMA."""
    frames = []
    for condition, networks in zip(found, results, strict=True):
        for network, (session, arrays) in enumerate(zip(condition.realisations, networks, strict=True)):
            assert isinstance(session, GradientSession)
            for matrix in MATRICES:
                frame = {"trial": session.trials, "matrix": matrix, "cosine": arrays[matrix].round(6)}
                frames.append(pd.DataFrame({**condition.values, "network": network, **frame}))
    return pd.concat(frames, ignore_index=True)


def fig_gradient(
    scale: str, jobs: int | None, results: Path, figures: Path, console: Console, force: bool = False
) -> None:
    """Train, measure, write the table, draw the picture. Raises Refused for a folder it cannot use."""
    road.check_folder("results", results)
    road.check_folder("figures", figures)
    found = conditions(scale)
    arrays = sweep(found, Store(results / FOLDER), jobs or joblib.cpu_count(), Reporter(console), _summary, force)
    frame = tabulate(found, arrays)
    choices = registry.figures()["fig2-locality"].experiment.scales[scale]
    files = [
        write(results, SCHEMA, frame, page(scale, replace(choices, n_networks=len(arrays[0])), found)),
        *draw(frame).save(figures / SCHEMA.name),
    ]
    console.print("\n".join(str(path) for path in files), highlight=False, soft_wrap=True)


def _summary(sessions: Sequence[Arrays]) -> str:
    return f"cosine {np.nanmedian([np.nanmean(a['w_rec']) for a in sessions]):.2f}"


def draw(frame: pd.DataFrame) -> style.Picture:
    """Cosine for w_rec against the trial, a column a period and a row a kind of rates; at the right against period."""
    rows = frame[frame.matrix == "w_rec"]
    kinds, periods = list(rows.rates.unique()), sorted(rows.period_tau.unique())
    with style.style():
        figure = style.new_figure(2.3 * (len(periods) + 1), 2.5 * len(kinds))
        axes = figure.subplots(len(kinds), len(periods) + 1, squeeze=False)
        for line, kind in zip(axes, kinds, strict=True):
            part = rows[rows.rates == kind]
            for ax, period in zip(line, periods, strict=False):
                _lines(ax, part[part.period_tau == period], "trial")
                style.trial_axis(ax, part.trial.max())
                ax.set_title(f"{period:g} τ, {kind} rates")
            average = part.groupby(["rule", "period_tau", "network"])[["cosine"]].mean().reset_index()
            _lines(line[-1], average, "period_tau", marker="o", markersize=4)
            style.period_axis(line[-1], periods)
            line[-1].set_title("mean over these trials")
            line[0].set_ylabel("cosine to −gradient, W")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(RULES))
    return figure


def _lines(axes: Axes, rows: pd.DataFrame, x: str, **shape: object) -> None:
    axes.axhline(0.0, color="#BBBBBB", linewidth=0.8, zorder=0)
    for rule in RULES:
        part = rows[rows.rule == rule].dropna(subset=["cosine"])
        if len(part):
            style.band(axes, part, x, "cosine", style.colour(rule), style.name(rule), **shape)
    axes.set_ylim(-1.05, 1.05)
