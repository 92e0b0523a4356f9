"""An experiment under a reading of the paper: some of its choices made otherwise, and files of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rflo_repro.runs.choices import vary
from rflo_repro.runs.experiment import About, Experiment

if TYPE_CHECKING:
    from rflo_repro.runs.claims import Tables
    from rflo_repro.runs.realisation import Condition
    from rflo_repro.runs.request import Selection


def renamed(experiment: Experiment[Any], about: About, scales: Mapping[str, Any]) -> Experiment[Any]:
    """The experiment with these choices, and with tables of the names that belong to `about`."""
    old = experiment.about.name
    schemas = {
        part: dataclasses.replace(schema, name=f"{about.name}_{schema.name.removeprefix(f'{old}_')}")
        for part, schema in experiment.schemas.items()
    }
    return dataclasses.replace(experiment, about=about, scales=scales, schemas=schemas)


def under(experiment: Experiment[Any], reading: str) -> Experiment[Any]:
    """The experiment under one of its named readings (`About.readings`), at the printed rates, which its tables call
    by the reading's name."""
    about = experiment.about
    sets, usual = about.readings[reading], about.rates[0]
    own = dataclasses.replace(
        about,
        home=f"{about.name}_{reading}",
        command=f"{about.command} --reading {reading}",
        title=f"{about.title} The reading `{reading}`: {in_words(sets)}.",
        rates=(usual,),
        apart=False,
    )

    def conditions(choices: Any, selection: Selection) -> list[Condition]:
        return [
            dataclasses.replace(
                condition,
                label=f"{condition.label} {reading}",
                values={**condition.values, "rates": reading},
            )
            if condition.values["rates"] == usual
            else condition
            for condition in experiment.conditions(choices, selection)
        ]

    def draw(tables: Tables, panels: Sequence[str]) -> Any:
        # a picture tells lines apart by the rates that it knows
        known = {part: frame.assign(rates=frame.rates.replace(reading, usual)) for part, frame in tables.items()}
        return None if experiment.draw is None else experiment.draw(known, panels)

    scales = {scale: vary(chosen, sets) for scale, chosen in experiment.scales.items()}
    return dataclasses.replace(renamed(experiment, own, scales), conditions=conditions, draw=draw)


def in_words(sets: Iterable[tuple[str, str]]) -> str:
    """What a reading chooses."""
    return " and ".join(f"{name}={value}" for name, value in sets)


def readings(experiment: Experiment[Any]) -> list[Experiment[Any]]:
    """The experiment under each of its named readings."""
    return [under(experiment, reading) for reading in experiment.about.readings]
