"""How well each rule's update points along the exact gradient while it trains."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.gradient.choices import Choices

ABOUT = About(
    home=__name__,
    command="fig-gradient",
    title="How well each rule's update points along the exact gradient.",
    help="""\
    Compare each rule's update with the exact gradient before log-spaced trials of its own training, at every period
    and at printed and tuned rates. It takes some minutes.
    """,
    choices=Choices,
    rules=("local", "random-feedback", "rflo"),
    panels={
        "a": "cosine of a rule's update of W and minus the exact gradient, in training and its mean against period"
    },
    order=20,
)
