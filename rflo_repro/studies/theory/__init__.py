"""What the paper derives, measured in random networks."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.theory.choices import Choices

ABOUT = About(
    home=__name__,
    command="theory",
    title="What the paper derives, in random networks; Figure 2c's control.",
    help="""\
    Measure what the paper derives: RTRL's update against batch BPTT's; the two statements of Appendix 2 in linear
    networks and in those of Figure 2; and RFLO's alignment with the recurrent weights held still. It takes some
    minutes.
    """,
    choices=Choices,
    order=10,
)
