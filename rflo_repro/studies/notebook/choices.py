"""The study's choices: the numbers of the author's example, and how many networks."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import networks, trials
from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import first_state, integer, number, open_choice, positive, printed
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.request import LIMITS

ENTRY = "published-example"


@dataclass(frozen=True, kw_only=True)
class Choices(Declared):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_rec: int = open_choice(50, ENTRY, "units", integer(1))
    tau: float = printed(10.0, "tau = 10", "Methods", "time constant of a unit, in timesteps", number(1.0))
    g: float = printed(1.5, "g = 1.5", "Methods", "initial recurrent weights have the variance g^2/N", number(0.0))
    h0: float | str = open_choice(
        0.1, ENTRY, "every unit's initial state, or drawn once a network: uniform or normal", first_state
    )
    readout_scale: float = open_choice(0.1, ENTRY, "factor of the initial Wout, U(-1, 1)/sqrt(N)", number(0.0))
    period: int = open_choice(
        100, ENTRY, "timesteps of a period, the first of which is h(0)'s and has no error", integer(2)
    )
    eta: float = open_choice(0.03, ENTRY, "learning rate of W and Wout, of an average over the whole period", positive)
    n_trials: int = open_choice(10_000, ENTRY, "training trials", trials, option="trials")
    n_networks: int = open_choice(200, ENTRY, "random networks a rule", networks, option="networks")
    seed: int = open_choice(
        90215, "random-numbers", "root of all random numbers", integer(0, LIMITS["seed"]), option="seed"
    )

    @property
    def init(self) -> Initialisation:
        """How networks are drawn."""
        return Initialisation(self.n_rec, self.tau, self.g, self.h0, self.readout_scale)  # type: ignore[arg-type]
