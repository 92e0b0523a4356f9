"""What supplement 2 runs: RFLO on all weights, on the readout only, on the recurrent weights only."""

from __future__ import annotations

from rflo_repro.paper.fig2_readout import ABOUT
from rflo_repro.paper.fig2_readout.claims import CLAIMS
from rflo_repro.paper.periodic import Kind, compared

KINDS = (
    Kind("rflo", "both"),
    # only where the readout alone is trained is it fed back (assumption `readout-feedback`)
    Kind("readout-only", "readout only, fed back", output_feedback=True),
    Kind("recurrent-only", "recurrent only"),
)
EXPERIMENT = compared(ABOUT, KINDS, ("rule", "period_tau", "rates"), CLAIMS)
