"""The lines below the picture of the answers: marks, signs, levels, and which networks they are of."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes

from rflo_repro.runs.sample import CONFIRMATION, FIRST
from rflo_repro.stats.answers import Answer
from rflo_repro.studies.answers import OWN, Entry
from rflo_repro.studies.answers_look import KINDS, PALE, SOFT, numbers, sign, write

LEFT, LINE = 10.0, 15.0  # points
SAMPLES = {
    CONFIRMATION.name: "other networks than those that were seen before the rule was made",
    FIRST.name: "networks seen before the rule of the answers was made, so that others must still test it",
    OWN: "the few networks that the figures show",
}
MEANINGS: dict[Answer, str] = {
    "yes": "as claimed",
    "no": "not as claimed",
    "worse": "worse, perhaps by little",
    "open": "open",
    "no test": "no test",
}
BATCHES = "5,000 batches"
WRAPPED = 128  # characters


def draw(sheet: Axes, y: float, words: Sequence[str], batches: bool) -> None:
    """What marks, colours and signs mean, and which networks they are of."""
    marks = [("printed", {}, "the paper's learning rates"), ("printed", {"color": PALE}, "pale: borrowed")]
    marks += [("tuned", {}, "tuned"), ("clipped", {}, "the paper's, with gradient clipping")]
    marks += [("tuned", {"markerfacecolor": "white"}, "hollow: no test")]
    for x, (kind, other, text) in zip((14.0, 200.0, 352.0, 424.0, 690.0), marks, strict=True):
        look: dict[str, Any] = {"color": KINDS[kind].colour, "markersize": 5.0, "gid": "legend", **other}
        sheet.plot([x], [y], KINDS[kind].marker, **look)
        write(sheet, x + 9.0, y, text, 11.0)
    said = (
        "Borrowed: another rule's; the paper prints none. Clipping, which it does not mention, bounds an update's norm."
    )
    write(sheet, LEFT, y + 17.0, said, 10.5, SOFT)
    x = LEFT + 6.0
    for answer, across in zip(MEANINGS, (104.0, 130.0, 176.0, 66.0, 0.0), strict=True):
        sign(sheet, x, y + 37.0, answer)
        write(sheet, x + 10.0, y + 37.0, MEANINGS[answer], 11.0)
        x += across
    write(sheet, x + 66.0, y + 37.0, "blank: not computed", 11.0)
    rest = [
        "Left: a network's loss under the first condition over that under the second; an arrow: beyond the axis.",
        "Right: how many networks learned; a thin line joins mark and bar (of claim 1 it is a 99% interval).",
        "To be worse takes one of the two panels, at 99%. To be as good takes both, at 98%: less than a factor of 3.2, "
        "and 15 of 100 networks.",
        "No test: neither condition learned in half of the networks. Claim 6, over RFLO, is asked where BPTT did.",
        "Learned: the loss ends at a tenth of a zero output's or less. Claims 13 and 14: within 3 tau. "
        "Claim 15: a tenth of the untrained loss.",
        *([f"{BATCHES} of ten trials: what the paper's “5,000 trials” may mean."] if batches else []),
        *words,
    ]
    for i, line in enumerate(rest):
        write(sheet, LEFT, y + 57.0 + LINE * i, line, 10.5, SOFT)


def networks(entries: Sequence[Entry]) -> list[str]:
    """A line a sample: which claims are answered on it, at which rates if not at all, and on how many networks."""
    at: dict[str, dict[str, dict[str, None]]] = {}
    for entry in entries:
        name = "ours" if entry.claim.ours else numbers()[entry.claim.key]
        at.setdefault(name, {}).setdefault(entry.sample, {})[entry.rates] = None
    found = []
    for sample in dict.fromkeys(entry.sample for entry in entries):
        groups: dict[str, list[str]] = {}
        for name, samples in at.items():
            if sample in samples:
                rates = ", ".join(BATCHES if kind == "batches" else KINDS[kind].heading for kind in samples[sample])
                groups.setdefault(f" ({rates})" if len(samples) > 1 else "", []).append(name)
        claims = "; ".join(f"{', '.join(_runs(names))}{rates}" for rates, names in groups.items())
        own = [e.part.answered for e in entries if e.sample == sample and e.part.answered is not None]
        n = " and ".join(map(str, sorted({one.n for one in own}, reverse=True)))
        found.append(f"Claims {claims}: {SAMPLES[sample]}, n = {n}.")
    return [line for text in found for line in textwrap.wrap(text, WRAPPED)]


def _runs(names: Sequence[str]) -> Iterable[str]:
    """Names of which those that are numbers and follow each other are said as from-to."""
    of = [int(name) for name in names if name.isdigit()]
    start = 0
    for i, value in enumerate(of):
        if i + 1 == len(of) or of[i + 1] != value + 1:
            yield str(value) if start == i else f"{of[start]}–{value}"
            start = i + 1
    yield from (name for name in names if not name.isdigit())
