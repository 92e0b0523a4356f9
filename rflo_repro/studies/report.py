"""`rflo-repro report`: gathers tables, verdicts and pictures, and writes them as one page."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from rflo_repro.paper import registry
from rflo_repro.report.page import (
    Grid,
    Judged,
    Picture,
    Report,
    Section,
    counts,
    html,
    in_readme,
    k_of_n,
    markdown,
    measured,
    verdict_table,
)
from rflo_repro.runs import inventory, road, tables
from rflo_repro.runs.choices import written
from rflo_repro.runs.claims import Claim, Interval, judge
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.realisation import describe
from rflo_repro.runs.sample import SAMPLES
from rflo_repro.runs.store import replacing
from rflo_repro.runs.tables import Schema
from rflo_repro.runs.variants import in_words, variants
from rflo_repro.studies.readings import CLOSEST, closest, design
from rflo_repro.studies.registry import studies

TITLE = "Local online learning in recurrent networks with random feedback: what holds"
INTRODUCTION = (
    "A reproduction of Murray (2019), eLife 8:e43299: each claim beside what was measured, at a glance and then "
    "figure by figure. Claims are the paper's, in our words, unless another source stands beside them."
)
TERMS = (
    (
        "Printed, tuned, clipped",
        "Printed rates are the learning rates in the paper's Methods, which has them for BPTT, RFLO and the readout "
        "alone; every other rule takes those of the one whose credit assignment it shares (docs/assumptions.md, "
        "rates-of-hybrids). Tuned rates come from the paper's own procedure, a grid search, repeated here. Clipped is "
        "a reading of the paper at the printed rates: the norm of an update, of all matrices together, is at most "
        "0.3, which the paper does not say.",
    ),
    (
        "Effect",
        "The median over networks of what the claim is about, most often log10 of a ratio of two losses of the same "
        "network. Its unit is then the decade, a factor of ten: +0.5 decades is about three times the loss. Beside it "
        "are its 95% interval, an exact one from the order of the values, and k of n, the networks that have the "
        "median's sign.",
    ),
    (
        "Holds, does not hold",
        "A claim of a difference holds when the interval excludes zero on the claimed side. A claim of sameness is an "
        "equivalence test at 5%: the 90% interval must lie within a stated margin. The primary parts of a figure's "
        "claims are one family, in which Holm's correction keeps the chance of any false answer at 5%.",
    ),
    (
        "Behind or ahead, size open",
        "The interval excludes zero, but whether the difference is within the margin is open.",
    ),
    (
        "Not decided",
        "Beside it is how many networks like these it would take to decide nine times of ten.",
    ),
    (
        "Cannot be tested",
        "Neither of two conditions ends below half of the untrained networks' loss (in Figure 3: within 3 tau), or "
        "there is no gap between RFLO and BPTT to explain.",
    ),
    (
        "Several parts",
        "A claim's answer is that of its decided parts, if they are at least half of those that can be tested; it "
        "holds in part where they differ. '40 τ only' is the answer at 40 tau, while the other parts are open or "
        "cannot be tested.",
    ),
    (
        "Learned, thrown out, ran away, plateau",
        "Training learned if the loss in the last 1% of trials is at most a tenth of what an output of zero has. It "
        "was thrown out if the loss had been as low before and is no longer; it ran away if the loss ends above ten "
        "times the first, and counts as above all others; else it stayed on a plateau. Beside an effect is how many "
        "networks learned in either condition, with McNemar's exact test.",
    ),
    (
        "Criteria",
        "They were set before these tables were computed but with short pilot runs in view, so the margins are ours "
        "to be argued with; a criterion or statistic that was changed or chosen after numbers were seen says so at "
        "its claim.",
    ),
    (
        "Fresh, stale",
        "Tables are fresh if the code that computes numbers is the present one, and stale if it has changed since.",
    ),
)

Read = tuple[dict[str, pd.DataFrame], list[dict[str, Any]], str]


def _read(schemas: Mapping[str, Schema], results: Path, command: str) -> Read:
    """The tables by part, their JSON pages, and what is missing."""
    frames, pages = {}, []
    for part, schema in schemas.items():
        try:
            frames[part], page = tables.read(results, schema)
        except FileNotFoundError:
            return {}, [], f"there is no {schema.name}.csv; {command} makes it"
        except tables.TableError as error:
            return {}, [], f"{error}; {command} makes it anew"
        pages.append(page)
    return frames, pages, ""


def _judge(
    claims: Sequence[Claim], frames: Mapping[str, pd.DataFrame], missing: str, pages: Sequence[dict[str, Any]]
) -> tuple[Judged, ...]:
    if missing:
        return tuple(Judged(claim, missing=missing) for claim in claims)
    scales = {str(_entry(_entry(page, "settings"), "scale") or "unknown") for page in pages}
    found = judge(claims, frames)
    return tuple(Judged(c, of, scale=" and ".join(sorted(scales))) for c, of in zip(claims, found, strict=True))


def _entry(page: Any, name: str) -> Any:
    """An entry of a page that others may have written, or None."""
    return page.get(name) if isinstance(page, dict) else None


def _choices(pages: Sequence[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    chosen = _entry(_entry(pages[0], "settings"), "choices") if pages else None
    known = [(str(name), value) for name, value in (chosen or {}).items() if name != "is"]
    return tuple((name, ", ".join(map(str, v)) if isinstance(v, list) else str(v)) for name, v in known)


def _provenance(pages: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """A line for each run that made the tables, and each processor and set of versions that computed for it."""
    lines = []
    runs = [run for page in pages for run in page.get("runs", [])]
    for made, by in ((run, by) for run in runs for by in tables.makers(run)):
        machine = by["machine"]
        commit = str(by["commit"] or "no commit")[:9] + ("+" if by["source_changed"] else "")
        known = ", ".join(f"{name} {version}" for name, version in by["versions"].items())
        where = f"{machine.get('system')} {machine.get('architecture')} ({machine.get('cpu')})"
        lines.append(f"{by.get('last', made['date'])} · {made['command']} · commit {commit} · {where} · {known}")
    return tuple(dict.fromkeys(lines))


def _outcomes(frame: pd.DataFrame, schema: Schema) -> Grid:
    """How many sessions of each condition went how; and on which plateaus."""
    rows = []
    frame = frame[frame.outcome != "untrained"]
    named = [name for name in schema.condition if frame[name].nunique() > 1]
    for key, group in frame.groupby(named or list(schema.condition), sort=False):
        counted = group.outcome.value_counts()
        said = {kind: f"{n} ({n / len(group):.0%})" for kind, n in counted.items()}
        levels = sorted({f"{level:.2g}" for level in group.plateau.dropna()})
        name = " ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in zip(named, key, strict=False))
        rows.append(
            (
                name,
                said.get("learned", "0"),
                said.get("plateau", "0") + (f" at {', '.join(levels)}" if levels else ""),
                *(said.get(name, "0") for name in ("thrown out", "ran away", "diverged")),
            )
        )
    return Grid(
        "How many networks learned, by the loss on which they were trained",
        ("condition", "learned", "plateau", "thrown out", "ran away", "diverged"),
        tuple(rows),
    )


def _closest(about: About, results: Path) -> tuple[str, list[Grid]]:
    """The reading that comes closest to the paper's statements, in words, and what holds under it, on other networks;
    nothing if it is not there."""
    if about.command not in CLOSEST:
        return "", []
    under = closest.experiment(about, "")
    frames, pages, missing = _read(under.schemas, results, "")
    if missing:
        return "", []
    chosen = _entry(_entry(pages[0], "settings"), "choices") or {}
    usual = describe(about.experiment.scales["paper"])
    sets = [f"{name}={written(chosen[name])}" for name in design.alternatives(about.command) if name in chosen]
    own = {f"{name}={written(value)}" for name, value in usual.items()}
    said = ", ".join(one for one in sets if one not in own) or "as chosen"
    said += f", on {_entry(chosen, 'n_networks')} networks that were not used to find it"
    rows = [
        (judged.statement, part.what, measured(part.interval, part.unit), k_of_n(part), str(part.verdict))
        for judged, findings in zip(under.claims, judge(under.claims, frames), strict=True)
        for finding in findings
        for part in finding.parts
        if part.primary
    ]
    title = f"Under the reading closest to the paper's statements: {said}"
    return said, [Grid(title, ("claim", "at", "effect (95% interval)", "k of n", "answer"), tuple(rows))]


def _pictures(figure: About, figures: Path, closest_to: str) -> tuple[Picture, ...]:
    panels = "; ".join(f"{letter}: {meaning}" for letter, meaning in figure.panels.items())
    kinds = [("", figure.rates[:1] if figure.apart else figure.rates), ("_tuned", ("tuned",))]
    at = {end: f" At {' and '.join(rates)} learning rates." if rates else "" for end, rates in kinds}
    at |= {
        f"_{reading}": f" At {figure.rates[0]} rates and under the reading with {in_words(sets)} "
        f"(rflo-repro {figure.command} --variant {reading})."
        for reading, sets in figure.variants.items()
    }
    said = [(figures / f"{figure.name}{end}.png", f"{figure.title}{rates} {panels}.") for end, rates in at.items()]
    if closest_to:
        under = (
            f"under the reading closest to the paper's statements: {closest_to} (rflo-repro closest {figure.command})"
        )
        text = f"{figure.title} At {' and '.join(figure.rates[:1])} rates and {under}. Panels as above."
        said.append((figures / f"{figure.name}_closest.png", text))
    # a picture for each figure, where a study has them; how to read them is said once
    of_each = [(other, figures / f"{figure.name}_{other.name}.png") for other in registry.figures().values()]
    for place, (other, path) in enumerate((other, path) for other, path in of_each if path.is_file()):
        how = "To be read as the one above." if place else figure.legend
        said.append((path, f"{figure.title} {other.command}: {other.title} {how}"))
    return tuple(Picture(path, text, text) for path, text in said if path.is_file())


def of_experiment(about: About, results: Path, figures: Path) -> Section:
    """The section of a figure or a study."""
    closest_to, under_closest = _closest(about, results) if about.computed else ("", [])
    command, pictures = f"rflo-repro {about.command}", _pictures(about, figures, closest_to)
    if not about.computed:
        return Section(about.name, about.title, command, pictures=pictures)
    command += "".join(f" --rates {rates}" for rates in about.rates) if len(about.rates) > 1 else ""
    experiment = about.experiment
    frames, pages, missing = _read(experiment.schemas, results, command + road.into(results))
    state = inventory.state(experiment, results)
    counted = "×" in state.size and about.command in registry.figures()
    size = f", {state.size} networks × trials" if counted else ""
    text = (
        []
        if missing
        else [f"Tables: {state.scale} scale{size}, {state.state}{f' ({state.why})' if state.why else ''}."]
    )
    if missing and not experiment.claims:
        text = [missing]
    frames, pages = _with_readings(variants(experiment), results, frames, pages)
    judges, of_judges = frames, pages
    if about.sample:
        found, of_sample, lacking = _sample(experiment, results)
        text.append(lacking or _said_of(of_sample))
        if not lacking:
            # what a claim says of curves is of the figure's own networks
            judges, of_judges, missing = {**frames, **found}, of_sample, ""
            pages = [*pages, *of_sample]
    final = judges.get("final")
    outcomes = [] if final is None or "plateau" not in final else [_outcomes(final, experiment.schemas["final"])]
    section = Section(
        name=about.name,
        title=about.title,
        command=command,
        claims=_judge(experiment.claims, judges, missing, of_judges),
        pictures=pictures,
        text=tuple(text),
        choices=_choices(pages),
        grids=(*under_closest, *outcomes),
        provenance=_provenance(pages),
    )
    return with_changes(section, frames["sensitivity"]) if "sensitivity" in frames else section


def _sample(experiment: Experiment[Any], results: Path) -> Read:
    """The final table of the best sample that there is to judge on, its page, and what is missing."""
    lacking = ""
    for sample in SAMPLES:
        on_sample = sample.of(experiment)
        place = sample.place(results)
        frames, pages, missing = _read(
            on_sample.schemas, place, f"rflo-repro {on_sample.about.command}{road.into(results)}"
        )
        if not missing:
            return *_with_readings(map(sample.of, variants(experiment)), place, frames, pages), ""
        lacking = lacking or missing
    return {}, [], f"Judged on the figure's own networks: {lacking}."


def _with_readings(
    under: Iterable[Experiment[Any]], results: Path, frames: dict[str, pd.DataFrame], pages: list[dict[str, Any]]
) -> tuple[dict[str, pd.DataFrame], list[dict[str, Any]]]:
    """The tables with those under the experiment's readings below them, as far as there are any."""
    for experiment in under:
        found, of_reading, missing = _read(experiment.schemas, results, "")
        if frames and not missing:
            frames = {part: pd.concat([frame, found[part]], ignore_index=True) for part, frame in frames.items()}
            pages = [*pages, *of_reading]
    return frames, pages


def _said_of(pages: Sequence[dict[str, Any]]) -> str:
    """On which networks claims are judged."""
    chosen = _entry(_entry(pages[0], "settings"), "choices")
    networks, seed = (_entry(chosen, name) for name in ("n_networks", "seed"))
    return (
        f"Judged on {networks} networks of a root seed of their own, {seed}, on which nothing was tuned; the trial at "
        "which a loss is reached is of the figure's own networks."
    )


def with_changes(section: Section, frame: pd.DataFrame) -> Section:
    """The section of the sensitivity study, with what the open choices change."""
    columns = ("figure", "choice", "claim", "part", "effect as chosen", "then", "moved by")
    grid = Grid("Verdicts that turn, where the effect surely moves", columns, changes(frame))
    return replace(section, grids=(grid,))


def changes(frame: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Figure, choice, claim, part, effect and verdict as chosen and then, and the shift of the effect, wherever the
    verdict on a primary part differs and the interval of the shift leaves out 0."""
    keys = ["figure", "claim", "part"]
    both = frame[frame.primary].merge(frame[frame.reading == 0], on=keys, suffixes=("", "_0"))
    moved = both[(both.verdict != both.verdict_0) & ((both.shift_low > 0.0) | (both.shift_high < 0.0))]
    return tuple(
        (
            *(str(getattr(row, name)) for name in ("figure", "choices", "claim", "part")),
            f"{row.estimate_0:.2f}, {row.verdict_0}",
            f"{row.estimate:.2f}, {row.verdict}",
            f"{row.shift:.2f} ({row.shift_low:.2f}, {row.shift_high:.2f})",
        )
        for row in moved.itertuples()
    )


def gather(results: Path, figures: Path) -> Report:
    """The whole report, from the tables and pictures in these directories; what is missing is named."""
    experiments = {**registry.figures(), **studies()}
    sections = [of_experiment(about, results, figures) for about in experiments.values()]
    return Report(TITLE, INTRODUCTION, TERMS, tuple(sections))


def table(results: Path, figures: Path) -> str:
    """The verdicts at a glance, in Markdown between markers."""
    return verdict_table(gather(results, figures))


def as_json(results: Path, figures: Path) -> str:
    """Every claim and what was found, for a program; a number that is not finite is a string."""
    claims = [
        {
            "command": section.command,
            "claim": judged.claim.name,
            "statement": judged.claim.statement,
            "where": judged.claim.where,
            "scale": judged.scale,
            "missing": judged.missing,
            "findings": [
                {
                    "rates": finding.rates,
                    "verdict": str(finding.verdict),
                    "of": finding.coverage,
                    "parts": [
                        {
                            "what": part.what,
                            "verdict": str(part.verdict),
                            "primary": part.primary,
                            "unit": part.unit,
                            **_interval(part.interval),
                            "k": part.k,
                            "p": None if math.isnan(part.p) else part.p,
                            "needs": part.needs,
                            "beside": "; ".join(filter(None, (part.learned, part.why, part.remark))),
                        }
                        for part in finding.parts
                    ],
                }
                for finding in judged.findings
            ],
        }
        for section in gather(results, figures).sections
        for judged in section.claims
    ]
    return json.dumps(claims, indent=1)


def _interval(interval: Interval | None) -> dict[str, float | str]:
    known = {} if interval is None else vars(interval)
    return {name: value if math.isfinite(value) else str(value) for name, value in known.items()}


def write(results: Path, figures: Path, console: Console) -> None:
    """Write `report.html` and `report.md` into `results`. Raises Refused for a folder it cannot use."""
    road.check_folder("results", results)
    report = gather(results, figures)
    results.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.html", html(report, results)), ("report.md", markdown(report, results))):
        with replacing(results / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    said = counts(report)
    width = max(len(verdict) for verdict, _ in said) + 2
    for verdict, counted in said:
        console.print(f"{verdict:<{width}}{counted}", highlight=False)
    for section in report.sections:
        for missing in dict.fromkeys(judged.missing for judged in section.claims if judged.missing):
            console.print(f"{section.name}: {missing}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"report   {results / 'report.html'}  {results / 'report.md'}", highlight=False, soft_wrap=True)


def with_answers(readme: str, root: Path) -> str:
    """The README of a checkout with the answers of its committed tables to the figures' claims."""
    sections = (of_experiment(about, root / "results", root / "figures") for about in registry.figures().values())
    return in_readme(Report(TITLE, INTRODUCTION, TERMS, tuple(sections)), readme)


def main() -> None:
    """Write the README of this checkout anew."""
    readme = Path("README.md")
    text = with_answers(readme.read_text(encoding="utf-8"), Path())
    with replacing(readme) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
