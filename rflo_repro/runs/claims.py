"""What a claim is, and what comes of it: a statement that is judged from an experiment's tables.

The claims of an experiment are judged together: the answers of their primary parts, at each kind of learning rates, are
one family, in which Holm's procedure keeps the chance of any false answer at 5%. Among the parts whose size stays open,
the directions are a second one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    import pandas as pd

Tables: TypeAlias = "Mapping[str, pd.DataFrame]"  # by part
Verdict = Literal[
    "holds",
    "holds in part",
    "behind, size open",
    "ahead, size open",
    "not decided",
    "does not hold",
    "cannot be tested",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
LEVEL = 0.05
# The kinds of learning rates at which claims are judged, in the order in which they are shown; `clipped` is a reading
# of the paper at the printed ones, in which the norm of an update is bounded
KINDS = ("printed", "tuned", "clipped", "batches")


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% interval over n networks."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Question:
    """What decides a part: verdicts, each with the p of the data if it were false.

    answers: verdicts on the claim. sides: those that know the direction and leave the size open, if there are any.
    needs: of how many networks like these one would get an answer at a level, in words. remark: what else is to be said
    at a level, such as for which margins the answer would be another.
    """

    answers: Mapping[Verdict, float]
    sides: Mapping[Verdict, float]
    needs: Callable[[float], str]
    remark: Callable[[float], str]


@dataclass(frozen=True)
class Part:
    """One measured number of a claim, such as that at one period.

    what: where it was measured. unit: of the interval. why: a word on the verdict, if it needs one.
    k: on how many of the n networks the number lies on the estimate's side.
    inside: by how much the estimate lies inside what the claim says, or outside, below 0; NaN if it answers nothing.
    learned: how many learned in either condition, if two are compared, and after how many trials.
    primary: whether the claim's verdict rests on it. p: of the verdict, corrected in its family.
    needs: how many networks it would take, if it is not settled. remark: what else there is to say of the answer.
    effects: the number in each network, in their order.
    unlike: how many learned in either condition, in short, where McNemar's test says that the shares differ.
    """

    what: str
    verdict: Verdict
    interval: Interval | None = None
    unit: str = "decades"
    why: str = ""
    k: int = 0
    inside: float = math.nan
    learned: str = ""
    question: Question | None = field(default=None, compare=False, repr=False)
    primary: bool = True
    p: float = math.nan
    needs: str = ""
    remark: str = ""
    effects: Sequence[float] = field(default=(), compare=False, repr=False)
    unlike: str = ""


@dataclass(frozen=True)
class Finding:
    """A claim judged at one kind of learning rates (of KINDS; `` where there is one kind only)."""

    rates: str
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> Verdict:
        """That of the primary parts together."""
        return together([part.verdict for part in self.parts if part.primary])

    @property
    def coverage(self) -> str:
        """Of which primary parts the verdict is, where it is not that of all: such as `80 τ only`."""
        own = [part for part in self.parts if part.primary]
        wanted = "holds" if self.verdict == "holds in part" else self.verdict
        agree = [part.what for part in own if part.verdict == wanted]
        if len(agree) in (0, len(own)):
            return ""
        return f"{' and '.join(agree)} only" if len(agree) < 3 else f"{len(agree)} of {len(own)} parts"


@dataclass(frozen=True)
class Claim:
    """A statement of the paper that can be judged from tables.

    name: a word for tables and pictures. statement: in our words. where: its place in the paper.
    statistic: what is measured. criterion: when it holds; one that was changed after a table was seen says so in
    `statistic`.
    judge: from the tables, of one kind of learning rates, to its parts. reads: which of them; all if not said.
    primary: the names of the parts that the paper's statement is about, all if not said; others are shown, and decide
    nothing.
    """

    name: str
    statement: str
    where: str
    statistic: str
    criterion: str
    judge: Callable[[Tables], Sequence[Part]]
    reads: tuple[str, ...] = ()
    primary: tuple[str, ...] = ()

    def findings(self, tables: Tables) -> tuple[Finding, ...]:
        """The claim alone, at each kind of learning rates that the tables have."""
        return judge([self], tables)[0]

    def kinds(self, tables: Tables) -> tuple[str, ...]:
        """The kinds of learning rates at which it can be judged from these tables."""
        known = {kind for frame in self._own(tables).values() if "rates" in frame for kind in frame["rates"].unique()}
        return tuple(kind for kind in KINDS if kind in known) or ("",)

    def parts(self, tables: Tables, kind: str) -> list[Part]:
        """Its parts at one kind of learning rates, each as if it were alone."""
        rows = {part: _of_kind(frame, kind) for part, frame in self._own(tables).items()}
        return [replace(part, primary=not self.primary or part.what in self.primary) for part in self.judge(rows)]

    def _own(self, tables: Tables) -> Tables:
        return {part: tables[part] for part in self.reads or tables if part in tables}


def _of_kind(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The rows at this kind of learning rates, and those of rules that have none."""
    return frame[frame["rates"].isin([kind, "none"])] if kind and "rates" in frame else frame


def judge(claims: Sequence[Claim], tables: Tables) -> list[tuple[Finding, ...]]:
    """What is found of each claim of an experiment, at each kind of learning rates that its tables have."""
    found: list[list[Finding]] = [[] for _ in claims]
    for kind in (*KINDS, ""):
        places = [(i, part) for i, c in enumerate(claims) if kind in c.kinds(tables) for part in c.parts(tables, kind)]
        corrected = iter(family([part for _, part in places if part.primary]))
        final = [(i, next(corrected) if part.primary else part) for i, part in places]
        for i, claim in enumerate(claims):
            if kind in claim.kinds(tables):
                found[i].append(Finding(kind, tuple(part for at, part in final if at == i)))
    return [tuple(findings) for findings in found]


def family(parts: Sequence[Part]) -> list[Part]:
    """The parts with the verdicts that stand when all of them are asked at once."""
    asked = {i: part.question for i, part in enumerate(parts) if part.question is not None}
    found = _holm({i: question.answers for i, question in asked.items()})
    left = {i: asked[i].sides for i, (verdict, _, _) in found.items() if verdict == "not decided" and asked[i].sides}
    found |= {i: side for i, side in _holm(left).items() if side[0] != "not decided"}
    return [_answered(part, asked[i], *found[i]) if i in asked else part for i, part in enumerate(parts)]


def _answered(part: Part, question: Question, verdict: Verdict, p: float, level: float) -> Part:
    needs = "" if verdict in ("holds", "does not hold") else question.needs(level)
    return replace(part, verdict=verdict, p=p, needs=needs, remark=question.remark(level))


def _holm(chances: Mapping[int, Mapping[Verdict, float]]) -> dict[int, tuple[Verdict, float, float]]:
    """Of each, by Holm's step-down procedure: the verdict, its corrected p, and the level at which it was tried."""
    best = {i: min(of.items(), key=lambda item: item[1]) for i, of in chances.items()}
    found: dict[int, tuple[Verdict, float, float]] = {}
    corrected, level = 0.0, LEVEL
    for rank, i in enumerate(sorted(best, key=lambda i: best[i][1])):
        verdict, p = best[i]
        left = len(best) - rank
        if corrected <= LEVEL:
            level = LEVEL / left
        corrected = min(1.0, max(corrected, left * p))
        found[i] = (verdict if corrected <= LEVEL else "not decided", corrected, level)
    return found


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim of several parts: that of the parts that answer it, if they agree and are at least half of
    those that can be tested. Parts that are open speak where there are fewer; and parts that cannot be tested where
    there are no others."""
    tested = [verdict for verdict in verdicts if verdict != "cannot be tested"]
    answers = [verdict for verdict in tested if verdict in ("holds", "holds in part", "does not hold")]
    if not tested:
        return "cannot be tested"
    if 2 * len(answers) >= len(tested):
        return answers[0] if len(set(answers)) == 1 else "holds in part"
    return tested[0] if len(set(tested)) == 1 else "not decided"
