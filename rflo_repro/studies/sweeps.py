"""`rflo-repro sweep FILE.toml`: a grid of one's own over rule, task, N, tau, period, g and eta (docs/sweeps.md)."""

from __future__ import annotations

import dataclasses
import importlib
import io
import itertools
import math
import pkgutil
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import pandas as pd
from rich.console import Console

import rflo_repro.tasks
from rflo_repro.learning import validate
from rflo_repro.learning.network import Phi
from rflo_repro.learning.optimizers import Method, Optimizer
from rflo_repro.learning.rules import RULES, LearningRule, resolve
from rflo_repro.learning.task import Task, longest_trial
from rflo_repro.paper import periodic, registry
from rflo_repro.report import style
from rflo_repro.report.comparison import Line
from rflo_repro.runs import learning_curves, user_modules
from rflo_repro.runs.choices import first_state
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Condition, Results
from rflo_repro.runs.request import LIMITS, Request, RequestError, Selection
from rflo_repro.runs.run import run
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import content
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.claims import Tables
from rflo_repro.stats.statistics import where
from rflo_repro.tasks import PeriodicTask

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from rflo_repro.learning.optimizers import LearningRates

T = TypeVar("T")
PERIODIC = "periodic"
MOST = 100_000  # jobs
LONGEST_NAME = 64
COLUMNS = (
    Column("rule", "text", "", "learning rule: one of rflo_repro.RULES, or of the sweep's own"),
    Column("task", "text", "", "task: periodic, or one of the sweep's own"),
    Column("n_rec", "integer", "units", "number of recurrent units N"),
    Column("tau", "number", "timesteps", "time constant of the network"),
    Column("period_tau", "number", "tau", "period of the target, in units of tau; empty for tasks without one"),
    Column("g", "number", "", "initial recurrent weights have the variance g^2/N"),
    Column("eta", "number", "", "learning rate"),
)
# Columns of the tables of a sweep whose grid names them, and of no other
MORE_COLUMNS = {
    "eta_in": Column("eta_in", "number", "", "learning rate of the input weights, in place of eta"),
    "eta_rec": Column("eta_rec", "number", "", "learning rate of the recurrent weights, in place of eta"),
    "eta_out": Column("eta_out", "number", "", "learning rate of the readout weights, in place of eta"),
    "n_trials": Column("trials", "integer", "trials", "number of training trials that was asked for"),
    "batch": Column("batch", "integer", "trials", "trials whose updates are summed before they are applied"),
    "online": Column("online", "flag", "", "whether weights change at every timestep"),
    "h0": Column("h0", "number", "", "initial state of every unit; as text, uniform, U(-1, 1), or normal, N(0, 1)"),
    "phi": Column("phi", "text", "", "activation function"),
    "density": Column("density", "number", "", "share of the recurrent synapses that there are"),
    "bias": Column("bias", "number", "", "standard deviation of the initial biases, which are trained"),
    "tau_spread": Column("tau_spread", "number", "", "time constants go from tau over this to tau times this"),
    "noise": Column("noise", "number", "", "standard deviation of the noise on the units' drive"),
    "optimizer": Column("optimizer", "text", "", "optimiser: a method of rflo_repro.Optimizer, or the sweep's own"),
}
# What a grid may vary, and how each value is checked
AXES: dict[str, Callable[[str, Any], Any]] = {
    "rule": lambda name, value: value,
    "task": lambda name, value: value,
    "n_rec": lambda name, value: validate.integer(name, value, 1),
    "tau": lambda name, value: validate.real(name, value, 1.0),
    "period": lambda name, value: validate.real(name, value, 0.0),
    "g": lambda name, value: validate.real(name, value, 0.0),
    "eta": lambda name, value: validate.real(name, value, 0.0),
    "eta_in": lambda name, value: validate.real(name, value, 0.0),
    "eta_rec": lambda name, value: validate.real(name, value, 0.0),
    "eta_out": lambda name, value: validate.real(name, value, 0.0),
    "n_trials": lambda name, value: validate.integer(name, value, 1, LIMITS["trials"]),
    "batch": lambda name, value: validate.integer(name, value, 1),
    "online": validate.boolean,
    "h0": first_state,
    "phi": lambda name, value: validate.one_of(name, value, get_args(Phi)),
    "density": lambda name, value: validate.real(name, value, 0.0, 1.0),
    "bias": lambda name, value: validate.real(name, value, 0.0),
    "tau_spread": lambda name, value: validate.real(name, value, 1.0),
    "noise": lambda name, value: validate.real(name, value, 0.0),
    "optimizer": lambda name, value: value,
}
# Axes whose column has another name
COLUMN_OF = {"period": "period_tau", "n_trials": "trials"}
TRIAL = "trial"
MEASURED = ["final_loss", "first_loss", "smallest_loss", "final_alignment"]
MEASURED_BY_TRIAL = ["loss", "alignment"]
MATRIX_AXES = {"w_in": "eta_in", "w_rec": "eta_rec", "w_out": "eta_out"}
USUAL: dict[str, Any] = {"task": PERIODIC, "n_rec": 30, "tau": 10.0, "g": 1.5}


@dataclass(frozen=True)
class Plan:
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
        return (*COLUMNS, *(_column(name, values) for name in MORE_COLUMNS if (values := self.grid.get(name))))


def _column(name: str, values: Sequence[Any]) -> Column:
    """Of an axis with these values: text where there are words."""
    worded = any(isinstance(value, str) for value in values)
    return dataclasses.replace(MORE_COLUMNS[name], kind="text") if worded else MORE_COLUMNS[name]


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
        if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__
        and _is_task_class(value)
    }  # fmt: skip


def read(path: Path) -> Plan:
    """The plan in a TOML file. Raises RequestError, with the file and the entry, for anything that is not one."""
    return reading(path, _plan)


def reading(path: Path, make: Callable[[Mapping[str, Any], Path], T]) -> T:
    """What is made of a TOML file's entries and folder. Raises RequestError, with the file, for what is no TOML and
    what `make` raises."""
    try:
        return make(tomllib.loads(content(path).decode("utf-8")), path.parent)
    except OSError as error:
        raise RequestError(None, f"{path}: {error.strerror}") from None
    except RecursionError:
        raise RequestError(None, f"{path}: nested too deeply") from None
    except (ValueError, TypeError, RequestError) as error:
        raise RequestError(None, f"{path}: {error}") from None


def _plan(entries: Mapping[str, Any], folder: Path) -> Plan:
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
    rules = {key: rule_of(key, value) for key, value in table("rules", entries.get("rules", {})).items()}
    tasks = {key: _task(key, value, folder) for key, value in table("tasks", entries.get("tasks", {})).items()}
    optimizers = {
        key: _optimizer(key, value) for key, value in table("optimizers", entries.get("optimizers", {})).items()
    }
    known = {"rule": (*RULES, *rules), "task": (PERIODIC, *tasks), "optimizer": (*get_args(Method), *optimizers)}
    plan = Plan(
        name=name,
        networks=validate.integer("networks", entries.get("networks", 1), 1),
        trials=validate.integer("trials", entries.get("trials", 1000), 1),
        seed=validate.integer("seed", entries.get("seed", 2019), 0),
        grid=_grid(table("grid", entries["grid"]), known),
        rules=rules,
        tasks=tasks,
        optimizers=optimizers,
    )
    if "plot" in entries:
        plan = dataclasses.replace(plan, plot=_plot(table("plot", entries["plot"]), plan))
    for setting in ("networks", "trials", "seed"):
        if getattr(plan, setting) > LIMITS[setting]:
            raise ValueError(
                f"{setting} must be at most {LIMITS[setting]}, got {validate.short_repr(getattr(plan, setting))}"
            )
    n_jobs = math.prod(len(values) or 1 for values in plan.grid.values()) * plan.networks
    if n_jobs > MOST:
        raise ValueError(f"grid has {n_jobs} jobs, at most {MOST} are allowed")
    return plan


def only(what: str, entries: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raises ValueError for an entry that is not known."""
    for key in entries:
        if key not in known:
            raise ValueError(f"{what} must be among {', '.join(known)}, got {key!r}")


def table(name: str, value: Any) -> Mapping[str, Any]:
    """The value, if it is a table. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a table, got {value!r}")
    return value


def _name(kind: str, name: str) -> None:
    """Raises ValueError for a name that does not come back from a table as it is, such as `null`, or gets no line."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise ValueError(f"{kind} must have names of 1 to {LONGEST_NAME} printable characters, got {name!r}")
    column = io.StringIO(pd.DataFrame({"name": [name]}).to_csv(index=False))
    if pd.read_csv(column)["name"].tolist() != [name]:
        raise ValueError(f"{kind} must not have a name that pandas reads as a number, a flag or missing, got {name!r}")


def rule_of(name: str, value: Any) -> LearningRule:
    """The rule in a table `rules.NAME`. Raises ValueError."""
    _name("rules", name)
    entries = dict(table(f"rules.{name}", value))
    only(f"rules.{name}", entries, [field.name for field in dataclasses.fields(LearningRule)[1:]])
    if name in RULES:
        raise ValueError(f"rules.{name} is a rule already; give yours another name")
    if "trains" in entries:
        entries["trains"] = _frozen(entries["trains"])
    try:
        return LearningRule(name, **entries)
    except (TypeError, ValueError) as error:
        raise ValueError(f"rules.{name}: {error}") from None


def _optimizer(name: str, value: Any) -> Optimizer:
    _name("optimizers", name)
    entries = dict(table(f"optimizers.{name}", value))
    only(f"optimizers.{name}", entries, [field.name for field in dataclasses.fields(Optimizer)])
    if name in get_args(Method):
        raise ValueError(f"optimizers.{name} is an optimiser already; give yours another name")
    try:
        return Optimizer(**entries)
    except ValueError as error:
        raise ValueError(f"optimizers.{name}: {error}") from None


def _class(name: str, kind: Any, folder: Path) -> type[Any]:
    """The class that a task of the file's own is: of the package by its name, or `module:Class`, of a module beside the
    file or on the path. Raises ValueError."""
    classes = task_classes()
    if isinstance(kind, str) and ":" in kind:
        module, _, called = kind.partition(":")
        file = folder.absolute() / f"{module}.py"
        # what it imports may lie beside it
        sys.path.insert(0, str(folder.absolute()))
        try:
            found = getattr(user_modules.module_in(file) if file.is_file() else importlib.import_module(module), called)
        except (Exception, SystemExit) as error:  # whatever somebody else's module raises
            raise ValueError(f"tasks.{name}.is: {kind} cannot be imported ({type(error).__name__}: {error})") from None
        finally:
            sys.path.remove(str(folder.absolute()))
        if not (isinstance(found, type) and dataclasses.is_dataclass(found) and _is_task_class(found)):
            raise ValueError(f"tasks.{name}.is must name a frozen dataclass with a method trial, got {kind!r}")
        return found
    if kind not in classes:
        raise ValueError(f"tasks.{name}.is must be one of {', '.join(sorted(classes))}, or module:Class, got {kind!r}")
    return classes[kind]


def _is_task_class(value: Any) -> bool:
    return bool(value.__dataclass_params__.frozen) and hasattr(value, "trial")


def _task(name: str, value: Any, folder: Path) -> Task:
    _name("tasks", name)
    entries = dict(table(f"tasks.{name}", value))
    kind = entries.pop("is", None)
    if name == PERIODIC:
        raise ValueError(f"tasks.{name} is a task already; give yours another name")
    made_by = _class(name, kind, folder)
    only(f"tasks.{name}", entries, [f.name for f in dataclasses.fields(made_by)])
    try:
        task: Task = made_by(**{key: _frozen(entry) for key, entry in entries.items()})
        n_steps = longest_trial(task)
    except (Exception, SystemExit) as error:  # whatever a task of one's own makes of values that it did not expect
        raise ValueError(f"tasks.{name}: {error}") from None
    if not isinstance(task, Task) or not isinstance(n_steps, int) or n_steps < 1:
        raise ValueError(f"tasks.{name}: {kind} must have n_in, n_out and at least one timestep")
    return task


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _grid(entries: Mapping[str, Any], named: Mapping[str, Sequence[str]]) -> dict[str, tuple[Any, ...]]:
    """named: what there is of what goes by names."""
    only("grid", entries, list(AXES))
    for name in ("rule", "eta"):
        if name not in entries:
            raise ValueError(f"grid.{name} is missing")
    grid = {}
    for name, check in AXES.items():
        given = entries.get(name, USUAL.get(name, []))
        values = given if isinstance(given, list) else [given]
        grid[name] = tuple(dict.fromkeys(check(f"grid.{name}", _hashable(name, value)) for value in values))
        if not values and name in entries:
            raise ValueError(f"grid.{name} must have at least one value")
    for name, known in named.items():
        for value in grid[name]:
            if value not in known:
                raise ValueError(f"grid.{name} must be among {', '.join(known)}, got {value!r}")
    if PERIODIC in grid["task"] and not grid["period"]:
        raise ValueError("grid.period is missing: the periodic task has one, in units of tau")
    if PERIODIC not in grid["task"] and grid["period"]:
        raise ValueError("grid.period is for the periodic task alone")
    return grid


def _plot(entries: Mapping[str, Any], plan: Plan) -> dict[str, str]:
    """Which columns are drawn. Raises ValueError."""
    only("plot", entries, ("x", "y", "lines"))
    columns = {column.name: column.kind for column in plan.columns}
    numbers = [name for name, kind in columns.items() if kind in ("integer", "number")]
    allowed = {"x": [TRIAL, *numbers], "y": MEASURED, "lines": [*columns]}
    if entries.get("x") == TRIAL:
        allowed["y"] = MEASURED_BY_TRIAL
    for name in ("x", "y"):
        if name not in entries:
            raise ValueError(f"plot.{name} is missing")
    chosen = {name: validate.one_of(f"plot.{name}", entries[name], allowed[name]) for name in entries}
    axes = {COLUMN_OF.get(axis, axis) for axis, values in plan.grid.items() if len(values) > 1}
    for column in sorted(axes - set(chosen.values())):
        raise ValueError(f"plot must say where {column} goes, which the grid varies too: x or lines")
    return chosen


def draw(plan: Plan, frames: Tables) -> tuple[style.Picture, list[str]]:
    """Median and quartiles over networks of y against x, a line for each value of `lines`."""
    x, y, lines = plan.plot["x"], plan.plot["y"], plan.plot.get("lines")
    frame = frames["curves" if x == TRIAL else "final"]
    values = [None] if lines is None else list(dict.fromkeys(frame[lines]))
    with style.style():
        picture = style.new_picture(4.4, 3.3)
        axes = picture.subplots()
        for i, value in enumerate(values):
            at = {} if lines is None else {lines: value}
            label = "" if value is None else style.name(value) if lines == "rule" else f"{lines} {value}"
            colour = style.colour(str(value)) if lines == "rule" else f"C{i}"
            line = Line(at, label, colour)
            if x == TRIAL:
                line.draw(axes, frame, x, y)
            else:
                line.draw(axes, frame, x, y, marker="o", markersize=4)
                style.networks(axes, where(frame, at), x, y, colour, shift=3.0 * (i - (len(values) - 1) / 2.0))
        if y in ("alignment", "final_alignment"):
            axes.set_ylabel("alignment")
        else:
            style.loss_axis(axes, frame[y])
        if x == TRIAL:
            style.trial_axis(axes, int(frame.trial.max()))
        else:
            units = next(column.unit for column in plan.columns if column.name == x)
            axes.set_xlabel(f"{x}  ({units})" if units else x)
        if lines is not None:
            axes.legend()
    return picture, []


def _hashable(name: str, value: Any) -> Any:
    if isinstance(value, (list, dict)):
        raise ValueError(f"grid.{name} must be one value or a list of them, got {value!r}")
    return value


def conditions(plan: Plan, selection: Selection) -> list[Condition]:
    """Every combination of the grid. Raises ValueError if a period is not a whole number of timesteps."""
    varied = [name for name, values in plan.grid.items() if len(values) > 1]
    found: dict[str, Condition] = {}
    for values in itertools.product(*(values or (None,) for values in plan.grid.values())):
        at = dict(zip(plan.grid, values, strict=True))
        if at["task"] != PERIODIC:
            at["period"] = None
        label = " ".join(
            str(at[name]) if name in ("rule", "task") else f"{name}={at[name]}"
            for name in dict.fromkeys(("rule", *varied))
            if at[name] is not None
        )
        key = repr(at)
        if key not in found:
            found[key] = _condition(plan, label, at)
    return list(found.values())


def _condition(plan: Plan, label: str, at: Mapping[str, Any]) -> Condition:
    # a rule of the file's own goes in whole, so that the store's key holds what it is
    rule = plan.rules.get(at["rule"], at["rule"])
    untrained = resolve(rule).untrained
    if at["online"] and not resolve(rule).local_in_time:
        raise ValueError(f"grid.online must be false for rules that are not local in time, such as {at['rule']}")
    n_trials = plan.trials if at["n_trials"] is None else at["n_trials"]
    batch = 1 if at["batch"] is None else at["batch"]
    if n_trials % batch:
        raise ValueError(f"grid.batch must divide the number of trials ({n_trials}), got {batch}")
    first = Session(
        task=_periodic(at["period"], at["tau"]) if at["task"] == PERIODIC else plan.tasks[at["task"]],
        rule=rule,
        eta=_eta(at),
        n_trials=batch if untrained else n_trials,
        init=Initialisation(
            at["n_rec"], at["tau"], at["g"], **_given(at, "h0", "phi", "density", "bias", "tau_spread")
        ),
        seed=plan.seed,
        network=0,
        optimizer=plan.optimizers.get(at["optimizer"], at["optimizer"] or "sgd"),
        **_given(at, "online", "batch", "noise"),
    )
    axis_of = {column: axis for axis, column in COLUMN_OF.items()}
    values = {c.name: at[axis_of.get(c.name, c.name)] for c in plan.columns}
    values |= {c.name: str(values[c.name]) for c in plan.columns if c.kind == "text"}
    values["period_tau"] = math.nan if at["period"] is None else at["period"]
    sessions = tuple(dataclasses.replace(first, network=network) for network in range(plan.networks))
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


def schemas(name: str, columns: Sequence[Column] = COLUMNS) -> dict[str, Schema]:
    """The sweep's three tables, by `curves`, `final` and `outputs`, with these columns that name a condition."""
    return learning_curves.composed(name, columns, [column.name for column in columns])


def tabulate(plan: Plan, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The frames for `schemas`."""
    parts = [learning_curves.tabulate([c], [r], c.values["tau"]) for c, r in zip(found, results, strict=True)]
    return {part: pd.concat([frames[part] for frames in parts], ignore_index=True) for part in parts[0]}


def experiment(plan: Plan) -> Experiment[Plan]:
    """What a sweep file asks for."""
    return Experiment(
        about=About(home=plan.name, command="sweep", title="", help="", place=0, panels={"a": "what `plot` says"}),
        draw=(lambda frames, panels: draw(plan, frames)) if plan.plot else None,
        scales={"custom": plan},
        schemas=schemas(plan.name, plan.columns),
        conditions=conditions,
        tabulate=tabulate,
        summary=learning_curves.summary,
    )


def sweep(path: Path, request: Request, console: Console) -> None:
    """Compute what a sweep file asks for, write its tables, and say where they are.

    Raises RequestError, before anything is touched, for a file that is no plan or a directory that cannot be written.
    """
    plan = read(path)
    try:
        run(experiment(plan), dataclasses.replace(request, scale="custom"), console)
    except ValueError as error:  # a value that only the library can judge
        raise RequestError(None, f"{path}: {error}") from error
