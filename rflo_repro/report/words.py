"""Answers and numbers in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rflo_repro.stats.answers import ANSWERS, Answer, together
from rflo_repro.stats.claims import Claim, Part

SAID: dict[Answer, str] = {
    "yes": "yes", "no": "no", "worse": "worse (size open)", "open": "open", "no test": "no test",
}  # fmt: skip
RATES = {
    "printed": "the paper's learning rates",
    "tuned": "tuned learning rates",
    "clipped": "the paper's, with gradient clipping",
    "batches": "5,000 batches in place of 5,000 trials",
}
# Where space is short
SHORT_RATES = {"printed": "the paper's rates", "tuned": "tuned rates", "clipped": "with gradient clipping"}
# In the head of a table
COLUMNS = {"printed": "the paper's", "tuned": "tuned", "clipped": "clipped", "batches": "5,000 batches", "": "answer"}
# From here a factor is said as a power of ten
LARGE = 1e4


def tau(text: str) -> str:
    """A text with the sign of tau."""
    return text.replace(" tau", " τ")


def number(value: float) -> str:
    """A number of two or three digits, such as −0.52, ∞ or 3e−11."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return (f"{value:.3g}" if abs(value) >= 100 else f"{value:.2g}").replace("-", "−").replace("e−0", "e−")


def factor(decades: float) -> str:
    """Ten to this power, to two digits: 7.7, 0.32 or 10^57."""
    if math.isinf(decades):
        return "∞" if decades > 0.0 else "0"
    if abs(decades) >= math.log10(LARGE):
        return f"10^{decades:.0f}".replace("-", "−")
    size = 10.0**decades
    return f"{float(f'{size:.2g}'):.0f}" if size >= 10.0 else f"{size:.2g}" if size < 1.0 else f"{size:.1f}"


def _size(part: Part, value: float) -> str:
    """A number of a part: a factor; a slope of logarithms as a division or a product."""
    if not part.log:
        return number(value)
    if not _per(part):
        return factor(value)
    return f"÷{factor(-value)}" if value < 0.0 else f"×{factor(value)}"


def _per(part: Part) -> str:
    """The unit besides the factor."""
    times = "per ten times" if part.log else "for ten times"
    return part.unit.removeprefix("decades").strip().replace("per decade of", times)


def effect(claim: Claim, part: Part) -> str:
    """The size of what was found in plain units, such as `7.7 times the loss`; empty if no number was found."""
    found = part.answered
    if found is None or math.isnan(found.median):
        return ""
    if "alignment" in claim.statistic and not part.log:
        signed = f"{found.median:+.2f}".replace("-", "−")
        return f"{signed} {_per(part)}" if part.unit else f"cosine {signed}"
    if not part.log or _per(part):
        return f"{_size(part, found.median)} {_per(part)}".strip()
    if "/ first loss" in claim.statistic:
        return f"ends at {factor(found.median)} of the start"
    if "error" not in claim.statistic.partition(",")[0]:
        return f"{factor(found.median)} times the loss"
    if not part.medians:
        return f"{factor(found.median)} times the error"
    return "off by {:.2f} τ against {:.2f}".format(*part.medians)


def brief(claim: Claim, part: Part) -> str:
    """The number with its interval: `7.7 (3.0 to 14)`."""
    found = part.answered
    if found is None or math.isnan(found.median):
        return ""
    return f"{_size(part, found.median)} ({interval(part)}) {_per(part)}".strip()


def interval(part: Part) -> str:
    """The 99% interval of the number."""
    found = part.answered
    return "" if found is None or math.isnan(found.median) else f"{_size(part, found.low)} to {_size(part, found.high)}"


def learned(part: Part) -> str:
    """How many networks learned: `learned 9 and 18 of 90`, first condition first; empty if nothing was counted."""
    found = part.answered
    return f"{part.good} {' and '.join(map(str, found.learned))} of {found.n}" if found and found.learned else ""


def count(part: Part) -> str:
    """The same without the word: `9, 18 of 90`."""
    found = part.answered
    return f"{', '.join(map(str, found.learned))} of {found.n}" if found and found.learned else ""


def share(part: Part) -> str:
    """The difference of the shares that learned with its 99% interval, in networks of a hundred."""
    found = part.answered
    if found is None or math.isnan(found.share[0]):
        return ""
    at, low, high = (f"{100 * value:+.0f}".replace("-", "−").replace("+0", "0") for value in found.share)
    return f"{at} of 100 ({low} to {high})".replace("−0 ", "0 ")


def short(claim: Claim, part: Part) -> str:
    """What the answer of a part rests on: the effect where its interval gives the answer by itself, else how many
    learned."""
    found = part.answered
    if found is None:
        return part.why or "nothing to compare"
    by_number = part.test is not None and part.answer == part.test.by_number(found)
    return (effect(claim, part) if by_number else learned(part)) or effect(claim, part) or learned(part)


def probability(p: float) -> str:
    """A p of two digits; empty if there is none."""
    return "" if math.isnan(p) else "< 1e−4" if p < 1e-4 else number(p)


def listed(names: Sequence[str]) -> str:
    """Names in one phrase, a unit that they share said once."""
    unit = " τ" if all(name.endswith(" τ") for name in names) else ""
    *some, last = (name.removesuffix(unit) for name in names)
    return f"{', '.join(some)} and {last}{unit}" if some else last + unit


def answers(parts: Iterable[Part]) -> list[tuple[Answer, str]]:
    """The answer to a claim: that of its parts together first, each with the parts that have it; nothing beside it
    where all have the same."""
    of: dict[Answer, list[str]] = {}
    for part in parts:
        of.setdefault(part.answer, []).append(tau(part.name))
    if len(of) < 2:
        return [(answer, "") for answer in of]
    whole = together([answer for answer, names in of.items() for _ in names])
    order = [whole, *ANSWERS]
    return [(answer, listed(of[answer])) for answer in sorted(of, key=order.index)]
