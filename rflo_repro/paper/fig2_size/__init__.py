"""Figure 2, supplement 3: more units, and larger initial weights."""

from rflo_repro.paper.choices import VARIANTS
from rflo_repro.paper.fig2_size.choices import Choices
from rflo_repro.runs.experiment import About

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
    place=24,
    sample=10,
)
