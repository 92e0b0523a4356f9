"""Which claims rest on which of the choices that the paper leaves open."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.multiverse import ABOUT as MULTIVERSE
from rflo_repro.studies.multiverse.choices import Reduced

ABOUT = About(
    home=__name__,
    command="sensitivity",
    title="Which claims rest on which of the choices that the paper leaves open.",
    help="""\
    Make each open choice otherwise (docs/assumptions.md), one at a time, at the paper's learning rates, and compare the
    effects that the figures' claims are about with the baseline's on the same networks.
    """,
    choices=Reduced,
    rules=MULTIVERSE.rules,
    panels=MULTIVERSE.panels,
    legend="A line a choice made otherwise, the first the baseline: the effect with its 95% interval, in the colour of "
    "its answer; filled where it differs from the baseline's, network by network.",
    selectors=MULTIVERSE.selectors,
    order=40,
)
