"""Saves an unfinished training, so that a later call goes on from there with the same bits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Saved = Mapping[str, npt.NDArray[Any]]
"""Plain arrays of numbers, and of text: what an .npz takes without pickle."""


class Checkpoint(Protocol):
    """Where an unfinished training is saved."""

    def read(self) -> Saved | None:
        """The arrays that were saved last, or None to begin anew."""

    def keep(self, done: int, now: Callable[[], Saved]) -> None:
        """Called a few times a second, with the number of trials done and a function that returns the arrays to save.

        Its arrays are those of the training itself, which go on changing once this returns.
        """


def states(rngs: Mapping[str, np.random.Generator | None]) -> npt.NDArray[np.str_]:
    """The states of generators, as JSON."""
    found = {
        name: [rng.bit_generator.state, _spawned(rng)]
        for name, rng in rngs.items()
        if isinstance(rng, np.random.Generator)
    }
    return np.array(json.dumps(found, default=lambda array: array.tolist()))


def restore(rngs: Mapping[str, np.random.Generator | None], saved: npt.NDArray[Any]) -> None:
    """Set generators of the same kind and seed to these states. Raises ValueError or KeyError for others."""
    found = json.loads(str(saved))
    for name, rng in rngs.items():
        if rng is not None:
            rng.bit_generator.state, spawned = found[name]
            if spawned > _spawned(rng):
                rng.bit_generator.seed_seq.spawn(spawned - _spawned(rng))  # type: ignore[attr-defined]


def _spawned(rng: np.random.Generator) -> int:
    """How many children it has spawned, which is not in its state."""
    return int(getattr(getattr(rng.bit_generator, "seed_seq", None), "n_children_spawned", 0))
