"""Times that no table has, each with the command that measured it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """How long a command takes. said: in words. command: what was timed. machine: where, with nothing else running."""

    said: str
    command: str
    machine: str


OLDER = "two cores of a Cascade Lake at 2.5 GHz"
HERE = "two cores of an Emerald Rapids at 2.3 GHz"
MEASURED = {
    "quick": Measured("3 minutes", "time make all-figures SCALE=quick", HERE),
    "test": Measured("12 minutes", "time make test", HERE),
    "all": Measured("40 minutes", "time make all-figures", OLDER),
    "compile": Measured(
        "15 s", "time rflo-repro fig2 --period 20 --networks 1 --trials 10 --no-plot, NUMBA_CACHE_DIR empty", HERE
    ),
    "compiled": Measured("2.2 s", "the same again", HERE),
}


def took(name: str) -> str:
    """How long a command takes, in words."""
    return MEASURED[name].said
