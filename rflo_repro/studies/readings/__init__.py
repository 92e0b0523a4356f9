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
    the printed rates, and judge the figures' claims under it; a specification curve for each figure. All of it takes
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
    legend="Above, the effect under each reading, sorted, with its 95% interval, in the colour of its answer; the ring "
    "is the reading as chosen here. Below it, a dot a choice that the reading makes; grey sets a choice off from the "
    "next, and the last rows are alternatives that are tried apart, alone or with one other. On the right, by how much "
    "a value of a choice moves the effect, over the readings that combine choices. As the paper says: of these and the "
    "one as chosen, the estimate lies where the claim has it; surely: the claim's test says so.",
    selectors=("panel",),
    place=45,
)
