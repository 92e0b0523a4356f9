"""The choices that the figures share, and those of the periodic task. Nothing numerical is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rflo_repro.runs.choices import Alternative, Choices, first_state, flag, integer, number, open_choice, printed
from rflo_repro.runs.recipe import Recipe
from rflo_repro.runs.request import LIMITS

trials = integer(1, LIMITS["trials"])
networks = integer(1, LIMITS["networks"])


def root_seed() -> Any:
    """The field `seed`."""
    check = integer(0, LIMITS["seed"])
    return open_choice(2019, "random-numbers", "root of all random numbers", check, option="seed")


@dataclass(frozen=True, kw_only=True)
class NetworkChoices(Choices):
    """How the networks of the paper's Methods are drawn, how many they are, and how long they are trained."""

    n_rec: int
    tau: float = printed(10.0, "tau = 10", "Methods", "time constant of a unit, in timesteps", number(1.0))
    g: float = printed(1.5, "g = 1.5", "Methods", "initial recurrent weights have the variance g^2/N", number(0.0))
    h0: float | Literal["uniform"]
    n_trials: int
    n_networks: int = open_choice(9, "number-of-networks", "random networks a condition", networks, option="networks")
    seed: int = root_seed()

    @property
    def recipe(self) -> Recipe:
        """How networks are drawn."""
        return Recipe(self.n_rec, self.tau, self.g, self.h0)


@dataclass(frozen=True, kw_only=True)
class PeriodicChoices(NetworkChoices):
    """The periodic task's choices: Figure 2's. Raises ChoiceError for values out of range."""

    n_rec: int = printed(30, "N = 30", "Methods, Figure 2", "units", integer(1))
    g: float = printed(
        1.5,
        "g = 1.5",
        "Methods",
        "initial recurrent weights have the variance g^2/N",
        number(0.0),
        Alternative(1.2, "g = 1.2"),
        Alternative(1.8, "g = 1.8"),
    )
    feedback_scale: float = printed(
        1.0,
        "B ~ N(0, 1)",
        "Methods",
        "factor of B where it carries the error, which is one of the rates of W and Win",
        number(0.0),
        Alternative(1 / 3, "B / 3"),
        Alternative(3.0, "3 B"),
    )
    h0: float | Literal["uniform"] = open_choice(
        0.1,
        "initial-state",
        "every unit's state before a trial, or uniform: U(-1, 1) drawn once a network",
        first_state,
        Alternative(0.5, "h(0) = 0.5"),
        Alternative("uniform", "h(0) ~ U(-1, 1)"),
    )
    reset_state: bool = open_choice(
        True,
        "state-between-trials",
        "whether every trial starts at h(0), or where the last one ended",
        flag,
        Alternative(False, "state carried on", alone=True),
    )
    online: bool = open_choice(
        False,
        "end-of-trial-updates",
        "whether rules that are local in time change the weights at every timestep",
        flag,
        Alternative(True, "RFLO within the trial", alone=True),
    )
    per_trial_average: bool = open_choice(
        True,
        "per-trial-average",
        "whether a trial's update is divided by its timesteps",
        flag,
        Alternative(False, "no 1/T", alone=True),
    )
    n_trials: int = open_choice(
        10_000,
        "number-of-trials",
        "training trials",
        trials,
        Alternative(3000, "3,000", alone=True),
        Alternative(100_000, "100,000 at 160 τ", periods_tau=(160.0,), alone=True),
        option="trials",
    )


@dataclass(frozen=True, kw_only=True)
class SupplementChoices(PeriodicChoices):
    """Those of a supplement to Figure 2, whose text varies one thing and says nothing of the others."""

    n_rec: int = open_choice(
        30, "networks-of-the-supplements", "units", integer(1), Alternative(100, "N = 100", alone=True)
    )
