"""The choices of the search: those of the study, with fewer and other networks that are trained for shorter."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import trials
from rflo_repro.runs.choices import integer, open_choice
from rflo_repro.runs.request import LIMITS
from rflo_repro.studies.rules.choices import Choices as OfTheStudy

ENTRY = "rates-of-the-rules"


@dataclass(frozen=True, kw_only=True)
class Choices(OfTheStudy):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_networks: int = open_choice(9, ENTRY, "networks a condition", integer(1, LIMITS["networks"]), option="networks")
    n_trials: int = open_choice(
        1000, ENTRY, "training trials of the periodic task and of the field's", trials, option="trials"
    )
    n_batches: int = open_choice(167, ENTRY, "batches of ten trials of interval matching", trials)
    n_movements: int = open_choice(1667, ENTRY, "training trials of the movements", trials)
    seed: int = open_choice(90211, ENTRY, "root of all random numbers", integer(0, LIMITS["seed"]), option="seed")
