"""The choices of Figure 4: the movements, the loop, and the networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rflo_repro.paper.choices import H0, NetworkChoices, trials
from rflo_repro.runs.choices import (
    Alternative,
    boolean,
    first_state,
    integer,
    number,
    one_of,
    open_choice,
    positive,
    printed,
)

if TYPE_CHECKING:
    from rflo_repro.tasks import Reaching


def _sequence(name: str, value: Any) -> str:
    from rflo_repro.learning import validate
    from rflo_repro.tasks.reaching import DIRECTIONS

    # each once: the loop has a transition to learn from wherever exploration leads
    if not isinstance(value, str) or sorted(value.split()) != sorted(DIRECTIONS):
        raise ValueError(f"{name} must be {', '.join(DIRECTIONS)} in any order, got {validate.short_repr(value)}")
    return str(value)


@dataclass(frozen=True, kw_only=True)
class Choices(NetworkChoices):
    """Raises ChoiceError for values out of range, and for a sequence that is none."""

    stored_as = "Choices"

    n_rec: int = printed(100, "N = 100", "Methods, Figure 4", "units", integer(1))
    h0: float | Literal["uniform", "normal"] = open_choice(
        0.1,
        "whole-sequence",
        H0,
        first_state,
        Alternative(0.5, "h(0) = 0.5"),
        Alternative(1.0, "h(0) = 1", design_only=True),
        Alternative("uniform", "h(0) ~ U(-1, 1)", design_only=True),
        Alternative("normal", "h(0) ~ N(0, 1)", design_only=True),
    )
    syllable_tau: int = printed(20, "20 tau a syllable", "Results", "length of a movement, and of a hold", integer(1))
    input_in_hold: bool = open_choice(
        False,
        "holds",
        "whether a movement's input stays on in its hold",
        boolean,
        Alternative(True, "input on in the hold"),
    )
    amplitude: float = open_choice(
        1.0, "tonic-amplitude", "amplitude of the tonic inputs", number(), Alternative(2.0, "inputs twice as high")
    )
    profile: str = open_choice(
        "constant",
        "velocity-profile",
        "speed in a movement: constant, or bell: sin^2",
        one_of("constant", "bell"),
        Alternative("bell", "sin² speed"),
    )
    reset_state: bool = open_choice(
        False,
        "state-between-movements",
        "whether the state starts anew in every trial of stage 1",
        boolean,
        Alternative(True, "state reset in stage 1"),
    )
    bound: float = open_choice(
        1.0,
        "bounds-and-directions",
        "the cursor stays within -bound..bound, in movements",
        # a movement from the origin, where the cursor begins, is one long
        number(1.0),
        Alternative(1000.0, "no bounds"),
    )
    sequence: str = open_choice(
        "right up left down",
        "target-sequence",
        "the four directions in order",
        _sequence,
        Alternative("up right down left", "another sequence"),
    )
    read_at: str = open_choice(
        "movement",
        "time-of-choice",
        "at whose end the loop reads the state: movement or hold",
        one_of("movement", "hold"),
        Alternative("hold", "read at the hold's end"),
    )
    n_trials: int = printed(
        10_000, "10,000 trials", "Methods, Figure 4", "trials of each stage", trials, option="trials"
    )
    moves: int = open_choice(
        1,
        "trial-of-stage-2",
        "movements, with a choice after each, in a trial of stage 2",
        integer(1),
        Alternative(4, "four movements a trial"),
    )
    run_from: str = open_choice(
        "stage2",
        "free-run",
        "where the run of the learned sequence begins: stage2, where that ended, or h0",
        one_of("stage2", "h0"),
        Alternative("h0", "run from h(0)"),
    )
    whole: float = open_choice(
        2.0,
        "whole-sequence",
        "trials without the loop, as a multiple of n_trials",
        positive,
        Alternative(0.5, "as many timesteps"),
        Alternative(4.0, "twice as many trials"),
    )
    p_explore: float = printed(
        0.1, "p_explore = 0.1", "Methods, Figure 4", "chance of a random choice", number(0.0, 1.0)
    )
    eta_s: float = open_choice(
        0.03,
        "rates-of-the-sequence",
        "learning rate of Ws",
        number(0.0),
        Alternative(0.01, "eta_s = 0.01"),
        Alternative(0.1, "eta_s = 0.1"),
    )

    @property
    def reaching(self) -> Reaching:
        """The movements."""
        from rflo_repro.tasks import Reaching

        return Reaching(
            round(self.syllable_tau * self.tau), self.bound, self.profile, self.amplitude, self.input_in_hold
        )

    @property
    def directions(self) -> tuple[int, ...]:
        """The sequence as indices."""
        from rflo_repro.tasks.reaching import DIRECTIONS

        return tuple(DIRECTIONS.index(word) for word in self.sequence.split())

    @property
    def n_trials_whole(self) -> int:
        """Trials of the networks without the loop."""
        return max(1, round(self.whole * self.n_trials))
