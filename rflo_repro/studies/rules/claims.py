"""What the literature and we say of the family of rules, judged from the study's tables.

The criteria were set with a pilot of nine networks in view, whose networks are not the study's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rflo_repro.learning import exact_math
from rflo_repro.stats.answers import MARGIN, Answered
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import (
    AHEAD,
    BEHIND,
    NO_WORSE,
    NOT_LEARNED,
    RATIO,
    SAME,
    Measure,
    above,
    at_most,
    below,
    compared,
    judged,
    untestable,
    within,
)
from rflo_repro.stats.statistics import quartiles, where
from rflo_repro.studies.rules import task_specs
from rflo_repro.studies.rules.family import PERIODIC

# At half of it a quarter of what ranks vary by would be explained
CORRELATED = 0.5
FEWEST_RULES = 4


def rank_correlations(frame: pd.DataFrame) -> Any:
    """For each network the rank correlation over rules of the mean cosine and the final loss; a network that diverged
    counts as above all others."""
    frame = frame[frame.cosine.notna()]
    found = []
    for _, rows in frame.groupby("network"):
        ranks = [column.rank().to_numpy(float) for column in (rows.cosine, rows.final_loss.fillna(np.inf))]
        if len(rows) >= FEWEST_RULES:
            found.append(exact_math.cosine_similarity(*(rank - exact_math.mean(rank) for rank in ranks)))
    return np.array(found)


def _by_task(tables: Tables, task: str | None = None) -> list[tuple[str, pd.DataFrame]]:
    """The trained networks of each task, with its name."""
    frame = tables["final"] if task is None else where(tables["final"], {"task": task})
    return [(str(title), rows) for title, rows in frame.groupby(task_specs.title(frame), sort=False)]


def _ratio(what: str, rows: pd.DataFrame, first: str, second: str, test: Any) -> Part:
    return compared(what, where(rows, {"rule": first}), where(rows, {"rule": second}), test)


def alignment_says_nothing(tables: Tables) -> Sequence[Part]:
    """The rank correlation at each period."""
    return [
        judged(title, rank_correlations(rows), within(CORRELATED), "rank correlation")
        for title, rows in _by_task(tables, PERIODIC)
    ]


def snap_1_is_cheap(tables: Tables) -> Sequence[Part]:
    """The cost of both, and the loss of SnAp-1 against that of one draw of UORO."""
    cost = tables["final"].drop_duplicates("rule").set_index("rule").cost
    if {"snap-1", "bptt"} <= {*cost.index}:
        counted = f"{cost['snap-1']:.3g} and {cost['bptt']:.3g} forward passes"
        cheaper = bool(cost["snap-1"] <= cost["bptt"])
        parts = [Part("counted cost", Answered("yes" if cheaper else "no"), why=counted)]
    else:
        parts = [untestable("counted cost", "the table has no such rows")]
    return [*parts, *(_ratio(title, rows, "snap-1", "uoro", below(-MARGIN)) for title, rows in _by_task(tables))]


def kronecker_beats_uoro(tables: Tables) -> Sequence[Part]:
    """KF-RTRL against as many draws of UORO as cost no more."""
    parts = []
    for title, rows in _by_task(tables, PERIODIC):
        one = where(rows, {"rule": "kf-rtrl"})
        others = where(rows, {"base": "uoro", "optimizer": "sgd"})
        others = others[others.cost <= one.cost.max()]
        if len(one) and len(others):
            others = others[others.draws == others.draws.max()]
            title = f"{title}, {others.draws.iloc[0]} draws"
        parts.append(compared(title, one, others, below()))
    return parts


def immediate_is_enough(tables: Tables) -> Sequence[Part]:
    """SnAp-0 against BPTT, both with RMSprop."""
    return [
        _ratio(title, rows, "snap-0-rmsprop", "bptt-rmsprop", within()) for title, rows in _by_task(tables, PERIODIC)
    ]


def rflo_is_as_good(tables: Tables) -> Sequence[Part]:
    """RFLO against the cheap rule of smallest median loss."""
    parts = []
    for title, rows in _by_task(tables):
        rflo = where(rows, {"rule": "rflo"})
        cheap = rows[(rows.cost <= rflo.cost.max()) & rows.cosine.notna() & (rows.optimizer == "sgd")]
        medians = {rule: quartiles(at.final_loss)[1] for rule, at in cheap.groupby("rule", sort=False)}
        best = min((rule for rule in medians if rule != "rflo"), key=lambda rule: medians[rule], default=None)
        if best is None:
            parts.append(untestable(title, "the table has no such rows"))
        else:
            parts.append(_ratio(f"{title}: {best}", rows, "rflo", str(best), at_most()))
    return parts


def rewards_say_less(tables: Tables) -> Sequence[Part]:
    """Rules that are told a reward against RFLO, and against each other."""
    pairs = (
        ("node-perturbation", "rflo", above()),
        ("reward-hybrid", "rflo", above()),
        ("reward-hybrid", "node-perturbation", below()),
    )
    return [
        _ratio(f"{title}: {first} over {second}", rows, first, second, test)
        for title, rows in _by_task(tables, PERIODIC)
        for first, second, test in pairs
    ]


def force_is_ahead(tables: Tables) -> Sequence[Part]:
    """FORCE against RFLO, whose first loss is that of untrained networks: FORCE learns within its first trial."""
    parts = []
    for title, rows in _by_task(tables, PERIODIC):
        force, rflo = (where(rows, {"rule": rule}) for rule in ("force", "rflo"))
        parts.append(compared(title, force, rflo, below(), Measure(bar=NOT_LEARNED * float(rflo.first_loss.median()))))
    return parts


CLAIMS = (
    Claim(
        "alignment does not explain performance",
        "How well a rule's updates point along the exact gradient does not explain how well it learns.",
        "Marschall, Cho and Savin 2020, JMLR 21",
        "median over networks of the rank correlation, over rules, of the cosine of update of W and minus the exact "
        "gradient, averaged over log-spaced trials of the rule's own training, and the final loss",
        f"the 99% interval lies within ±{CORRELATED:g}: less than a quarter of what the ranks vary by",
        alignment_says_nothing,
        reads=("final",),
    ),
    Claim(
        "SnAp-1 is cheap and far ahead of UORO",
        "SnAp-1 costs no more than BPTT and is far ahead of UORO.",
        "Menick et al. 2021, ICLR",
        "multiply-adds of a timestep, counted; " + RATIO.format("of SnAp-1", "of UORO with one draw"),
        "it costs no more, and with 99% confidence the loss is less than a factor of 3.2 below",
        snap_1_is_cheap,
        reads=("final",),
    ),
    Claim(
        "Kronecker factors beat UORO",
        "At equal cost Kronecker factors (KF-RTRL) beat UORO.",
        "Mujika, Meier and Steger 2018, NeurIPS",
        RATIO.format("of KF-RTRL", "of UORO with as many draws as cost no more, of those that were run"),
        AHEAD,
        kronecker_beats_uoro,
        reads=("final",),
    ),
    Claim(
        "immediate derivatives are enough with RMSprop",
        "With RMSprop, immediate derivatives (SnAp-0) match the exact gradient.",
        "arXiv 2603.28750",
        RATIO.format("of SnAp-0", "of BPTT, both with RMSprop"),
        SAME,
        immediate_is_enough,
        reads=("final",),
    ),
    Claim(
        "RFLO is as good as the best cheap rule",
        "Of the rules that cost no more, none is much better than RFLO.",
        "ours",
        RATIO.format("of RFLO", "of the cheap rule with the smallest median in the same table")
        + "; plain descent; cheap: no more multiply-adds than RFLO",
        NO_WORSE,
        rflo_is_as_good,
        reads=("final",),
    ),
    Claim(
        "a reward says less than the error",
        "Rules that learn from a reward (REINFORCE) end behind RFLO; less far with a reward at every step (the paper's "
        "hybrid) than with one a trial.",
        "ours, after the Discussion, which compares them without simulations",
        RATIO.format("of the first", "of the second"),
        f"against RFLO: {BEHIND}; the hybrid against one reward a trial: {AHEAD}",
        rewards_say_less,
        reads=("final",),
    ),
    Claim(
        "FORCE is ahead of RFLO",
        "Recursive least squares on the readout alone, fed back (FORCE), which is not local, end ahead of RFLO.",
        "ours, after the Discussion, which compares them without simulations",
        RATIO.format("of FORCE", "of RFLO"),
        AHEAD,
        force_is_ahead,
        reads=("final",),
    ),
)
