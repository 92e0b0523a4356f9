"""The study's choices: which sizes are timed."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import each, integer, open_choice


@dataclass(frozen=True, kw_only=True)
class Choices(Declared):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    # RTRL grows with the fourth power: at 64 units a single step takes milliseconds
    sizes_rtrl: tuple[int, ...] = open_choice(
        (4, 8, 12, 16, 24, 32, 48, 64), "sizes-timed", "N at which RTRL is timed", each(integer(1))
    )
    sizes: tuple[int, ...] = open_choice(
        (8, 16, 30, 64, 100, 200, 400, 1000), "sizes-timed", "N at which RFLO and BPTT are timed", each(integer(1))
    )
    n_steps_rtrl: int = open_choice(50, "sizes-timed", "timesteps of a trial of RTRL", integer(1))
    n_steps: int = open_choice(800, "sizes-timed", "timesteps of a trial of RFLO and BPTT", integer(1))
