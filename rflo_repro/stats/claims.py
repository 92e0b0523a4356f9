"""What a claim is, and what comes of it: a statement that is answered from an experiment's tables.

The answer is that of `stats.answers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from rflo_repro.stats.answers import Answer, Answered, together
from rflo_repro.stats.statistics import Interval, holm

if TYPE_CHECKING:
    import pandas as pd

    from rflo_repro.stats.by_losses import ByLosses
    from rflo_repro.stats.measured import Test

Tables: TypeAlias = "Mapping[str, pd.DataFrame]"  # by part
# The kinds of learning rates at which claims are answered, in the order in which they are shown. Two are variants at
# the printed ones: `clipped`, in which the norm of an update is bounded, and `batches`, Figure 3 with ten times as many
# trials
KINDS = ("printed", "tuned", "clipped", "batches")


@dataclass(frozen=True)
class Part:
    """One measured number of a claim, such as that at one period.

    what: where it was measured. answered: the answer and what it rests on.
    unit: of the number. log: whether it is a log10, so that ten to its power is a factor.
    why: a word on the answer, if it needs one. good: what is said of the networks that are counted beside the number.
    medians: of either condition, if two are compared. test: where the claim puts the number, if it does.
    p: of the data if the answer were false, by the losses alone; NaN if there is none. holm: the same, corrected among
    all parts of the experiment at these learning rates.
    primary: whether the claim's answer rests on it. name: what it is called among the answers; empty if it is none.

    For the tables of the multiverse: interval: at 95%. k: on how many networks the number lies on the estimate's side.
    inside: by how much the estimate lies inside what the claim says, or outside, below 0; NaN if it answers nothing.
    chances: p of the data if the claim were false, and if it were true; then, for claims of sameness, if it were not
    behind, and not ahead; empty if it is not compared. effects: the number in each network, in their order.
    """

    what: str
    answered: Answered | None = None
    unit: str = "decades"
    log: bool = True
    why: str = ""
    good: str = "learned"
    medians: tuple[float, ...] = ()
    test: Test | None = None
    p: float = math.nan
    holm: float = math.nan
    primary: bool = True
    name: str = ""
    interval: Interval | None = None
    k: int = 0
    inside: float = math.nan
    chances: tuple[Mapping[ByLosses, float], ...] = ()
    effects: Sequence[float] = field(default=(), compare=False, repr=False)

    @property
    def answer(self) -> Answer:
        """Yes, no, worse, open, or no test."""
        return "no test" if self.answered is None else self.answered.answer


@dataclass(frozen=True)
class Finding:
    """A claim answered at one kind of learning rates (of KINDS; `` where there is one kind only).

    sample: what the networks are called on which it was answered.
    """

    rates: str
    parts: tuple[Part, ...]
    sample: str = ""

    @property
    def named(self) -> tuple[Part, ...]:
        """The parts that are among the answers."""
        return tuple(part for part in self.parts if part.name)

    @property
    def answer(self) -> Answer:
        """That of the primary parts together."""
        return together([part.answer for part in self.parts if part.primary])


@dataclass(frozen=True)
class Claim:
    """A statement that can be answered from tables.

    name: a word for tables and pictures. statement: in our words. where: its source.
    statistic: what is measured. criterion: when the answer is yes.
    judge: from the tables, of one kind of learning rates, to its parts. reads: which of them; all if not said.
    primary: the names of the parts that the statement is about, all if not said; others are shown, and decide nothing.
    ours: whether it extends what the paper says.
    varied: whether the multiverse asks it too.

    Of the answers to the paper: key: its name among them, empty if it is none of them. named: what parts are called
    there, all primary ones by their own names if not said. label: itself in a few words. over: what is compared, the
    first over the second. at: the period of all its parts, where neither the label nor their names say it. borrowed:
    whether the paper prints no learning rate for the first condition, so that another rule's stands in.
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
    label: str = ""
    over: str = ""
    at: str = ""
    borrowed: bool = False
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
        found = self.judge({part: of_kind(frame, kind) for part, frame in self._own(tables).items()})
        primary = {part.what for part in found if not self.primary or part.what in self.primary}
        names = self.named or {what: what.replace("τ", "tau") for what in primary}
        return [replace(part, primary=part.what in primary, name=names.get(part.what, "")) for part in found]

    def _own(self, tables: Tables) -> Tables:
        return {part: tables[part] for part in self.reads or tables if part in tables}


def of_kind(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The rows at this kind of learning rates, and those of rules that have none."""
    return frame[frame["rates"].isin([kind, "none"])] if kind and "rates" in frame else frame


def judge(claims: Sequence[Claim], tables: Tables) -> list[tuple[Finding, ...]]:
    """What is found of each claim of an experiment, with p corrected by Holm's procedure among the primary parts at the
    same kind of learning rates."""
    found = [claim.findings(tables) for claim in claims]
    p: dict[str, dict[tuple[int, int], float]] = {}
    for i, findings in enumerate(found):
        for finding in findings:
            of = {(i, j): part.p for j, part in enumerate(finding.parts) if part.primary and not math.isnan(part.p)}
            p.setdefault(finding.rates, {}).update(of)
    corrected = {rates: holm(of) for rates, of in p.items()}

    def with_holm(i: int, finding: Finding) -> Finding:
        known = corrected[finding.rates]
        parts = (replace(part, holm=known.get((i, j), math.nan)) for j, part in enumerate(finding.parts))
        return replace(finding, parts=tuple(parts))

    return [tuple(with_holm(i, finding) for finding in findings) for i, findings in enumerate(found)]
