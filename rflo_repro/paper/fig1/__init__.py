"""Figure 1: the network and its learning rule, as a schematic."""

from rflo_repro.runs.experiment import About

ABOUT = About(
    home=__name__,
    command="fig1",
    title="Schematic: inputs, recurrent network, readout, error fed back through B (Figure 1).",
    help="""\
    Draw Figure 1: inputs x(t) drive a recurrent network whose readout is y(t); the error is projected back onto the
    units through the fixed random weights B, and there meets each synapse's eligibility trace. Computes nothing.
    """,
    panels={"a": "schematic"},
    order=10,
)
