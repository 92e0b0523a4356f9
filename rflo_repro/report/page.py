"""The report as one self-contained HTML page, and in short as Markdown. Knows no figure: it is handed what it shows."""

from __future__ import annotations

import base64
import math
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from PIL import Image

from rflo_repro.report import style, words
from rflo_repro.stats.answers import Answer, together
from rflo_repro.stats.claims import Claim, Finding, Part

BEGIN, END = "<!-- answers: printed by `rflo-repro report --table` -->", "<!-- end of answers -->"
NOT_COMPUTED = "not computed"
MANY = 8  # parts of a claim
PER_INCH = 96  # of a browser's points, for pictures of style.DPI


@dataclass(frozen=True)
class Question:
    """A claim and what was found.

    missing: what is lacking where nothing could be found.
    scale: of the tables. Answers on any but the paper's are marked, and without colour.
    """

    claim: Claim
    findings: tuple[Finding, ...] = ()
    missing: str = ""
    scale: str = "paper"

    @property
    def answers(self) -> dict[str, tuple[Part, ...]]:
        """By kind of learning rates, the parts that its answer is made of."""
        return {finding.rates: finding.named for finding in self.findings}

    def whole(self, kind: str) -> Answer:
        """The answer at one kind of learning rates, its parts together."""
        return together([part.answer for part in self.answers[kind]])

    def mark(self) -> str:
        """What stands behind an answer on another scale than the paper's."""
        return "" if self.scale == "paper" else f", at {self.scale} scale"


@dataclass(frozen=True)
class Picture:
    """A picture, what it shows for those who cannot see it, and the caption that tells it from its neighbours."""

    path: Path
    alt: str
    caption: str


@dataclass(frozen=True)
class Grid:
    """A table of the appendix. note: what it is, in a sentence."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A figure or a study: its name (and anchor), title, command, claims, pictures, choices, tables, provenance.

    more: pictures that are linked and not shown. outcomes: how its networks went, rows of a table of the appendix.
    study: whether its claims stand with it, and not among the answers.
    """

    name: str
    title: str
    command: str
    claims: tuple[Question, ...] = ()
    pictures: tuple[Picture, ...] = ()
    more: tuple[Path, ...] = ()
    text: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    provenance: tuple[str, ...] = ()
    outcomes: tuple[tuple[str, ...], ...] = ()
    study: bool = False


@dataclass(frozen=True)
class Report:
    """The whole report.

    rates: the kinds of learning rates in words. columns: those that have a column of their own.
    terms: what is meant by the words that it uses.
    answers: the paper's claims, each with the name of its section; ours: those that go beyond the paper.
    differing: the answers that differ between two samples, if both are there. picture: of the answers.
    """

    title: str
    introduction: str
    rates: Mapping[str, str]
    columns: tuple[str, ...]
    terms: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, Question], ...]
    ours: tuple[tuple[str, Question], ...]
    sections: tuple[Section, ...]
    appendix: tuple[Grid, ...] = ()
    differing: Grid | None = None
    picture: Picture | None = None


def counts(report: Report) -> list[tuple[str, list[tuple[str, int]]]]:
    """By kind of learning rates, in words: how many of the paper's claims have each answer."""
    found = []
    for kind in report.columns:
        of = Counter(q.whole(kind) + q.mark() for _, q in report.answers if q.answers.get(kind))
        if of:
            known = [word + mark for mark in sorted({q.mark() for _, q in report.answers}) for word in words.SAID]
            said = [(words.SAID.get(word, word), of[word]) for word in known if of[word]]  # type: ignore[call-overload]
            found.append((report.rates[kind], said))
    lacking = sum(bool(q.missing) for _, q in report.answers)
    return [*found, *([("", [(NOT_COMPUTED, lacking)])] if lacking else [])]


def named(name: str) -> str:
    """The name of a part, with the sign of tau, before what is said of it; empty for a claim's only part."""
    return "" if name in ("", "all") else f"{words.tau(name)}:"


def kinds(section: Section) -> list[str]:
    """The kinds of learning rates at which its own claims are answered."""
    return list(dict.fromkeys(kind for question in section.claims for kind in question.answers)) or [""]


def names(question: Question) -> list[str]:
    """What the parts of an answer are called, at any kind of learning rates."""
    return list(dict.fromkeys(one.name for parts in question.answers.values() for one in parts))


def many(question: Question) -> str:
    """How many parts have which answer, where there are too many for a short page; else empty."""
    parts = [part for parts in question.answers.values() for part in parts]
    of = Counter(words.SAID[part.answer] for part in parts)
    return "" if len(names(question)) <= MANY else ", ".join(f"{n} {answer}" for answer, n in of.items())


def columns(question: Question) -> dict[str, bool]:
    """Which columns the table of its parts has, so that none is empty."""
    parts = [part for finding in question.findings for part in finding.parts]
    return {
        "effect": any(part.why or words.effect(question.claim, part) for part in parts),
        "learned": any(map(words.learned, parts)),
        "share": any(map(words.share, parts)),
        "p": any(not math.isnan(part.holm) for part in parts),
        "power": any(part.answered is not None and part.answered.power is not None for part in parts),
    }


def powers(part: Part) -> str:
    """How often a true sameness would be found."""
    known = part.answered.power if part.answered else None
    return "" if known is None else f"{known():.2f}"


def data_uri(path: Path) -> str:
    """A picture's content for an `img` element, as it is. Raises OSError if it is none."""
    with Image.open(path) as image:
        kind = image.get_format_mimetype()
        image.verify()
    return f"data:{kind};base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def width(path: Path) -> int:
    """How wide a picture is shown, in a browser's points: at the size at which it was drawn."""
    with Image.open(path) as image:
        return round(image.width * PER_INCH / style.DPI)


class Literal(str):
    """Markdown that is meant as such, and not a text to be shown."""


def _template(name: str, **environment: Any) -> jinja2.Template:
    found = jinja2.Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        **environment,
    )
    found.filters.update(slug=slug, literal=Literal, tau=words.tau)
    functions = (
        counts, kinds, names, named, many, columns, powers, width, words.short, words.effect, words.brief, words.count,
        words.interval, words.learned, words.share, words.probability, words.answers,
    )  # fmt: skip
    found.globals.update({function.__name__: function for function in functions})
    found.globals.update(
        colour=_colour, sign=style.SIGNS.__getitem__, said=words.SAID, heads=words.COLUMNS, not_computed=NOT_COMPUTED
    )
    return found.from_string((resources.files("rflo_repro.report") / name).read_text(encoding="utf-8"))


def _colour(answer: Answer, mark: str = "") -> str:
    """The colour of an answer; grey for one on another scale than the paper's."""
    return style.GREY if mark else style.ANSWERS[answer]


def html(report: Report, folder: Path) -> str:
    """The page as HTML: no script, nothing from elsewhere, every text escaped; each picture is a link to its file as
    seen from `folder`."""
    template = _template("page.html", autoescape=True)
    template.globals.update(link=_links(folder), data_uri=data_uri)
    return template.render(report=report)


def _markdown(folder: Path) -> jinja2.Template:
    # what is not marked as literal is shown as the text that it is
    template = _template("page.md", finalize=lambda value: value if isinstance(value, Literal) else plain(value))
    template.globals["link"] = _links(folder)
    return template


def slug(text: str) -> str:
    """A text as an anchor."""
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def plain(text: Any) -> str:
    """A text as Markdown that shows it and nothing else."""
    line = " ".join(str(text).split())
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("`", "&#96;")):
        line = line.replace(character, entity)
    return "".join(f"\\{c}" if c in "\\[]*_" else c for c in line)


def answer_table(report: Report) -> str:
    """The answers in short, in Markdown, between markers."""
    module: Any = _markdown(Path()).make_module({"report": report})
    return f"{BEGIN}\n{str(module.short_table()).strip()}\n{END}"


def markdown(report: Report, folder: Path) -> str:
    """The page in short, as Markdown; files are linked as seen from `folder`."""
    return _markdown(folder).render(report=report).strip() + "\n"


def _links(folder: Path) -> Callable[[Path], str]:
    """What names a file as seen from `folder`."""
    return lambda path: quote(Path(os.path.relpath(path, folder)).as_posix())
