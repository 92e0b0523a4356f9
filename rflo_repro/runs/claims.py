"""What a claim is, and what comes of it: a statement that is judged from an experiment's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

Tables: TypeAlias = "Mapping[str, pd.DataFrame]"  # by part
Verdict = Literal["holds", "holds in part", "undecided", "does not hold", "cannot be tested"]
VERDICTS: tuple[Verdict, ...] = ("holds", "holds in part", "undecided", "does not hold", "cannot be tested")


@dataclass(frozen=True)
class Interval:
    """An estimate with its bootstrap interval over n networks (95%)."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Part:
    """One measured number of a claim, such as that at one period.

    what: where it was measured. unit: of the interval. why: a word on the verdict, if it needs one.
    """

    what: str
    verdict: Verdict
    interval: Interval | None = None
    unit: str = "decades"
    why: str = ""


@dataclass(frozen=True)
class Finding:
    """A claim judged at one kind of learning rates (`printed`, `tuned`; `` where there is one kind only)."""

    rates: str
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> Verdict:
        """That of the parts together."""
        return together([part.verdict for part in self.parts])


@dataclass(frozen=True)
class Claim:
    """A statement of the paper that can be judged from tables.

    name: a word for tables and pictures. statement: in our words. where: its place in the paper.
    statistic: what is measured. criterion: when it holds; one that was changed after a table was seen says so in
    `statistic`.
    judge: from the tables, of one kind of learning rates, to its parts. reads: which of them; all if not said.
    """

    name: str
    statement: str
    where: str
    statistic: str
    criterion: str
    judge: Callable[[Tables], Sequence[Part]]
    reads: tuple[str, ...] = ()

    def findings(self, tables: Tables) -> tuple[Finding, ...]:
        """The claim at each kind of learning rates that the tables have."""
        tables = {part: tables[part] for part in self.reads or tables}
        kinds = [kind for frame in tables.values() if "rates" in frame for kind in frame["rates"].unique()]
        known = [kind for kind in ("printed", "tuned") if kind in kinds]
        return tuple(
            Finding(kind, tuple(self.judge({part: _of_kind(frame, kind) for part, frame in tables.items()})))
            for kind in known or [""]
        )


def _of_kind(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    return frame[frame["rates"] == kind] if kind and "rates" in frame else frame


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim of several parts; parts that cannot be tested are passed over if others can."""
    seen = set(verdicts) - {"cannot be tested"}
    if not seen:
        return "cannot be tested"
    if len(seen) == 1:
        return seen.pop()
    if seen & {"holds", "holds in part"}:
        return "holds in part"
    return "does not hold"
