"""The tables of docs/assumptions.md and of its pages, one a figure: made of what is declared beside the choices, of the
entries themselves, and of what `rflo-repro multiverse` measured.

`python -m tools.assumptions_index` in a source checkout writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rflo_repro.learning.files import replacing
from rflo_repro.paper import registry
from rflo_repro.report.words import number
from rflo_repro.runs import provenance, tables
from rflo_repro.runs.choices import Choice, Choices, declared, defaults, parsed, written
from rflo_repro.studies.multiverse import design
from rflo_repro.studies.multiverse.experiment import SCHEMAS
from rflo_repro.studies.multiverse.marginal_effects import marginal_effects, pairs
from rflo_repro.studies.registry import studies

INDEX = provenance.PACKAGE.parent / "docs" / "assumptions.md"
BEGIN, END = "<!-- index: written by `python -m tools.assumptions_index` -->", "<!-- end of index -->"
RESULTS = INDEX.parent.parent / "results"
T = TypeVar("T")
LABELS = ("Gap", "Choice", "Why", "Alternative", "Effect")
SUPPLEMENTS = "fig2-"


@dataclass(frozen=True)
class Entry:
    """An open choice: its name, and its text by label."""

    name: str
    text: Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """A choice of one experiment: its command, the field's name, its value at paper scale, and what is declared."""

    command: str
    name: str
    default: str
    choice: Choice


def pages() -> dict[Path, str]:
    """The pages that have entries, and their texts."""
    found = sorted(INDEX.with_suffix("").iterdir(), key=lambda path: path.stem)
    return {path: path.read_text(encoding="utf-8") for path in found}


def title(text: str) -> str:
    """A page's title."""
    return text.partition("\n")[0].removeprefix("# ")


def entries(text: str) -> list[Entry]:
    """A page's entries, in order. Raises ValueError for one that has not every label once, in order."""
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        _, *pieces = re.split(r"^- \*\*(\w+)\.\*\* ", body, flags=re.MULTILINE)
        labels, texts = pieces[::2], [" ".join(text.split()) for text in pieces[1::2]]
        if tuple(labels) != LABELS:
            raise ValueError(f"{name} must have {', '.join(LABELS)}, has {', '.join(labels)}")
        found.append(Entry(name, dict(zip(labels, texts, strict=True))))
    return found


def experiments() -> dict[str, type[Choices]]:
    """What every experiment that has choices can vary, by command."""
    every = {**registry.figures(), **studies()}
    return {command: about.choices for command, about in every.items() if about.choices is not None}


def fields() -> dict[str, list[Field]]:
    """Every choice of every experiment, by entry; those that the paper prints by `printed ...`."""
    found: dict[str, list[Field]] = {}
    for command, choices in experiments().items():
        for name, choice in declared(choices).items():
            default = written(defaults(choices)[name])
            found.setdefault(choice.entry, []).append(Field(command, name, default, choice))
    return found


@dataclass(frozen=True, order=True)
class Effect:
    """How far the 95% interval of an effect lies from zero, the effect in words, and on which part of which claim."""

    sureness: float = 0.0
    size: str = "nothing surely"
    part: str = ""


def measured(results: Path) -> dict[tuple[str, str, Any], Effect]:
    """What each value of a choice moves most surely, by figure, choice and value."""
    try:
        frame, _ = tables.read(results, SCHEMAS["readings"])
    except FileNotFoundError:
        return {}
    found: dict[tuple[str, str, Any], Effect] = {}
    for (figure, claim, part), rows in frame[frame.primary].groupby(["figure", "claim", "part"], sort=False):
        moved = marginal_effects(rows, design.alternatives(str(figure)))
        excluded = rows[(rows.kind == design.EXCLUDED) & rows["shift"].notna() & ~rows.choices.str.contains("; ")]
        for choices, *moved_by in excluded[["choices", "shift", "shift_low", "shift_high"]].to_numpy().tolist():
            ((name, value),) = pairs(choices)
            moved[name, parsed(value)] = tuple(moved_by)
        for (name, value), (middle, low, high) in moved.items():
            key = str(figure), name, value
            size = f"{number(middle)} ({number(low)}, {number(high)})" if np.isfinite(middle) else "networks explode"
            found[key] = max(found.get(key, Effect()), Effect(max(low, -high), size, f"{figure}: {claim}, {part}"))
    return found


def _moved(of_entry: Sequence[Field], known: Mapping[tuple[str, str, Any], Effect]) -> Iterator[tuple[str, str, str]]:
    """What the entry's alternatives move, of those that are measured: in the figure in which they do so most surely."""
    for name, value in _once((f.name, other.value) for f in of_entry for other in f.choice.alternatives):
        effects = [known[key] for f in of_entry if (key := (f.command, name, value)) in known]
        if effects:
            yield f"`{name}={written(value)}`", max(effects).size, max(effects).part


HEADS = ("`--set`: default, alternatives", "what it changes")


def settings(text: str, results: Path = RESULTS) -> str:
    """The tables of a page: how its entries can be varied and what that changes, and what the multiverse measured."""
    known, effects = fields(), measured(results)
    varied = [(entry.name, known[entry.name]) for entry in entries(text) if entry.name in known]
    rows = [
        (f"[{name}](#{name})", _settings(of_name), "; ".join(_once(field.choice.meaning for field in of_name)))
        for name, of_name in varied
    ]
    moved = [row for _, of_name in varied for row in _moved(of_name, effects)]
    found = [_table(("entry", *HEADS), rows)] * bool(rows)
    found += [_table(("alternative", "moves by", "the claim that it moves most surely"), moved)] * bool(moved)
    return "\n\n".join(found)


def index() -> str:
    """The tables of docs/assumptions.md: every entry with its page, and the printed values that can be varied."""
    folder = INDEX.stem
    listed = [
        (
            f"[{title(text)}]({folder}/{path.name})",
            " · ".join(f"[{entry.name}]({folder}/{path.name}#{entry.name})" for entry in entries(text)),
        )
        for path, text in pages().items()
    ]
    printed = [
        (
            f"{name.removeprefix('printed ')} ({'; '.join(_once(field.choice.source for field in of_name))})",
            _commands(of_name),
            _settings(of_name),
            "; ".join(_once(field.choice.meaning for field in of_name)),
        )
        for name, of_name in fields().items()
        if of_name[0].choice.printed
    ]
    return "\n\n".join(
        (
            _table(("page", "entries"), listed),
            "What the paper prints can be varied all the same:",
            _table(("printed", "figures", *HEADS), printed),
        )
    )


def with_table(text: str, table: str) -> str:
    """The text with its table made anew. Raises ValueError if it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"a page of assumptions must have {BEGIN} and {END}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def written_anew() -> dict[Path, str]:
    """Every page as it should be."""
    found = {path: with_table(text, settings(text)) for path, text in pages().items()}
    return {INDEX: with_table(INDEX.read_text(encoding="utf-8"), index())} | found


def _once(values: Iterable[T]) -> Iterator[T]:
    return iter(dict.fromkeys(values))


def _commands(of_entry: Sequence[Field]) -> str:
    """The commands, all supplements in one word if they are all there."""
    commands = list(_once(field.command for field in of_entry))
    supplements = [command for command in registry.figures() if command.startswith(SUPPLEMENTS)]
    if set(supplements) <= set(commands):
        commands[commands.index(supplements[0])] = f"{SUPPLEMENTS}…"
        commands = [command for command in commands if command not in supplements]
    return ", ".join(commands)


def _settings(of_entry: Sequence[Field]) -> str:
    """Each setting once, with its default, an option of its own, alternatives, and the commands if not all have it."""
    found = []
    for setting in _once(f"{field.name}={field.default}" for field in of_entry):
        same = [field for field in of_entry if f"{field.name}={field.default}" == setting]
        others = _once(written(other.value) for field in same for other in field.choice.alternatives)
        options = _once(f"`--{field.choice.option}`" for field in same if field.choice.option)
        where = f" ({_commands(same)})" if _commands(same) != _commands(of_entry) else ""
        found.append("; ".join([f"`{setting}`", *options, ", ".join(others)]).removesuffix("; ") + where)
    return "<br>".join(found)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    for path, text in written_anew().items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
