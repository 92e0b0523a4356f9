"""What supplement 1 runs, RFLO with and without Dale's law at every period, and what the paper says of it."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.paper.fig2_dale import ABOUT
from rflo_repro.paper.periodic import Kind, compared
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import NO_WORSE, at_most, by_period


def costs_little(tables: Tables) -> Sequence[Part]:
    """RFLO with Dale's law against RFLO without, at each period."""
    return by_period(tables["final"], {"dale": True}, {"dale": False}, at_most())


CLAIMS = (
    Claim(
        "Dale's law costs little",
        "RFLO learns about as well when the recurrent weights obey Dale's law.",
        "Results; Figure 2, supplement 1",
        "median over networks of log10(final loss with / final loss without Dale's law), paired by network; how many "
        "learned with and without",
        NO_WORSE,
        costs_little,
        ("final",),
        key="dale-costs-little",
        label="Dale's law costs little",
        over="with over without",
        borrowed=True,
    ),
)


KINDS = (
    Kind("rflo", "RFLO", values={"dale": False}),
    Kind("rflo", "RFLO, Dale's law", "dale", {"dale": True}, dale=True, called="rflo, Dale's law"),
)
EXPERIMENT = compared(ABOUT, KINDS, ("rule", "dale", "period_tau", "rates"), CLAIMS)
