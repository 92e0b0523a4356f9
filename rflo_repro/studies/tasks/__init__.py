"""Tasks of the field, learned by RFLO, by its half with symmetric feedback, and by BPTT."""

from rflo_repro.runs.experiment import About
from rflo_repro.studies.tasks.choices import Choices

ABOUT = About(
    home=__name__,
    command="fig-tasks",
    title="Five tasks of the field, learned by RFLO, local and BPTT.",
    help="""\
    Train networks on delayed match to sample, evidence accumulation, context-dependent integration, a three-bit
    flip-flop and the embedded Reber grammar, at the learning rates that `rflo-repro tune fig-tasks` found. At paper
    scale it takes about half an hour on two cores.
    """,
    choices=Choices,
    rules=("bptt", "local", "rflo"),
    panels={
        "a": "the task's metric after training, a dot a network: the share of trials that are right, in the flip-flop "
        "of timesteps; a line: the median; dashed: chance",
        "b": "final loss, likewise: half the mean squared error, or, of the grammar, the cross-entropy in nats",
    },
    selectors=("panel", "rule"),
    rates=("tuned",),
    tuning={"n_networks": 9, "n_trials": 2000},
    order=37,
)
