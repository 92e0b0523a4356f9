"""From arrays to tables with their metadata: what a run writes, and which rows of earlier runs stay."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rflo_repro.runs import generation, own_source, provenance, tables
from rflo_repro.runs.conditions import names_of
from rflo_repro.runs.folders import CUSTOM
from rflo_repro.runs.job import Condition, identity
from rflo_repro.runs.plan import Plan
from rflo_repro.runs.request import RequestError
from rflo_repro.stats.claims import Tables

Earlier = Mapping[str, tuple[pd.DataFrame, dict[str, Any]]]
"""Tables that are there already, by name, with their metadata."""


@dataclass(frozen=True)
class Computed:
    """What a run computed: tables by part, the conditions that are complete, and who computed each job, by identity."""

    frames: Tables
    conditions: Sequence[Condition]
    provenance: Mapping[str, dict[str, Any]]
    seconds: float


def earlier(plan: Plan[Any]) -> tuple[Earlier, list[str]]:
    """The tables of the same settings, whose rows stay unless they are computed now, and what is wrong with others.

    Raises RequestError if the directory holds the paper's tables and the run is not the paper's, if it or a sweep's
    tables were named and are of other settings (all whose rows come again apart), or if a part would go into tables
    that are not valid.
    """
    found, damaged, results, request = {}, [], plan.folders.results, plan.request
    for schema in plan.experiment.schemas.values():
        try:
            # the columns of a sweep's table are its own
            frame, metadata = tables.read(results, schema, as_written=request.scale == CUSTOM)
            settings = _settings(results, schema, metadata)
        except FileNotFoundError:
            continue
        except tables.TableError as error:
            if request.selection.partial:
                command = f"`rflo-repro {plan.experiment.about.command}`"
                raise RequestError("results", f"{error}: run {command} in full to make it anew") from None
            damaged.append(str(error))
            continue
        if settings["scale"] == "paper" and not plan.reference:
            raise RequestError("results", f"{results} holds tables of the paper's scale; name another directory")
        if settings == plan.settings:
            found[schema.name] = frame, metadata
            continue
        others = _differing(settings, plan.settings)
        named = request.results is not None or request.scale == CUSTOM  # a sweep's file names its tables
        if named and not _grown(settings, plan.settings, others):
            held = f"{results} holds {schema.name}.csv of other settings ({', '.join(others)})"
            another = "give the sweep another name, or " if request.scale == CUSTOM else ""
            raise RequestError("results", f"{held}; {another}name another directory")
        damaged.append(f"{results / schema.name}.csv is of other settings ({', '.join(others)})")
    return found, damaged


def _settings(results: Path, schema: tables.Schema, metadata: dict[str, Any]) -> dict[str, Any]:
    """The settings that a table's metadata names. Raises TableError if it does not say what is needed of it."""
    try:
        settings: dict[str, Any] = metadata["settings"]
        settings["scale"]
        return settings
    except (KeyError, TypeError):
        raise tables.TableError(f"{results / schema.name}.json is not of this version") from None


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The names of settings that differ between two runs."""
    flat = [{**{k: v for k, v in s.items() if k != "choices"}, **dict(s.get("choices") or {})} for s in (old, new)]
    return [name for name in sorted({*flat[0], *flat[1]}) if flat[0].get(name) != flat[1].get(name)]


def _grown(old: Mapping[str, Any], new: Mapping[str, Any], others: Sequence[str]) -> bool:
    """Whether the new settings, which differ in `others`, have all rows of the old ones: there are more networks, of
    which the first are the same, or a sweep has more values, more things with a name, or another picture."""

    def within(was: Any, now: Any) -> bool:
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            return all(name in now and within(value, now[name]) for name, value in was.items())
        return bool(was == now)

    def more(name: str) -> bool:
        was, now = old["choices"].get(name), new["choices"].get(name)
        if name in ("n_networks", "networks"):
            return bool(was < now)
        if name == "grid":
            axes = {axis: (set(was.get(axis, [])), set(values)) for axis, values in now.items()}
            return set(was) <= set(now) and all(a == b or (a and a < b) for a, b in axes.values())
        return name == "plot" or (name in ("rules", "tasks", "optimizers") and within(was, now))

    return all(more(name) for name in others if name != "scale") and set(others) != {"scale"}


def write(plan: Plan[Any], computed: Computed) -> list[Path]:
    """Write the tables; rows of conditions that were not computed, and what is said of them, stay.

    Raises RequestError as `earlier` does, OSError if they cannot be written.
    """
    written, results = [], plan.folders.results
    record = {"date": provenance.now(), "command": provenance.command(), "seconds": round(computed.seconds, 1)}
    with tables.lock(results):
        # what another run has written meanwhile stays too
        before, _ = earlier(plan)
        for part, schema in plan.experiment.schemas.items():
            own = [c for c in computed.conditions if schema.has(c.values)]
            if schema.name in before and not own:
                continue  # nothing of this run is in it
            frame, runs, names = computed.frames[part], [], names_of(own, schema)
            if schema.name in before:
                old, said = before[schema.name]
                frame = tables.replace_rows(old, frame, schema, plan.paper_order[schema.name])
                stay = [tables.without(run, names) for run in said["runs"]]
                runs = [run for run in stay if run["conditions"]]
            source = generation.numerical_source(job for c in own for job in c.jobs[:1])
            now = {
                **record,
                "numerical_source": source,
                "conditions": names,
                "computed": _producers(own, schema, computed.provenance),
                **own_source.said_of(source["of"]),
            }
            written.append(tables.write(results, schema, frame, metadata(schema, plan.settings, [*runs, now])))
    return written


def metadata(schema: tables.Schema, settings: Mapping[str, Any], runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a table's metadata say besides its columns: the settings, and the runs that computed it."""
    seed = settings["choices"].get("seed")
    return {"settings": settings, "root_seed": seed, "condition": list(schema.condition), "runs": [*runs]}


def _producers(
    conditions: Sequence[Condition], schema: tables.Schema, records: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Who computed these conditions: an entry for each processor, set of versions and source, with when, in how many
    seconds altogether, and the numbers of networks by condition."""
    rows = pd.DataFrame([dict(c.values) for c in conditions])
    entries: dict[str, dict[str, Any]] = {}
    for name, condition in zip(tables.conditions(rows, schema), conditions, strict=True):
        for job in condition.jobs:
            by = records[identity(job)]
            # which may be another source of the generation than the present one
            producer = {**provenance.producer(by), "source": by["source"]}
            empty = {"first": by["date"], "last": by["date"], "seconds": 0.0, **producer, "conditions": {}}
            entry = entries.setdefault(json.dumps(producer, sort_keys=True), empty)
            entry["first"], entry["last"] = min(entry["first"], by["date"]), max(entry["last"], by["date"])
            entry["seconds"] = round(entry["seconds"] + by["seconds"], 3)
            entry["conditions"][name] = entry["conditions"].get(name, 0) + 1
    return list(entries.values())
