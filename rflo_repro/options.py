"""Options that commands share, the kinds of their values, and how they become a request. Nothing numerical."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from rflo_repro.runs.choices import GRID, declared
from rflo_repro.runs.experiment import About
from rflo_repro.runs.request import CHECKPOINT_SECONDS, LIMITS, Request, Selection

T = TypeVar("T")
Option = Callable[[Callable[..., None]], Callable[..., None]]
MANY = 8  # names that are not all shown in a synopsis
SCALES = ("smoke", "quick", "paper")


class Command(click.Command):
    """A command that refuses a second value of an option that takes one: click would drop the first."""

    def make_parser(self, ctx: click.Context) -> Any:
        parser = super().make_parser(ctx)
        single = {param.name: param for param in self.params if isinstance(param, click.Option) and not param.multiple}
        for option in {id(o): o for o in (*parser._long_opt.values(), *parser._short_opt.values())}.values():
            if option.action == "store" and option.dest in single:
                option.process = _once(option.process, single[option.dest], ctx)  # type: ignore
        return parser


def _once(process: Callable[[Any, Any], None], option: click.Option, ctx: click.Context) -> Callable[[Any, Any], None]:
    def checked(value: Any, state: Any) -> None:
        if state.opts.get(option.name, value) != value:
            several = f"{state.opts[option.name]} and {value}"
            raise click.BadParameter(f"takes one value, got {several}: {GRID}", ctx, option)
        process(value, state)

    return checked


class Folder(click.Path):
    """A path, in which `~` is the home folder: a shell leaves it as it is in `--results='~/out'`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(os.path.expanduser(value), param, ctx)


class OneOf(click.Choice):  # type: ignore[type-arg]
    """One of these words in any case, or a rule among them by another name; an error says which is near."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__([*allowed], case_sensitive=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            from rflo_repro.learning import rules, validate

            meant = rules.ALIASES.get(value.lower().replace("_", "-"))
            if meant in self.choices:
                return meant
            raise click.BadParameter(f"{error.message}{validate.hint(value, self.choices)}", ctx, param) from None


class Text(click.ParamType):  # type: ignore[type-arg]
    """What a function makes of a text; it raises ValueError for one that is not `allowed`."""

    def __init__(self, allowed: str, parse: Callable[[str], Any]) -> None:
        self.name, self.parse = allowed, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.parse(value)
        except ValueError:
            self.fail(f"{value!r} is not {self.name}", param, ctx)


def _number(text: str) -> float:
    # click's own ranges let nan pass
    if not 0.0 < (number := float(text)) < math.inf:
        raise ValueError
    return number


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not (name and value):
        raise ValueError
    return name, value


def _address(text: str) -> str:
    parts = urlsplit(text)
    known = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    if not known or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError
    return text


NUMBER = Text("a finite number above 0", _number)
SETTING = Text("NAME=VALUE", _setting)
ADDRESS = Text("tcp://HOST:PORT or tls://HOST:PORT", _address)


def several(name: str, dest: str, kind: Any, what: str, metavar: str | None = None) -> Option:
    """An option that may be given more than once."""
    return click.option(name, dest, type=kind, multiple=True, metavar=metavar, help=f"{what}; repeatable.")


def count(name: str, most: int, what: str, least: int = 1) -> Option:
    """An option that is a whole number."""
    return click.option(name, type=click.IntRange(least, most), metavar="N", help=what)


def directory(name: str, what: str) -> Option:
    """An option that names a directory."""
    others = f"else {name}/, or {name}/SCALE/ or {name}/custom/ for runs not the paper's."
    return click.option(f"--{name}", type=Folder(path_type=Path), metavar="DIR", help=f"{what}; {others}")


def together(*options: Option) -> Option:
    """Several options in place of one, in the order of the help."""

    def decorated(callback: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            callback = option(callback)
        return callback

    return decorated


JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program instead; write nothing.")
SCALE = click.option(
    "--scale",
    type=OneOf(SCALES),
    default="paper",
    show_default=True,
    help="smoke: seconds; quick: already the picture; paper: the paper's numbers.",
)
RESULTS = directory("results", "Where tables are")
FIGURES = directory("figures", "Where pictures go")
JOBS = count("--jobs", 1024, "Threads; all cores if not given. The numbers do not depend on it.")
CLUSTER = click.option(
    "--cluster",
    "scheduler",
    type=ADDRESS,
    metavar="ADDRESS",
    help="Compute on the workers of this Dask scheduler, tcp://HOST:PORT; one you trust (docs/cluster.md).",
)
NO_PLOT = click.option("--no-plot", is_flag=True, help="Tables only.")
FORCE = click.option("--force", is_flag=True, help="Compute again what is stored.")
CHECKPOINT = click.option(
    "--checkpoint",
    type=NUMBER,
    default=CHECKPOINT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How often to save unfinished networks; a run that was stopped goes on within them.",
)
QUIET = click.option("--quiet", "-q", is_flag=True, help="Say nothing but what goes wrong.")
COMPUTING = together(JOBS, CLUSTER, FORCE, CHECKPOINT, QUIET)
PICTURES = together(FIGURES, NO_PLOT)
COUNTS = {
    "networks": count("--networks", LIMITS["networks"], "Jobs a condition."),
    "seed": count("--seed", LIMITS["seed"], "Root of all random numbers.", least=0),
    "trials": count("--trials", LIMITS["trials"], "Training trials."),
}
RULE_FILE = click.option(
    "--rule-file",
    type=Folder(path_type=Path, dir_okay=False),
    metavar="FILE.toml",
    help="Rules of your own beside the others (docs/sweeps.md).",
)
ETA = click.option("--eta", type=NUMBER, metavar="RATE", help="One learning rate in place of the chosen ones.")
SETS = several("--set", "sets", SETTING, "Vary one of the choices (docs/assumptions.md)", "NAME=VALUE")


def variant(known: Mapping[str, Sequence[tuple[str, str]]]) -> Option:
    """The option that names a variant of a figure."""
    chosen = "; ".join(f"{name}: {' '.join(f'--set {k}={v}' for k, v in sets)}" for name, sets in known.items())
    what = f"This variant ({chosen}), at the paper's rates; files of its own."
    return click.option("--variant", type=OneOf(known), help=what)


def options_of(about: About) -> Option:
    """The options of an experiment's command."""
    if about.choices is None:
        return together(SCALE, FIGURES, QUIET)
    given = {choice.option for choice in declared(about.choices).values()}
    counts = [option for name, option in COUNTS.items() if name in given]
    counts += [RULE_FILE] if "rule-file" in given else []
    pictures = [PICTURES] if about.panels else []
    how = QUIET if about.timed else COMPUTING
    return together(*_selectors(about), SCALE, *counts, SETS, how, RESULTS, *pictures)


def _selectors(about: About) -> list[Option]:
    names = (about.panels, about.rules, about.rates, about.tasks)
    panels, rules, rates, tasks = (OneOf(known) for known in names)
    known = {
        "period": several("--period", "periods", NUMBER, "Only this period, in units of tau", "TAU"),
        "panel": several("--panel", "panels", panels, "Only this panel"),
        "task": several("--task", "tasks", tasks, "Only this task"),
        "rule": several(
            "--rule", "rules", rules, "Only this learning rule", "NAME" if len(about.rules) > MANY else None
        ),
    }
    usual = f"Learning rates; {' '.join(about.rates[:1])} if not given"
    of_rates: list[Option] = [several("--rates", "rates", rates, usual), ETA] if about.rates else []
    variants = [variant(about.variants)] if about.variants else []
    closest = "Instead, compute this figure in the variant closest to the paper's statements."
    searched = [click.option("--closest", type=OneOf(about.closest), help=closest)] if about.closest else []
    return [*(known[name] for name in about.selectors), *of_rates, *variants, *searched]


def request_of(
    periods: tuple[float, ...] = (),
    panels: tuple[str, ...] = (),
    rules: tuple[str, ...] = (),
    rates: tuple[str, ...] = (),
    eta: float | None = None,
    tasks: tuple[str, ...] = (),
    no_plot: bool = False,
    **asked: Any,
) -> Request:
    """What these options ask for."""
    selection = Selection(unique(periods), unique(panels), unique(rules), unique(rates), eta, unique(tasks))
    return Request(selection=selection, plot=not no_plot, **asked)


def unique(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values without repetitions, in order."""
    return tuple(dict.fromkeys(values))
