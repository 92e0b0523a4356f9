"""The sample on which an experiment's claims are judged: more networks, fixed before any of them was seen.

Nothing is ever tuned on them. Their final tables alone are kept, in a folder beside the experiment's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rflo_repro.runs.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd

    from rflo_repro.runs.realisation import Arrays, Condition

SEED = 90210
FINAL = "final"
# What a picture's tables have the final table of the sample under, if there is one
PART = "sample"


def place(results: Path) -> Path:
    """Where the samples of the experiments in a folder of tables are."""
    return results / "verdicts"


def of(experiment: Experiment[Any]) -> Experiment[Any]:
    """An experiment on its sample: the same conditions, and of its tables the final one."""
    about = experiment.about
    scales = {
        scale: dataclasses.replace(chosen, seed=SEED, n_networks=about.sample * chosen.n_networks)
        for scale, chosen in experiment.scales.items()
    }

    def tabulate(
        choices: Any, found: Sequence[Condition], results: Sequence[Sequence[Arrays]]
    ) -> Mapping[str, pd.DataFrame]:
        return {FINAL: experiment.tabulate(choices, found, results)[FINAL]}

    return dataclasses.replace(
        experiment,
        about=dataclasses.replace(
            about, command=f"verdicts {about.command}", title=f"Networks to judge by: {about.title}", panels={}
        ),
        draw=None,
        scales=scales,
        schemas={FINAL: experiment.schemas[FINAL]},
        tabulate=tabulate,
    )
