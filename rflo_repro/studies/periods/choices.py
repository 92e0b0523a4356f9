"""The study's choices: which periods, which sizes, how many networks."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import networks, trials
from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import each, integer, open_choice, positive
from rflo_repro.runs.request import LIMITS

ENTRY = "sample-of-the-periods"


@dataclass(frozen=True, kw_only=True)
class Choices(Declared):
    """Whatever is not here is as in Figure 2. Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    periods_tau: tuple[float, ...] = open_choice(
        (5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0, 160.0), ENTRY, "periods, in tau", each(positive)
    )
    sizes: tuple[int, ...] = open_choice((30, 50), ENTRY, "numbers of units N", each(integer(1)))
    n_trials: int = open_choice(10_000, ENTRY, "training trials", trials, option="trials")
    n_networks: int = open_choice(45, ENTRY, "random networks a condition", networks, option="networks")
    seed: int = open_choice(
        90214, "random-numbers", "root of all random numbers", integer(0, LIMITS["seed"]), option="seed"
    )
