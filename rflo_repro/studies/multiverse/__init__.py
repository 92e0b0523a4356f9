"""Under which variants of what the paper leaves open its statements hold."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.multiverse.choices import Choices

# The figures of each panel, by their commands
PANELS = {
    "a": ("fig2",),
    "b": ("fig3",),
    "c": ("fig4",),
    "d": ("fig2-locality", "fig2-dale", "fig2-readout", "fig2-size"),
}

ABOUT = About(
    home=__name__,
    command="multiverse",
    title="Under which variants of what the paper leaves open its statements hold.",
    help="""\
    Make the open choices otherwise (docs/assumptions.md), many of them together, run each such variant at the paper's
    learning rates, and judge the figures' claims under it: a specification curve for each claim, and in how many
    variants each holds. All of it takes some eight hours on two cores, a --panel one to two and a half; it leaves the
    others' rows as they are.

    With --closest, find in these tables the variant under which most of the figure's statements come out, and compute
    and draw the figure under it: all trials, 27 networks that were not used to find it. Writes FIGURE_closest and its
    tables.
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
    closest=("fig2", "fig3"),
    order=45,
)
