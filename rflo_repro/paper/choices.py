"""The choices that the figures share, and those of the periodic task. Nothing numerical is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rflo_repro.runs.choices import (
    Alternative,
    ChoiceError,
    Choices,
    boolean,
    first_state,
    integer,
    limit,
    number,
    one_of,
    open_choice,
    printed,
)
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.request import LIMITS

if TYPE_CHECKING:
    from rflo_repro.learning.optimizers import Optimizer
    from rflo_repro.learning.rules import LearningRule

trials = integer(1, LIMITS["trials"])
networks = integer(1, LIMITS["networks"])
# A variant of Figure 2 that is computed as well (assumption `plain-updates`)
VARIANTS = {"clipped": (("clip", "0.3"),)}
H0 = "every unit's state before a trial, or drawn once a network: uniform, U(-1, 1), or normal, N(0, 1)"


def root_seed() -> Any:
    """The field `seed`."""
    check = integer(0, LIMITS["seed"])
    return open_choice(2019, "random-numbers", "root of all random numbers", check, option="seed")


@dataclass(frozen=True, kw_only=True)
class NetworkChoices(Choices):
    """How the networks of the paper's Methods are drawn, how many they are, and how long they are trained."""

    stored_as = "NetworkChoices"

    n_rec: int
    tau: float = printed(10.0, "tau = 10", "Methods", "time constant of a unit, in timesteps", number(1.0))
    g: float = printed(1.5, "g = 1.5", "Methods", "initial recurrent weights have the variance g^2/N", number(0.0))
    h0: float | Literal["uniform", "normal"]
    readout_scale: float = open_choice(
        1.0,
        "initial-readout",
        "factor of the initial Wout, U(-1, 1)/sqrt(N)",
        number(0.0),
        Alternative(0.1, "Wout / 10"),
    )
    noise: float = open_choice(
        0.0, "noise", "SD of Gaussian noise on the units' drive in training", number(0.0), Alternative(0.1, "noise 0.1")
    )
    optimizer: str = open_choice(
        "sgd",
        "plain-updates",
        "what becomes of an update: sgd, momentum, rmsprop or adam",
        one_of("sgd", "momentum", "rmsprop", "adam"),
        Alternative("rmsprop", "RMSprop", excluded=True),
    )
    clip: float | str = open_choice(
        "none",
        "plain-updates",
        "largest norm of an update, of all matrices together, or none",
        limit,
        Alternative(1.0, "norm of updates at most 1", design_only=True),
        Alternative(0.3, "norm of updates at most 0.3"),
        Alternative(0.1, "norm of updates at most 0.1", design_only=True),
        Alternative(0.03, "norm of updates at most 0.03", design_only=True),
    )
    online: bool = open_choice(
        False,
        "end-of-trial-updates",
        "whether rules that are local in time change the weights at every timestep",
        boolean,
        Alternative(True, "RFLO within the trial", excluded=True),
    )
    n_trials: int
    n_networks: int = open_choice(9, "number-of-networks", "random networks a condition", networks, option="networks")
    seed: int = root_seed()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, usual in (("optimizer", "sgd"), ("clip", "none")):
            if self.online and getattr(self, name) != usual:
                raise ChoiceError(f"{name} must be {usual} with online=true, got {getattr(self, name)}", name, "online")

    @property
    def init(self) -> Initialisation:
        """How networks are drawn."""
        return Initialisation(self.n_rec, self.tau, self.g, self.h0, self.readout_scale)

    def training(self, rule: str) -> dict[str, Any]:
        """How a session trains by this rule: its `online`, `optimizer` and `noise`."""
        from rflo_repro.learning.rules import resolve

        return {
            "online": self.online and resolve(rule).local_in_time,
            "optimizer": self.method,
            "noise": self.noise,
        }

    @property
    def method(self) -> str | Optimizer:
        """`optimizer` and `clip` in one."""
        if self.clip == "none":
            return self.optimizer
        from rflo_repro.learning.optimizers import Optimizer

        return Optimizer(self.optimizer, clip=self.clip)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class PeriodicChoices(NetworkChoices):
    """The periodic task's choices: Figure 2's. Raises ChoiceError for values out of range."""

    stored_as = "PeriodicChoices"

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
    h0: float | Literal["uniform", "normal"] = open_choice(
        0.1,
        "initial-state",
        H0,
        first_state,
        Alternative(0.5, "h(0) = 0.5"),
        Alternative(1.0, "h(0) = 1", design_only=True),
        Alternative("uniform", "h(0) ~ U(-1, 1)"),
        Alternative("normal", "h(0) ~ N(0, 1)", design_only=True),
    )
    reset_state: bool = open_choice(
        True,
        "state-between-trials",
        "whether every trial starts at h(0), or where the last one ended",
        boolean,
        Alternative(False, "state carried on", excluded=True),
    )
    per_trial_average: bool = open_choice(
        True,
        "per-trial-average",
        "whether a trial's update is divided by its timesteps",
        boolean,
        Alternative(False, "no 1/T", excluded=True),
    )
    n_trials: int = open_choice(
        10_000,
        "number-of-trials",
        "training trials",
        trials,
        Alternative(3000, "3,000", excluded=True),
        Alternative(100_000, "100,000", periods_tau=(160.0,), excluded=True),
        option="trials",
    )

    def learning_rule(self, rule: str) -> str | LearningRule:
        """The rule as it is run."""
        return rule


@dataclass(frozen=True, kw_only=True)
class SupplementChoices(PeriodicChoices):
    """Those of a supplement to Figure 2, whose text varies one thing and says nothing of the others."""

    stored_as = "SupplementChoices"

    n_rec: int = open_choice(
        30, "networks-of-the-supplements", "units", integer(1), Alternative(100, "N = 100", excluded=True)
    )
