"""RFLO's two approximations, each alone and both together: what Figure 2d asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.learning.validate import Array
from rflo_repro.stats.by_losses import by_losses
from rflo_repro.stats.claims import Part, Tables
from rflo_repro.stats.measured import (
    NOT_LEARNED,
    above,
    at_most,
    compared,
    judged,
    ranked,
    set_aside,
    untestable,
    within,
)
from rflo_repro.stats.statistics import where

RFLO, BPTT, LOCAL, RANDOM = ({"rule": rule} for rule in ("rflo", "bptt", "local", "random-feedback"))
# The effects of two factors, and what the paper says of each
EFFECTS = {"locality": above(), "random feedback": at_most(), "interaction": within()}
EFFECTS_STATISTIC = (
    "median over networks of the main effects of locality and of random feedback on log10(final loss), each averaged "
    "over the other, and of their interaction, the effect of both less the sum of each alone; the analysis was chosen "
    "after tables were seen"
)
EFFECTS_CRITERION = (
    "locality above 0, random feedback below 0.5 decades, the interaction within ±0.5, each with its 99% interval"
)


def locality_explains(tables: Tables, periods_tau: Sequence[float]) -> list[Part]:
    """Where RFLO is behind BPTT: local against either, two parts a period."""
    parts: list[Part] = []
    for period_tau in periods_tau:
        rows = where(tables["final"], {"period_tau": period_tau})
        bptt, rflo, local = (where(rows, rule) for rule in (BPTT, RFLO, LOCAL))
        gap = compared("", rflo, bptt, above())
        own = [
            compared(f"{period_tau:g} τ, behind BPTT", local, bptt, above()),
            compared(f"{period_tau:g} τ, as RFLO", local, rflo, within(), gate=bptt),
        ]
        # in the multiverse, where there is no gap there is none to explain
        parts += own if by_losses([gap]) == ["yes"] else [set_aside(part) for part in own]
    return parts or [untestable("all periods", "the table has no rows")]


def effects(rows: pd.DataFrame) -> Mapping[str, Array]:
    """The effects of two factors on log10 of the final loss, one value a network.

    rows: of one period, and of a table of final losses. A network that diverged or exploded counts as above all others;
    where this leaves an effect open, the network is left out of it. Raises ValueError for a network twice.
    """
    found = ranked(rows, "final_loss").pivot(index="network", columns="rule", values="final_loss")
    if not {"rflo", "bptt", "local", "random-feedback"} <= set(found):
        return dict.fromkeys(EFFECTS, np.empty(0))
    bptt, local, random, rflo = (
        exact_math.log10(found[rule].fillna(np.inf).to_numpy(float))
        for rule in ("bptt", "local", "random-feedback", "rflo")
    )
    with np.errstate(invalid="ignore"):
        of = {
            "locality": ((local - bptt) + (rflo - random)) / 2.0,
            "random feedback": ((random - bptt) + (rflo - local)) / 2.0,
            "interaction": (rflo - bptt) - (local - bptt) - (random - bptt),
        }
    return {name: values[~np.isnan(values)] for name, values in of.items()}


def both_factors(tables: Tables, periods_tau: Sequence[float]) -> list[Part]:
    """Main effects of the approximations and their interaction, three parts a period."""
    parts: list[Part] = []
    for period_tau in periods_tau:
        rows = where(tables["final"], {"period_tau": period_tau})
        own = [judged(f"{period_tau:g} τ, {name}", values, EFFECTS[name]) for name, values in effects(rows).items()]
        rules = rows[rows.rule.isin(["rflo", "bptt", "local", "random-feedback"])]
        medians = ranked(rules, "final_loss").fillna({"final_loss": np.inf}).groupby("rule").final_loss.median()
        bar = NOT_LEARNED * float(rules.first_loss.median())
        parts += own if (medians < bar).any() else [set_aside(part) for part in own]
    return parts or [untestable("all periods", "the table has no rows")]
