"""Figure 2d at any period: which of RFLO's two approximations costs what."""

from rflo_repro.paper.choices import VARIANTS, SupplementChoices
from rflo_repro.runs.experiment import About

ABOUT = About(
    home=__name__,
    command="fig2-locality",
    title="Locality and random feedback apart, at every period (Figure 2d).",
    help="""\
    Draw Figure 2d at any period: BPTT and RFLO beside rules that make only one of RFLO's two approximations: local
    (RFLO with symmetric feedback, magenta), random feedback (BPTT with random feedback, cyan). At paper scale it takes
    about two minutes on two cores; what `fig2` has computed is not computed again.
    """,
    panels={
        "a": "loss in training, a column a period",
        "b": "final loss against period; a dot a network; crosses: the sample by which it is judged",
        "c": "networks that learned against period, of that sample if there is one, with 99% intervals",
    },
    selectors=("period", "panel", "rule"),
    choices=SupplementChoices,
    rules=("bptt", "rflo", "local", "random-feedback"),
    rates=("printed", "tuned"),
    variants=VARIANTS,
    order=21,
    sample=10,
    sameness={"period_tau": (20.0, 40.0, 80.0)},
    separate_figures=True,
)
