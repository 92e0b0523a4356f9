"""By how much each value of a choice moves an effect, over the variants of the design."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rflo_repro.runs.choices import parsed
from rflo_repro.stats.statistics import shift
from rflo_repro.studies.multiverse.design import DESIGN


def levels(varied: dict[str, dict[Any, str]]) -> list[tuple[str, Any, str]]:
    """Choice, value and label of each row of the matrix."""
    return [(name, value, label) for name, known in varied.items() for value, label in known.items()]


def values_of(rows: pd.DataFrame, varied: dict[str, dict[Any, str]]) -> list[dict[str, Any]]:
    """The values of the varied choices in each row's variant, by name: the baseline's where it chooses nothing else."""
    own = {name: next(iter(known)) for name, known in varied.items()}
    return [{**own, **{name: parsed(value) for name, value in pairs(text)}} for text in rows.choices]


def pairs(choices: str) -> list[tuple[str, str]]:
    """Names and values in the text of a column `choices`, as `--set` has them."""
    return [(name, value) for name, _, value in (part.partition("=") for part in choices.split("; ") if part)]


def marginal_effects(
    rows: pd.DataFrame, varied: dict[str, dict[Any, str]]
) -> dict[tuple[str, Any], tuple[float, float, float]]:
    """By how much each value moves a part's effect against the baseline's value, with its 95% interval, by choice and
    value; only values that a variant of the design has.

    rows: of one part of a claim.
    """
    rows = rows[(rows.kind == DESIGN) & rows.inside.notna()]
    chosen, effects = values_of(rows, varied), rows.estimate.to_numpy(float)
    found = {}
    for name, value, _ in levels(varied):
        own = next(iter(varied[name]))
        at, base = ([e for e, of in zip(effects, chosen, strict=True) if of[name] == v] for v in (value, own))
        if value != own and at and base:
            found[name, value] = shift(at, base)
    return found
