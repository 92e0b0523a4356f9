"""What a step of credit assignment buys: online rules side by side on the paper's network and its three tasks."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.rules.choices import Choices
from rflo_repro.studies.rules.family import EVERY, FAMILY

ABOUT = About(
    home=__name__,
    command="fig-rules",
    title="What a step of credit assignment buys: online rules side by side.",
    help="""\
    Train networks by every rule of the family (docs/rules.md) on the periodic task at 20, 40 and 80 tau, and by some of
    them on interval matching to 15 tau, on the single movements of Figure 4 and on three tasks of the field, at the
    learning rates that `rflo-repro tune fig-rules` found. It takes about an hour on two cores.
    """,
    choices=Choices,
    tasks=EVERY,
    rules=tuple(member.name for member in FAMILY),
    panels={
        "a": "cost of a timestep against final loss: twelve rules by name at the shortest period; in the appendix all, "
        "a task a picture, rules of one cost side by side; grey: the lowest loss at each cost; joined: more draws",
        "b": "mean cosine of the update of W and minus the exact gradient, in training by the rule, against final loss",
        "c": "final loss against the horizon: the trace's time constant θ, or the steps K after which BPTT is cut off, "
        "with symmetric or random feedback; yellow: the readout alone",
        "d": "relative error of one draw of the stochastic rules against N and T, with the fitted power; dotted: the "
        "theory's",
        "e": "three tasks of the field: the share that is right and the final loss, a dot a network, a line the "
        "median; dashed: chance",
    },
    selectors=("task", "period", "rule"),
    order=35,
)
