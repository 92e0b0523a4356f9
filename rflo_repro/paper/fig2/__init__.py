"""Figure 2: a network learns to produce a periodic output, by BPTT and by RFLO."""

from rflo_repro.paper.choices import VARIANTS
from rflo_repro.paper.fig2.choices import Choices
from rflo_repro.runs.experiment import About

ABLATION_PERIOD_TAU = 80.0
ABOUT = About(
    home=__name__,
    command="fig2",
    title="Periodic output: loss, period, alignment, locality (Figure 2a-d).",
    help="""\
    Draw Figure 2: networks of 30 units learn one period of a sum of sines, without input. At paper scale, nine networks
    and 10,000 trials, it takes one or two minutes on two cores.
    """,
    panels={
        "a": "loss in training at the shortest and the longest period, and the outputs at the end",
        "b": "final loss against period, grey if untrained; a dot a network; crosses: the sample by which it is judged",
        "c": "alignment of Wout and B in training by RFLO",
        "d": "at 80 tau: BPTT, RFLO, local (RFLO with symmetric feedback), random feedback (BPTT with random feedback)",
    },
    selectors=("period", "panel", "rule"),
    choices=Choices,
    rules=("bptt", "rflo", "untrained", "local", "random-feedback"),
    rates=("printed", "tuned"),
    variants=VARIANTS,
    order=20,
    sample=10,
    sameness={"period_tau": (20.0, 40.0, 80.0)},
    separate_figures=True,
)
