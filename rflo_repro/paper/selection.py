"""Which part of a figure is asked for, and how a request is refused."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


class Refused(Exception):
    """A request that cannot be met: the option it is about (or None), and one line on what is allowed."""

    def __init__(self, option: str | None, message: str) -> None:
        super().__init__(message)
        self.option = option


# The largest that may be asked for
LIMITS = {"networks": 100_000, "trials": 10**9, "seed": 2**63 - 1}

# What `rflo-repro tune` chose: one line a condition
TUNED = resources.files("rflo_repro.paper") / "rates.csv"


def condition_key(values: Mapping[str, Any]) -> str:
    """A condition's name whatever its learning rate, such as `rule=rflo period_tau=80`."""
    apart = ("figure", "panel", "rates", "eta")
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in values.items()
        if name not in apart
    )


@functools.cache
def tuned_rates() -> dict[tuple[str, str], float]:
    """The tuned learning rate by figure and condition (package data)."""
    if not TUNED.is_file():
        return {}
    rows = csv.DictReader(TUNED.read_text(encoding="utf-8").splitlines())
    return {(row["figure"], row["condition"]): float(row["eta"]) for row in rows}


@dataclass(frozen=True)
class Selection:
    """A part of a figure; empty means all of it.

    periods: in units of tau. panels: letters. rules: names. rates: `printed` or `tuned`.
    eta: a learning rate in place of the chosen ones.
    """

    periods: tuple[float, ...] = ()
    panels: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rates: tuple[str, ...] = ("printed",)
    eta: float | None = None

    def rate(
        self, figure: str, rates: str, values: Mapping[str, Any], printed: Callable[[], tuple[str, float]]
    ) -> tuple[str, float]:
        """What the learning rate of a condition is called, and its value.

        rates: `tuned` for the one that `rflo-repro tune` found for these values, else `printed()`.
        Raises Refused if it has found none.
        """
        if values.get("rule") == "untrained":
            return rates, 0.0
        if self.eta is not None:
            return "given", self.eta
        if rates != "tuned":
            return printed()
        key = condition_key(values)
        if (figure, key) not in tuned_rates():
            raise Refused("rates", f"no tuned rate is known for {key}: name one with --eta, or run `rflo-repro tune`")
        return rates, tuned_rates()[figure, key]

    @property
    def partial(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.periods or self.panels or self.rules)

    @property
    def suffix(self) -> str:
        """What a picture of the part is called beside the figure's own, such as `-period80` or `-a-rflo`."""
        periods = [f"period{p:g}" for p in self.periods]
        return "".join(f"-{part}" for part in (*self.panels, *periods, *self.rules))
