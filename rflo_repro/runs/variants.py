"""A variant of an experiment: some of its choices made otherwise, and files of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rflo_repro.runs.choices import vary
from rflo_repro.runs.experiment import About, Experiment

if TYPE_CHECKING:
    from rflo_repro.runs.job import Condition
    from rflo_repro.runs.request import Selection
    from rflo_repro.stats.claims import Tables


def renamed(experiment: Experiment[Any], about: About, scales: Mapping[str, Any]) -> Experiment[Any]:
    """The experiment with these choices, and with tables of the names that belong to `about`."""
    old = experiment.about.name
    schemas = {
        part: dataclasses.replace(schema, name=f"{about.name}_{schema.name.removeprefix(f'{old}_')}")
        for part, schema in experiment.schemas.items()
    }
    return dataclasses.replace(experiment, about=about, scales=scales, schemas=schemas)


def under(experiment: Experiment[Any], variant: str) -> Experiment[Any]:
    """One of the experiment's named variants (`About.variants`), at the paper's learning rates, which its tables call
    by the variant's name."""
    about = experiment.about
    sets, usual = about.variants[variant], about.rates[0]
    own = dataclasses.replace(
        about,
        home=f"{about.name}_{variant}",
        command=f"{about.command} --variant {variant}",
        title=f"{about.title} The variant `{variant}`: {in_words(sets)}.",
        rates=(usual,),
        separate_figures=False,
        sample=about.sample_of.get(variant, about.sample),
    )

    def conditions(choices: Any, selection: Selection) -> list[Condition]:
        return [
            dataclasses.replace(
                condition,
                label=f"{condition.label} {variant}",
                values={**condition.values, "rates": variant},
            )
            if condition.values["rates"] == usual
            else condition
            for condition in experiment.conditions(choices, selection)
        ]

    def draw(tables: Tables, panels: Sequence[str]) -> Any:
        # a picture tells lines apart by the rates that it knows
        known = {part: frame.assign(rates=frame.rates.replace(variant, usual)) for part, frame in tables.items()}
        return None if experiment.draw is None else experiment.draw(known, panels)

    scales = {scale: vary(chosen, _scaled(sets, chosen, experiment)) for scale, chosen in experiment.scales.items()}
    return dataclasses.replace(renamed(experiment, own, scales), conditions=conditions, draw=draw)


def _scaled(sets: Sequence[tuple[str, str]], chosen: Any, experiment: Experiment[Any]) -> list[tuple[str, str]]:
    """The variant's choices at a scale: where it has more trials than the paper's, it has so in proportion."""
    usual = experiment.scales["paper"]
    return [
        (name, str(int(value) * chosen.n_trials // usual.n_trials) if name == "n_trials" else value)
        for name, value in sets
    ]


def in_words(sets: Iterable[tuple[str, str]]) -> str:
    """What a variant chooses."""
    return " and ".join(f"{name}={value}" for name, value in sets)


def variants(experiment: Experiment[Any]) -> list[Experiment[Any]]:
    """The experiment in each of its named variants."""
    return [under(experiment, variant) for variant in experiment.about.variants]
