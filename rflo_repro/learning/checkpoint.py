"""What a training that is under way leaves, so that a later call goes on from there with the same bits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Kept = Mapping[str, npt.NDArray[Any]]
"""Plain arrays of numbers, and of text: what an .npz takes without pickle."""


class Checkpoint(Protocol):
    """Where a training that is under way is kept."""

    def read(self) -> Kept | None:
        """What was kept last, or None to begin anew."""

    def keep(self, done: int, now: Callable[[], Kept]) -> None:
        """Called a few times a second, with the number of trials done and a function that gives what there is to keep.

        Its arrays are those of the training itself, which go on changing once this returns.
        """


def states(streams: Mapping[str, np.random.Generator | None]) -> npt.NDArray[np.str_]:
    """Where generators are in their streams, as JSON."""
    found = {
        name: [rng.bit_generator.state, _spawned(rng)]
        for name, rng in streams.items()
        if isinstance(rng, np.random.Generator)
    }
    return np.array(json.dumps(found, default=lambda array: array.tolist()))


def restore(streams: Mapping[str, np.random.Generator | None], kept: npt.NDArray[Any]) -> None:
    """Bring generators of the same kind and seed to where `states` found them. Raises ValueError and its like for
    others."""
    found = json.loads(str(kept))
    for name, rng in streams.items():
        if rng is not None:
            rng.bit_generator.state, spawned = found[name]
            if spawned > _spawned(rng):
                rng.bit_generator.seed_seq.spawn(spawned - _spawned(rng))  # type: ignore[attr-defined]


def _spawned(rng: np.random.Generator) -> int:
    """How many children it has had, which is not in its state."""
    return int(getattr(getattr(rng.bit_generator, "seed_seq", None), "n_children_spawned", 0))
