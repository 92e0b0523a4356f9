"""The conditions of an experiment, and what its tables call them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

import pandas as pd

from rflo_repro.runs import tables
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.job import Condition
from rflo_repro.runs.request import RequestError, Selection

C = TypeVar("C")


def names_of(conditions: Sequence[Condition], schema: tables.Schema) -> list[str]:
    """Each condition's name in a table, once; those that have no rows in it left out."""
    rows = [dict(c.values) for c in conditions if schema.has(c.values)]
    return list(dict.fromkeys(tables.conditions(pd.DataFrame(rows), schema)))


def of_one_network(experiment: Experiment[C]) -> Experiment[C]:
    """The experiment with one network, where only its conditions count."""
    few = {
        name: dataclasses.replace(chosen, n_networks=1) if hasattr(chosen, "n_networks") else chosen  # type: ignore[type-var]
        for name, chosen in experiment.scales.items()
    }
    return dataclasses.replace(experiment, scales=few)


def of_scale(experiment: Experiment[Any], scale: str = "paper") -> Sequence[Condition]:
    """All conditions of a scale, none if it has no such scale; at tuned rates only once some have been tuned."""
    if scale not in experiment.scales:
        return ()
    choices, rates = experiment.scales[scale], experiment.about.rates
    try:
        return experiment.conditions(choices, Selection(rates=rates))
    except RequestError:
        return experiment.conditions(choices, Selection(rates=rates[:1]))
