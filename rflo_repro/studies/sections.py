"""What the report shows of a figure or a study: its claims, pictures, tables, choices and provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rflo_repro.paper import registry
from rflo_repro.report.page import Picture, Question, Section
from rflo_repro.report.words import RATES
from rflo_repro.runs import folders, inventory, tables
from rflo_repro.runs.choices import written
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.job import describe
from rflo_repro.runs.sample import FINAL, SAMPLES
from rflo_repro.runs.tables import Table
from rflo_repro.runs.variants import Variant, in_words, variants
from rflo_repro.stats.claims import Claim, Finding
from rflo_repro.studies.answers import OWN, Answers
from rflo_repro.studies.multiverse import ABOUT as MULTIVERSE
from rflo_repro.studies.multiverse import closest, design
from rflo_repro.studies.registry import studies

OUTCOMES = {"learned": "learned", "plateau": "plateau", "thrown out": "lost", "ran away": "exploded",
            "diverged": "diverged"}  # fmt: skip


def read(experiment: Experiment[Any], results: Path) -> tuple[list[Table], str]:
    """The tables of an experiment without their rows; or what is missing."""
    found = []
    for schema in experiment.schemas.values():
        try:
            frame, metadata = tables.read(results, schema, rows=0)
        except FileNotFoundError:
            return [], f"there is no {schema.name}.csv"
        except tables.TableError as error:
            return [], str(error)
        found.append(Table(results / f"{schema.name}.csv", schema, frame, metadata))
    return found, ""


def entry(metadata: Any, *names: str) -> Any:
    """An entry of metadata that others may have written, or None."""
    for name in names:
        metadata = metadata.get(name) if isinstance(metadata, dict) else None
    return metadata


def of_experiment(about: About, known: Answers, figures: Path) -> Section:
    """The section of a figure or a study."""
    results = known.results
    command, shown, more = f"rflo-repro {about.command}", *_pictures(about, results, figures)
    study = about.command in studies()
    if not about.computed:
        return Section(about.name, about.title, command, pictures=shown, more=more, study=study)
    command += "".join(f" --rates {rates}" for rates in about.rates) if len(about.rates) > 1 else ""
    experiment = about.experiment
    own, missing = read(experiment, results)
    missing = missing and f"{missing}; {command}{folders.options(results)} computes it"
    claims = known.claims(about)
    samples = {finding.rates: finding.sample for _, findings in claims for finding in findings}
    finals, faults = _finals(about, known, samples)
    used = [table for _, table in finals] or own
    text = [missing] if missing else [_state(own)]
    if about.sample:
        text += [*_on(samples), *faults]
    every = list({table.path: table for table in (*own, *used)}.values())
    return Section(
        name=about.name,
        title=about.title,
        command=command,
        claims=tuple(_questions(claims, used, "" if samples else missing)),
        pictures=shown,
        more=more,
        text=tuple(text),
        tables=tuple(table.path for table in every),
        choices=_choices(every),
        provenance=_provenance(every),
        outcomes=tuple((about.name, name, *row) for name, table in finals for row in outcomes(table)),
        study=study,
    )


def _questions(
    claims: Sequence[tuple[Claim, tuple[Finding, ...]]], used: Sequence[Table], missing: str
) -> Iterator[Question]:
    scales = sorted({str(entry(table.metadata, "settings", "scale") or "unknown") for table in used})
    for claim, findings in claims:
        yield Question(claim, findings, missing, " and ".join(scales) or "paper")


def _finals(about: About, known: Answers, samples: Mapping[str, str]) -> tuple[list[tuple[str, Table]], list[str]]:
    """The tables of final losses on which claims are answered, each with its sample and its rows cut to the kinds of
    learning rates that are answered on it; and what is wrong with those that cannot be used."""
    found: list[tuple[str, Table]] = []
    faults = []
    into = folders.options(known.results)
    on_own = OWN in samples.values()
    sampled = [variant for variant in variants(about) if variant.sample]
    for variant in (*sampled, *([Variant(about.experiment)] if on_own else [])):
        experiment, folder = variant.experiment, variant.folder(known.results)
        name = variant.sample.name if variant.sample else OWN
        if FINAL not in experiment.schemas:
            continue
        command = f"rflo-repro {variant.command}{into}"
        try:
            table = known.table(folder, experiment.schemas[FINAL])
        except FileNotFoundError:
            if on_own and variant.command == f"{SAMPLES[0].name} {about.command}":
                faults.append(f"In {folder} there is no {experiment.schemas[FINAL].name}.csv; {command} computes it.")
        except tables.TableError as error:
            faults.append(f"{error}; {command} computes it anew.")
        else:
            kinds = [kind for kind, sample in samples.items() if sample == name]
            if "rates" in table.frame:
                table = replace(table, frame=table.frame[table.frame.rates.isin([*kinds, "none"])])
            if "rates" not in table.frame or table.frame.rates.isin(kinds).any():
                found.append((name, table))
    return found, faults


def _state(own: Sequence[Table]) -> str:
    state = inventory.worst([inventory.described(one.schema, one.metadata) for one in own])
    networks, _, trials = state.size.partition(" × ")
    size = f", {networks} networks of {trials} trials" if trials else ""
    stale = "" if state.state == "fresh" else f"; {state.state}: {state.why}"
    return f"Tables and pictures: {state.scale} scale{size}{stale}."


def _on(samples: Mapping[str, str]) -> list[str]:
    """On which networks claims are answered."""
    seeds = {sample.name: f" (root seed {sample.seed})" for sample in SAMPLES}
    by_name: dict[str, list[str]] = {}
    for kind, name in samples.items():
        by_name.setdefault(name, []).append(RATES.get(kind, kind))
    names = {"confirm": "the confirmation sample", "first sample": "the first sample", OWN: "the figure's own networks"}
    return [
        f"Answered on {names[name]}{seeds.get(name, '')}" + (f": {', '.join(kinds)}." if len(by_name) > 1 else ".")
        for name, kinds in by_name.items()
    ]


def _choices(read_now: Sequence[Table]) -> tuple[tuple[str, str], ...]:
    chosen = entry(read_now[0].metadata, "settings", "choices") if read_now else None
    known = [(str(name), value) for name, value in (chosen or {}).items() if name != "is"]
    return tuple((name, ", ".join(map(str, v)) if isinstance(v, list) else str(v)) for name, v in known)


def _provenance(read_now: Sequence[Table]) -> tuple[str, ...]:
    """A line for each run that computed the tables, and each processor and set of versions that computed for it."""
    lines = []
    runs = [run for table in read_now for run in table.metadata.get("runs", [])]
    for run, by in ((one, by) for one in runs for by in tables.producers(one)):
        machine = by["machine"]
        commit = str(by["commit"] or "no commit")[:9] + ("+" if by["source_changed"] else "")
        known = ", ".join(f"{name} {version}" for name, version in by["versions"].items())
        where = f"{machine.get('system')} {machine.get('architecture')} ({machine.get('cpu')})"
        lines.append(f"{by.get('last', run['date'])} · {run['command']} · commit {commit} · {where} · {known}")
    return tuple(dict.fromkeys(lines))


def outcomes(table: Table) -> list[tuple[str, ...]]:
    """Condition, and how many of its networks went how, those on plateaus with their losses; none of a table that does
    not say it."""
    rows: list[tuple[str, ...]] = []
    if not {"plateau", "outcome"} <= set(table.frame):
        return rows
    frame = table.frame[table.frame.outcome != "untrained"]
    varied = [name for name in table.schema.condition if frame[name].nunique() > 1]
    for key, group in frame.groupby(varied or list(table.schema.condition), sort=False):
        counted = group.outcome.value_counts()
        said = {kind: f"{n} ({n / len(group):.0%})" for kind, n in counted.items()}
        levels = sorted({f"{level:.2g}" for level in group.plateau.dropna()})
        name = " ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in zip(varied, key, strict=False))
        at = f" at {', '.join(levels)}" if levels else ""
        rows.append((name, *(said.get(kind, "0") + (at if kind == "plateau" else "") for kind in OUTCOMES)))
    return rows


def _closest(about: About, results: Path) -> str:
    """The variant that comes closest to the paper's statements, in words; empty if it was not computed."""
    if about.command not in MULTIVERSE.closest:
        return ""
    found, missing = read(closest.experiment(about, ""), results)
    if missing:
        return ""
    chosen = entry(found[0].metadata, "settings", "choices") or {}
    usual = describe(about.experiment.scales["paper"])
    sets = [f"{name}={written(chosen[name])}" for name in design.alternatives(about.command) if name in chosen]
    own = {f"{name}={written(value)}" for name, value in usual.items()}
    said = ", ".join(one for one in sets if one not in own) or "the baseline"
    return f"{said}, on {entry(chosen, 'n_networks')} networks that were not used to find it"


def _pictures(about: About, results: Path, figures: Path) -> tuple[tuple[Picture, ...], tuple[Path, ...]]:
    """The pictures that are shown, and those that are linked."""
    panels = "; ".join(f"{letter}: {meaning}" for letter, meaning in about.panels.items())
    kinds = [("", about.rates[:1] if about.separate_figures else about.rates), ("_tuned", ("tuned",))]
    at = {end: f" At {' and '.join(RATES[kind] for kind in rates)}." if rates else "" for end, rates in kinds}
    at |= {
        f"_{variant}": f" Variant `{variant}`: {RATES[about.rates[0]]} with {in_words(sets)} "
        f"(rflo-repro {about.command} --variant {variant})."
        for variant, sets in about.variants.items()
    }
    said = [
        (figures / f"{about.name}{end}.png", f"{about.title}{rates}{f' {panels}.' if panels else ''}")
        for end, rates in at.items()
    ]
    path = figures / f"{about.name}_closest.png"
    if about.computed and path.is_file() and (chosen := _closest(about, results)):
        command = f"rflo-repro multiverse --closest {about.command}"
        text = f"{about.title} The variant closest to the paper's statements: {chosen} ({command}). Panels as above."
        said.append((path, text))
    # a picture for each figure, where a study has them; how to read them is said once
    of_each = [(other, figures / f"{about.name}_{other.name}.png") for other in registry.figures().values()]
    for i, (other, path) in enumerate((other, path) for other, path in of_each if path.is_file()):
        how = "To be read as the one above." if i else about.legend
        said.append((path, f"{about.title} {other.command}: {other.title} {how}"))
    shown = [path for path, _ in said]
    others = {a.name for a in (*registry.figures().values(), *studies().values()) if a.name != about.name}
    more = [
        path
        for path in sorted(figures.glob(f"{about.name}_*.png"))
        if path not in shown and not any(path.stem == name or path.stem.startswith(f"{name}_") for name in others)
    ]
    return tuple(Picture(path, about.title, text) for path, text in said if path.is_file()), tuple(more)
