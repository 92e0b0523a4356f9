"""What is run: many variants of each figure, of which some combine alternatives and some change one or two choices.

Learning rates are the paper's: a variant is what the paper may have meant, and its rates are what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.paper.rates import condition_key
from rflo_repro.runs.choices import declared, written
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Condition, Results, by_network
from rflo_repro.runs.learning_curves import FINAL, final_loss, summary
from rflo_repro.runs.outcomes import outcome, zero_output_loss
from rflo_repro.runs.request import Selection
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.by_losses import IN_TABLES, ByLosses, by_losses
from rflo_repro.stats.claims import Part, Tables
from rflo_repro.stats.statistics import interval
from rflo_repro.studies.multiverse import ABOUT, PANELS, design
from rflo_repro.studies.multiverse.choices import Choices, Reduced

LONGEST_TAU = 15  # Figure 3's


@dataclass(frozen=True)
class Variant:
    """A figure with some of its choices made otherwise.

    number: 0 is the baseline; then come those of the design, and then those excluded from it.
    kind: `BASELINE`, `DESIGN` or `EXCLUDED`. sets: fields of the figure's choices.
    """

    figure: str
    number: int
    kind: str
    sets: Mapping[str, Any] = field(default_factory=dict)
    periods_tau: tuple[float, ...] = ()

    @property
    def written(self) -> str:
        """Its choices, each as `--set` takes it."""
        return "; ".join(f"{name}={written(value)}" for name, value in self.sets.items())


_NAMED = (
    Column("figure", "text", "", "the figure command whose variant it is"),
    Column("reading", "integer", "", "number of the variant; 0 is the baseline"),
    Column(
        "kind",
        "text",
        "",
        "as chosen: the baseline; joint: of the design; alone: one excluded from the design, with at most one other",
    ),
    Column("choices", "text", "", "what is chosen otherwise, each as --set takes it"),
)
SCHEMAS = {
    "readings": Schema(
        "readings",
        "one part of a claim in one variant",
        (
            *_NAMED,
            Column("claim", "text", "", "the claim"),
            Column("part", "text", "", "part of the claim"),
            Column("primary", "flag", "", "whether the claim's verdict rests on the part"),
            Column("verdict", "text", "", "verdict on the part, if its claim alone is asked"),
            Column(
                "estimate", "number", "", "the part's effect, as the report says for each claim; empty if untestable"
            ),
            Column("unit", "text", "", "the effect's, its interval's and the shift's; empty if it has none"),
            Column("low", "number", "", "lower end of its interval over networks"),
            Column("high", "number", "", "upper end"),
            Column("k", "integer", "", "networks on the estimate's side"),
            Column("n_networks", "integer", "", "networks in the interval"),
            Column("inside", "number", "", "by how much the estimate lies where the claim says; below 0: outside"),
            Column("shift", "number", "", "median, by network, of the effect less the baseline's"),
            Column("shift_low", "number", "", "lower end of its interval over networks"),
            Column("shift_high", "number", "", "upper end"),
        ),
        ("figure", "reading"),
    ),
    "final": Schema(
        "readings_final",
        "one trained network",
        (
            *_NAMED[:2],
            Column("condition", "text", "", "what tells the condition from others of the figure"),
            *(c for c in FINAL if c.name in ("network", "first_loss", "final_loss", "outcome")),
        ),
        ("figure", "reading", "condition"),
    ),
}


def variants(figure: str, chosen: Choices) -> list[Variant]:
    """All of a figure: the baseline, those of the design, and each alternative excluded from it in a few contexts."""
    known = registry.figures()[figure].experiment.scales["paper"]
    n = chosen.n_contexts(figure)
    others = [
        ({**sets, name: other.value}, other.periods_tau)
        for name, choice in declared(known).items()
        for other in choice.alternatives
        if other.excluded and not choice.printed and not (chosen.stay_small and name in chosen.reduced(figure))
        for sets in design.contexts(figure, n, {name: other.value})
    ]
    kinds: list[tuple[str, Mapping[str, Any], tuple[float, ...]]] = [
        (design.BASELINE, {}, ()),
        *((design.DESIGN, sets, ()) for sets in design.variants(figure, chosen.n_variants(figure))),
        *((design.EXCLUDED, *other) for other in others),
    ]
    return [Variant(figure, number, *kind) for number, kind in enumerate(kinds)]


def choices_of(variant: Variant, chosen: Reduced) -> Any:
    """The figure's choices in a variant."""
    of_figure = registry.figures()[variant.figure].experiment.scales["paper"]
    return replace(of_figure, **{**chosen.reduced(variant.figure), **variant.sets})


def conditions_of(variant: Variant, chosen: Reduced) -> list[Condition]:
    """The figure's conditions in a variant, in Figure 3 those with the shortest delays."""
    periods = variant.periods_tau or chosen.periods(variant.figure)
    figure = registry.figures()[variant.figure]
    asked = Selection(periods_tau=periods, rates=figure.rates[:1])
    found = figure.experiment.conditions(choices_of(variant, chosen), asked)
    return [c for c in found if c.values.get("longest_tau", LONGEST_TAU) == LONGEST_TAU]


def _values(variant: Variant) -> dict[str, Any]:
    return {"figure": variant.figure, "reading": variant.number, "kind": variant.kind, "choices": variant.written}


@dataclass(frozen=True)
class VariantStudy:
    """Runs and judges the variants of each figure, which `known` lists by the figure's command, the baseline first."""

    known: Callable[[str, Any], list[Variant]]

    def conditions(self, choices: Reduced, selection: Selection) -> list[Condition]:
        """Those of every variant of the figures that are asked for."""
        figures = [figure for panel in selection.panels or PANELS for figure in PANELS[panel]]
        return [
            replace(
                condition,
                label=f"{figure} variant {variant.number}: {condition.label}",
                values={**condition.values, **named, "condition": condition_key(condition.values)},
            )
            for figure in figures
            for variant in self.known(figure, choices)
            for named in [_values(variant)]
            for condition in conditions_of(variant, choices)
        ]

    def tabulate(self, choices: Reduced, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
        """The tables of SCHEMAS."""
        parts: list[Mapping[str, Any]] = []
        final: list[Mapping[str, Any]] = []
        for figure in dict.fromkeys(str(c.values["figure"]) for c in found):
            known = self.known(figure, choices)
            first: dict[tuple[str, str], tuple[Part, ByLosses]] = {}
            mine = [(c, row) for c, row in zip(found, results, strict=True) if c.values["figure"] == figure]
            for number, group in groupby(mine, lambda pair: pair[0].values["reading"]):
                own, rows = zip(*group, strict=True)
                judged = _judged(known[number], _frames(known[number], choices, own, rows))
                first = first or judged
                parts += [_row(known[number], key, *found, first.get(key)) for key, found in judged.items()]
                final += _final(own, rows)
        return {"readings": pd.DataFrame(parts), "final": pd.DataFrame(final)}


def _frames(variant: Variant, chosen: Reduced, found: Sequence[Condition], results: Results) -> Tables:
    """The figure's own tables in a variant."""
    ours = {column.name for column in _NAMED if column.name != "figure"} | {"condition"}
    named = [replace(c, values={name: v for name, v in c.values.items() if name not in ours}) for c in found]
    return registry.figures()[variant.figure].experiment.tabulate(choices_of(variant, chosen), named, results)


def _judged(variant: Variant, frames: Tables) -> dict[tuple[str, str], tuple[Part, ByLosses]]:
    """The figure's claims judged from its tables: each part with its answer, by the claim's name and its own."""
    return {
        (claim.name, part.what): (part, answer)
        for claim in registry.figures()[variant.figure].experiment.claims
        if claim.varied
        for finding in claim.findings(frames)
        for part, answer in zip(finding.parts, by_losses(finding.parts), strict=True)
    }


def _row(
    variant: Variant, key: tuple[str, str], part: Part, answer: ByLosses, first: tuple[Part, ByLosses] | None
) -> dict[str, Any]:
    """A part of a claim, its effects compared with the baseline's on the same networks."""
    seen, before = part.interval, () if first is None else first[0].effects
    shift = interval(_less(part.effects, before)) if len(before) == len(part.effects) > 0 else None
    return {
        **_values(variant),
        "claim": key[0],
        "part": key[1],
        "primary": part.primary,
        "verdict": IN_TABLES[answer],
        "estimate": seen.estimate if seen else np.nan,
        "unit": part.unit if seen else "",
        "low": seen.low if seen else np.nan,
        "high": seen.high if seen else np.nan,
        "k": part.k,
        "n_networks": seen.n if seen else 0,
        "inside": part.inside,
        "shift": shift.estimate if shift else np.nan,
        "shift_low": shift.low if shift else np.nan,
        "shift_high": shift.high if shift else np.nan,
    }


def _less(effects: Sequence[float], before: Sequence[float]) -> npt.NDArray[np.float64]:
    """The differences; two infinities of one sign are alike."""
    one, other = np.array(effects), np.array(before)
    found: npt.NDArray[np.float64] = np.subtract(one, other, where=one != other, out=np.zeros(len(one)))
    return found


def _final(found: Sequence[Condition], results: Results) -> Iterator[dict[str, Any]]:
    for condition, network, arrays in by_network(found, results):
        went, _ = outcome(arrays["loss"], bool(arrays["diverged"]), zero_output_loss(arrays["targets"]))
        yield {
            **condition.values,
            "network": network,
            "first_loss": arrays["loss"][0],
            "final_loss": final_loss(arrays),
            "outcome": went,
        }


STUDY = VariantStudy(variants)
EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        "paper": Choices(),
        "quick": Choices(
            n_fig2=6, n_fig3=4, n_fig4=2, n_supplements=2, n_named=1, n_networks=5, trials_fig2=300, trials_fig3=100,
            trials_fig4=50, periods_tau=(20.0, 40.0), periods_supplements=(20.0,), n_rec=30, stay_small=True,
        ),
        "smoke": Choices(
            n_fig2=2, n_fig3=2, n_fig4=1, n_supplements=1, n_named=2, n_networks=2, networks_fig4=2, trials_fig2=10,
            trials_fig3=10, trials_fig4=2, periods_tau=(2.0, 4.0), periods_supplements=(2.0, 4.0), n_rec=10,
            stay_small=True,
        ),
    },
    schemas=SCHEMAS,
    conditions=STUDY.conditions,
    tabulate=STUDY.tabulate,
    summary=summary,
)  # fmt: skip
