"""The choices of Figure 3: the task, its delays, and the networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rflo_repro.paper.choices import H0, NetworkChoices, trials
from rflo_repro.runs.choices import (
    Alternative,
    ChoiceError,
    boolean,
    first_state,
    integer,
    open_choice,
    positive,
    printed,
)

if TYPE_CHECKING:
    from rflo_repro.tasks import IntervalMatchingTask

LONGEST_TAU = (15, 20, 25)


@dataclass(frozen=True, kw_only=True)
class Choices(NetworkChoices):
    """Raises ChoiceError for values out of range, and if n_trials is not a multiple of batch."""

    stored_as = "Choices"

    n_rec: int = printed(100, "N = 100", "Methods, Figure 3", "units", integer(1))
    h0: float | Literal["uniform", "normal"] = open_choice(
        0.0,
        "initial-state-intervals",
        H0,
        first_state,
        Alternative(0.1, "h(0) = 0.1"),
        Alternative(0.5, "h(0) = 0.5", design_only=True),
        Alternative(1.0, "h(0) = 1", design_only=True),
        Alternative("uniform", "h(0) ~ U(-1, 1)"),
        Alternative("normal", "h(0) ~ N(0, 1)", design_only=True),
    )
    n_trials: int = open_choice(
        5000,
        "trials-or-batches",
        "training trials in all",
        trials,
        Alternative(50_000, "5,000 batches", excluded=True),
        option="trials",
    )
    batch: int = printed(
        10, "batches of 10", "Methods, Figure 3", "trials between updates, which are summed", integer(1)
    )
    per_batch_average: bool = open_choice(
        False,
        "batches-are-summed",
        "whether the updates of a batch are averaged in place of summed",
        boolean,
        Alternative(True, "batches averaged"),
    )
    pulse_sd: float = printed(15.0, "SD = 15", "Methods, Figure 3", "SD of the pulses, in timesteps", positive)
    input_height: float = open_choice(
        1.0, "pulse-height", "height of the input pulses", positive, Alternative(2.0, "inputs twice as high")
    )
    channels: int = open_choice(
        2, "input-channels", "inputs for the two pulses", integer(1, 2), Alternative(1, "one input")
    )
    shortest_tau: int = open_choice(
        5,
        "delays",
        "shortest delay, in tau",
        integer(1, min(LONGEST_TAU)),
        Alternative(2, "from 2 τ on"),
        Alternative(10, "from 10 τ on"),
    )
    first_tau: int = open_choice(
        5, "delays", "time of the first pulse, in tau", integer(1), Alternative(10, "first pulse at 10 τ")
    )
    first_spread_tau: int = open_choice(
        0,
        "delays",
        "the first pulse of a training trial comes later by a random time of up to this, in tau",
        integer(0),
        Alternative(5, "first pulse 5 to 10 τ"),
    )
    tail_tau: int = open_choice(
        10, "delays", "time after the latest target, in tau", integer(0), Alternative(20, "20 τ after the target")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_trials % self.batch:
            raise ChoiceError(
                f"n_trials must be a multiple of batch ({self.batch}), got {self.n_trials}", "n_trials", "batch"
            )

    def task(self, longest_tau: int) -> IntervalMatchingTask:
        """The task with delays up to this many tau."""
        from rflo_repro.tasks import IntervalMatchingTask

        return IntervalMatchingTask(
            longest=round(longest_tau * self.tau),
            shortest=round(self.shortest_tau * self.tau),
            channels=self.channels,
            pulse_sd=self.pulse_sd,
            first=round(self.first_tau * self.tau),
            tail=round(self.tail_tau * self.tau),
            input_height=self.input_height,
            first_spread=round(self.first_spread_tau * self.tau),
        )

    def tests(self, longest_tau: int) -> tuple[int, ...]:
        """Delays of the test trials in timesteps: one every tau."""
        return tuple(round(delay * self.tau) for delay in range(self.shortest_tau, longest_tau + 1))
