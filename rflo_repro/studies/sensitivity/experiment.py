"""What is run: of the readings of the paper (`readings`) those with one choice made otherwise than in the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pandas as pd

from rflo_repro.paper import registry
from rflo_repro.runs.choices import declared
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.job import Condition, Results
from rflo_repro.runs.learning_curves import summary
from rflo_repro.studies.readings import experiment as all_readings
from rflo_repro.studies.readings.choices import Reduced
from rflo_repro.studies.readings.experiment import Reading, Search
from rflo_repro.studies.sensitivity import ABOUT
from rflo_repro.studies.sensitivity.plot import draw

SCHEMA = replace(all_readings.SCHEMAS["readings"], name="sensitivity")


def readings(figure: str, chosen: Reduced) -> list[Reading]:
    """A figure as chosen, and with each alternative that is declared beside its choices; printed ones come last."""
    known = declared(registry.figures()[figure].experiment.scales["paper"]).items()
    others = [
        ({name: other.value}, other.periods_tau)
        for name, choice in sorted(known, key=lambda item: item[1].printed)
        for other in choice.alternatives
        if not other.jointly and not (chosen.stay_small and name in chosen.reduced(figure))
    ]
    kinds: list[tuple[str, Mapping[str, Any], tuple[float, ...]]] = [("as chosen", {}, ())]
    kinds += [("alone", *other) for other in others]
    return [Reading(figure, number, *kind) for number, kind in enumerate(kinds)]


SEARCH = Search(readings)


def tabulate(choices: Reduced, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The table of SCHEMA."""
    return {"sensitivity": SEARCH.tabulate(choices, found, results)["readings"]}


EXPERIMENT = Experiment(
    about=ABOUT,
    draw=draw,
    scales={
        scale: Reduced(**{field.name: getattr(chosen, field.name) for field in fields(Reduced)})
        for scale, chosen in all_readings.EXPERIMENT.scales.items()
    },
    schemas={"sensitivity": SCHEMA},
    conditions=SEARCH.conditions,
    tabulate=tabulate,
    summary=summary,
)
