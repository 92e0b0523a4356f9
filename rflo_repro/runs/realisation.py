"""What a run is made of: a realisation, the smallest piece that is computed, stored and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
Results = Sequence[Sequence[Arrays]]  # by condition and network
Progress = Callable[[int], None]


class Realisation(Protocol):
    """A frozen dataclass of plain values that determine every number `run` returns.

    Two realisations with equal fields, run by the same numerical source, give the same arrays bit for bit.
    """

    @property
    def n_trials(self) -> int:
        """How many trials `run` takes, for the progress line."""

    @property
    def n_bytes(self) -> int:
        """About how much memory `run` needs, in bytes."""

    @property
    def n_kept(self) -> int:
        """About how much memory the arrays take that `run` returns, in bytes."""

    @property
    def n_seconds(self) -> float:
        """Seconds that `run` takes at the very least, on the fastest processor."""

    def run(self, progress: Progress) -> Arrays:
        """Compute; call `progress` with the trials done a few times a second. What it raises ends the run."""


@dataclass(frozen=True)
class Condition:
    """Realisations that differ only by their network: one progress line, one line or dot in a figure.

    label: what the progress line calls it.
    values: the table columns that name the condition, in order.
    realisations: one a network, in order. untrained: whether they train nothing.
    """

    label: str
    values: Mapping[str, Any]
    realisations: tuple[Realisation, ...]
    untrained: bool = False


def by_network(found: Sequence[Condition], results: Results) -> Iterator[tuple[Condition, int, Arrays]]:
    """Each condition, each network's number, and its arrays."""
    for condition, sessions in zip(found, results, strict=True):
        for network, arrays in enumerate(sessions):
            yield condition, network, arrays


def describe(value: Any) -> Any:
    """`value` as plain JSON data: a dataclass becomes its class's name and fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: describe(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"is": type(value).__name__, **fields}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    return value
