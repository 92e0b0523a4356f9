"""The confirmation sample: networks on which an experiment's claims are answered, fixed before any of them was seen.

Nothing is ever tuned on them. Their final tables alone are saved, in a folder beside the experiment's own. The first
sample is the one on which the rule of the answers was made; its tables stay, and are never computed anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rflo_repro.runs.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd

    from rflo_repro.runs.job import Arrays, Condition
    from rflo_repro.runs.request import Selection

FINAL = "final"
# What a picture's tables have the final table of the sample under, if there is one
PART = "sample"
# A claim of sameness takes so many times the networks of other claims
SAMENESS = 3


@dataclass(frozen=True)
class Sample:
    """Networks of a root seed of their own. name: its command, or what it is called. larger: whether there are more
    networks where sameness is claimed."""

    name: str
    seed: int
    folder: str
    larger: bool

    def folder_in(self, results: Path) -> Path:
        """Where the tables of this sample are, for the experiments in a folder of tables."""
        return results / self.folder

    def of(self, experiment: Experiment[Any]) -> Experiment[Any]:
        """An experiment on the sample: the same conditions, and of its tables the final one."""
        about = experiment.about
        larger = self.larger and bool(about.sameness)
        times = about.sample * (SAMENESS if larger else 1)
        scales = {
            scale: dataclasses.replace(chosen, seed=self.seed, n_networks=times * chosen.n_networks)
            for scale, chosen in experiment.scales.items()
        }

        def conditions(choices: Any, selection: Selection) -> Sequence[Condition]:
            found = experiment.conditions(choices, selection)
            return [self._cut(c, about.sameness) for c in found] if larger else found

        def tabulate(
            choices: Any, found: Sequence[Condition], results: Sequence[Sequence[Arrays]]
        ) -> Mapping[str, pd.DataFrame]:
            return {FINAL: experiment.tabulate(choices, found, results)[FINAL]}

        return dataclasses.replace(
            experiment,
            about=dataclasses.replace(
                about, command=f"{self.name} {about.command}", title=f"{about.title} More networks.", panels={}
            ),
            draw=None,
            scales=scales,
            schemas={FINAL: experiment.schemas[FINAL]},
            conditions=conditions,
            tabulate=tabulate,
        )

    def _cut(self, condition: Condition, sameness: Mapping[str, Sequence[Any]]) -> Condition:
        """The condition with a third of its networks where no sameness is claimed."""
        if all(condition.values[column] in values for column, values in sameness.items()):
            return condition
        fewer = condition.jobs[: max(1, len(condition.jobs) // SAMENESS)]
        return dataclasses.replace(condition, jobs=fewer)


CONFIRMATION = Sample("confirm", 90213, "confirmation", larger=True)
FIRST = Sample("first sample", 90210, "first_sample", larger=False)
SAMPLES = (CONFIRMATION, FIRST)
