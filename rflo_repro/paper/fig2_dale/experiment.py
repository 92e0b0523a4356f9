"""What supplement 1 runs: RFLO with and without Dale's law, at every period."""

from __future__ import annotations

from rflo_repro.paper.fig2_dale import ABOUT
from rflo_repro.paper.fig2_dale.claims import CLAIMS
from rflo_repro.paper.periodic import Kind, compared

KINDS = (
    Kind("rflo", "RFLO", values={"dale": False}),
    Kind("rflo", "RFLO, Dale's law", "dale", {"dale": True}, dale=True, called="rflo, Dale's law"),
)
EXPERIMENT = compared(ABOUT, KINDS, ("rule", "dale", "period_tau", "rates"), CLAIMS)
