"""The trained networks of figures and sweeps: from the store, or trained again, with the same bits."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from rflo_repro.learning import validate
from rflo_repro.paper import registry
from rflo_repro.runs.conditions import of_scale
from rflo_repro.runs.folders import Folders
from rflo_repro.runs.job import Arrays, Condition, Job
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.studies import sweep_file, sweeps

if TYPE_CHECKING:
    from rflo_repro.learning.network import Network


class Trained(Protocol):
    """A job that keeps the network that it trains."""

    def trained(self, arrays: Arrays) -> Network:
        """The network after the last trial, from what `run` returned."""


def trained(
    name: str | os.PathLike[str],
    network: int = 0,
    scale: str = "paper",
    results: str | os.PathLike[str] | None = None,
    **condition: Any,
) -> Network:
    """The network of a figure or of a sweep after its last trial.

    A network that is not stored is trained now, which may take minutes, and comes out with the same bits.

    Parameters
    ----------
    name : str or path-like
        The command of a figure (`fig2`), or the path of a sweep file (`my-sweep.toml`).
    network : int
        Its number, from 0.
    scale : {"paper", "quick", "smoke"}
        The scale of the figure.
    results : path-like, optional
        The directory of the tables, whose store is read; by default the one of the command line.
    **condition
        Columns of the final table, as many as it takes to tell one condition from the others; `period` is
        `period_tau`, and `rates` are the paper's, if it has some, by default.

    Returns
    -------
    Network
        The trained network.

    Raises
    ------
    ValueError
        For an unknown name, scale or network, or where not one condition is left. It says what there is.

    Examples
    --------
    ::

        rr.trained("fig2", rule="rflo", period=20, network=4)
    """
    network = validate.integer("network", network, 0)
    place, found = _conditions(name, scale)
    wanted = {"period_tau" if key == "period" else key: value for key, value in condition.items()}
    at = _chosen(name, found, wanted)
    job = at.jobs[validate.integer("network", network, 0, len(at.jobs) - 1)]
    arrays = Store(Path(place if results is None else results) / FOLDER).get(job)
    keeper = _keeper(job)
    return keeper.trained(job.run(lambda _: None) if arrays is None else arrays)


def _keeper(job: Job) -> Trained:
    if not hasattr(job, "trained"):
        raise ValueError(f"condition must be one that trains a network, got a {type(job).__name__}")
    return cast(Trained, job)


def _conditions(name: Any, scale: str) -> tuple[Path, Sequence[Condition]]:
    """Where the results are, and every condition. Raises ValueError."""
    figures = {key: about for key, about in registry.figures().items() if about.computed}
    if isinstance(name, str) and name in figures:
        experiment = figures[name].experiment
        validate.one_of("scale", scale, [*experiment.scales])
        return Folders.of_scale(scale).results, of_scale(experiment, scale)
    path = Path(name) if isinstance(name, (str, os.PathLike)) else Path()
    if path.suffix != ".toml":
        raise ValueError(
            f"name must be one of {', '.join(figures)} or the path of a sweep file, got {validate.short_repr(name)}"
        )
    try:
        file = sweep_file.read(path)
    except RequestError as error:
        raise ValueError(str(error)) from None
    return Path("results/custom"), sweeps.conditions(file, Selection())


def _chosen(name: Any, found: Sequence[Condition], wanted: Mapping[str, Any]) -> Condition:
    """The one condition with these values. Raises ValueError."""
    columns = list(dict.fromkeys(column for c in found for column in c.values))
    for column in wanted:
        if column not in columns:
            raise ValueError(f"condition must be among {', '.join(columns)}, got {column!r}")
    given: dict[str, Any] = {}
    for column, value in wanted.items():
        left = [c for c in found if c.values.get(column) == value]
        if not left:
            values = ", ".join(dict.fromkeys(repr(c.values.get(column)) for c in found))
            beside = " with " + ", ".join(f"{n}={v!r}" for n, v in given.items()) if given else ""
            raise ValueError(f"{column} must be one of {values}{beside}, got {value!r}{_elsewhere(name, wanted)}")
        found, given = left, {**given, column: value}
    if "rates" not in wanted:
        # at a period between the paper's, its nearest printed rate counts as printed
        found = [c for c in found if c.values.get("rates") != "tuned"] or found
    if len(found) != 1:
        choices = {
            n: dict.fromkeys(repr(c.values.get(n)) for c in found) for n in columns if n not in ("figure", "panel")
        }
        apart = ", ".join(f"{n} ({', '.join(values)})" for n, values in choices.items() if len(values) > 1)
        raise ValueError(f"{len(found)} conditions are left: say {apart} too")
    return found[0]


def _elsewhere(name: Any, wanted: Mapping[str, Any]) -> str:
    """The figures that have the condition that one has not."""
    others = []
    for command, about in registry.figures().items():
        if about.computed and command != name:
            at = of_scale(about.experiment, "paper")
            if any(all(c.values.get(n) == value for n, value in wanted.items()) for c in at):
                others.append(command)
    return f"; {' and '.join(others)} has one" if others else ""
