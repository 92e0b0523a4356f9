"""The command line: options in, one call out. Nothing numerical is imported before it is needed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

import rflo_repro
from rflo_repro import process
from rflo_repro.paper import registry
from rflo_repro.process import console
from rflo_repro.runs.cluster import ClusterError
from rflo_repro.runs.experiment import About
from rflo_repro.runs.request import LIMITS, Refused, Request, Selection

T = TypeVar("T")
Option = Callable[[Callable[..., None]], Callable[..., None]]
SCALES = ("smoke", "quick", "paper")


class Number(click.ParamType):  # type: ignore[type-arg]
    """A finite number above zero; click's own ranges let nan pass."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not (math.isfinite(number) and number > 0.0):
            self.fail(f"{value!r} is not a finite number above 0", param, ctx)
        return number


class Setting(click.ParamType):  # type: ignore[type-arg]
    """NAME=VALUE."""

    name = "setting"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, separator, text = str(value).partition("=")
        if not (separator and name and text):
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, text


class Address(click.ParamType):  # type: ignore[type-arg]
    """Where a Dask scheduler listens."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            parts = urlsplit(str(value))
            good = parts.scheme in ("tcp", "tls") and bool(parts.hostname) and bool(parts.port)
            good = good and str(value) == f"{parts.scheme}://{parts.netloc}"
        except ValueError:
            good = False
        if not good:
            self.fail(f"{value!r} is not tcp://HOST:PORT or tls://HOST:PORT", param, ctx)
        return str(value)


class Contents(click.Group):
    """A group whose help is a table of contents."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        of_figures = [name for name in self.commands if name in registry.figures()]
        others = [name for name in self.commands if name not in registry.figures()]
        width = max(map(len, self.commands))
        for title, names in (("Figures", of_figures), ("Everything else", others)):
            with formatter.section(title):
                formatter.write_dl([(n.ljust(width), self.commands[n].get_short_help_str(200)) for n in names])


# lines of 100: click keeps two columns free
@click.group(cls=Contents, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 102})
@click.version_option(rflo_repro.__version__, prog_name="rflo-repro")
def cli() -> None:
    """Every figure of "Local online learning in recurrent networks with random feedback"
    (Murray 2019, eLife 8:e43299), computed and drawn.

    \b
    rflo-repro fig2                a figure at the paper's scale
    rflo-repro fig2 --scale quick  the same in seconds, into figures/quick/
    rflo-repro plot fig2           redraw from the tables
    """


def directory(*names: str) -> Option:
    """The options `--results DIR`, `--figures DIR`."""
    what = {"results": "Where tables are", "figures": "Where pictures go"}

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for name in reversed(names):
            command = click.option(
                f"--{name}",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help=f"{what[name]}; else {name}/, or {name}/SCALE/ or {name}/custom/ for runs not the paper's.",
            )(command)
        return command

    return add


def refusing(command: Callable[..., None]) -> Callable[..., None]:
    """What cannot be met ends with exit code 2 and one line; what the disk refuses with exit code 1 and one line."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except Refused as error:
            if error.option is None:
                raise click.UsageError(str(error)) from None
            raise click.BadParameter(str(error), param_hint=f"'--{error.option}'") from None
        except ClusterError as error:
            raise click.BadParameter(str(error), param_hint="'--cluster'") from None
        except MemoryError as error:
            raise click.UsageError(f"needs more memory than there is: {error}") from None
        except BrokenPipeError:
            raise
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror or error}") from None

    return wrapped


def several(name: str, kind: Any, what: str, metavar: str | None = None) -> Option:
    """An option that may be given more than once."""
    return click.option(name, type=kind, multiple=True, metavar=metavar, help=f"{what}; repeatable.")


def count(name: str, most: int, what: str, least: int = 1) -> Option:
    """An option that is a whole number."""
    return click.option(name, type=click.IntRange(least, most), metavar="N", help=what)


SCALE = click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="paper",
    show_default=True,
    help="smoke: seconds; quick: already the picture; paper: the paper's numbers.",
)
JOBS = count("--jobs", 1024, "Threads; all cores if not given. The numbers do not depend on it.")
CLUSTER = click.option(
    "--cluster",
    type=Address(),
    metavar="ADDRESS",
    help="Compute on the workers of this Dask scheduler, tcp://HOST:PORT; one you trust (docs/cluster.md).",
)
NO_PLOT = click.option("--no-plot", is_flag=True, help="Tables only.")
FORCE = click.option("--force", is_flag=True, help="Compute again what is stored.")
NETWORKS = count("--networks", LIMITS["networks"], "Realisations a condition.")
COMMON = (
    SCALE,
    NETWORKS,
    count("--seed", LIMITS["seed"], "Root of all random numbers.", least=0),
    count("--trials", LIMITS["trials"], "Training trials."),
    click.option("--eta", type=Number(), metavar="RATE", help="One learning rate in place of the chosen ones."),
    click.option(
        "--set",
        "sets",
        type=Setting(),
        multiple=True,
        metavar="NAME=VALUE",
        help="Vary one of the figure's choices (docs/assumptions.md); repeatable.",
    ),
    JOBS,
    CLUSTER,
    directory("results", "figures"),
    NO_PLOT,
    FORCE,
)


def unique(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values without repetitions, in order."""
    return tuple(dict.fromkeys(values))


def figure_command(figure: About) -> click.Command:
    """The command of a figure, with the options that all of them share and the selectors it has."""

    def command(
        scale: str,
        figures: Path | None,
        results: Path | None = None,
        networks: int | None = None,
        seed: int | None = None,
        trials: int | None = None,
        eta: float | None = None,
        jobs: int | None = None,
        cluster: str | None = None,
        no_plot: bool = False,
        force: bool = False,
        period: tuple[float, ...] = (),
        panel: tuple[str, ...] = (),
        rule: tuple[str, ...] = (),
        rates: tuple[str, ...] = (),
        sets: tuple[tuple[str, str], ...] = (),
    ) -> None:
        from rflo_repro.runs import road

        road.run(
            figure.experiment,
            Request(
                scale=scale,
                selection=Selection(
                    unique(period), unique(panel), unique(rule), unique(rates) or figure.rates[:1], eta
                ),
                networks=networks,
                seed=seed,
                trials=trials,
                jobs=jobs,
                scheduler=cluster,
                sets=sets,
                results=results,
                figures=figures,
                plot=not no_plot,
                force=force,
            ),
            console(),
        )

    panels, rules = click.Choice(list(figure.panels)), click.Choice(list(figure.rules))
    selectors = {
        "period": several("--period", Number(), "Only this period, in units of tau", "TAU"),
        "panel": several("--panel", panels, "Only this panel"),
        "rule": several("--rule", rules, "Only this learning rule"),
    }
    rates = several("--rates", click.Choice(figure.rates), f"Learning rates; {' '.join(figure.rates[:1])} if not given")
    options = [*(selectors[name] for name in figure.selectors), rates, *COMMON]
    if not figure.computed:
        options = [SCALE, directory("figures")]
    callback: Callable[..., None] = refusing(command)
    for option in reversed(options):
        callback = option(callback)  # type: ignore[operator]
    return click.command(figure.command, help=figure.help, short_help=figure.title)(callback)


for _figure in registry.figures().values():
    cli.add_command(figure_command(_figure))


@cli.command(short_help="Redraw pictures from the tables, without computing.")
@click.argument("figure", type=click.Choice([*registry.figures(), "all"]))
@click.option("--panel", multiple=True, metavar="LETTER", help="Only this panel; repeatable.")
@SCALE
@directory("results", "figures")
@refusing
def plot(figure: str, panel: tuple[str, ...], scale: str, results: Path | None, figures: Path | None) -> None:
    """Redraw a figure, or all of them, from the tables as they are."""
    from rflo_repro.runs import road

    known = registry.figures()
    chosen = list(known.values()) if figure == "all" else [known[figure]]
    for letter in panel:
        for one in chosen:
            if letter not in one.panels:
                raise Refused("panel", f"{letter!r} is not one of {', '.join(one.panels)}")
    for one in chosen:
        place = road.folder("figures", figures, scale, True, scale == "paper")
        road.check_folder("figures", place)
        road.draw(
            one.experiment,
            road.folder("results", results, scale, True, scale == "paper"),
            place,
            Selection(panels=panel),
            None,
            console(),
        )


@cli.command("all", short_help="Every figure, in the paper's order, and a summary.")
@SCALE
@JOBS
@CLUSTER
@directory("results", "figures")
@NO_PLOT
@FORCE
@refusing
def all_(
    scale: str,
    jobs: int | None,
    cluster: str | None,
    results: Path | None,
    figures: Path | None,
    no_plot: bool,
    force: bool,
) -> None:
    """Compute and draw every figure; what was stopped goes on where it was."""
    from rflo_repro.runs import road

    request = Request(
        scale=scale,
        jobs=jobs,
        scheduler=cluster,
        results=results,
        figures=figures,
        plot=not no_plot,
        force=force,
    )
    road.run_all(list(registry.figures().values()), request, console())


@cli.command(short_help="Grid search over the learning rate, the paper's own procedure.")
@click.argument("figure", type=click.Choice([f.command for f in registry.figures().values() if f.computed]))
@SCALE
@NETWORKS
@JOBS
@CLUSTER
@directory("results", "figures")
@refusing
def tune(
    figure: str,
    scale: str,
    networks: int | None,
    jobs: int | None,
    cluster: str | None,
    results: Path | None,
    figures: Path | None,
) -> None:
    """Try eight learning rates from 1e-4 to 3e-1 for every rule and condition of a figure, on networks that are not
    the figure's, and choose the one of smallest median final loss.

    Writes tune_FIGURE (.csv, .json) and its heat map (.png, .pdf); at paper scale also the rates that `--rates tuned`
    uses. At paper scale it takes from minutes to an hour.
    """
    from rflo_repro.runs import road
    from rflo_repro.studies import tune as study

    reference = scale == "paper" and networks is None
    places = {
        base: road.folder(base, named, scale, networks is None, reference)
        for base, named in (("results", results), ("figures", figures))
    }
    chosen = registry.figures()[figure]
    study.tune(chosen, scale, networks, jobs, places["results"], places["figures"], console(), cluster)


@cli.command("fig-cost", short_help="Cost of a timestep against N: RTRL, BPTT, RFLO.")
@directory("results", "figures")
@refusing
def fig_cost(results: Path | None, figures: Path | None) -> None:
    """Measure what a timestep of RTRL, BPTT and RFLO costs on one core of this machine, against the number of units;
    the paper says N^4, N^2, N^2.

    Writes cost (.csv, .json) and cost (.png, .pdf) in about a minute; leave the machine alone meanwhile.
    """
    from rflo_repro.studies import cost

    cost.fig_cost(results or Path("results"), figures or Path("figures"), console())


@cli.command(short_help="Time of a timestep beside C, JAX and NumPy; two cores; memory.")
@click.option(
    "--n-rec", type=click.IntRange(1), multiple=True, metavar="N", help="Sizes; 30, 100, 200, 1000 if not given."
)
@click.option("--limit-c", type=click.Path(exists=True, dir_okay=False), help="The C program to compare with.")
@several("--part", click.Choice(("steps", "cores", "memory")), "Only this part")
@directory("results")
@refusing
def bench(n_rec: tuple[int, ...], limit_c: str | None, part: tuple[str, ...], results: Path | None) -> None:
    """Time the kernels in one run with a hand-vectorised C program (`--limit-c`, or RFLO_LIMIT_C), JAX if it is
    installed, and a plain NumPy class; ten networks on one core and on two; and the peak memory of large sessions.

    Needs a source checkout. Writes bench_steps, bench_cores and bench_memory (.csv, .json) in some minutes; leave the
    machine alone meanwhile.
    """
    from rflo_repro.studies import cost

    parts = unique(part) or ("steps", "cores", "memory")
    cost.bench(unique(n_rec) or (30, 100, 200, 1000), limit_c, parts, results or Path("results"), console())


@cli.command(short_help="A grid of your own over rule, task, N, tau, period, g and eta.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.toml")
@JOBS
@CLUSTER
@directory("results")
@FORCE
@refusing
def sweep(file: Path, jobs: int | None, cluster: str | None, results: Path | None, force: bool) -> None:
    """Run every combination of the values that FILE.toml lists, and write tidy tables as the figures do
    (docs/sweeps.md).

    Writes NAME_curves, NAME_final and NAME_outputs (.csv, .json) into results/custom/ unless told otherwise.
    """
    from rflo_repro.studies import sweeps

    sweeps.run(file, results or Path("results/custom"), jobs, console(), force, cluster)


@cli.command(short_help="What the paper derives, in random networks; Figure 2c's control.")
@SCALE
@JOBS
@directory("results")
@FORCE
@refusing
def theory(scale: str, jobs: int | None, results: Path | None, force: bool) -> None:
    """Measure what the paper derives: RTRL's update against batch BPTT's; the two statements of Appendix 2 in linear
    networks and in those of Figure 2; and RFLO's alignment with the recurrent weights held still.

    Writes theory_exact, theory_appendix and theory_alignment (.csv, .json) in some minutes.
    """
    from rflo_repro.runs import road
    from rflo_repro.studies import theory as study

    place = road.folder("results", results, scale, True, scale == "paper")
    study.theory(scale, jobs, place, console(), force)


@cli.command("fig-gradient", short_help="How well each rule's update points along the exact gradient.")
@SCALE
@JOBS
@directory("results", "figures")
@FORCE
@refusing
def fig_gradient(scale: str, jobs: int | None, results: Path | None, figures: Path | None, force: bool) -> None:
    """Compare each rule's update with the exact gradient before log-spaced trials of its own training, at every
    period and at printed and tuned rates.

    Writes gradient (.csv, .json) and gradient (.png, .pdf) in some minutes.
    """
    from rflo_repro.runs import road
    from rflo_repro.studies import gradient

    results = road.folder("results", results, scale, True, scale == "paper")
    figures = road.folder("figures", figures, scale, True, scale == "paper")
    gradient.fig_gradient(scale, jobs, results, figures, console(), force)


@cli.command(short_help="Which claims rest on which of the choices that the paper leaves open.")
@click.option(
    "--scale",
    type=click.Choice(("smoke", "paper")),
    default="paper",
    show_default=True,
    help="smoke: seconds, to see that it runs; paper: the scale of the committed table.",
)
@JOBS
@directory("results", "figures")
@FORCE
@refusing
def sensitivity(scale: str, jobs: int | None, results: Path | None, figures: Path | None, force: bool) -> None:
    """Make each open choice otherwise (docs/assumptions.md), run its figure at a reduced scale, and judge the
    figure's claims again.

    Writes sensitivity (.csv, .json) and sensitivity (.png, .pdf). It takes about a quarter of an hour on two cores.
    """
    from rflo_repro.runs import road
    from rflo_repro.studies import sensitivity as study

    results = road.folder("results", results, scale, True, scale == "paper")
    figures = road.folder("figures", figures, scale, True, scale == "paper")
    study.sensitivity(scale, jobs, results, figures, console(), force)


@cli.command(short_help="Every claim of the paper beside what was measured, as one page.")
@click.option("--table", is_flag=True, help="Print the verdicts as a Markdown table instead; write nothing.")
@directory("results", "figures")
@refusing
def report(table: bool, results: Path | None, figures: Path | None) -> None:
    """Judge every claim from the tables as they are, and write results/report.html, one self-contained page, and
    results/report.md. What has no table yet is named with the command that makes it.
    """
    from rflo_repro.studies import summary

    places = results or Path("results"), figures or Path("figures")
    if table:
        click.echo(summary.table(*places))
    else:
        summary.write(*places, console())


@cli.command("list", short_help="Every figure and the state of its tables.")
@directory("results")
@refusing
def list_(results: Path | None) -> None:
    """List the figures and their tables: scale, date, commit, and whether today's numerical source made them."""
    from rflo_repro.runs import inventory

    inventory.show(list(registry.figures().values()), results or Path("results"), console())


@cli.command(short_help="Recompute a small part and compare it with stored references.")
@JOBS
@refusing
def check(jobs: int | None) -> None:
    """Compare what this machine computes with stored references, to the byte, in about half a minute.

    The first trials of two stored networks by every rule, every figure at smoke scale, and Figure 2's networks of 20,
    40 and 80 tau at full length. Writes nothing. Says "identical", or exits 1 and says what differs first.
    """
    from rflo_repro.studies import regression

    if not regression.check(console(), jobs):
        raise SystemExit(1)


def main() -> None:
    """The `rflo-repro` program."""
    process.run(lambda: cli.main(prog_name="rflo-repro", standalone_mode=False))


if __name__ == "__main__":
    main()
