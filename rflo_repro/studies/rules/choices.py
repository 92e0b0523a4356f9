"""The study's choices: the sample, the length of training, and what is measured of single draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rflo_repro.paper.choices import trials
from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import each, integer, number, open_choice, positive, printed
from rflo_repro.runs.request import LIMITS

if TYPE_CHECKING:
    from rflo_repro.studies.rules.own import Own

ENTRY = "sample-of-the-rules"


def rule_file(name: str, value: Any) -> tuple[Own, ...]:
    """The rules in a TOML file (docs/sweeps.md); none of no file. Raises ValueError."""
    if isinstance(value, (str, tuple)) and not value:
        return ()
    from rflo_repro.studies.rules import own

    return own.read(name, value)


@dataclass(frozen=True, kw_only=True)
class Choices(Declared):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_networks: int = open_choice(27, ENTRY, "networks a condition", integer(1, LIMITS["networks"]), option="networks")
    n_trials: int = open_choice(
        3000, ENTRY, "training trials of the periodic task and of the field's", trials, option="trials"
    )
    n_batches: int = open_choice(500, ENTRY, "batches of ten trials of interval matching", trials)
    n_movements: int = open_choice(5000, ENTRY, "training trials of the movements", trials)
    periods_tau: tuple[float, ...] = open_choice(
        (20.0, 40.0, 80.0), ENTRY, "periods of the periodic task, in tau", each(positive)
    )
    n_rec: int = printed(30, "N = 30", "Methods, Figure 2", "units that learn the periodic task", integer(1))
    n_rec_large: int = printed(100, "N = 100", "Methods, Figure 3", "units that learn the other tasks", integer(1))
    tau: float = printed(10.0, "tau = 10", "Methods", "time constant of a unit, in timesteps", number(1.0))
    n_draws: int = open_choice(100, ENTRY, "draws of a stochastic rule that are compared one by one", integer(1))
    n_networks_drawn: int = open_choice(9, ENTRY, "networks that they are drawn for", integer(1))
    sizes: tuple[int, ...] = open_choice((10, 20, 40, 80), ENTRY, "N of these networks", each(integer(1)))
    length_of_sizes: int = open_choice(200, ENTRY, "T in timesteps at each of these sizes", integer(1))
    lengths: tuple[int, ...] = open_choice((50, 100, 200, 400, 800), ENTRY, "T in timesteps at n_rec", each(integer(1)))
    n_points: int = open_choice(20, ENTRY, "log-spaced trials at which the update is compared", integer(2))
    seed: int = open_choice(
        90210, "random-numbers", "root of all random numbers", integer(0, LIMITS["seed"]), option="seed"
    )
    rule_file: tuple[Own, ...] = open_choice(
        (), ENTRY, "TOML file of rules of one's own (docs/sweeps.md)", rule_file, option="rule-file"
    )
