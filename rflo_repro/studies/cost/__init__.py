"""What a timestep costs."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.cost.choices import Choices

ABOUT = About(
    home=__name__,
    command="fig-cost",
    title="Cost of a timestep against N: RTRL, BPTT, RFLO.",
    help="""\
    Measure what a timestep of RTRL, BPTT and RFLO costs on one core of this machine, against the number of units; the
    paper says N^4, N^2, N^2. It takes about a minute; leave the machine alone meanwhile.
    """,
    choices=Choices,
    rules=("rtrl", "bptt", "rflo"),
    panels={"a": "time of a timestep against the number of units, with fitted exponents"},
    order=20,
    timed=True,
)
