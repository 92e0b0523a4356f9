"""The report as one self-contained HTML page, and as Markdown. Knows no figure: it is handed what it shows."""

from __future__ import annotations

import base64
import io
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from PIL import Image

from rflo_repro.report import style
from rflo_repro.runs.claims import KINDS, VERDICTS, Claim, Finding, Interval, Part

# Embedded pictures are at most as wide, in pixels, as the first of these at which the page is small enough, in bytes.
WIDTHS = (1400, 1200, 1000, 800, 600)
PAGE = 3_000_000
BEGIN, END = "<!-- verdicts: printed by `rflo-repro report --table` -->", "<!-- end of verdicts -->"
BEGIN_README = "<!-- answers: written by `python -m rflo_repro.studies.report` -->"
NO_VERDICT = "not computed"
MARK = ", at "


@dataclass(frozen=True)
class Judged:
    """A claim and what was found; `missing` says what is lacking where nothing could be.

    scale: of the tables. Verdicts on any but the paper's are marked, and without colour.
    """

    claim: Claim
    findings: tuple[Finding, ...] = ()
    missing: str = ""
    scale: str = "paper"

    def shown(self, verdict: str) -> str:
        """A verdict on it in words."""
        return verdict if self.scale == "paper" else f"{verdict}{MARK}{self.scale} scale"


@dataclass(frozen=True)
class Picture:
    """A picture, what it shows for those who cannot see it, and the caption that tells it from its neighbours."""

    path: Path
    alt: str
    caption: str


@dataclass(frozen=True)
class Grid:
    """A small table below the claims."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A figure or a study: its name (and anchor), title, command, claims, pictures, choices, tables, provenance."""

    name: str
    title: str
    command: str
    claims: tuple[Judged, ...] = ()
    pictures: tuple[Picture, ...] = ()
    text: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    grids: tuple[Grid, ...] = ()
    provenance: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole report. terms: what is meant by the words that it uses, each with its meaning."""

    title: str
    introduction: str
    terms: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def number(value: float) -> str:
    """A number of two or three digits, such as −0.52, ∞ or 3e−11."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return (f"{value:.3g}" if abs(value) >= 100 else f"{value:.2g}").replace("-", "−").replace("e−0", "e−")


def measured(interval: Interval | None, unit: str) -> str:
    """An estimate with its interval and unit."""
    if interval is None:
        return ""
    text = f"{number(interval.estimate)} ({number(interval.low)}, {number(interval.high)})"
    return f"{text} {unit}".strip()


def k_of_n(part: Part) -> str:
    """On how many networks the number lies on the estimate's side."""
    return f"{part.k} of {part.interval.n}" if part.interval else ""


def probability(p: float) -> str:
    """A p of two digits; empty if there is none."""
    return "" if math.isnan(p) else "p < 1e−4" if p < 1e-4 else f"p = {number(p)}"


def rates(finding: Finding) -> str:
    """The kind of learning rates of a finding, in words."""
    return called(finding.rates) if finding.rates else ""


def called(kind: str) -> str:
    """A kind of learning rates in words."""
    return f"{kind} rates" if kind in ("printed", "tuned") else f"printed rates, {kind}"


def headline(judged: Judged, finding: Finding) -> str:
    """The verdict on a claim, and of which parts it is."""
    coverage = f" ({finding.coverage})" if finding.coverage else ""
    return judged.shown(finding.verdict) + coverage


def beside(part: Part) -> str:
    """What stands beside a part's effect: p, how many learned, a word on the verdict, what would turn it."""
    needs = f"would take {part.needs} networks like these" if part.needs else ""
    said = ("" if part.primary else "not primary", probability(part.p), part.learned, part.why, part.remark, needs)
    return "; ".join(filter(None, said))


def others(report: Report) -> list[str]:
    """The kinds of learning rates besides the first at which anything was judged."""
    found = {of.rates for section in report.sections for judged in section.claims for of in judged.findings}
    return [kind for kind in KINDS[1:] if kind in found]


def primary(judged: Judged, kinds: Sequence[str]) -> list[tuple[Part, list[Part | None]]]:
    """The primary parts of the first kind of learning rates, each with the same part at each of these."""
    first, *more = judged.findings or [Finding("", ())]
    same = {(finding.rates, part.what): part for finding in more for part in finding.parts}
    return [(part, [same.get((kind, part.what)) for kind in kinds]) for part in first.parts if part.primary]


def by_kind(judged: Judged, kinds: Sequence[str]) -> list[Finding | None]:
    """What was found at the first kind of learning rates, and at each of these."""
    first, *more = judged.findings
    found = {finding.rates: finding for finding in more}
    return [first, *map(found.get, kinds)]


def counts(report: Report) -> list[tuple[str, str]]:
    """Each verdict, and how many claims have it, by the kind of learning rates; what has one kind is with the first."""
    found = Counter(
        (judged.shown(finding.verdict), finding.rates or KINDS[0])
        for section in report.sections
        for judged in section.claims
        for finding in judged.findings
    )
    found.update((NO_VERDICT, KINDS[0]) for section in report.sections for judged in section.claims if judged.missing)
    shown = [kind for kind in KINDS if any(at == kind for _, at in found)]
    names = {kind: called(kind) if kind != KINDS[0] else f"{kind} (or only) rates" for kind in KINDS}
    marked = sorted({verdict for verdict, _ in found} - {*VERDICTS, NO_VERDICT})
    return [
        (verdict, ", ".join(f"{found[verdict, kind]} at {names[kind]}" for kind in shown))
        for verdict in (*VERDICTS, *marked, NO_VERDICT)
        if any(found[verdict, kind] for kind in shown)
    ]


def letter(verdict: str) -> str:
    """The sign before a verdict."""
    return style.LETTERS.get(verdict.partition(MARK)[0].partition(" (")[0], "·")


def colour(verdict: str) -> str:
    """The colour of a verdict; grey for what is none, or none on the paper's scale."""
    return style.VERDICTS.get(verdict.partition(" (")[0], style.GREY)


def data_uri(path: Path, widest: int = WIDTHS[0]) -> str:
    """A picture's content for an `img` element, in its own colours, at most `widest` pixels wide. Raises OSError if it
    cannot be read."""
    with Image.open(path) as image:
        small = image.convert("RGB")
        if small.width > widest:
            small = small.resize((widest, round(small.height * widest / small.width)), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        # lossless, in two thirds of the room that PNG takes
        small.save(file, format="WEBP", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")


class Literal(str):
    """Markdown that is meant as such, and not a text to be shown."""


def _template(name: str, **environment: Any) -> jinja2.Template:
    made = jinja2.Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        **environment,
    )
    made.filters.update(measured=measured, slug=slug, literal=Literal)
    made.globals.update(
        counts=counts, letter=letter, colour=colour, badge=_badge, headline=headline, rates=rates,
        k_of_n=k_of_n, beside=beside, primary=primary, by_kind=by_kind,
        others=others, called=called, begin=BEGIN, begin_readme=BEGIN_README, end=END,
        not_computed=NO_VERDICT,
    )  # fmt: skip
    return made.from_string((resources.files("rflo_repro.report") / name).read_text(encoding="utf-8"))


def html(report: Report, folder: Path) -> str:
    """The page as HTML: no script, nothing from elsewhere, every text escaped; pictures as wide as leaves it small,
    each a link to its file as seen from `folder`."""
    template = _template("page.html", autoescape=True)
    template.globals["link"] = _links(folder)
    paths = [picture.path for section in report.sections for picture in section.pictures]
    room = PAGE - len(template.render(report=report, shown=dict.fromkeys(paths, "")).encode())
    for widest in WIDTHS:
        shown = {path: data_uri(path, widest) for path in paths}
        if sum(len(shown[path]) for path in paths) < room:
            break
    return template.render(report=report, shown=shown)


def _markdown() -> jinja2.Template:
    # what is not marked as literal is shown as the text that it is
    return _template("page.md", finalize=lambda value: value if isinstance(value, Literal) else plain(value))


def slug(text: str) -> str:
    """A text as an anchor."""
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def plain(text: Any) -> str:
    """A text as Markdown that shows it and nothing else."""
    line = " ".join(str(text).split())
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("`", "&#96;")):
        line = line.replace(character, entity)
    return "".join(f"\\{c}" if c in "\\[]*_" else c for c in line)


def _badge(verdict: str) -> str:
    return f"{letter(verdict)} {verdict}" if verdict else ""


def verdict_table(report: Report) -> str:
    """The verdicts at a glance in Markdown, between markers."""
    made: Any = _markdown().make_module({"report": report, "link": str})
    return str(made.verdicts()).rstrip()


def in_readme(report: Report, readme: str) -> str:
    """A README with the answers between its markers: the primary parts of each claim. Raises ValueError if it has
    none."""
    before, begin, rest = readme.partition(BEGIN_README)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the README must have {BEGIN_README} and {END}")
    made: Any = _markdown().make_module({"report": report, "link": str})
    return before + str(made.readme()).strip() + after


def markdown(report: Report, folder: Path) -> str:
    """The page as Markdown; pictures are linked as seen from `folder`."""
    return _markdown().render(report=report, link=_links(folder)).rstrip() + "\n"


def _links(folder: Path) -> Callable[[Path], str]:
    """What names a file as seen from `folder`."""
    return lambda path: quote(Path(os.path.relpath(path, folder)).as_posix())
