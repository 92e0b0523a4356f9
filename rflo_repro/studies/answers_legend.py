"""The lines below the picture of the answers: marks, signs, levels, and which networks they are of."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes

from rflo_repro.runs.sample import CONFIRMATION, FIRST
from rflo_repro.stats.answers import Answer
from rflo_repro.studies.answers import OWN, Entry
from rflo_repro.studies.answers_look import BATCHES, KINDS, LEFT, PALE, SOFT, numbers, sign, write

LINE, WRAPPED = 15.0, 128  # points, and characters
SAMPLES = {
    CONFIRMATION.name: "other networks than those that were seen before the rule was made",
    FIRST.name: "networks seen before the rule of the answers was made, so that others must still test it",
    OWN: "the few networks that the figures show",
}
# What an answer means, and how many points its meaning takes
MEANINGS: dict[Answer, tuple[str, float]] = {
    "yes": ("as claimed", 104.0),
    "no": ("not as claimed", 130.0),
    "worse": ("worse, perhaps by little", 176.0),
    "open": ("open", 66.0),
    "no test": ("no test", 66.0),
}
MARKS: tuple[tuple[float, str, dict[str, Any], str], ...] = (
    (14.0, "printed", {}, "the paper's learning rates"),
    (200.0, "printed", {"color": PALE}, "pale: borrowed"),
    (352.0, "tuned", {}, "tuned"),
    (424.0, "clipped", {}, "the paper's, with gradient clipping"),
    (690.0, "tuned", {"markerfacecolor": "white"}, "hollow: no test"),
)
BORROWED = (
    "Borrowed: another rule's; the paper prints none. Clipping, which it does not mention, bounds an update's norm."
)
LINES = (
    "Left: a network's loss under the first condition over that under the second; an arrow: beyond the axis.",
    "Right: how many networks learned; a thin line joins mark and bar (of claim 1 it is a 99% interval).",
    "To be worse takes one of the two panels, at 99%. To be as good takes both, at 98%: less than a factor of 3.2, "
    "and 15 of 100 networks.",
    "No test: neither condition learned in half of the networks. Claim 6, over RFLO, is asked where BPTT did.",
    "Learned: the loss ends at a tenth of a zero output's or less. Claims 13 and 14: within 3 tau. "
    "Claim 15: a tenth of the untrained loss.",
)


def draw(sheet: Axes, y: float, lines: Sequence[str]) -> None:
    """What marks, colours and signs mean, and these lines."""
    for x, kind, other, text in MARKS:
        look: dict[str, Any] = {"color": KINDS[kind].colour, "markersize": 5.0, "gid": "legend", **other}
        sheet.plot([x], [y], KINDS[kind].marker, **look)
        write(sheet, x + 9.0, y, text, 11.0)
    write(sheet, LEFT, y + 17.0, BORROWED, 10.5, SOFT)
    x = LEFT + 6.0
    for answer, (meaning, across) in MEANINGS.items():
        sign(sheet, x, y + 37.0, answer)
        write(sheet, x + 10.0, y + 37.0, meaning, 11.0)
        x += across
    write(sheet, x, y + 37.0, "blank: not computed", 11.0)
    for i, line in enumerate((*LINES, *lines)):
        write(sheet, LEFT, y + 57.0 + LINE * i, line, 10.5, SOFT)


def notes(entries: Sequence[Entry]) -> list[str]:
    """What batches are, if there are any, and a line a sample: which claims are answered on it, at which rates if not
    at all, and on how many networks."""
    found = [f"{BATCHES} of ten trials: what the paper's “5,000 trials” may mean."]
    found = found if any(entry.rates == "batches" for entry in entries) else []
    number = numbers()
    at: dict[str, dict[str, dict[str, None]]] = {}
    for entry in entries:
        name = "ours" if entry.claim.ours else number[entry.claim.key]
        said = BATCHES if entry.rates == "batches" else KINDS[entry.rates].heading
        at.setdefault(name, {}).setdefault(entry.sample, {})[said] = None
    for sample in dict.fromkeys(entry.sample for entry in entries):
        groups: dict[str, list[str]] = {}
        for name, samples in at.items():
            if sample in samples:
                groups.setdefault(f" ({', '.join(samples[sample])})" if len(samples) > 1 else "", []).append(name)
        claims = "; ".join(f"{', '.join(_ranges(names))}{rates}" for rates, names in groups.items())
        n = {e.part.answered.n for e in entries if e.sample == sample and e.part.answered is not None}
        text = f"Claims {claims}: {SAMPLES[sample]}, n = {' and '.join(map(str, sorted(n, reverse=True)))}."
        found += textwrap.wrap(text, WRAPPED)
    return found


def _ranges(names: Sequence[str]) -> Iterable[str]:
    """Names of which those that are numbers and follow each other are said as from-to."""
    of = [int(name) for name in names if name.isdigit()]
    first = [value for value in of if value - 1 not in of]
    last = [value for value in of if value + 1 not in of]
    yield from (str(a) if a == b else f"{a}–{b}" for a, b in zip(first, last, strict=True))
    yield from (name for name in names if not name.isdigit())
