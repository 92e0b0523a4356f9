"""Answers and numbers in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rflo_repro.stats.answers import ANSWERS, Answer, together
from rflo_repro.stats.claims import Claim, Part

SAID: dict[Answer, str] = {
    "yes": "yes", "no": "no", "worse": "worse (size open)", "open": "open", "no test": "no test",
}  # fmt: skip
# A factor is not told beyond this
FAR = 1e4
# In a picture's or a table's unit, and in words
TENFOLD = "per ten times"


@dataclass(frozen=True)
class Named:
    """A part of a claim's answer, with what it is called there."""

    name: str
    part: Part


def number(value: float) -> str:
    """A number of two or three digits, such as −0.52, ∞ or 3e−11."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return (f"{value:.3g}" if abs(value) >= 100 else f"{value:.2g}").replace("-", "−").replace("e−0", "e−")


def compared(claim: Claim) -> str:
    """What the factors of a claim are of."""
    if "/ first loss" in claim.statistic:
        return "the first loss"
    return "the error" if "error" in claim.statistic.partition(",")[0] else "the loss"


def factor(decades: float) -> str:
    """A power of ten as a factor: 7.7, 1/57, or 0 and ∞ for what is far off."""
    size = 10.0 ** min(abs(decades), 9.0)
    if size > FAR:
        return f"over {FAR:,.0f}" if decades > 0.0 else f"under 1/{FAR:,.0f}"
    if decades > -math.log10(2.0):
        return number(10.0**decades)
    return f"1/{number(size)}"


def effect(claim: Claim, part: Part) -> str:
    """The size of what was found: `7.7 times the loss`, or a number with its unit; empty if there is none."""
    found = part.answered
    if found is None or math.isnan(found.median):
        return ""
    if not part.log:
        return f"{_alone(claim, part)} {_per(part)}".strip()
    said = factor(found.median)
    return f"{said} {'of' if '1/' in said else 'times'} {compared(claim)} {_per(part)}".strip()


def brief(claim: Claim, part: Part) -> str:
    """The same as a number with its interval: `7.7 (3 to 14)`."""
    found = part.answered
    if found is None or math.isnan(found.median):
        return ""
    size = factor(found.median) if part.log else _alone(claim, part)
    return f"{size} ({interval(part)}) {_per(part)}".strip()


def _alone(claim: Claim, part: Part) -> str:
    median = part.answered.median if part.answered else math.nan
    of, sign = ("cosine ", "+" if median > 0.0 else "") if "alignment" in claim.statistic else ("", "")
    return f"{of}{sign}{number(median)}"


def _per(part: Part) -> str:
    """The unit besides the factor."""
    return part.unit.removeprefix("decades").strip().replace("per decade of", TENFOLD)


def interval(part: Part) -> str:
    """The 99% interval of the effect."""
    found = part.answered
    if found is None or math.isnan(found.median):
        return ""
    ends = [factor(end) if part.log else number(end) for end in (found.low, found.high)]
    return f"{ends[0]} to {ends[1]}"


def learned(part: Part) -> str:
    """How many networks learned: `learned 9 and 18 of 90`, first condition first; empty if nothing was counted."""
    found = part.answered
    if found is None or not found.learned:
        return ""
    word = part.learned.partition(":")[0]
    said = f"{' and '.join(map(str, found.learned))} of {found.n}"
    return f"learned {said}" if word in ("", "learned") else f"{word}: {said}"


def count(part: Part) -> str:
    """The same without the word: `9, 18 of 90`."""
    found = part.answered
    return "" if found is None or not found.learned else f"{', '.join(map(str, found.learned))} of {found.n}"


def share(part: Part) -> str:
    """The difference of the shares that learned with its 99% interval, in networks of a hundred."""
    found = part.answered
    if found is None or math.isnan(found.share[0]):
        return ""
    at, low, high = (f"{100 * value:+.0f}".replace("-", "−").replace("+0", "0") for value in found.share)
    return f"{at} of 100 ({low} to {high})".replace("−0 ", "0 ")


def short(claim: Claim, part: Part) -> str:
    """One phrase on a part: what its answer rests on, losses or the networks that learned."""
    found = part.answered
    if found is None:
        return part.why
    if part.why and part.answer != "no test" and part.log:
        return part.why.partition(" (")[0] + (" τ" if part.why.endswith("τ") else "")
    by_losses = found.low > 0.0 or found.high < 0.0
    _, low, high = found.share
    by_shares = low > 0.0 or high < 0.0
    counted = learned(part)
    if counted and (part.answer == "no test" or not by_losses or math.isnan(found.median)):
        return counted
    said = effect(claim, part)
    return f"{said}, {counted}" if counted and by_shares and by_losses and part.answer == "open" else said


def probability(p: float) -> str:
    """A p of two digits; empty if there is none."""
    return "" if math.isnan(p) else "< 1e−4" if p < 1e-4 else number(p)


def listed(names: Sequence[str]) -> str:
    """Names in one phrase, a unit that they share said once."""
    unit = " τ" if all(name.endswith(" τ") for name in names) else ""
    *some, last = (name.removesuffix(unit) for name in names)
    return f"{', '.join(some)} and {last}{unit}" if some else last + unit


def answers(parts: Iterable[Named]) -> list[tuple[Answer, str]]:
    """The answer to a claim: that of its parts together first, each with the parts that have it; nothing beside it
    where all have the same."""
    of: dict[Answer, list[str]] = {}
    for named in parts:
        of.setdefault(named.part.answer, []).append(named.name)
    if len(of) < 2:
        return [(answer, "") for answer in of]
    whole = together([answer for answer, names in of.items() for _ in names])
    order = [whole, *ANSWERS]
    return [(answer, listed(of[answer])) for answer in sorted(of, key=order.index)]
