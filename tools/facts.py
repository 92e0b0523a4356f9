"""What texts may say of the answers: every number from the tables, and a check that fails where a sentence is not true.

A part of a claim is named as `rflo_repro.studies.answers` names it, and a kind of learning rates by `printed` (the
paper's), `tuned`, `clipped` (the paper's, with gradient clipping) or `batches`.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.report import words
from rflo_repro.runs.sample import CONFIRMATION, FIRST, SAMPLES
from rflo_repro.runs.variants import under
from rflo_repro.stats.answers import Answer, Answered, power
from rflo_repro.studies import answers
from rflo_repro.studies.answers import Entry
from rflo_repro.studies.multiverse.counts import counts
from rflo_repro.studies.multiverse.design import EXCLUDED

RATES = {**words.RATES, "clipped": "the paper's with clipping", "batches": "the paper's with 5,000 batches"}
# What a check writes; `tools.write` takes it out, with the line if nothing else is on it
NOTHING = "\x00"


class Untrue(Exception):
    """A sentence says what the tables do not."""


class Facts:
    """The answers that a folder of tables gives.

    results: the folder; of the samples in it the confirmation sample counts, then the first.
    """

    def __init__(self, results: Path) -> None:
        self.results = results
        self._answers = answers.Answers(results)
        self.entries = self._answers.entries()
        self.claims = answers.claims_of(self.entries)
        self.known = {entry.key: entry for entry in self.entries}

    def entry(self, claim: str, part: str, rates: str) -> Entry:
        """One answer. Raises Untrue if there is none."""
        if (claim, part, rates) not in self.known:
            raise Untrue(f"there is no answer to {claim}, {part}, {rates}")
        return self.known[claim, part, rates]

    def has(self, claim: str, part: str, rates: str) -> bool:
        """Whether there is such an answer."""
        return (claim, part, rates) in self.known

    def found(self, claim: str, part: str, rates: str) -> Answered:
        """What an answer rests on."""
        answered = self.entry(claim, part, rates).part.answered
        if answered is None:
            raise Untrue(f"{claim}, {part}, {rates} was not measured")
        return answered

    # checks: they write nothing, and fail where the sentence that they stand in is not true

    def says(self, answer: str, claim: str, parts: str | Sequence[str], rates: str | Sequence[str] = "printed") -> str:
        """That these parts of a claim have this answer, one of several with `|` between them."""
        for part in _several(parts):
            for kind in _several(rates):
                seen = self.entry(claim, part, kind).answer
                if seen not in answer.split("|"):
                    raise Untrue(f"it says {answer} of {claim}, {part}, {kind}, and the answer is {seen}")
        return NOTHING

    def need(self, condition: bool, what: str = "what it says") -> str:
        """That something is so."""
        if not condition:
            raise Untrue(f"{what} is not so")
        return NOTHING

    # numbers

    def ratio(self, claim: str, part: str, rates: str = "printed", inverse: bool = False) -> str:
        """How many times the second condition's loss or error the first one's is in the median, with `inverse` the
        other way round; it must be above 1."""
        found = self.found(claim, part, rates)
        factor = 10.0 ** (-found.median if inverse else found.median)
        self.need(factor > 1.0, f"that {claim}, {part}, {rates} is above 1")
        return _two_digits(factor)

    def times(self, claim: str, part: str, rates: str = "printed") -> str:
        """The ratio in words, such as `7.7 times`."""
        return f"{self.ratio(claim, part, rates)} times"

    def interval(self, claim: str, part: str, rates: str = "printed") -> str:
        """The 99% interval of the ratio."""
        found = self.found(claim, part, rates)
        return f"{_two_digits(10.0**found.low)} to {_two_digits(10.0**found.high)}"

    def value(self, claim: str, part: str, rates: str = "printed") -> str:
        """The median where it is no ratio, with its sign."""
        return f"{self.found(claim, part, rates).median:+.2f}".replace("-", "−")

    def first(self, claim: str, part: str, rates: str = "printed") -> int:
        """How many networks learned under the first condition."""
        return self.found(claim, part, rates).learned[0]

    def second(self, claim: str, part: str, rates: str = "printed") -> int:
        """How many networks learned under the second condition."""
        return self.found(claim, part, rates).learned[1]

    def n(self, claim: str, part: str, rates: str = "printed") -> int:
        """Number of networks."""
        return self.found(claim, part, rates).n

    def learned(self, claim: str, part: str, rates: str = "printed", which: int = 0) -> str:
        """How many networks learned under the first (0) or second (1) condition, such as `9 of 90`."""
        found = self.found(claim, part, rates)
        return f"{found.learned[which]} of {found.n}"

    def percent(self, claim: str, part: str, rates: str = "printed", which: int = 0) -> str:
        """The share of networks that learned under the first (0) or second (1) condition, in percent."""
        found = self.found(claim, part, rates)
        return f"{100 * found.learned[which] / found.n:.0f}%"

    def listed(self, *texts: str) -> str:
        """Several numbers in words, with what follows them said once where it is the same: `89 and 61 of 90`."""
        heads, tails = zip(*(text.split(" ", 1) for text in texts), strict=True)
        return f"{_listed(heads)} {tails[0]}" if len({*tails}) == 1 else _listed(texts)

    # whole claims

    def rates_of(self, claim: str) -> str:
        """The kind of learning rates at which a claim counts: the paper's, or tuned ones where it prints none."""
        own = self.claims[claim]
        borrowed = own[0].claim.borrowed and not own[0].claim.ours
        return "printed" if not borrowed and any(entry.rates == "printed" for entry in own) else "tuned"

    def count(self, *of: str) -> int:
        """How many of the paper's claims have one of these answers; of all if none is named."""
        paper = [claim for claim, own in self.claims.items() if not own[0].claim.ours]
        return sum(not of or answers.whole(self.claims[claim], self.rates_of(claim)) in of for claim in paper)

    def line(self, claim: str) -> str:
        """The answers to a claim at each kind of learning rates, its own first."""
        mine = self.claims[claim]
        own = self.rates_of(claim)
        by: dict[str, list[str]] = {}
        for kind in sorted({entry.rates for entry in mine}, key=lambda kind: (kind != own, [*RATES].index(kind))):
            text = _together([(entry.name, entry.answer) for entry in mine if entry.rates == kind])
            by.setdefault(text, []).append(RATES[kind])
        if len(by) == 1 and len(next(iter(by.values()))) > 1:
            return f"At all learning rates: **{next(iter(by))}**."
        return f"At {'; at '.join(f'{_listed(kinds)}: **{text}**' for text, kinds in by.items())}."

    def networks(self) -> str:
        """On how many networks the paper's claims are answered, the least and the most; without Figure 4 and variants
        with other trials."""
        paper = [entry for entry in self.entries if not entry.claim.ours and entry.rates != "batches"]
        mine = [entry for entry in paper if entry.figure.command != "fig4"]
        n = sorted({entry.part.answered.n for entry in mine if entry.part.answered})
        return f"{n[0]} to {n[-1]}" if len(n) > 1 else f"{n[0]}"

    # samples

    def confirmed(self) -> tuple[int, int]:
        """How many answers rest on the confirmation sample, and how many there are."""
        return sum(entry.sample == CONFIRMATION.name for entry in self.entries), len(self.entries)

    def differing(self) -> list[str]:
        """The answers that the confirmation sample changed, a line each claim."""
        changes: dict[str, dict[tuple[str, str], list[str]]] = {}
        for now, before in self._answers.differing():
            claim = _capital(now.claim.label.partition(" (")[0])
            changed = now.name, f"{words.SAID[before.answer]}, now {words.SAID[now.answer]}"
            changes.setdefault(claim, {}).setdefault(changed, []).append(words.SHORT_RATES[now.rates])
        return [
            f"{claim} ({'; '.join(f'{part}, {_listed(rates)}: {said}' for (part, said), rates in each.items())})"
            for claim, each in changes.items()
        ]

    def seed(self) -> int:
        """The root seed of the confirmation sample."""
        return CONFIRMATION.seed

    # further numbers of the tables on which an answer rests

    def final(self, command: str, rates: str, claim: str, part: str) -> pd.DataFrame:
        """The final table of an experiment on which an answer rests, at its learning rates."""
        entry = self.entry(claim, part, rates)
        folders = {sample.name: sample.folder_in(self.results) for sample in SAMPLES}
        experiment = registry.figures()[command].experiment
        if rates in experiment.about.variants:
            experiment = under(experiment, rates)
        path = folders.get(entry.sample, self.results) / f"{experiment.schemas['final'].name}.csv"
        frame = pd.read_csv(path)
        return frame[frame.rates == rates]

    def error(self, rule: str, longest: int, rates: str = "printed") -> str:
        """The median over networks of the median error of the peaks in Figure 3, in tau."""
        claim = "intervals-as-good" if longest == 15 else "intervals-behind"
        frame = self.final("fig3", rates, claim, f"to {longest} tau")
        mine = frame[(frame.rule == rule) & (frame.longest_tau == longest)]
        return f"{mine.median_error_tau.median():#.2g}"

    def exploded(self, n_rec: int, rates: str = "printed") -> str:
        """How many networks of so many units exploded."""
        frame = self.final("fig2-size", rates, "more-units-help", "all")
        mine = frame[frame.panel.str.contains("a") & (frame.n_rec == n_rec)]
        return f"{(mine.outcome == 'ran away').sum()} of {len(mine)}"

    def in_order(self) -> str:
        """In how many networks the loop makes the movements in the right order."""
        frame = self.final("fig4", "tuned", "loop-beats-whole", "RFLO")
        mine = frame[frame.rule == "loop"]
        return f"{mine.in_order.astype(bool).sum()} of {len(mine)}"

    def variants(self, figure: str, claim: str, part: str) -> str:
        """In how many of the variants in which it could be tested a part of a claim holds by the median."""
        frame = self._counts
        mine = frame[(frame.figure == figure) & (frame.claim == claim) & (frame.part == part)]
        return f"{mine.n_inside.item()} of {mine.n_tested.item()}"

    def variant_networks(self, figure: str) -> int:
        """Number of networks of a variant of a figure."""
        return int(self._counts.n_networks[self._counts.figure == figure].max())

    def variants_with_clipping(self, figure: str) -> str:
        """In how many variants of a figure gradients are clipped."""
        frame = pd.read_csv(self.results / "readings.csv", keep_default_na=False)
        mine = frame[(frame.figure == figure) & (frame.kind != EXCLUDED)].drop_duplicates("reading")
        return f"{mine.choices.str.contains('clip=').sum()} of {len(mine)}"

    @functools.cached_property
    def _counts(self) -> pd.DataFrame:
        return counts(pd.read_csv(self.results / "readings.csv"))

    def power(self, rule: str, period: int, rates: str, n: int) -> str:
        """How often a true sameness would be found with n networks, each half of them drawn from one condition of the
        first sample."""
        name = "fig2_clipped_final" if rates == "clipped" else "fig2_final"
        frame = pd.read_csv(FIRST.folder_in(self.results) / f"{name}.csv")
        mine = frame[(frame.rule == rule) & (frame.period_tau == period) & (frame.rates == rates)]
        losses = mine.final_loss.fillna(math.inf).where(mine.outcome != "ran away", math.inf).to_numpy(float)
        flags = (mine.outcome == "learned").to_numpy(bool)
        times = n // len(mine)
        return f"{power(losses.repeat(times), flags.repeat(times), two_sided=True):.2f}"


def figure_times(results: Path) -> list[tuple[str, str]]:
    """How long the committed tables of each figure took, in minutes and seconds."""
    found = []
    for command, about in registry.figures().items():
        page = results / f"{about.name}_final.json"
        if page.exists():
            seconds = sum(run["seconds"] for run in json.loads(page.read_text(encoding="utf-8"))["runs"])
            found.append((command, "{}:{:02}".format(*divmod(round(seconds), 60))))
    return found


def _several(values: str | Sequence[str]) -> Iterable[str]:
    return [values] if isinstance(values, str) else values


def _two_digits(factor: float) -> str:
    """Two significant digits, from 100 on three."""
    return f"{factor:,.0f}" if factor >= 9.95 else f"{factor:.1f}" if factor >= 0.95 else f"{factor:.2g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _together(parts: Sequence[tuple[str, Answer]]) -> str:
    """Parts and their answers, those with the same answer together."""
    by: dict[Answer, list[str]] = {}
    for name, answer in parts:
        by.setdefault(answer, []).append(name)
    if len(parts) == 1 or (len(by) == 1 and len(parts) < 3):
        return words.SAID[parts[0][1]]
    return ", ".join(f"{words.SAID[answer]} {_at(names)}" for answer, names in by.items())


def _at(names: Sequence[str]) -> str:
    """Several parts in words."""
    if all(name.endswith(" tau") and name[0].isdigit() for name in names):
        return f"at {_listed([name.removesuffix(' tau') for name in names])} tau"
    return f"({_listed([name.partition(', ')[2] or name for name in names])})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
