"""What a claim is, and what comes of it: a statement that is answered from an experiment's tables.

The answer is that of `stats.answers`. The tables of the multiverse have a verdict as well, at 5% and from the losses
alone, since with the few networks of a variant nothing is sure at 99%.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    import pandas as pd

    from rflo_repro.stats.answers import Answer, Answered

Tables: TypeAlias = "Mapping[str, pd.DataFrame]"  # by part
Verdict = Literal["holds", "behind, size open", "ahead, size open", "not decided", "does not hold", "cannot be tested"]
LEVEL = 0.05
K = TypeVar("K")
# The kinds of learning rates at which claims are answered, in the order in which they are shown. Two are variants at
# the printed ones: `clipped`, in which the norm of an update is bounded, and `batches`, Figure 3 with ten times as many
# trials
KINDS = ("printed", "tuned", "clipped", "batches")


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval over n networks."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Part:
    """One measured number of a claim, such as that at one period.

    what: where it was measured. answered: the answer and what it rests on.
    unit: of the number. log: whether it is a log10, so that ten to its power is a factor.
    why: a word on the answer, if it needs one. learned: how many learned in either condition, if two are compared, with
    McNemar's test. medians: of either condition, if two are compared.
    p: of the data if the answer were false, by the losses alone; NaN if there is none. holm: the same, corrected among
    all parts of the experiment at these learning rates. primary: whether the claim's answer rests on it.

    For the tables of the multiverse: interval: at 95%. k: on how many networks the number lies on the estimate's side.
    inside: by how much the estimate lies inside what the claim says, or outside, below 0; NaN if it answers nothing.
    chances: p of the data if it did not hold, and if it did; then, for claims of sameness, if it were not behind, and
    not ahead; empty if it is not compared. effects: the number in each network, in their order.
    """

    what: str
    answered: Answered | None = None
    unit: str = "decades"
    log: bool = True
    why: str = ""
    learned: str = ""
    medians: tuple[float, ...] = ()
    p: float = math.nan
    holm: float = math.nan
    primary: bool = True
    interval: Interval | None = None
    k: int = 0
    inside: float = math.nan
    chances: tuple[Mapping[Verdict, float], ...] = ()
    effects: Sequence[float] = field(default=(), compare=False, repr=False)

    @property
    def answer(self) -> Answer:
        """Yes, no, worse, open, or no test."""
        return "no test" if self.answered is None else self.answered.answer


@dataclass(frozen=True)
class Finding:
    """A claim answered at one kind of learning rates (of KINDS; `` where there is one kind only)."""

    rates: str
    parts: tuple[Part, ...]

    @property
    def answer(self) -> Answer:
        """That of the primary parts together."""
        from rflo_repro.stats.answers import together

        return together([part.answer for part in self.parts if part.primary])


@dataclass(frozen=True)
class Claim:
    """A statement that can be answered from tables.

    name: a word for tables and pictures. statement: in our words. where: its source.
    statistic: what is measured. criterion: when the answer is yes.
    judge: from the tables, of one kind of learning rates, to its parts. reads: which of them; all if not said.
    primary: the names of the parts that the statement is about, all if not said; others are shown, and decide nothing.
    key: its name among the answers to the paper, empty if it is none of them. named: what parts are called there, all
    primary ones by their own names if not said.
    ours: whether it extends what the paper says.
    varied: whether the multiverse asks it too.
    """

    name: str
    statement: str
    where: str
    statistic: str
    criterion: str
    judge: Callable[[Tables], Sequence[Part]]
    reads: tuple[str, ...] = ()
    primary: tuple[str, ...] = ()
    key: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    ours: bool = False
    varied: bool = True

    def findings(self, tables: Tables) -> tuple[Finding, ...]:
        """What is found at each kind of learning rates that the tables have."""
        return tuple(Finding(kind, tuple(self.parts(tables, kind))) for kind in self.kinds(tables))

    def kinds(self, tables: Tables) -> tuple[str, ...]:
        """The kinds of learning rates at which it can be answered from these tables."""
        known = {kind for frame in self._own(tables).values() if "rates" in frame for kind in frame["rates"].unique()}
        return tuple(kind for kind in KINDS if kind in known) or ("",)

    def parts(self, tables: Tables, kind: str) -> list[Part]:
        """Its parts at one kind of learning rates."""
        rows = {part: _of_kind(frame, kind) for part, frame in self._own(tables).items()}
        return [replace(part, primary=not self.primary or part.what in self.primary) for part in self.judge(rows)]

    def _own(self, tables: Tables) -> Tables:
        return {part: tables[part] for part in self.reads or tables if part in tables}


def _of_kind(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The rows at this kind of learning rates, and those of rules that have none."""
    return frame[frame["rates"].isin([kind, "none"])] if kind and "rates" in frame else frame


def judge(claims: Sequence[Claim], tables: Tables) -> list[tuple[Finding, ...]]:
    """What is found of each claim of an experiment, with p corrected by Holm's procedure among the primary parts at the
    same kind of learning rates."""
    found = [claim.findings(tables) for claim in claims]
    p = {
        (i, finding.rates, j): part.p
        for i, findings in enumerate(found)
        for finding in findings
        for j, part in enumerate(finding.parts)
        if part.primary and not math.isnan(part.p)
    }
    corrected: dict[tuple[int, str, int], float] = {}
    for kind in (*KINDS, ""):
        corrected |= _holm({place: value for place, value in p.items() if place[1] == kind})
    return [
        tuple(
            Finding(
                finding.rates,
                tuple(
                    replace(part, holm=corrected.get((i, finding.rates, j), math.nan))
                    for j, part in enumerate(finding.parts)
                ),
            )
            for finding in findings
        )
        for i, findings in enumerate(found)
    ]


def verdicts(parts: Sequence[Part]) -> list[Verdict]:
    """The verdicts in the tables of the multiverse: at 5%, from the losses, the primary parts of a claim corrected
    together by Holm's procedure, and among those whose size stays open the directions."""
    together = [i for i, part in enumerate(parts) if part.primary and part.chances]
    found: list[Verdict] = ["not decided" if part.chances else "cannot be tested" for part in parts]
    for own in (together, *([i] for i, part in enumerate(parts) if not part.primary and part.chances)):
        for which in (0, 1):
            left = [i for i in own if found[i] == "not decided" and len(parts[i].chances) > which]
            best = {i: min(parts[i].chances[which].items(), key=lambda item: item[1]) for i in left}
            for i, p in _holm({i: best[i][1] for i in left}).items():
                found[i] = best[i][0] if p <= LEVEL else found[i]
    return found


def _holm(p: Mapping[K, float]) -> dict[K, float]:
    """Each p corrected by Holm's step-down procedure."""
    found: dict[K, float] = {}
    least = 0.0
    for rank, name in enumerate(sorted(p, key=lambda name: p[name])):
        found[name] = least = min(1.0, max(least, (len(p) - rank) * p[name]))
    return found
