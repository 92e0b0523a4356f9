"""The generation of the numbers: what the references give, to the byte, and which sources were shown to give it.

Text that computes numbers may change as it likes as long as the bytes stay: `rflo-repro check --accept` runs the
references, and adds today's source to the generation if every byte is the same. Results and tables of one generation
are each other's, whatever source of it computed them; another generation's are stale. Source that was not checked yet
is unproven: what it computes is taken for its own alone.

A module that no reference run is made of, such as a task of one's own, is proven by nothing: it counts by its own
digest.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rflo_repro.runs import provenance

FILE = "runs/generation.json"
CHECK = "rflo-repro check --accept"
LARGEST_FILE = 10**8


@dataclass(frozen=True)
class Source:
    """A numerical source: the modules that jobs are made of, and the digest of these and of all that always counts."""

    digest: str
    of: tuple[str, ...]

    @classmethod
    def today(cls, of: Iterable[str]) -> Source:
        """The present source of these modules."""
        modules = tuple(sorted(of))
        return cls(provenance.numerical_digest(*modules), modules)

    @property
    def present(self) -> bool:
        """Whether it is the source of this package now."""
        return provenance.numerical_digest(*self.of) == self.digest


@dataclass(frozen=True)
class Generation:
    """A generation of the numbers.

    number: from 1. references: digest of the references with which it began, which tells it from another of its number.
    sources: whole numerical sources that gave these bytes, the last one last. tables: sources of a part, of
    tables that are older than the first generation.
    """

    number: int
    references: str
    sources: tuple[Source, ...]
    tables: tuple[Source, ...] = ()

    @property
    def name(self) -> str:
        """What keys and metadata call it."""
        return f"{self.number}-{self.references[:12]}"

    @property
    def modules(self) -> frozenset[str]:
        """Those that the references are made of, now or in an earlier source."""
        return frozenset(module for source in (*self.sources, *self.tables) for module in source.of)

    @property
    def proven(self) -> bool:
        """Whether the present source, as a whole, was shown to give these bytes."""
        return any(source.present for source in reversed(self.sources))

    def proves(self, modules: Iterable[str]) -> bool:
        """Whether the present source of jobs that are made of these modules was; modules that no reference is made of
        do not count."""
        held = [set(source.of) for source in (*self.sources, *self.tables) if source.present]
        return bool(held) and (set(modules) & self.modules) <= set().union(*held)

    def others(self, modules: Iterable[str]) -> list[str]:
        """Those of these modules that no reference is made of."""
        return sorted(set(modules) - self.modules)

    def has(self, source: Mapping[str, Any]) -> bool:
        """Whether the source that a table's metadata names is of this generation."""
        return source.get("generation") == self.name or any(
            source["digest"] == known.digest and set(source["of"]) == set(known.of)
            for known in (*self.sources, *self.tables)
        )


@functools.cache
def read() -> Generation:
    """The generation of this package's numbers."""
    found = json.loads((provenance.PACKAGE / FILE).read_text(encoding="utf-8"))
    sources, tables = (
        tuple(Source(s["digest"], tuple(s["of"])) for s in found[name]) for name in ("sources", "tables")
    )
    return Generation(found["generation"], found["references"], sources, tables)


def text(generation: Generation) -> str:
    """What `read` reads, a line a source."""
    lists = {
        name: ",\n".join(f"  {json.dumps(vars(source))}" for source in sources)
        for name, sources in (("sources", generation.sources), ("tables", generation.tables))
    }
    entries = [
        f' "generation": {generation.number}',
        f' "references": {json.dumps(generation.references)}',
        *(f' "{name}": [' + (f"\n{lines}\n " if lines else "") + "]" for name, lines in lists.items()),
    ]
    return "{\n" + ",\n".join(entries) + "\n}\n"


def by_digest(modules: Iterable[str]) -> dict[str, Any]:
    """What names the source of a job that is made of these modules, whether it was proven or not: its digest."""
    return {"digest": provenance.numerical_digest(*sorted(modules))}


def by_bytes(modules: Iterable[str]) -> dict[str, Any]:
    """What names the source of a job by its numbers: the generation, and the digest of modules that no reference is
    made of; or, while the present source is unproven, its digest."""
    modules, generation = sorted(modules), read()
    if not generation.proves(modules):
        return by_digest(modules)
    others = generation.others(modules)
    own = {"own": _own(others)} if others else {}
    return {"generation": generation.name, **own}


def earlier(modules: Iterable[str]) -> list[dict[str, Any]]:
    """What `by_digest` was for a job that is made of these modules, with other sources of the present generation: what
    these computed while they were unproven, or before generations were written down."""
    of, known = set(modules), read()
    return [{"digest": source.digest} for source in (*known.sources, *known.tables) if set(source.of) == of]


def _own(modules: Iterable[str]) -> str:
    return provenance.digest_of(provenance.PACKAGE / module for module in modules)


def numerical_source(jobs: Iterable[Any]) -> dict[str, Any]:
    """What a table's metadata says of the source that computed the numbers of jobs, or stands for it: the digest of the
    present one, and of which modules; and, where it was proven, the generation.

    A result that is stored may be of another source of the generation, whose digest lies with it."""
    modules = sorted({module for job in jobs for module in provenance.modules_of(job)})
    return {**by_digest(modules), "of": modules, **by_bytes(modules)}


@functools.cache
def _modules() -> frozenset[str]:
    """Those of this package."""
    return frozenset(path.relative_to(provenance.PACKAGE).as_posix() for path in provenance.PACKAGE.rglob("*.py"))


def standing(source: Mapping[str, Any]) -> str:
    """What the source that a table's metadata names is today: `fresh`, `unproven` or `stale`; or `unknown` where files
    of somebody's own are not there.

    Besides these only modules of this package are looked at: the names come from a file that others may have written.
    """
    named, generation = set(source["of"]), read()
    theirs = {module for module in named if Path(module).is_absolute()}
    try:
        if any(Path(module).stat().st_size > LARGEST_FILE for module in theirs):
            return "unknown"
        for module in theirs:
            provenance.meaning_digest(Path(module))
    except (OSError, ValueError):  # none, or one that cannot be read
        return "unknown"
    here = _modules() | theirs
    same = named <= here and provenance.numerical_digest(*sorted(named)) == source["digest"]
    others = generation.others(named)
    own = set(others) <= here and _own(others) == source.get("own")
    if not same and not (generation.has(source) and (own if "own" in source else True)):
        return "stale"
    return "fresh" if generation.proven or generation.proves(named) else "unproven"
