"""Which claims rest on which of the choices that the paper leaves open."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.sensitivity.choices import Choices

ABOUT = About(
    home=__name__,
    command="sensitivity",
    title="Which claims rest on which of the choices that the paper leaves open.",
    help="""\
    Make each open choice otherwise (docs/assumptions.md), run its figure at a reduced scale, and judge the figure's
    claims again. It takes about half an hour on two cores.
    """,
    choices=Choices,
    rules=("bptt", "rflo", "local", "random-feedback", "loop"),
    panels={"a": "verdicts in colour and as letters: claims down, alternatives across, for Figures 2, 3 and 4"},
    place=40,
)
