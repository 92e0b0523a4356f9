"""The author's published example, the only losses that he prints: how they lie among those of 200 networks."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.notebook.choices import Choices

ABOUT = About(
    home=__name__,
    command="fig-notebook",
    title="The author's published example: where its two losses lie among 200 networks.",
    help="""\
    Train networks exactly as the author's published notebook does, which prints the final loss of one network trained
    by BPTT and of one by RFLO: by its BPTT, in which each step takes the next one's error, by exact BPTT and by RFLO.
    At paper scale it takes a few minutes on two cores.
    """,
    choices=Choices,
    rules=("bptt-published", "bptt", "rflo"),
    panels={
        "a": "loss in the last trial over networks, a row a rule; lines: what the notebook prints",
        "b": "RFLO's loss over that of BPTT as published in the same network, with its median and exact 99% interval; "
        "grey: within a factor of 3.2",
    },
    order=24,
)
