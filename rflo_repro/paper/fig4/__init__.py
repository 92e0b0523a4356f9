"""Figure 4: a sequence of movements, joined by an auxiliary loop."""

from rflo_repro.paper.fig4.choices import Choices
from rflo_repro.runs.experiment import About

ABOUT = About(
    home=__name__,
    command="fig4",
    title="A sequence of movements by an auxiliary loop, and without it (Figure 4a-c).",
    help="""\
    Draw Figure 4: networks of 100 units move a cursor; a loop through a few units joins single movements to a sequence.
    At paper scale, nine networks and 10,000 trials a stage, it takes about eleven minutes on two cores, nearly all of
    it for the networks without the loop.
    """,
    panels={
        "a": "the task, and single movements after training by RFLO",
        "b": "the loop through which the network's state chooses its next input",
        "c": "cursor and velocity in a free run of the learned sequence; without the loop, RFLO and BPTT on all of it",
        "d": "over networks: right transitions while the loop learns, loss on the sequence, and end-point error",
    },
    selectors=("panel", "rule"),
    choices=Choices,
    rules=("loop", "rflo", "bptt"),
    rates=("tuned",),
    order=40,
    sample=3,
    # the grid search costs most here (`rates-of-the-sequence`)
    tuning={"n_networks": 9},
)
