"""The study's choices: how much smaller than in the figures everything is."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import networks, root_seed, trials
from rflo_repro.runs.choices import Choices as Declared
from rflo_repro.runs.choices import each, flag, integer, open_choice, positive, word

ENTRY = "scale-of-the-sensitivity"


@dataclass(frozen=True, kw_only=True)
class Choices(Declared):
    """Raises ChoiceError for values out of range."""

    n_networks: int = open_choice(5, ENTRY, "networks a condition", networks, option="networks")
    trials_fig2: int = open_choice(3000, ENTRY, "training trials of Figure 2", trials)
    trials_fig3: int = open_choice(1500, ENTRY, "training trials of Figure 3", trials)
    trials_fig4: int = open_choice(600, ENTRY, "training trials of Figure 4, a stage", trials)
    periods_tau: tuple[float, ...] = open_choice(
        (20.0, 40.0, 80.0), ENTRY, "periods of Figure 2, in tau", each(positive)
    )
    rates: str = open_choice("tuned", ENTRY, "learning rates of Figure 2", word("printed", "tuned"))
    n_rec: int = open_choice(100, ENTRY, "units in Figures 3 and 4", integer(1))
    stay_small: bool = open_choice(False, ENTRY, "whether alternatives with more trials are as short as the rest", flag)
    seed: int = root_seed()
