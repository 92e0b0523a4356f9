"""Which part of a figure is asked for, and how a request is refused."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """A request that cannot be met: the option it is about (or None), and one line on what is allowed."""

    def __init__(self, option: str | None, message: str) -> None:
        super().__init__(message)
        self.option = option


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

    @property
    def partial(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.periods or self.panels or self.rules)

    @property
    def suffix(self) -> str:
        """What a picture of the part is called beside the figure's own, such as `-period80` or `-a-rflo`."""
        periods = [f"period{p:g}" for p in self.periods]
        return "".join(f"-{part}" for part in (*self.panels, *periods, *self.rules))
