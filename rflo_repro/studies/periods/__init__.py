"""Up to which period RFLO is as good as BPTT: the gap between them from 5 to 160 tau."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.periods.choices import Choices

ABOUT = About(
    home=__name__,
    command="fig2-periods",
    title="Where RFLO stops being as good as BPTT: periods from 5 to 160 tau.",
    help="""\
    Train the networks of Figure 2 on periods from 5 to 160 tau, with 30 and with 50 units, by RFLO, BPTT and the two
    rules between them, at three kinds of learning rates: the paper's, tuned ones, and the paper's with gradient
    clipping. At paper scale each kind takes about an hour on two cores; --period and --rule select parts, which are put
    together in one table.
    """,
    choices=Choices,
    rules=("bptt", "rflo", "local", "random-feedback"),
    panels={
        "a": "final loss over that of BPTT in the same network, against period: median with its exact 99% interval; "
        "grey: within a factor of 3.2",
        "b": "share of the networks that learned, against period",
    },
    legend="A column a kind of learning rates; solid and dashed lines: networks of 30 and of 50 units.",
    selectors=("period", "rule"),
    rates=("printed", "tuned", "clipped"),
    order=22,
)
