"""Draws how many networks learned, by rule, period and learning rates: Figure 2's task, from its answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rflo_repro.report import palette, style
from rflo_repro.report.comparison import learned_shares
from rflo_repro.report.words import RATES
from rflo_repro.studies.answers import Answers, Entry

NAME = "learned"
RULES = {rule: palette.name(rule) for rule in ("bptt", "rflo", "local", "random-feedback")}
KINDS = ("printed", "tuned", "clipped")
PERIODS_TAU = (20, 40, 80, 160)
# Which condition of which claim says how many networks of a rule learned: 0 is the first, 1 the second
SOURCES = (
    ("rflo-learns", "{} tau", "rflo", 0),
    ("as-low-as-bptt", "{} tau", "bptt", 1),
    ("bptt-ahead", "{} tau", "bptt", 1),
    ("local-explains-the-gap", "{} tau, behind BPTT", "local", 0),
    ("local-is-behind", "{} tau", "local", 0),
    ("random-feedback-is-free", "{} tau", "random-feedback", 0),
    ("random-feedback-is-free-elsewhere", "{} tau", "random-feedback", 0),
)


def shares(entries: Iterable[Entry]) -> dict[tuple[str, str, int], tuple[int, int]]:
    """How many networks learned, and of how many, by learning rates, rule and period in tau."""
    known = {entry.key: entry.part.answered for entry in entries}
    found = {}
    for claim, part, rule, which in SOURCES:
        for rates in KINDS:
            for period in PERIODS_TAU:
                answered = known.get((claim, part.format(period), rates))
                if answered is not None and answered.learned:
                    found[rates, rule, period] = answered.learned[which], answered.n
    return found


def picture(entries: Iterable[Entry]) -> style.Picture | None:
    """A panel a kind of learning rates, a line a rule; None if there are no answers."""
    found = shares(entries)
    kinds = [rates for rates in KINDS if any(key[0] == rates for key in found)]
    if not kinds:
        return None
    with style.style():
        drawn = style.new_picture(8.3, 2.9)
        panels = np.atleast_1d(drawn.subplots(1, len(kinds), sharey=True))
        for axes, rates in zip(panels, kinds, strict=True):
            axes.set_title(RATES[rates])
            by_rule = {
                rule: {float(p): found[rates, rule, p] for p in PERIODS_TAU if (rates, rule, p) in found}
                for rule in RULES
            }
            learned_shares(axes, [(label, palette.colour(rule), by_rule[rule]) for rule, label in RULES.items()])
        panels[0].set_ylabel("networks that learned")
        handles, labels = panels[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=len(RULES))
    return drawn


def draw(known: Answers, figures: Path) -> list[Path]:
    """Draw the picture; the files written."""
    drawn = picture(known.entries())
    if drawn and (others := known.scales):
        drawn.footer(f"answers of networks at {' and '.join(others)} scale")
    return drawn.save(figures / NAME) if drawn else []
