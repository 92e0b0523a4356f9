"""The command line: options in, one call out. Nothing numerical is imported before it is needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from rflo_repro import options, process
from rflo_repro.options import (
    COMPUTING,
    COUNTS,
    FIGURES,
    JOBS,
    JSON,
    PICTURES,
    QUIET,
    RESULTS,
    SCALE,
    SETS,
    Command,
    Folder,
    OneOf,
    options_of,
    request_of,
    several,
    together,
    unique,
)
from rflo_repro.paper import registry
from rflo_repro.process import console
from rflo_repro.runs.choices import listing
from rflo_repro.runs.experiment import About
from rflo_repro.runs.request import JobError, RequestError, Selection
from rflo_repro.runs.variants import under
from rflo_repro.studies.registry import has_search, studies, variants
from rflo_repro.version import VERSION

# a search for the rates of a study is a study too, and a command of `tune`
SEARCHES = {name: about for name, about in studies().items() if " " in name}
STUDIES = {name: about for name, about in studies().items() if name not in SEARCHES}
EXPERIMENTS = {**registry.figures(), **STUDIES}
VARIANTS = {name: sets for about in EXPERIMENTS.values() for name, sets in about.variants.items()}
SAMPLED = [command for command, about in EXPERIMENTS.items() if about.sample]
TUNED = {command: about for command, about in EXPERIMENTS.items() if has_search(about)}
ANSWERS = "answers"
DRAWN = [*(command for command, about in EXPERIMENTS.items() if about.panels), ANSWERS, "all"]


def one_of(figures: Sequence[str]) -> str:
    """The last line of a command's help: what its argument FIGURE may be."""
    return f"FIGURE is one of {', '.join(figures)}."


class InOrder(click.Group):
    """A group that lists its commands in the order in which they were added."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


class Figures(InOrder):
    """A group whose commands are figures."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in self.commands:
            message = f"{args[0]!r} is not one of {', '.join(map(repr, self.commands))}"
            raise click.BadParameter(message, ctx, param_hint="'FIGURE'")
        return super().resolve_command(ctx, args)


class Contents(InOrder):
    """The program, whose help is a table of contents."""

    def invoke(self, ctx: click.Context) -> Any:
        """What cannot be met ends with exit code 2 and one line; what the disk refuses with exit code 1 and one."""
        try:
            return super().invoke(ctx)
        except RequestError as error:
            if error.option is None:
                raise click.UsageError(str(error), ctx) from None
            raise click.BadParameter(str(error), ctx, param_hint=f"'--{error.option}'") from None
        except JobError as error:
            raise click.ClickException(str(error)) from None
        except MemoryError as error:
            raise click.UsageError(f"needs more memory than there is: {error}", ctx) from None
        except BrokenPipeError:
            # whoever read along has gone, which is no failure
            raise click.exceptions.Exit(0) from None
        except OSError as error:
            raise click.ClickException(process.refusal(error)) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups = {"Figures": registry.figures(), "Studies": STUDIES}
        rest = [name for name in self.commands if name not in EXPERIMENTS]
        width = max(map(len, self.commands))
        for title, names in (*groups.items(), ("Everything else", rest)):
            with formatter.section(title):
                formatter.write_dl([(n.ljust(width), self.commands[n].get_short_help_str(200)) for n in names])


# lines of 100: click keeps two columns free
@click.group(
    cls=Contents,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 102},
    help="""Every figure of "Local online learning in recurrent networks with random feedback"
    (Murray 2019, eLife 8:e43299), computed and drawn.

    \b
    rflo-repro fig2                a figure at the paper's scale
    rflo-repro fig2 --scale quick  the same in seconds, into figures/quick/
    rflo-repro plot fig2           redraw from the tables
    """,
)
@click.version_option(VERSION, prog_name="rflo-repro")
def cli() -> None:
    pass


class ExperimentCommand(Command):
    """The command of an experiment, whose help lists its panels, its files and what can be varied of it."""

    about: About

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        name, panels = self.about.name, list(self.about.panels.items())
        files = [f"tables ({name}*.csv, .json)"] * self.about.computed
        files += [f"pictures ({name}*.png, .pdf)"] * bool(panels)
        formatter.write_paragraph()
        with formatter.indentation():
            if panels:
                formatter.write_dl(panels)
                formatter.write_paragraph()
            formatter.write_text(f"Writes {' and '.join(files)}.")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.about.choices is not None:
            with formatter.section("Choices for --set, at paper scale [entry in docs/assumptions.md]"):
                formatter.write_dl(listing(self.about.choices))


def command_of(about: About) -> click.Command:
    """The command of an experiment."""

    def command(
        quiet: bool, rates: tuple[str, ...] = (), variant: str | None = None, closest: str | None = None, **asked: Any
    ) -> None:
        from rflo_repro.runs.run import run

        if closest:
            from rflo_repro.studies.multiverse import closest as study

            study.run(EXPERIMENTS[closest], request_of(**asked), console(quiet))
            return
        usual = about.rates[:1]
        if variant and rates not in ((), usual):
            raise RequestError("rates", f"--variant goes with {' '.join(usual)} only, got {' '.join(rates)}")
        experiment = under(about.experiment, variant) if variant else about.experiment
        if rates and asked.get("eta") is not None:
            given = " and ".join(rates)
            raise RequestError("eta", f"one rate takes the place of the {given} ones: leave out --rates")
        run(experiment, request_of(rates=rates or usual, **asked), console(quiet))

    of = click.command(about.command.split()[-1], ExperimentCommand, help=about.help, short_help=about.title)
    found = of(options_of(about)(command))
    found.about = about
    return found


for _about in EXPERIMENTS.values():
    cli.add_command(command_of(_about))


@cli.command(
    short_help="Redraw pictures from the tables, without computing.",
    epilog=one_of(DRAWN),
    help="""
    Redraw a figure or a study, or all figures, from the tables as they are, also those of its variants and, if no
    panel is named, of the search for its learning rates. `answers` are the answers to the paper's claims, in two
    pictures; `all` has them too.
    """,
)
@click.argument("experiment", type=OneOf(DRAWN), metavar="FIGURE")
@click.option("--panel", multiple=True, metavar="LETTER", help="Only this panel; repeatable.")
@SCALE
@RESULTS
@FIGURES
def plot(experiment: str, panel: tuple[str, ...], scale: str, results: Path | None, figures: Path | None) -> None:
    from rflo_repro.runs import folders
    from rflo_repro.runs.draw import draw_all

    if experiment == ANSWERS and panel:
        raise RequestError("panel", f"`{ANSWERS}` has no panels, got {panel[0]!r}")
    chosen = list(registry.figures().values()) if experiment == "all" else []
    chosen += [EXPERIMENTS[experiment]] if experiment in EXPERIMENTS else []
    for letter in panel:
        for one in chosen:
            if letter not in one.panels:
                raise RequestError("panel", f"{letter!r} is not one of {', '.join(one.panels)}")
    if results is not None and figures is None and results.parent == Path("results", folders.CUSTOM):
        figures = Path("figures", folders.CUSTOM, results.name)
    where = folders.Folders.of_scale(scale, results, figures)
    folders.check("figures", where.figures)
    if experiment in (ANSWERS, "all") and not panel:
        _draw_answers(where.results, where.figures, alone=experiment == ANSWERS)
    draw_all([variants(about) for about in chosen], where, Selection(panels=panel), console())


def _draw_answers(tables: Path, pictures: Path, alone: bool) -> None:
    """Draw the answers and say where they are; beside other pictures, say why they are left out."""
    from rflo_repro.studies import answers_plot, learned
    from rflo_repro.studies.answers import Answers

    try:
        known = Answers(tables)
        drawn = [*answers_plot.draw(known, pictures), *learned.draw(known, pictures)]
    except RequestError as error:
        if alone:
            raise
        console().print(f"  {ANSWERS} left out: {error}", markup=False, highlight=False, soft_wrap=True)
        return
    said = "figures  " + "  ".join(str(path) for path in drawn)
    console().print(said, markup=False, highlight=False, soft_wrap=True)


@cli.command(
    "all",
    short_help="Every figure, in the paper's order, and a summary.",
    help="""Compute and draw every figure; what was stopped goes on where it was.""",
)
@SCALE
@COMPUTING
@RESULTS
@PICTURES
def all_(quiet: bool, **asked: Any) -> None:
    from rflo_repro.runs.run import run_all

    run_all([about.experiment for about in registry.figures().values()], request_of(**asked), console(quiet))


@cli.group(
    cls=Figures,
    subcommand_metavar="FIGURE [OPTIONS]",
    short_help="Grid search over the learning rate, the paper's own procedure.",
    help="""
    Try learning rates for every rule and condition of a figure, on networks that are not the figure's: eight from
    1e-4 to 3e-1 on 9 networks, others beyond as long as the smallest or the largest does best, and the three best on 27
    (all on 9 in fig4 and fig-tasks). The rate with the smallest mean of the log loss is chosen. For fig-rules the rates
    of W and of Wout are searched for one after the other.

    Writes tune_FIGURE (.csv, .json; for fig-rules tune_rules) and its picture (.png, .pdf); at paper scale also the
    rates that `--rates tuned` or fig-rules use. At paper scale it takes from minutes to an hour.
    """,
)
def tune() -> None:
    pass


def tune_command(about: About) -> click.Command:
    """The search for a figure's learning rates."""

    def command(quiet: bool, **asked: Any) -> None:
        from rflo_repro.studies import tune as study

        study.tune(about, request_of(**asked), console(quiet))

    of = click.command(about.command, Command, help=tune.help, short_help=about.title)
    return of(together(SCALE, COUNTS["networks"], SETS, COMPUTING, RESULTS, PICTURES)(command))


for _about in TUNED.values():
    tune.add_command(tune_command(_about))
for _search in SEARCHES.values():
    tune.add_command(command_of(_search))


@cli.command(
    short_help="Many more networks of each figure, which answer its claims.",
    epilog=one_of(SAMPLED),
    help="""Compute the confirmation sample: the networks on which `report` answers a figure's claims, or those of all
    figures. There are ten times the figure's own (in Figure 4 three times), in Figure 2 thirty times where claims say
    that two conditions are alike, from a root seed used for nothing else.

    Writes FIGURE_final (.csv, .json) into the folder confirmation/ beside the figure's tables, in half an hour to some
    hours a figure; what was stopped goes on where it was, and a part that is named joins the table.
    """,
)
@click.argument("figure", nargs=-1, type=OneOf(SAMPLED), metavar="[FIGURE]...")
@options.several("--rates", "rates", OneOf(("printed", "tuned")), "Only these learning rates")
@options.several("--period", "periods", options.NUMBER, "Only this period of Figure 2, in units of tau", "TAU")
@options.variant(VARIANTS)
@SCALE
@COMPUTING
@RESULTS
def confirm(
    figure: tuple[str, ...],
    variant: str | None,
    rates: tuple[str, ...],
    periods: tuple[float, ...],
    scale: str,
    results: Path | None,
    quiet: bool,
    **asked: Any,
) -> None:
    from rflo_repro.runs.folders import Folders
    from rflo_repro.runs.run import run_all
    from rflo_repro.runs.sample import CONFIRMATION

    folder = CONFIRMATION.folder_in(Folders.of_scale(scale, results).results)
    known = [name for name in SAMPLED if not variant or variant in EXPERIMENTS[name].variants]
    for name in unique(figure) or known:
        about = EXPERIMENTS[name]
        if name not in known:
            raise RequestError("variant", f"{variant} is a variant of {', '.join(known)}, got {name}")
        if variant and rates:
            raise RequestError("rates", f"--variant goes with the paper's rates only, got {' '.join(rates)}")
        if periods and "period" not in about.selectors:
            those = ", ".join(n for n in SAMPLED if "period" in EXPERIMENTS[n].selectors)
            raise RequestError("period", f"only {those} have periods, got {name}")
        if set(rates) - set(about.rates):
            raise RequestError("rates", f"{name} has {' and '.join(about.rates)} rates only, got {' '.join(rates)}")
    whole = [EXPERIMENTS[name].experiment for name in unique(figure) or known]
    chosen = [CONFIRMATION.of(under(experiment, variant) if variant else experiment) for experiment in whole]
    asked_for = request_of(periods, rates=rates, scale=scale, results=folder, no_plot=True, **asked)
    run_all(chosen, asked_for, console(quiet))


@cli.command(
    short_help="Time of a timestep beside C, JAX and NumPy, and by rule; two cores; memory.",
    help="""Time the kernels in one run with a hand-vectorised C program (`--limit-c`, or RFLO_LIMIT_C), JAX if it is
    installed, and a plain NumPy class; the rules of the family beside each other; ten networks on one core and on two;
    and the peak memory of large sessions.

    Needs a source checkout. Writes bench_steps, bench_rules, bench_cores and bench_memory (.csv, .json) in some
    minutes; leave the machine alone meanwhile.
    """,
)
@click.option(
    "--n-rec",
    type=click.IntRange(1, 1_000_000),
    multiple=True,
    metavar="N",
    help="Sizes; 30, 100, 200, 1000 if not given.",
)
@click.option("--limit-c", type=Folder(exists=True, dir_okay=False), help="The C program to compare with.")
@several("--part", "part", OneOf(("steps", "rules", "cores", "memory")), "Only this part")
@RESULTS
@QUIET
def bench(
    n_rec: tuple[int, ...], limit_c: str | None, part: tuple[str, ...], results: Path | None, quiet: bool
) -> None:
    root = Path(__file__).parents[1]
    if not (root / "benchmarks" / "bench.py").is_file():
        raise RequestError(None, "bench compares with C, JAX and NumPy, which are in benchmarks/ of a source checkout")
    sys.path.insert(0, str(root))
    from benchmarks import bench as study

    parts = unique(part) or ("steps", "rules", "cores", "memory")
    study.bench(unique(n_rec) or study.SIZES, limit_c, parts, results, console(quiet))


@cli.command(
    short_help="A grid of your own: rules, tasks, sizes, models, optimisers, rates.",
    help="""Run every combination of the values that FILE.toml lists, and write tidy tables as the figures do
    (docs/sweeps.md).

    Writes NAME_curves, NAME_final and NAME_outputs (.csv, .json) into results/custom/ unless told otherwise, and the
    picture that its [plot] asks for into figures/custom/.
    """,
)
@click.argument("file", type=Folder(path_type=Path, dir_okay=False), metavar="FILE.toml")
@COMPUTING
@RESULTS
@FIGURES
def sweep(file: Path, quiet: bool, **asked: Any) -> None:
    from rflo_repro.studies import sweeps

    sweeps.sweep(file, request_of(**asked), console(quiet))


@cli.command(
    short_help="Every claim of the paper beside what was measured, as one page.",
    help="""
    Answer every claim from the tables as they are, and write beside them report.html, one self-contained page, and
    in short report.md. Answers from tables of another scale than the paper's are marked. What has no table yet is named
    with the command that computes it.
    """,
)
@click.option("--table", is_flag=True, help="Print the answers as a Markdown table instead; write nothing.")
@click.option(
    "--against",
    metavar="DIR",
    type=Folder(exists=True, file_okay=False, path_type=Path),
    help="Say instead which medians and answers are others in the tables there; write nothing.",
)
@JSON
@SCALE
@RESULTS
@FIGURES
def report(
    table: bool, against: Path | None, as_json: bool, scale: str, results: Path | None, figures: Path | None
) -> None:
    from rflo_repro.runs.folders import Folders
    from rflo_repro.studies import compare as other
    from rflo_repro.studies import report as study

    where = Folders.of_scale(scale, results, figures)
    if table and (as_json or against):
        raise click.UsageError(
            f"--table goes with neither --json nor --against, got {'--json' if as_json else against}"
        )
    if against and as_json:
        click.echo(other.as_json(where.results, against))
    elif against:
        other.show(where.results, against, console())
    elif table or as_json:
        click.echo((study.table if table else study.as_json)(where.results, where.figures))
    else:
        study.write(where.results, where.figures, console())


@cli.command(
    short_help="A page on which networks learn while you turn knobs.",
    help="""Open a page in the browser on which networks learn while you turn knobs: the task, up to three rules, their
    learning rates, N, g, and so on, beginning with what the paper trains. It says the Python, and the commands, that
    train the same networks (docs/explore.md).

    The page is served to this machine alone and writes nothing. Needs bokeh: pip install 'rflo-repro[explore]'.
    """,
)
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Listen here; any free port if not given.")
@click.option("--no-open", is_flag=True, help="Print the address, open no browser.")
def explore(port: int | None, no_open: bool) -> None:
    from rflo_repro import explorer

    if not explorer.available():
        raise RequestError(None, explorer.MISSING)
    from rflo_repro.explorer import server

    try:
        server.serve(port, not no_open, console().print)
    except OSError as error:
        raise RequestError("port", f"{port} cannot be listened to: {process.refusal(error)}") from None


@cli.command(
    "list",
    short_help="Every figure and study, and the state of its tables.",
    help="""List figures, studies and their tables: scale, date, commit, and whether they are fresh: of the present
    generation of the numbers, of which today's source was shown to be. Tables are unproven while it was not (`check
    --accept`), and stale if they are of another generation.
    """,
)
@JSON
@SCALE
@RESULTS
def list_(as_json: bool, scale: str, results: Path | None) -> None:
    from rflo_repro.runs import inventory
    from rflo_repro.runs.folders import Folders

    families = [variants(about) for about in EXPERIMENTS.values() if about.computed]
    folder = Folders.of_scale(scale, results).results
    if as_json:
        click.echo(inventory.as_json(families, folder))
    else:
        inventory.show(families, folder, console())


@cli.command(
    short_help="Recompute a small part and compare it with stored references.",
    help="""Compare what this machine computes with stored references, to the byte, in about a minute.

    The first trials of two stored networks by every rule, every figure at smoke scale, Figure 2's networks of 20, 40
    and 80 tau at full length, the first of those by which it is judged, small networks that reach every line of the
    numerical path, and every study at smoke scale. Says "identical", or exits 1 and says what differs first.

    Writes nothing unless told to. Results and tables are of a generation of the numbers, not of the text that
    computes them: after an edit of that text they are "unproven" in `rflo-repro list`, and nothing stored is taken,
    until `--accept` has shown that every byte is the same. It refuses, and exits 1, if one is not. An edit that is
    meant to change numbers begins a generation with `--new-generation`, of which nothing is stored yet and no table is
    fresh. Both write into the package: commit what they write.
    """,
)
@click.option("--accept", is_flag=True, help="If all is identical, add this source to the generation of the numbers.")
@click.option("--new-generation", is_flag=True, help="Make what is computed the references of a new generation.")
@JSON
@JOBS
@QUIET
def check(as_json: bool, jobs: int | None, quiet: bool, accept: bool, new_generation: bool) -> None:
    from rflo_repro.studies import regression

    if accept and new_generation:
        raise click.UsageError("--accept and --new-generation exclude each other")
    if not regression.check(console(quiet, stderr=as_json), jobs, as_json, accept, new_generation):
        raise SystemExit(1)


def main() -> None:
    """The `rflo-repro` program, in a process of its own or in another program's."""
    process.supervised(lambda: cli.main(prog_name="rflo-repro", standalone_mode=False), process.hosted())


if __name__ == "__main__":
    main()
