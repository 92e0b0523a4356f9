"""The study's choices: how large its networks are, and how many."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import networks, trials
from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import each, integer, open_choice, positive
from rflo_repro.runs.request import LIMITS

ENTRY = "structure-of-the-weights"


@dataclass(frozen=True, kw_only=True)
class Choices(Declared):
    """Whatever is not here is as in Figure 2. Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_rec: int = open_choice(30, ENTRY, "units in one layer", integer(1))
    n_layer: int = open_choice(17, ENTRY, "units in each of two layers", integer(1))
    periods_tau: tuple[float, ...] = open_choice((20.0, 40.0), ENTRY, "periods, in tau", each(positive))
    n_trials: int = open_choice(10_000, ENTRY, "training trials", trials, option="trials")
    n_networks: int = open_choice(27, ENTRY, "random networks a condition", networks, option="networks")
    seed: int = open_choice(
        90216, "random-numbers", "root of all random numbers", integer(0, LIMITS["seed"]), option="seed"
    )
