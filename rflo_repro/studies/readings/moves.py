"""What a choice does to an effect, over the readings that combine choices."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rflo_repro.runs.choices import parsed
from rflo_repro.stats.statistics import shift


def levels(varied: dict[str, dict[Any, str]]) -> list[tuple[str, Any, str]]:
    """Choice, value and label of each row of the matrix."""
    return [(name, value, label) for name, known in varied.items() for value, label in known.items()]


def values_of(rows: pd.DataFrame, varied: dict[str, dict[Any, str]]) -> list[dict[str, Any]]:
    """What each row's reading chooses, by name, its own value where it chooses nothing else."""
    own = {name: next(iter(known)) for name, known in varied.items()}
    return [{**own, **{name: parsed(value) for name, value in pairs(text)}} for text in rows.choices]


def pairs(choices: str) -> list[tuple[str, str]]:
    """Names and values of a column of choices, as `--set` has them."""
    return [(name, value) for name, _, value in (part.partition("=") for part in choices.split("; ") if part)]


def moves(rows: pd.DataFrame, varied: dict[str, dict[Any, str]]) -> dict[tuple[str, Any], tuple[float, float, float]]:
    """By how much each value moves a part's effect against the figure's own value, with its 95% interval, by choice and
    value; those alone of which there are readings.

    rows: of one part of a claim.
    """
    rows = rows[(rows.kind == "joint") & rows.inside.notna()]
    chosen, effects = values_of(rows, varied), rows.estimate.to_numpy(float)
    found = {}
    for name, value, _ in levels(varied):
        own = next(iter(varied[name]))
        at, base = ([e for e, of in zip(effects, chosen, strict=True) if of[name] == v] for v in (value, own))
        if value != own and at and base:
            found[name, value] = shift(at, base)
    return found
