"""The study's choices: how much smaller than in the figures everything is, and how many variants there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rflo_repro.paper.choices import networks, root_seed, trials
from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import boolean, each, integer, open_choice, positive

ENTRY = "size-of-the-multiverse"
count = integer(0, 10_000)


@dataclass(frozen=True, kw_only=True)
class Reduced(Declared):
    """How much smaller than in the figures everything is. Raises ChoiceError for values out of range."""

    stored_as = "Reduced"

    n_networks: int = open_choice(9, ENTRY, "networks a condition", networks, option="networks")
    networks_fig4: int = open_choice(7, ENTRY, "networks a condition of Figure 4, if they are fewer", networks)
    trials_fig2: int = open_choice(10_000, ENTRY, "training trials of Figure 2 and its supplements", trials)
    trials_fig3: int = open_choice(5000, ENTRY, "training trials of Figure 3", trials)
    trials_fig4: int = open_choice(2500, ENTRY, "training trials of Figure 4, a stage", trials)
    periods_tau: tuple[float, ...] = open_choice(
        (20.0, 40.0, 80.0, 160.0), ENTRY, "periods of Figure 2, in tau", each(positive)
    )
    periods_supplements: tuple[float, ...] = open_choice(
        (20.0, 40.0), ENTRY, "periods of its supplements, in tau", each(positive)
    )
    n_rec: int = open_choice(100, ENTRY, "units in Figures 3 and 4, and at most in supplement 3", integer(1))
    stay_small: bool = open_choice(False, ENTRY, "whether variants of more trials are as short as the rest", boolean)
    seed: int = root_seed()

    def periods(self, figure: str) -> tuple[float, ...]:
        """The periods of a figure, none if it has none."""
        known = {"fig2": self.periods_tau, "fig3": (), "fig4": ()}
        return known.get(figure, self.periods_supplements)

    def reduced(self, figure: str) -> dict[str, Any]:
        """The choices by which a figure is smaller here, by name."""
        own: dict[str, dict[str, Any]] = {
            "fig3": {"n_trials": self.trials_fig3, "n_rec": self.n_rec},
            "fig4": {
                "n_trials": self.trials_fig4,
                "n_rec": self.n_rec,
                "n_networks": min(self.n_networks, self.networks_fig4),
            },
            "fig2-size": {
                "n_trials": self.trials_fig2,
                "sizes": tuple(n for n in (10, 20, 30, 50, 100) if n <= self.n_rec),
            },
        }
        return {"n_networks": self.n_networks, "seed": self.seed, **own.get(figure, {"n_trials": self.trials_fig2})}


@dataclass(frozen=True, kw_only=True)
class Choices(Reduced):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    n_fig2: int = open_choice(96, ENTRY, "variants of Figure 2", count)
    n_fig3: int = open_choice(96, ENTRY, "variants of Figure 3", count)
    n_fig4: int = open_choice(48, ENTRY, "variants of Figure 4", count)
    n_supplements: int = open_choice(24, ENTRY, "variants of each supplement of Figure 2", count)
    n_named: int = open_choice(
        6, ENTRY, "variants of Figures 2 and 3 in which each alternative out of the design is tried", integer(1, 100)
    )

    def n_variants(self, figure: str) -> int:
        """How many variants of a figure the design has, in which choices are combined."""
        return int(getattr(self, f"n_{figure}", self.n_supplements))

    def n_contexts(self, figure: str) -> int:
        """Under how many variants of a figure each alternative that is excluded from the design is tried."""
        return self.n_named if figure in ("fig2", "fig3") else 1
