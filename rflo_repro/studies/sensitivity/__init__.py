"""Which claims rest on which of the choices that the paper leaves open."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.readings import ABOUT as READINGS
from rflo_repro.studies.readings.choices import Reduced

ABOUT = About(
    home=__name__,
    command="sensitivity",
    title="Which claims rest on which of the choices that the paper leaves open.",
    help="""\
    Make each open choice otherwise (docs/assumptions.md), one at a time, at the printed rates, and compare the effects
    that the figures' claims are about with those of the same networks under the choices as they are.
    """,
    choices=Reduced,
    rules=READINGS.rules,
    panels=READINGS.panels,
    legend="A line a choice made otherwise, the first as chosen: the effect with its 95% interval, in the colour of "
    "its answer; filled where it surely differs from that as chosen, network by network.",
    selectors=READINGS.selectors,
    place=40,
)
