"""The learning rates of the family of rules, of W and of Wout apart."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.rules.family import EVERY, FAMILY
from rflo_repro.studies.tune_rules.choices import Choices

ABOUT = About(
    home=__name__,
    command="tune fig-rules",
    title="Search for the learning rates of fig-rules, of W and of Wout apart.",
    help="""\
    For every rule and task of fig-rules, search for the learning rate of W (Win goes with it) on the paper's grid
    while Wout has a usual one, then for that of Wout while W has the rate found. A grid is widened as long as its best
    rate is at an edge. The best rate has the smallest mean over networks of log10 of the final loss; one that diverged
    or exploded counts as ten times its first loss. The networks are not those of fig-rules.

    At paper scale it writes the rates that fig-rules uses too, and takes about three quarters of an hour on two cores;
    what was stopped goes on with the searches that are left.
    """,
    choices=Choices,
    tasks=EVERY,
    rules=tuple(member.name for member in FAMILY if member.tuned),
    panels={"a": "the rates chosen, and those that are not worse by an interval over networks"},
    selectors=("task", "period", "rule"),
    order=36,
)
