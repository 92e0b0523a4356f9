"""Figure 2, supplement 2: training both sets of weights, the readout only, the recurrent weights only."""

from rflo_repro.paper.choices import VARIANTS, SupplementChoices
from rflo_repro.runs.experiment import About

ABOUT = About(
    home=__name__,
    command="fig2-readout",
    title="Both, readout only, recurrent only (Figure 2 - supplement 2).",
    help="""\
    Draw Figure 2, supplement 2: RFLO on recurrent and readout weights, on the readout only (whose output is then fed
    back into the units through B), and on the recurrent weights only. At paper scale it takes about a minute on two
    cores.
    """,
    panels={
        "a": "loss in training, shortest and longest period",
        "b": "final loss against period; a dot a network; crosses: the sample by which it is judged",
    },
    selectors=("period", "panel", "rule"),
    choices=SupplementChoices,
    rules=("rflo", "readout-only", "recurrent-only"),
    rates=("printed", "tuned"),
    variants=VARIANTS,
    order=23,
    sample=10,
    separate_figures=True,
)
