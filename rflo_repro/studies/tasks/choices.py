"""The study's choices: how large the networks are, how long they are trained, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import networks, trials
from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import integer, number, open_choice, printed
from rflo_repro.runs.request import LIMITS

ENTRY = "tasks-of-the-field"


@dataclass(frozen=True, kw_only=True)
class Choices(Declared):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_match: int = open_choice(200, ENTRY, "units for match to sample", integer(1))
    n_evidence: int = open_choice(100, ENTRY, "units for evidence accumulation", integer(1))
    n_context: int = open_choice(150, ENTRY, "units for context-dependent integration", integer(1))
    n_flip_flop: int = open_choice(100, ENTRY, "units for the flip-flop", integer(1))
    n_reber: int = open_choice(100, ENTRY, "units for the Reber grammar", integer(1))
    tau: float = printed(10.0, "tau = 10", "Methods", "time constant of a unit, in timesteps", number(1.0))
    g: float = printed(1.5, "g = 1.5", "Methods", "initial recurrent weights have the variance g^2/N", number(0.0))
    n_trials: int = open_choice(10_000, ENTRY, "training trials", trials, option="trials")
    n_networks: int = open_choice(27, ENTRY, "random networks a task and rule", networks, option="networks")
    seed: int = open_choice(
        90216, "random-numbers", "root of all random numbers", integer(0, LIMITS["seed"]), option="seed"
    )
