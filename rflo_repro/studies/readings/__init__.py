"""Under which readings of what the paper leaves open its statements hold."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.readings.choices import Choices

PARTS = {
    "a": ("fig2",),
    "b": ("fig3",),
    "c": ("fig4",),
    "d": ("fig2-locality", "fig2-dale", "fig2-readout", "fig2-size"),
}
# Figures of which the reading closest to the paper is looked for
CLOSEST = ("fig2", "fig3")

ABOUT = About(
    home=__name__,
    command="readings",
    title="Under which readings of the paper its statements hold.",
    help="""\
    Make the open choices otherwise (docs/assumptions.md), many of them together, run each such reading of the paper at
    the printed rates, and judge the figures' claims under it: a specification curve for each claim, and in how many
    readings each holds (`multiverse`). All of it takes
    some eight hours on two cores, a --panel one to two and a half; it keeps the others' rows.
    """,
    choices=Choices,
    rules=("bptt", "rflo", "local", "random-feedback", "loop"),
    panels={
        "a": "the statements on Figure 2",
        "b": "the statements on Figure 3, with delays up to 15 tau",
        "c": "the statements on Figure 4",
        "d": "the statements on Figure 2's supplements, at 20 and 40 tau",
    },
    legend="Above, the effect in each variant of what the paper leaves open, sorted: the median over its networks "
    "with the 95% interval, coloured by where the median lies; the ring is the baseline. Below it, a mark for "
    "each choice that the variant makes; grey sets a choice off from the next. What stands under the line is "
    "not combined with other choices: it is tried by itself or with one other, drawn hollow and not counted. "
    "On the right, by how much a value of a choice moves the effect against the baseline's value, over the "
    "variants that combine choices.",
    selectors=("panel",),
    place=45,
)
