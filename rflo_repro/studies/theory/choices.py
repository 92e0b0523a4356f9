"""The study's choices: Figure 2's, whose networks it measures, and how many of them."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import PeriodicChoices, networks
from rflo_repro.runs.choices import Alternative, each, number, open_choice, positive


@dataclass(frozen=True, kw_only=True)
class Choices(PeriodicChoices):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_networks: int = open_choice(
        1000, "averages-of-the-appendix", "random networks a condition of Appendix 2", networks, option="networks"
    )
    periods_tau: tuple[float, ...] = open_choice(
        (20.0, 40.0, 80.0, 160.0), "averages-of-the-appendix", "periods of Appendix 2, in tau", each(positive)
    )
    g_linear: float = open_choice(
        0.5,
        "linear-networks",
        "recurrent weights of linear networks have the variance g_linear^2/N",
        number(0.0),
        Alternative(0.3, "g = 0.3"),
        Alternative(0.7, "g = 0.7"),
    )
    n_exact: int = open_choice(20, "number-of-networks", "networks in which RTRL and BPTT are compared", networks)
    n_control: int = open_choice(27, "number-of-networks", "networks a condition of the alignment's control", networks)
