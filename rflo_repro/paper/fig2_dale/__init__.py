"""Figure 2, supplement 1: RFLO under Dale's law."""

from rflo_repro.paper.choices import VARIANTS, SupplementChoices
from rflo_repro.runs.experiment import About

ABOUT = About(
    home=__name__,
    command="fig2-dale",
    title="RFLO with sign-constrained weights (Figure 2 - supplement 1).",
    help="""\
    Draw Figure 2, supplement 1: RFLO on networks of which half the units are excitatory and half inhibitory, beside
    RFLO without the constraint. Weights are clipped at zero after each update. At paper scale it takes about a minute
    on two cores.
    """,
    panels={
        "a": "loss in training, shortest and longest period",
        "b": "final loss against period; a dot a network; crosses: the sample by which it is judged",
    },
    selectors=("period", "panel"),
    choices=SupplementChoices,
    rules=("rflo",),
    rates=("printed", "tuned"),
    variants=VARIANTS,
    order=22,
    sample=10,
    sameness={"period_tau": (20.0, 40.0, 80.0)},
    separate_figures=True,
)
