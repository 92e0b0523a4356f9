"""What was said of RFLO elsewhere and not shown: that it changes few directions, and that two layers are no better."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.structure.choices import Choices

ABOUT = About(
    home=__name__,
    command="fig-structure",
    title="How many directions of W learning changes, and two layers in place of one.",
    help="""\
    Train networks of Figure 2 at 20 and 40 tau at tuned rates by RFLO, local and BPTT, in one layer of 30 units and in
    two of 17, which have as many weights. At paper scale it takes about ten minutes on two cores.
    """,
    choices=Choices,
    rules=("bptt", "local", "rflo"),
    panels={
        "a": "one layer: the share of the squared change of W that its k largest singular values hold, median and "
        "quartiles over networks",
        "b": "final loss of two layers against one, a dot a network: the same number, not the same weights",
    },
    selectors=("period", "rule", "panel"),
    order=38,
)
