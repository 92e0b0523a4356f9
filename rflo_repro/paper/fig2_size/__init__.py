"""Figure 2, supplement 3: more units, and larger initial weights."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.paper.choices import VARIANTS, SupplementChoices
from rflo_repro.runs.choices import Alternative, ChoiceError, each, integer, number, open_choice, positive
from rflo_repro.runs.experiment import About


@dataclass(frozen=True, kw_only=True)
class Choices(SupplementChoices):
    """Panel a has every size at `g`, panel b every scale at `n_rec`.

    Raises ChoiceError for values out of range, and if the period is not whole timesteps.
    """

    stored_as = "Choices"

    period_tau: float = open_choice(
        20.0, "grids-of-supplement-3", "period learned, in tau", positive, Alternative(40.0, "40 τ")
    )
    sizes: tuple[int, ...] = open_choice(
        (10, 20, 30, 50, 100, 200), "grids-of-supplement-3", "N in panel a", each(integer(1))
    )
    scales: tuple[float, ...] = open_choice(
        (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5),
        "grids-of-supplement-3",
        "g in panel b",
        each(number(0.0)),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        from rflo_repro.paper.periodic import timesteps

        try:
            timesteps(self.period_tau, self.tau)
        except ValueError as error:
            raise ChoiceError(f"period_tau: {error}", "period_tau", "tau") from None


ABOUT = About(
    home=__name__,
    command="fig2-size",
    title="Loss against network size and initial weights (Figure 2 - supplement 3).",
    help="""\
    Draw Figure 2, supplement 3: RFLO at 20 tau on networks of different size and with initial weights of different
    standard deviation, at one fixed learning rate and at the rate tuned for each. At paper scale it takes some minutes
    on two cores.
    """,
    panels={
        "a": "final loss against the number of units N; a dot a network; crosses: the sample by which it is judged",
        "b": "final loss against the standard deviation of the initial recurrent weights, in units of 1/sqrt(N)",
    },
    selectors=("panel",),
    choices=Choices,
    rules=("rflo",),
    rates=("printed", "tuned"),
    variants=VARIANTS,
    order=24,
    sample=10,
)
