"""What `fig-gradient` finds. The paper does not measure it; it says that the local approximation is RFLO's cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import SLOPE, below, judged, slopes
from rflo_repro.stats.statistics import where

RULES = {"local": "local", "rflo": "RFLO", "random-feedback": "random feedback"}


def worse_when_longer(tables: Tables) -> Sequence[Part]:
    """Parts: the slope of each rule's cosine with the gradient on log10 of the period, and the cosine at both ends."""
    rows = where(tables["gradient"], {"matrix": "w_rec"})
    over_training = rows.groupby(["rule", "period_tau", "network"])[["cosine"]].mean().reset_index()
    parts = []
    for rule, name in RULES.items():
        part = where(over_training, {"rule": rule})
        ends = [part[part.period_tau == p].cosine.median() for p in (part.period_tau.min(), part.period_tau.max())]
        known = [end for end in ends if np.isfinite(end)]
        why = "cosine from {:.2f} at the shortest to {:.2f} at the longest period".format(*ends) if known else ""
        found = slopes(part, "period_tau", "cosine", log_x=True)
        parts.append(judged(name, found, below(), "per decade of the period", why=why))
    return parts


CLAIMS = (
    Claim(
        "approximations worsen with the period",
        "The longer the period, the less a rule's update of W points along the exact gradient.",
        "ours; the paper has errors accumulating over timesteps",
        f"median over networks of the {SLOPE} on log10(period) of the cosine between the rule's update of W and "
        "minus the exact gradient, averaged over log-spaced trials of its own training",
        "the 99% interval lies below 0",
        worse_when_longer,
    ),
)
