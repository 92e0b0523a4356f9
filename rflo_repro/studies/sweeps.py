"""`rflo-repro sweep FILE.toml`: a grid of one's own over rule, task, N, tau, period, g and eta (docs/sweeps.md)."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console

from rflo_repro.learning.rules import resolve
from rflo_repro.paper import periodic
from rflo_repro.report import palette, style
from rflo_repro.report.comparison import Line
from rflo_repro.runs import learning_curves
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Condition, Results
from rflo_repro.runs.request import Request, RequestError, Selection
from rflo_repro.runs.run import run
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Schema
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import where
from rflo_repro.studies.sweep_axes import AXES, PERIODIC
from rflo_repro.studies.sweep_file import TRIAL, SweepFile, read
from rflo_repro.tasks import PeriodicTask

if TYPE_CHECKING:
    from rflo_repro.learning.optimizers import LearningRates

DEFAULT_COLOURS = 10  # of matplotlib, before they repeat
MATRIX_AXES = {"w_in": "eta_in", "w_rec": "eta_rec", "w_out": "eta_out"}


def conditions(file: SweepFile, selection: Selection) -> list[Condition]:
    """Every combination of the grid. Raises ValueError if a period is not a whole number of timesteps."""
    found: dict[str, Condition] = {}
    for values in itertools.product(*(values or (None,) for values in file.grid.values())):
        at = dict(zip(file.grid, values, strict=True))
        if at["task"] != PERIODIC:
            at["period"] = None
        label = " ".join(
            str(at[name]) if name in ("rule", "task") else f"{name}={at[name]}"
            for name in dict.fromkeys(("rule", *file.varied))
            if at[name] is not None
        )
        key = repr(at)
        if key not in found:
            found[key] = _condition(file, label, at)
    return list(found.values())


def _condition(file: SweepFile, label: str, at: Mapping[str, Any]) -> Condition:
    # a rule of the file's own goes in whole, so that the store's key holds what it is
    rule = file.rules.get(at["rule"], at["rule"])
    untrained = resolve(rule).untrained
    if at["online"] and not resolve(rule).local_in_time:
        raise ValueError(f"grid.online must be false for rules that are not local in time, such as {at['rule']}")
    n_trials = file.trials if at["n_trials"] is None else at["n_trials"]
    batch = 1 if at["batch"] is None else at["batch"]
    if n_trials % batch:
        raise ValueError(f"grid.batch must divide the number of trials ({n_trials}), got {batch}")
    first = Session(
        task=_periodic(at["period"], at["tau"]) if at["task"] == PERIODIC else file.tasks[at["task"]],
        rule=rule,
        eta=_eta(at),
        n_trials=batch if untrained else n_trials,
        init=Initialisation(
            at["n_rec"], at["tau"], at["g"], **_given(at, "h0", "phi", "density", "bias", "tau_spread")
        ),
        seed=file.seed,
        network=0,
        optimizer=file.optimizers.get(at["optimizer"], at["optimizer"] or "sgd"),
        **_given(at, "online", "batch", "noise", "loss"),
    )
    at_column = {axis.column.name: at[name] for name, axis in AXES.items()}
    values = {c.name: str(at_column[c.name]) if c.kind == "text" else at_column[c.name] for c in file.columns}
    values["period_tau"] = math.nan if at["period"] is None else at["period"]
    sessions = tuple(dataclasses.replace(first, network=network) for network in range(file.networks))
    return Condition(label, values, sessions, untrained)


def _given(at: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: at[name] for name in names if at[name] is not None}


def _eta(at: Mapping[str, Any]) -> float | LearningRates:
    """`eta` for all, or what is said of a matrix."""
    own = {name: at["eta" if at[axis] is None else axis] for name, axis in MATRIX_AXES.items()}
    if set(own.values()) == {at["eta"]}:
        rate: float = at["eta"]
        return rate
    from rflo_repro.learning.optimizers import LearningRates

    return LearningRates(**own)


def _periodic(period_tau: float, tau: float) -> PeriodicTask:
    try:
        return PeriodicTask(periodic.timesteps(period_tau, tau))
    except ValueError as error:
        raise ValueError(f"grid.period: {error}") from None


def schemas(file: SweepFile) -> dict[str, Schema]:
    """The sweep's three tables, by `curves`, `final` and `outputs`."""
    found = learning_curves.composed(file.name, file.columns, [column.name for column in file.columns])
    if file.has_metric:
        final = found["final"]
        found["final"] = dataclasses.replace(final, columns=(*final.columns, learning_curves.METRIC))
    return found


def tabulate(file: SweepFile, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The frames for `schemas`."""
    parts = [learning_curves.tabulate([c], [r], c.values["tau"]) for c, r in zip(found, results, strict=True)]
    frames = {part: pd.concat([frames[part] for frames in parts], ignore_index=True) for part in parts[0]}
    if file.has_metric and "final_metric" not in frames["final"]:
        frames["final"]["final_metric"] = math.nan
    return frames


def draw(file: SweepFile, frames: Tables) -> tuple[style.Picture, list[str]]:
    """Median and quartiles over networks of y against x, a line for each value of `lines`."""
    x, y, lines = file.plot["x"], file.plot["y"], file.plot.get("lines")
    frame = frames["curves" if x == TRIAL else "final"]
    if frame[x].isna().all():
        return style.new_picture(4.4, 3.3), [f"picture left out: no {x} in any condition"]
    values = [None] if lines is None else list(dict.fromkeys(frame[lines]))
    own = palette.colours([str(value) for value in values])
    with style.style():
        picture = style.new_picture(4.4, 3.3)
        axes = picture.subplots()
        for i, value in enumerate(values):
            at = {} if lines is None else {lines: value}
            label = "" if value is None else palette.name(value) if lines == "rule" else f"{lines} {value}"
            colour = own[str(value)] if lines == "rule" or len(values) > DEFAULT_COLOURS else f"C{i}"
            if where(frame, at)[x].isna().all():  # such as a task without a period
                axes.plot([], [], color=colour, label=style.label(f"{label}: no {x}"))
                continue
            line = Line(at, style.label(label), colour)
            if x == TRIAL:
                line.draw(axes, frame, x, y)
            else:
                line.draw(axes, frame, x, y, marker="o", markersize=4)
                style.networks(axes, where(frame, at), x, y, colour, shift=3.0 * (i - (len(values) - 1) / 2.0))
        if y in ("alignment", "final_alignment", "final_metric"):
            axes.set_ylabel(y.removeprefix("final_"))
        else:
            seen = frame[y][frame[x].notna()]
            style.loss_axis(axes, seen, style.loss_top(seen))
        if x == TRIAL:
            style.trial_axis(axes, int(frame.trial.max()))
        else:
            units = next(column.unit for column in file.columns if column.name == x)
            axes.set_xlabel(f"{x}  ({units})" if units else x)
        if lines is not None:
            axes.legend()
    return picture, []


def experiment(file: SweepFile) -> Experiment[SweepFile]:
    """What a sweep file asks for."""
    return Experiment(
        about=About(home=file.name, command="sweep", title="", help="", order=0, panels={"a": "what `plot` says"}),
        draw=(lambda frames, panels: draw(file, frames)) if file.plot else None,
        scales={"custom": file},
        schemas=schemas(file),
        conditions=conditions,
        tabulate=tabulate,
        summary=learning_curves.summary,
    )


def sweep(path: Path, request: Request, console: Console) -> None:
    """Compute what a sweep file asks for, write its tables, and say where they are.

    Raises RequestError, before anything is touched, for what is no sweep file or a directory that cannot be written.
    """
    file = read(path)
    try:
        run(experiment(file), dataclasses.replace(request, scale="custom"), console)
    except ValueError as error:  # a value that only the library can judge
        raise RequestError(None, f"{path}: {error}") from error
