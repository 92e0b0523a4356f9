"""What the locality figure runs: the four rules of Figure 2d at every period."""

from __future__ import annotations

from rflo_repro.paper.fig2_locality import ABOUT
from rflo_repro.paper.fig2_locality.claims import CLAIMS
from rflo_repro.paper.periodic import Kind, compared
from rflo_repro.report import style

KINDS = tuple(Kind(rule, style.name(rule)) for rule in ABOUT.rules)
EXPERIMENT = compared(ABOUT, KINDS, ("rule", "rates", "period_tau"), CLAIMS, ends_only=False)
