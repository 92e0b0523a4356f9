"""What is asked of an experiment, and how it is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rflo_repro.runs.job import Arrays

# The largest that may be asked for
LIMITS = {"networks": 100_000, "trials": 10**9, "seed": 2**63 - 1}
CHECKPOINT_SECONDS = 30.0
LONGEST_SUFFIX = 60


class RequestError(Exception):
    """A request that cannot be met: the option it is about (or None), and one line on what is allowed."""

    def __init__(self, option: str | None, message: str) -> None:
        super().__init__(message)
        self.option = option


class JobError(Exception):
    """Some jobs raised; the message is one line.

    results: the arrays of the conditions that are complete, by network; None for the others.
    """

    def __init__(self, failures: Sequence[str], results: list[list[Arrays] | None]) -> None:
        super().__init__(failures[0] + (f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""))
        self.results = results


@dataclass(frozen=True)
class Execution:
    """How jobs are computed.

    scheduler: address of a Dask scheduler whose workers compute in place of threads. force: whether what is stored is
    computed again. checkpoint: seconds after which threads save unfinished jobs again.
    """

    n_threads: int = 1
    scheduler: str | None = None
    force: bool = False
    checkpoint: float = CHECKPOINT_SECONDS


@dataclass(frozen=True)
class Selection:
    """A part of an experiment; empty means all of it.

    periods_tau: in units of tau. panels: letters. rules, tasks: names. rates: `printed` or `tuned`.
    eta: a learning rate in place of the chosen ones.
    """

    periods_tau: tuple[float, ...] = ()
    panels: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rates: tuple[str, ...] = ("printed",)
    eta: float | None = None
    tasks: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.periods_tau or self.panels or self.rules or self.tasks)

    @property
    def suffix(self) -> str:
        """How the name of the part's picture ends, such as `-period80` or `-a-rflo`."""
        periods = [f"period{p:g}" for p in self.periods_tau]
        name = "".join(f"-{part}" for part in (*self.panels, *self.tasks, *periods, *self.rules))
        # no file system takes a name of any length
        digest = hashlib.sha256(name.encode()).hexdigest()[:10]
        return name if len(name) <= LONGEST_SUFFIX else f"{name[: LONGEST_SUFFIX - 11]}-{digest}"


@dataclass(frozen=True)
class Request:
    """What the command line asks of an experiment; None means the scale's own value.

    rule_file: of the user's own rules. sets: name and value of choices to vary, as written.
    results, figures: directories, or None for the usual ones.
    scheduler: address of a Dask scheduler, or None for threads.
    checkpoint: seconds after which unfinished jobs are saved again.
    """

    scale: str = "paper"
    selection: Selection = field(default_factory=Selection)
    networks: int | None = None
    seed: int | None = None
    trials: int | None = None
    jobs: int | None = None
    scheduler: str | None = None
    rule_file: Path | None = None
    sets: tuple[tuple[str, str], ...] = ()
    results: Path | None = None
    figures: Path | None = None
    plot: bool = True
    force: bool = False
    checkpoint: float = CHECKPOINT_SECONDS
