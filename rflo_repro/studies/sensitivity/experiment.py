"""What is run: the variants of each figure with one choice made otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.runs.choices import declared
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Condition, Results
from rflo_repro.runs.learning_curves import summary
from rflo_repro.studies.multiverse import experiment as multiverse
from rflo_repro.studies.multiverse.choices import Reduced
from rflo_repro.studies.multiverse.design import BASELINE, EXCLUDED
from rflo_repro.studies.multiverse.experiment import Variant, VariantStudy
from rflo_repro.studies.sensitivity import ABOUT

SCHEMA = replace(multiverse.SCHEMAS["readings"], name="sensitivity")


def variants(figure: str, chosen: Reduced) -> list[Variant]:
    """The baseline of a figure, and each alternative to one of its choices; those to a value of the paper come last."""
    known = declared(registry.figures()[figure].experiment.scales["paper"]).items()
    others = [
        ({name: other.value}, other.periods_tau)
        for name, choice in sorted(known, key=lambda item: item[1].printed)
        for other in choice.alternatives
        if not other.design_only and not (chosen.stay_small and name in chosen.reduced(figure))
    ]
    kinds: list[tuple[str, Mapping[str, Any], tuple[float, ...]]] = [(BASELINE, {}, ())]
    kinds += [(EXCLUDED, *other) for other in others]
    return [Variant(figure, number, *kind) for number, kind in enumerate(kinds)]


STUDY = VariantStudy(variants)


def tabulate(choices: Reduced, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    return {"sensitivity": STUDY.tabulate(choices, found, results)["readings"]}


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=plot_of(ABOUT),
    scales={
        scale: Reduced(**{field.name: getattr(chosen, field.name) for field in fields(Reduced)})
        for scale, chosen in multiverse.EXPERIMENT.scales.items()
    },
    schemas={"sensitivity": SCHEMA},
    conditions=STUDY.conditions,
    tabulate=tabulate,
    summary=summary,
)
