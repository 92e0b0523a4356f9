"""The state of every experiment's tables."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rflo_repro.runs import generation, provenance, tables
from rflo_repro.runs.conditions import names_of, of_one_network, of_scale
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.folders import CUSTOM
from rflo_repro.runs.generation import CHECK
from rflo_repro.runs.job import Condition
from rflo_repro.runs.sample import CONFIRMATION
from rflo_repro.runs.store import content
from rflo_repro.runs.variants import Variant

WIDEST = 200
STATES = ("fresh", "unproven", "unknown", "stale", "in part", "damaged", "none")  # from best to worst


@dataclass(frozen=True)
class State:
    """What is known of an experiment's tables; `why` says what is wrong with them, if anything."""

    state: str
    why: str = ""
    scale: str = ""
    size: str = ""
    rows: int = 0
    date: str = ""
    commit: str = ""
    producers: int = 1


def state(experiment: Experiment[Any], results: Path) -> State:
    """The state of an experiment's tables in a directory: that of the worst of them."""

    @functools.cache
    def conditions(scale: str) -> Sequence[Condition]:
        return of_scale(of_one_network(experiment), scale if scale in experiment.scales else "paper")

    def expected(schema: tables.Schema, scale: str) -> int:
        return len(names_of(conditions(scale), schema))

    return worst([_state(results, schema, expected) for schema in experiment.schemas.values()])


def worst(found: Sequence[State]) -> State:
    """The worst of several tables' states, with all their rows."""
    least = max(found, key=lambda s: STATES.index(s.state))
    return State(**{**vars(least), "rows": sum(s.rows for s in found)})


def sweeps(results: Path) -> dict[str, State]:
    """The state of the sweeps whose tables are in a directory, by the sweep's name, from the metadata."""
    found: dict[str, list[State]] = {}
    for path in sorted(results.glob("*.json")):
        try:
            metadata = json.loads(content(path))
            file = metadata["settings"]["choices"]
            if file["is"] == "Plan" and metadata["table"] == path.stem:
                state = _state(results, tables.schema_of(metadata), lambda *_: 0)
                found.setdefault(str(file["name"]), []).append(state)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue  # no table of a sweep
    return {name: worst(states) for name, states in found.items()}


def _state(results: Path, schema: tables.Schema, expected: Callable[[tables.Schema, str], int]) -> State:
    """expected: how many conditions a whole table has at a scale."""
    try:
        _, metadata = tables.read(results, schema, rows=0)
    except FileNotFoundError:
        return State("none")
    except tables.TableError as error:
        return State("damaged", str(error))
    return described(schema, metadata, expected)


def described(
    schema: tables.Schema,
    metadata: dict[str, Any],
    expected: Callable[[tables.Schema, str], int] = lambda schema, scale: 0,
) -> State:
    """The state of a table that was read, by its metadata."""
    try:
        runs, settings = [run for run in metadata["runs"] if run["conditions"]], metadata["settings"]
        if metadata["runs"] and not runs:
            return State("in part", "no condition of this table was run")
        latest = max(runs, key=lambda run: str(run["date"]))
        chosen = settings["choices"]
        counts = [chosen.get(f"n_{name}", chosen.get(name)) for name in ("networks", "trials")]
        known: dict[str, Any] = {
            "scale": str(settings["scale"]),
            "size": " × ".join(f"{count:,}" for count in counts if count is not None),
            "rows": int(metadata["rows"]),
            "date": str(latest["date"])[:10],
            "commit": _commit(max(tables.producers(latest), key=lambda by: str(by.get("last", "")))),
            "producers": len(
                {json.dumps(provenance.producer(by), sort_keys=True) for run in runs for by in tables.producers(run)}
            ),
        }
        standing = {generation.standing(run["numerical_source"]) for run in runs}
        n_conditions = sum(len(run["conditions"]) for run in runs)
    except (KeyError, TypeError, ValueError, AttributeError):
        return State("damaged", f"{schema.name}.json is not of this version")
    if "unknown" in standing:
        return State("unknown", "files of the task's own are not where they were", **known)
    if "stale" in standing:
        return State("stale", "computed by another generation of the numbers", **known)
    if "unproven" in standing:
        return State("unproven", f"the present source was not compared with the references: `{CHECK}`", **known)
    whole = expected(schema, known["scale"])
    if n_conditions < whole:
        return State("in part", f"{n_conditions} of {whole} conditions", **known)
    return State("fresh", **known)


def _commit(by: dict[str, Any]) -> str:
    return f"{str(by['commit'] or '-')[:9]}{'+' if by['source_changed'] else ''}"


def states(families: Sequence[Sequence[Variant]], results: Path) -> dict[str, State]:
    """The state of each experiment's tables and of its confirmation sample's, by command, and of whatever else is
    derived from it and has tables; of settings that deviate, which have folders of their own; and of sweeps."""
    own = [family[0] for family in families]
    known = {variant.command: state(variant.experiment, results) for variant in own}
    always = {f"{CONFIRMATION.name} {command}" for command in known}
    for variant in (derived for family in families for derived in family[1:]):
        found = state(variant.experiment, variant.folder(results))
        if found.state != "none" or variant.command in always:
            known[variant.command] = found
    for folder in sorted(path for path in (results / CUSTOM).glob("*") if path.is_dir()):
        varied = {f"{one.command}  {CUSTOM}/{folder.name}": state(one.experiment, folder) for one in own}
        known.update({name: s for name, s in varied.items() if s.state != "none"})
    for where, folder in ((f"{CUSTOM}/", results / CUSTOM), ("", results)):
        known.update({f"sweep  {where}{name}": s for name, s in sweeps(folder).items()})
    return known


def as_json(families: Sequence[Sequence[Variant]], results: Path) -> str:
    """The same for a program: an object by command, with the fields of `State`."""
    return json.dumps({name: vars(s) for name, s in states(families, results).items()}, indent=1)


def show(families: Sequence[Sequence[Variant]], results: Path, console: Console) -> None:
    """Print a line for each of `states`."""
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("experiment", "left"), ("state", "left"), ("scale", "left"), ("networks × trials", "right"), ("rows", "right"),
        ("date", "left"), ("commit", "left"),
    ):  # fmt: skip
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    known = states(families, results)
    for command, s in known.items():
        commit = s.commit + ("*" if s.producers > 1 else "")
        cells = (command, s.state, s.scale, s.size, f"{s.rows:,}" if s.rows else "", s.date, commit)
        table.add_row(*(_plain(cell) for cell in cells))
    console.print(f"tables in {results}", highlight=False)
    # as wide as it is: a terminal wraps a line, a table that is squeezed into it loses names
    Console(file=console.file, width=max(console.width, WIDEST), emoji=False).print(table, highlight=False)
    for command, s in known.items():
        if s.why:
            console.print(_plain(f"{command}: {s.why}"), soft_wrap=True)
    for command, s in known.items():
        if s.producers > 1:
            said = f"* {command}: computed in parts by {s.producers} processors, sets of versions or commits"
            console.print(_plain(said), soft_wrap=True)
    if any(s.commit.endswith("+") for s in known.values()):
        console.print("+ the source had changes that were not committed", highlight=False)


def _plain(text: str) -> Text:
    """Text from a file as it is: neither markup nor control characters."""
    return Text("".join(c for c in text if c.isprintable()))
