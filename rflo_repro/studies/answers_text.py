"""What the answers are called: a claim in plain words, an answer as a word, an effect in plain units."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rflo_repro.report import style
from rflo_repro.stats.answers import HALF, MARGIN, Answer
from rflo_repro.studies.answers import Entry, whole

# The paper's claims in plain words, in its order, then what is ours
LABELS = {
    "rflo-learns": "RFLO learns",
    "as-low-as-bptt": "RFLO ends about as low as BPTT (20, 40 tau)",
    "bptt-ahead": "BPTT ends lower (80, 160 tau)",
    "alignment-rises": "Wout aligns with B",
    "more-alignment-at-shorter-periods": "Wout aligns more at shorter periods",
    "local-explains-the-gap": "local alone explains the gap (80 tau)",
    "random-feedback-is-free": "random feedback is free (80 tau)",
    "dale-costs-little": "Dale's law costs little",
    "both-beat-readout": "training both beats the readout alone",
    "recurrent-alone-fails": "recurrent weights alone fail",
    "more-units-help": "more units help",
    "larger-weights-help": "larger initial weights help",
    "intervals-as-good": "intervals to 15 tau: as good as BPTT",
    "intervals-behind": "intervals to 20 and 25 tau: behind BPTT",
    "loop-beats-whole": "the loop beats training the whole",
    "local-is-behind": "local alone is behind BPTT",
    "random-feedback-is-free-elsewhere": "random feedback is free",
}
# What is compared: the first over the second
OVER = {
    "rflo-learns": "the share that learned",
    "as-low-as-bptt": "RFLO over BPTT",
    "bptt-ahead": "RFLO over BPTT",
    "alignment-rises": "cosine, trained less untrained",
    "more-alignment-at-shorter-periods": "cosine for ten times the period",
    "local-explains-the-gap": "at 80 tau: local over BPTT, over RFLO",
    "random-feedback-is-free": "random feedback over BPTT",
    "dale-costs-little": "with over without",
    "both-beat-readout": "readout alone over both",
    "recurrent-alone-fails": "end over start; learned: alone, both",
    "more-units-help": "ten times N; learned: N = 200, 10",
    "larger-weights-help": "g + 1; learned: g = 2.5, 0.1",
    "intervals-as-good": "error of RFLO over BPTT",
    "intervals-behind": "error of RFLO over BPTT",
    "loop-beats-whole": "whole over loop",
    "local-is-behind": "local over BPTT",
    "random-feedback-is-free-elsewhere": "random feedback over BPTT",
}
# Claims on rules of which the paper prints no learning rate: another rule's stands in
BORROWED = {
    "local-explains-the-gap",
    "random-feedback-is-free",
    "dale-costs-little",
    "recurrent-alone-fails",
    "local-is-behind",
    "random-feedback-is-free-elsewhere",
}
GLYPHS: dict[str, str] = style.SIGNS
MEANINGS: dict[Answer, str] = {
    "yes": "as claimed",
    "no": "not as claimed",
    "worse": "worse, perhaps by little",
    "open": "open",
    "no test": "no test",
}

# Where the paper puts the number of a claim: low and high, in the number's own unit
ABOVE, BELOW = (0.0, math.inf), (-math.inf, 0.0)
SAME, NO_WORSE = (-MARGIN, MARGIN), (-math.inf, MARGIN)
BANDS = {
    "as-low-as-bptt": SAME,
    "bptt-ahead": ABOVE,
    "alignment-rises": ABOVE,
    "more-alignment-at-shorter-periods": BELOW,
    "local-explains-the-gap": ABOVE,
    "random-feedback-is-free": NO_WORSE,
    "dale-costs-little": NO_WORSE,
    "both-beat-readout": ABOVE,
    "recurrent-alone-fails": (HALF, math.inf),
    "more-units-help": BELOW,
    "larger-weights-help": BELOW,
    "intervals-as-good": SAME,
    "intervals-behind": ABOVE,
    "loop-beats-whole": ABOVE,
    "local-is-behind": ABOVE,
    "random-feedback-is-free-elsewhere": NO_WORSE,
}
AS_RFLO = "as RFLO"
# Where all parts of a claim are at one period, which its name does not say
AT = {"more-units-help": "20 tau", "larger-weights-help": "20 tau"}
# From here a factor is said as a power of ten
LARGE = 1e4


def band(key: str, part: str) -> tuple[float, float] | None:
    """Where the paper puts the number of a part of a claim; None if it has none."""
    return SAME if part.endswith(AS_RFLO) else BANDS.get(key)


def by_number(entry: Entry) -> Answer | None:
    """What the interval of the number says by itself, without the shares that learned; None if there is none."""
    found, where = entry.part.answered, band(entry.claim.key, entry.name)
    if found is None or where is None or math.isnan(found.median):
        return None
    if where[0] <= found.low and found.high <= where[1]:
        return "yes"
    if found.high < where[0] or found.low > where[1]:
        return "no"
    return "worse" if where in (SAME, NO_WORSE) and found.low > 0.0 else "open"


def effect(entry: Entry) -> str:
    """The number that the answer rests on, in plain units: the effect where its interval gives the answer by itself,
    else how many learned."""
    said = size(entry) if entry.answer == by_number(entry) else learned(entry)
    return said or size(entry) or "nothing to compare"


def size(entry: Entry) -> str:
    """An effect in plain units, such as `7.7 times the loss`; empty if no number was compared."""
    found, key = entry.part.answered, entry.claim.key
    if found is None or math.isnan(found.median):
        return ""
    if key == "alignment-rises":
        return f"cosine {_signed(found.median)}"
    if key == "more-alignment-at-shorter-periods":
        return f"{_signed(found.median)} for ten times the period"
    if key == "more-units-help":
        return f"{_change(found.median)} per ten times N"
    if key == "larger-weights-help":
        return f"{_change(found.median)} per unit of g"
    if key == "recurrent-alone-fails":
        return f"ends at {_factor(found.median)} of the start"
    if key.startswith("intervals") and entry.part.medians:
        first, second = entry.part.medians
        return f"off by {first:.2f} tau against {second:.2f}"
    return f"{_factor(found.median)} times the {'error' if key.startswith('intervals') else 'loss'}"


def learned(entry: Entry) -> str:
    """How many networks learned under the first and the second condition; empty if none were counted."""
    found = entry.part.answered
    if found is None or not found.learned:
        return ""
    word = "within 3 tau" if entry.claim.key.startswith("intervals") else "learned"
    return f"{word} {' and '.join(map(str, found.learned))} of {found.n}"


def chosen(entries: Sequence[Entry], rates: str) -> Entry | None:
    """The part of a claim that stands for it at one kind of learning rates: the first, in the paper's order, with the
    answer of the whole; if none has it, the first that was tested and is not yes. None if there is no part.
    """
    own = [entry for entry in entries if entry.rates == rates]
    answer = whole(own, rates)
    first = [e for e in own if e.answer == answer] or [e for e in own if e.answer not in ("yes", "no test")]
    return first[0] if first else None


def in_short(entries: Sequence[Entry], rates: str) -> str:
    """The effect of a claim at one kind of learning rates, that of its chosen part; of shares alone, all are said."""
    own = [entry for entry in entries if entry.rates == rates]
    part = chosen(own, rates)
    if part is None:
        return ""
    return _all_shares(own) if shares_alone(own) else effect(part)


def at_parts(entries: Sequence[Entry], answer: Answer) -> str:
    """The parts of a claim that have an answer, such as `20, 40 tau`."""
    names = [part_name(entry) for entry in entries if entry.answer == answer]
    return ", ".join([*(name.removesuffix(" tau") for name in names[:-1]), *names[-1:]])


def mixed(entries: Sequence[Entry]) -> bool:
    """Whether a claim holds at some of its parts, and does not at others."""
    return {"yes", "no"} <= {entry.answer for entry in entries}


def word(entries: Sequence[Entry], rates: str) -> str:
    """The answer to a claim with the parts that it is the answer of, if others have another: `yes: 80 tau`."""
    own = [entry for entry in entries if entry.rates == rates]
    answer = whole(own, rates)
    if answer is None or len({entry.answer for entry in own}) == 1:
        return answer or ""
    at = at_parts(own, answer)
    return f"{answer}: {at}" if at else answer


def shares_alone(entries: Sequence[Entry]) -> bool:
    """Whether no number is compared, and how many learned is all that there is."""
    return all(band(entry.claim.key, entry.name) is None for entry in entries)


def part_name(entry: Entry) -> str:
    """The name of a part beside its claim's, such as `40 tau` or `over BPTT`."""
    name = entry.name.rpartition(", ")[2].removeprefix("to ")
    return name.replace("behind ", "over ").replace("as ", "over ")


def _all_shares(entries: Sequence[Entry]) -> str:
    """Of each part how many learned, or how many of a hundred where there are not as many networks."""
    found = [e.part.answered for e in entries if e.part.answered and e.part.answered.learned]
    if len({one.n for one in found}) == 1:
        return f"learned {', '.join(str(one.learned[0]) for one in found)} of {found[0].n}"
    return f"learned {', '.join(f'{100 * one.learned[0] / one.n:.0f}' for one in found)} of 100"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _factor(decades: float) -> str:
    """Ten to this power, to two digits."""
    if abs(decades) >= math.log10(LARGE):
        return "infinitely many" if math.isinf(decades) else f"10^{decades:.0f}"
    factor = 10.0**decades
    return f"{float(f'{factor:.2g}'):.0f}" if factor >= 10.0 else f"{factor:.2g}" if factor < 1.0 else f"{factor:.1f}"


def _change(decades: float) -> str:
    """A fall as a division, a rise as a product."""
    return f"÷{_factor(-decades)}" if decades < 0.0 else f"×{_factor(decades)}"
