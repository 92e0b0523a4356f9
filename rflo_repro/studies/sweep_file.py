"""What a sweep file says: its grid, and its own rules, tasks and optimisers (docs/sweeps.md)."""

from __future__ import annotations

import dataclasses
import importlib
import math
import operator
import pkgutil
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import rflo_repro.tasks
from rflo_repro.learning import validate
from rflo_repro.learning.optimizers import Method, Optimizer
from rflo_repro.learning.rules import RULES, LearningRule
from rflo_repro.learning.task import Task, longest_trial
from rflo_repro.paper import registry
from rflo_repro.runs import own_source, provenance, user_modules
from rflo_repro.runs.job import describe
from rflo_repro.runs.request import LIMITS
from rflo_repro.runs.tables import Column
from rflo_repro.studies import toml_entries
from rflo_repro.studies.sweep_axes import AXES, PERIODIC
from rflo_repro.studies.toml_entries import check_name, frozen, made, only, rule_of, table

MOST = 100_000  # jobs
TRIAL = "trial"
MEASURED = ["final_loss", "first_loss", "smallest_loss", "final_alignment"]
MEASURED_BY_TRIAL = ["loss", "alignment"]


@dataclass(frozen=True)
class SweepFile:
    """What a sweep file says: every combination of the grid's values, `networks` jobs each.

    name: what its files are called. grid: axes of AXES with their values. rules, tasks, optimizers: the file's own, by
    name. plot: columns for `x`, `y` and, if there are several lines, `lines`; empty: no picture.
    """

    stored_as = "Plan"

    name: str
    networks: int
    trials: int
    seed: int
    grid: Mapping[str, tuple[Any, ...]]
    rules: Mapping[str, LearningRule]
    tasks: Mapping[str, Task]
    optimizers: Mapping[str, Optimizer]
    plot: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What names a condition in the tables."""
        return tuple(axis.column_of(self.grid[name]) for name, axis in AXES.items() if axis.always or self.grid[name])

    @property
    def has_metric(self) -> bool:
        """Whether some task has a metric."""
        return any(hasattr(task, "metric") for task in self.tasks.values())

    @property
    def varied(self) -> list[str]:
        """The axes that have more than one value."""
        return [name for name, values in self.grid.items() if len(values) > 1]


def read(path: Path) -> SweepFile:
    """What a TOML file says. Raises RequestError, with the file and the entry, for anything that is not one."""
    return toml_entries.read(path, _parsed)


def _parsed(entries: Mapping[str, Any], folder: Path) -> SweepFile:
    """Raises ValueError, TypeError."""
    only("entries", entries, ("name", "networks", "trials", "seed", "grid", "rules", "tasks", "optimizers", "plot"))
    for name in ("name", "grid"):
        if name not in entries:
            raise ValueError(f"{name} is missing")
    name = entries["name"]
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise ValueError(f"name must be up to 64 of a-z, 0-9, - and _, got {name!r}")
    if name.replace("-", "_").partition("_")[0] in (*registry.figures(), "tune"):
        raise ValueError(f"name must not begin like a figure's tables, got {name!r}")
    rules, tasks, optimizers = (table(part, entries.get(part, {})) for part in ("rules", "tasks", "optimizers"))
    known = {"rule": (*RULES, *rules), "task": (PERIODIC, *tasks), "optimizer": (*get_args(Method), *optimizers)}
    file = SweepFile(
        name=name,
        networks=validate.integer("networks", entries.get("networks", 1), 1),
        trials=validate.integer("trials", entries.get("trials", 1000), 1),
        seed=validate.integer("seed", entries.get("seed", 2019), 0),
        grid=_grid(table("grid", entries["grid"]), known),
        rules={key: rule_of(key, value) for key, value in rules.items()},
        tasks={key: _task(key, value, folder) for key, value in tasks.items()},
        optimizers={key: _optimizer(key, value) for key, value in optimizers.items()},
    )
    if "plot" in entries:
        file = dataclasses.replace(file, plot=_plot(table("plot", entries["plot"]), file))
    for setting in ("networks", "trials", "seed"):
        if (value := getattr(file, setting)) > LIMITS[setting]:
            raise ValueError(f"{setting} must be at most {LIMITS[setting]}, got {validate.short_repr(value)}")
    n_jobs = math.prod(len(values) or 1 for values in file.grid.values()) * file.networks
    if n_jobs > MOST:
        raise ValueError(f"grid has {n_jobs} jobs, at most {MOST} are allowed")
    return file


def _optimizer(name: str, value: Any) -> Optimizer:
    check_name("optimizers", name, get_args(Method), "an optimiser")
    return made("optimizers", name, value, Optimizer, [field.name for field in dataclasses.fields(Optimizer)])


def _task(name: str, value: Any, folder: Path) -> Task:
    check_name("tasks", name, [PERIODIC], "a task")
    entries = dict(table(f"tasks.{name}", value))
    kind = entries.pop("is", None)
    cls = _class(name, kind, folder)
    if dataclasses.is_dataclass(cls):
        only(f"tasks.{name}", entries, [f.name for f in dataclasses.fields(cls)])
    try:
        task: Task = cls(**{key: frozen(entry) for key, entry in entries.items()})
        n_steps = operator.index(longest_trial(task))
        describe(task)
        own_source.check(task, provenance.module_path(cls))
    except (Exception, SystemExit) as error:  # whatever a task of one's own makes of values that it did not expect
        raise ValueError(f"tasks.{name}: {error}") from None
    if not isinstance(task, Task) or n_steps < 1:
        raise ValueError(f"tasks.{name}: {kind} must have n_in, n_out and at least one timestep")
    return task


def _class(name: str, kind: Any, folder: Path) -> type[Any]:
    """The class of a task of the file's own: of the package by its name, or `module:Class`, of a module beside the file
    or on the path. Raises ValueError."""
    classes = task_classes()
    if isinstance(kind, str) and ":" in kind:
        module, _, called = kind.partition(":")
        file, where = folder.absolute() / f"{module}.py", user_modules
        try:
            found = getattr(where.module_in(file) if file.is_file() else where.module_named(module, folder), called)
        except (Exception, SystemExit) as error:  # whatever somebody else's module raises
            raise ValueError(f"tasks.{name}.is: {kind} cannot be imported ({type(error).__name__}: {error})") from None
        if not isinstance(found, type) or not hasattr(found, "trial"):
            raise ValueError(f"tasks.{name}.is must name a class with n_in, n_out and trial(self, rng), got {kind!r}")
        if dataclasses.is_dataclass(found) and not _is_task_class(found):
            raise ValueError(f"tasks.{name}.is must be frozen: write @dataclass(frozen=True) above {called}")
        return found
    if kind not in classes:
        raise ValueError(f"tasks.{name}.is must be one of {', '.join(sorted(classes))}, or module:Class, got {kind!r}")
    return classes[kind]


def task_classes() -> dict[str, type[Any]]:
    """Every task under `rflo_repro/tasks` whose trials depend on nothing but its fields, by class name."""
    modules = [
        importlib.import_module(f"rflo_repro.tasks.{found.name}")
        for found in pkgutil.iter_modules(rflo_repro.tasks.__path__)
    ]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if _is_task_class(value) and value.__module__ == module.__name__
    }


def _is_task_class(value: Any) -> bool:
    """Whether it is a frozen dataclass with a method `trial`."""
    if not (isinstance(value, type) and dataclasses.is_dataclass(value)):
        return False
    return bool(vars(value)["__dataclass_params__"].frozen) and hasattr(value, "trial")


def _grid(entries: Mapping[str, Any], named: Mapping[str, Sequence[str]]) -> dict[str, tuple[Any, ...]]:
    """The values of every axis. named: the names that there are on axes of names. Raises ValueError."""
    only("grid", entries, list(AXES))
    for name in ("rule", "eta"):
        if name not in entries:
            raise ValueError(f"grid.{name} is missing")
    grid = {}
    for name, axis in AXES.items():
        given = entries.get(name, [] if axis.usual is None else axis.usual)
        values = given if isinstance(given, list) else [given]
        grid[name] = tuple(dict.fromkeys(axis.check(f"grid.{name}", _hashable(name, value)) for value in values))
        if not values and name in entries:
            raise ValueError(f"grid.{name} must have at least one value")
    for name, known in named.items():
        for value in grid[name]:
            if value not in known:
                near = validate.hint(value, known)
                raise ValueError(f"grid.{name} must be among {', '.join(known)}, got {value!r}{near}")
    if PERIODIC in grid["task"] and not grid["period"]:
        raise ValueError("grid.period is missing: the periodic task has one, in units of tau")
    if PERIODIC not in grid["task"] and grid["period"]:
        raise ValueError("grid.period is for the periodic task alone")
    return grid


def _hashable(name: str, value: Any) -> Any:
    if isinstance(value, (list, dict)):
        raise ValueError(f"grid.{name} must be one value or a list of them, got {value!r}")
    return value


def _plot(entries: Mapping[str, Any], file: SweepFile) -> dict[str, str]:
    """Which columns are plotted. Raises ValueError."""
    only("plot", entries, ("x", "y", "lines"))
    columns = {column.name: column.kind for column in file.columns}
    numbers = [name for name, kind in columns.items() if kind in ("integer", "number")]
    measured = [*MEASURED, "final_metric"] if file.has_metric else MEASURED
    allowed = {"x": [TRIAL, *numbers], "y": measured, "lines": [*columns]}
    if entries.get("x") == TRIAL:
        allowed["y"] = MEASURED_BY_TRIAL
    for name in ("x", "y"):
        if name not in entries:
            raise ValueError(f"plot.{name} is missing")
    chosen = {name: validate.one_of(f"plot.{name}", entries[name], allowed[name]) for name in entries}
    for column in sorted({AXES[axis].column.name for axis in file.varied} - set(chosen.values())):
        raise ValueError(f"plot must say where {column} goes, which the grid varies too: x or lines")
    return chosen
