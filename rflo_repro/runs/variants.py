"""What is derived from an experiment: variants with other choices, and networks of a sample, in files of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rflo_repro.runs.choices import vary
from rflo_repro.runs.experiment import About, Experiment
from rflo_repro.runs.sample import SAMPLES, Sample

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


@dataclass(frozen=True)
class Variant:
    """An experiment that has tables of its own: a figure or a study as it is, or derived from one.

    sample: on whose networks it is computed; None: its own.
    """

    experiment: Experiment[Any]
    sample: Sample | None = None

    @property
    def command(self) -> str:
        """What computes it."""
        return self.experiment.about.command

    def folder(self, results: Path) -> Path:
        """Where its tables are, for experiments whose tables are in `results`."""
        return results if self.sample is None else self.sample.folder_in(results)


def variants(about: About) -> list[Variant]:
    """An experiment as it is, in each of its named variants, and all of these on either sample if there is one."""
    whole = [about.experiment, *(under(about.experiment, name) for name in about.variants)]
    sampled = [Variant(sample.of(one), sample) for sample in SAMPLES if about.sample for one in whole]
    return [*map(Variant, whole), *sampled]
