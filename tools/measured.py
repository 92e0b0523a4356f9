"""Times that no table has, each with the command that measured it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """How long a command takes. said: in words. command: what was timed. machine: where, with nothing else running."""

    said: str
    command: str
    machine: str


SERVER = "two cores of a Cascade Lake at 2.5 GHz"
LAPTOP = "two cores of a Zen 5"
MEASURED = {
    "quick": Measured("4 to 5 minutes", "time make all-figures SCALE=quick", SERVER),
    "test": Measured("16 to 18 minutes", "time make test", SERVER),
    "all": Measured("40 minutes", "time make all-figures", SERVER),
    "compile": Measured(
        "8.2 s", "time rflo-repro fig2 --period 20 --networks 1 --trials 10 --no-plot, NUMBA_CACHE_DIR empty", LAPTOP
    ),
    "compiled": Measured("1.4 s", "the same again", LAPTOP),
}


def took(name: str) -> str:
    """How long a command takes, in words."""
    return MEASURED[name].said
