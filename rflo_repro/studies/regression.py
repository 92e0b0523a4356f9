"""`rflo-repro check`: what this machine and this source compute, compared with stored references to the byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from rich.console import Console

from rflo_repro.learning.files import replacing
from rflo_repro.runs import generation, provenance
from rflo_repro.runs.conditions import of_scale
from rflo_repro.runs.generation import Generation, Source
from rflo_repro.runs.request import JobError
from rflo_repro.studies.records import Record, Records, difference, read, text, write
from rflo_repro.studies.reference_runs import computed, jobs
from rflo_repro.studies.registry import studies

KINDS = ("short", "smoke", "full", "confirm", "small", "study")


class Compared(NamedTuple):
    """What is said of the sessions of a kind, and whether none differs."""

    line: str
    good: bool


def compare(found: Mapping[str, Record], references: Mapping[str, Record]) -> list[Compared]:
    """Of each kind: `identical`, or the first session that differs and how. A session without a reference is new: it
    is said, and does not count as a difference."""
    lines = []
    for kind in KINDS:
        ours, theirs = ({n: r for n, r in every.items() if n.startswith(f"{kind}:")} for every in (found, references))
        differing, new = {}, [name for name in ours if name not in theirs]
        for name in [*(name for name in ours if name in theirs), *(name for name in theirs if name not in ours)]:
            if name not in ours:
                differing[name] = "there is only a reference"
            elif (what := difference(ours[name], theirs[name])) is not None:
                differing[name] = what
        n_all = len(ours.keys() | theirs.keys())
        if differing:
            first, what = next(iter(differing.items()))
            line = f"{first}: {what} ({len(differing)} of {n_all} {kind} sessions differ)"
        else:
            line = f"{kind}: {len(theirs)} sessions identical"
        if new:
            line += f"; {len(new)} new, no reference yet, the first {new[0].removeprefix(f'{kind}: ')}"
        lines.append(Compared(line, not differing))
    return lines


def present_source() -> Source:
    """The numerical source of this package now, as a whole: of all modules that sessions are made of. Those of studies
    that measure time count too, though there are no bytes of theirs to compare."""
    provenance.meaning_digest.cache_clear()
    provenance.numerical_digest.cache_clear()
    timed = [study.experiment for study in studies().values() if study.timed]
    others = [job for experiment in timed for c in of_scale(experiment, "smoke") for job in c.jobs]
    return Source.today({module for job in (*jobs().values(), *others) for module in provenance.modules_of(job)})


def check(
    console: Console, n_threads: int | None, as_json: bool = False, accept: bool = False, new_generation: bool = False
) -> bool:
    """Compare with the references; print what differs first in each kind, and return whether nothing does.

    accept: if nothing does, add the present source to the generation, and what is new to the references.
    new_generation: make what is computed the references of a new generation, of the present source alone.
    as_json: print an object with `identical`, `generation`, `proven` and the lines instead.
    Raises JobError for what differs if the console is quiet, so that it is said, and for source that changed meanwhile.
    """
    source = present_source()
    found = computed(console, n_threads)
    lines = compare(found, read())
    different = [line.line for line in lines if not line.good]
    said = [line.line for line in lines]
    if accept and different:
        said.append(f"refused: the present source is not of generation {generation.read().number}")
    if new_generation or (accept and not different):
        if present_source() != source:
            raise JobError(["the source was changed while it was checked"], [])
        said.append(_renewed(found, source) if new_generation else _accepted(found, source))
    elif not different and not generation.read().proven:
        said.append(f"the present source is unproven: `{generation.CHECK}` adds it to the generation")
    if as_json:
        now = generation.read()
        known = {"identical": not different, "generation": now.number, "proven": now.proven}
        with suppress(BrokenPipeError):
            print(json.dumps({**known, "kinds": [line._asdict() for line in lines]}, indent=1))
    elif different and console.quiet and not new_generation:
        raise JobError(different, [])
    for line in [] if as_json else said:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return new_generation or not different


def _accepted(found: Records, source: Source) -> str:
    """Add a source that gave the references to the generation, and what is new to them; what was done, in a line."""
    write(found)
    now = generation.read()
    if source in now.sources:
        return f"generation {now.number} has this source already"
    _write_generation(replace(now, sources=(*now.sources, source)))
    return f"accepted: generation {now.number} has this source, {source.digest[:12]}"


def _renewed(found: Records, source: Source) -> str:
    """Begin a generation; what was done, in a line."""
    number = generation.read().number + 1
    begun = hashlib.sha256(text(found).encode()).hexdigest()
    # first: whoever is killed between the two has a source that differs, and not other references of the old generation
    _write_generation(Generation(number, begun, (source,)))
    write(found)
    return f"generation {number} begins with this source, {source.digest[:12]}: results of others are stale"


def _write_generation(new: Generation) -> None:
    with replacing(provenance.PACKAGE / generation.FILE) as temporary:
        temporary.write_text(generation.text(new), encoding="utf-8", newline="\n")
    generation.read.cache_clear()
