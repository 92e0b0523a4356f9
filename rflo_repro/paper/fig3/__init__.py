"""Figure 3: a network learns to repeat the interval between two pulses, by RFLO and by BPTT."""

from rflo_repro.paper.fig3.choices import Choices
from rflo_repro.runs.experiment import About

ABOUT = About(
    home=__name__,
    command="fig3",
    title="Interval matching: time of the output's peak against delay (Figure 3a-c).",
    help="""\
    Draw Figure 3: networks of 100 units answer two pulses a delay apart with a pulse after the same delay; the tables
    hold both rules, trained to 15, 20 and 25 tau. At paper scale, nine networks and 5000 trials, it takes about two
    minutes on two cores.
    """,
    panels={
        "a": "an example trial: inputs, target and output",
        "b": "time of the output's peak against delay in test trials, RFLO trained to 15 (red) and 20 tau (blue)",
        "c": "the same, BPTT trained to 25 tau",
    },
    selectors=("panel", "rule"),
    choices=Choices,
    rules=("rflo", "bptt"),
    rates=("printed", "tuned"),
    order=30,
    sample=10,
    sample_of={"batches": 3},
    variants={"batches": (("n_trials", "50000"),)},
    separate_figures=True,
)
