"""What a run is made of: a job, the smallest piece that is computed, stored and counted."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import validate
from rflo_repro.learning.task import Task

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint

Arrays = dict[str, npt.NDArray[Any]]
Results = Sequence[Sequence[Arrays]]  # by condition and network
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Cost:
    """What a job takes.

    trials: as `run` counts them for the progress line. bytes: about how much memory it works in. saved: about how many
    bytes the arrays have that it returns. seconds: that it takes at the very least, on the fastest processor.
    """

    trials: int
    bytes: int
    saved: int
    seconds: float


class Job(Protocol):
    """A frozen dataclass of plain values that determine every number `run` returns.

    Two jobs with equal fields, run by the same numerical source, give the same arrays bit for bit.
    """

    def cost(self) -> Cost:
        """What `run` takes, estimated from the fields."""

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """Compute; call `progress` with the trials done a few times a second. What it raises ends the run.

        checkpoint: where an unfinished run of more than a few seconds is saved, and goes on from; None: nowhere.
        """


@dataclass(frozen=True)
class Condition:
    """Jobs that differ only by their network: one progress line, one line or dot in a figure.

    label: what the progress line calls it.
    values: the table columns that name the condition, in order.
    jobs: one a network, in order. untrained: whether they train nothing.
    """

    label: str
    values: Mapping[str, Any]
    jobs: tuple[Job, ...]
    untrained: bool = False


def by_network(found: Sequence[Condition], results: Results) -> Iterator[tuple[Condition, int, Arrays]]:
    """Each condition, each network's number, and its arrays."""
    for condition, sessions in zip(found, results, strict=True):
        for network, arrays in enumerate(sessions):
            yield condition, network, arrays


def stored_name(kind: type) -> str:
    """What keys and metadata call a dataclass of jobs or settings: its own `stored_as`, or else the class's name.

    The name stays where the class is renamed. One whose content means something else from now on takes another, such as
    `Session 2`, and is then never found under the first.
    """
    return str(vars(kind).get("stored_as", kind.__name__))


def stored_fields(kind: type) -> dict[str, str]:
    """What keys and metadata call the fields of a dataclass, by field: `stored_fields` of the class and of its bases
    says it of those that were renamed."""
    renamed = {
        now: stored for base in reversed(kind.__mro__) for now, stored in vars(base).get("stored_fields", {}).items()
    }
    return {field.name: renamed.get(field.name, field.name) for field in dataclasses.fields(kind)}


def _left_out(value: Any) -> set[str]:
    """Fields of a dataclass that are not said while they have their usual value: `stored_unless` of its class, for
    those that came after the first jobs were stored."""
    unless = getattr(type(value), "stored_unless", {})
    return {name for name, usual in unless.items() if getattr(value, name) == usual}


def describe(value: Any, name: str = "") -> Any:
    """`value` as plain JSON data: a dataclass becomes its name and its fields, as they are stored; a task of
    another kind its class's name and its attributes.

    Raises ValueError, with the name of the field, for what is no plain data: then two values may look alike that are
    not.
    """
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields, left_out = stored_fields(type(value)).items(), _left_out(value)
        described = {stored: describe(getattr(value, own), own) for own, stored in fields if own not in left_out}
        return {"is": stored_name(type(value)), **described}
    if not isinstance(value, type) and hasattr(value, "__dict__") and isinstance(value, Task):
        return {"is": type(value).__name__, **{own: describe(item, own) for own, item in vars(value).items()}}
    if isinstance(value, (list, tuple)):
        return [describe(item, name) for item in value]
    if isinstance(value, Mapping) and len({str(key) for key in value if isinstance(key, (str, int))}) == len(value):
        return {str(key): describe(item, f"{name}.{key}") for key, item in value.items()}
    said = f"{name} " if name else ""
    plain = "a number, text, a flag, or a tuple or dataclass of these"
    raise ValueError(f"{said}must be {plain}, got {validate.short_repr(value)}")


def identity(job: Job) -> str:
    """What tells a job from others, for whatever compares two of them: all its content, under names of its own. Two
    jobs that are equal may differ in fields that their classes do not compare."""
    return json.dumps(describe(job), sort_keys=True)
