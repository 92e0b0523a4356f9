"""The study's choices: those of the locality figure, with as many networks as its claim takes."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import SupplementChoices, networks
from rflo_repro.runs.choices import open_choice


@dataclass(frozen=True, kw_only=True)
class Choices(SupplementChoices):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_networks: int = open_choice(27, "number-of-networks", "random networks a condition", networks, option="networks")
