"""Reaches and holds, Figure 4: the two outputs are the velocity of a cursor in the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.validate import Array

DIRECTIONS = ("right", "up", "left", "down")
VECTORS = validate.frozen(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]))
PROFILES = ("constant", "bell")


def _directions(given: Any) -> tuple[int, ...]:
    """Indices into DIRECTIONS, at least one, in a list, a tuple or an array. Raises ValueError."""
    last = len(DIRECTIONS) - 1
    ordered = isinstance(given, Sequence) and not isinstance(given, (str, bytes))
    if not (ordered or (isinstance(given, np.ndarray) and given.ndim == 1)) or len(given) == 0:
        raise ValueError(
            f"directions must be at least one whole number from 0 to {last}, in order, got {validate.short_repr(given)}"
        )
    return tuple(validate.integer("directions", item, 0, last) for item in given)


@dataclass(frozen=True)
class Reaching(validate.Checked):
    """Unit movements right, up, left and down within a square, each followed by a hold.

    A direction has a tonic input of its own, on while the cursor moves and off while it holds. The target velocity is
    the profile along the direction in a movement and 0 in a hold; the cursor's unit of length is one movement.

    Parameters
    ----------
    n_steps : int
        Timesteps of a movement, and of a hold (20 tau each).
    bound : float
        The cursor stays within -bound..bound in x and in y; at least 0.5.
    profile : {"constant", "bell"}
        Speed during a movement, 1 at its highest; `bell` is sin^2(pi t / n_steps) (assumption `velocity-profile`).
    amplitude : float
        Of the tonic inputs (assumption `tonic-amplitude`).
    input_in_hold : bool
        Whether a movement's input stays on in its hold (assumption `holds`).

    Raises
    ------
    ValueError
        For values out of range.
    """

    stored_as = "Reaching"

    n_steps: int = 200
    bound: float = 1.0
    profile: str = "constant"
    amplitude: float = 1.0
    input_in_hold: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_steps", validate.integer("n_steps", self.n_steps, 1))
        object.__setattr__(self, "bound", validate.real("bound", self.bound, 0.5))
        object.__setattr__(self, "profile", validate.one_of("profile", self.profile, PROFILES))
        object.__setattr__(self, "amplitude", validate.real("amplitude", self.amplitude))
        object.__setattr__(self, "input_in_hold", validate.boolean("input_in_hold", self.input_in_hold))

    def inputs(self, direction: int) -> Array:
        """The inputs in a movement and its hold.

        Parameters
        ----------
        direction : int
            Index into right, up, left and down.

        Returns
        -------
        ndarray
            (2 n_steps, 4).

        Raises
        ------
        ValueError
            For an index out of range.
        """
        direction = validate.integer("direction", direction, 0, len(DIRECTIONS) - 1)
        inputs = np.zeros((2 * self.n_steps, len(DIRECTIONS)))
        inputs[: 2 * self.n_steps if self.input_in_hold else self.n_steps, direction] = self.amplitude
        return inputs

    @property
    def speed(self) -> Array:
        """(n_steps,): the profile."""
        if self.profile == "constant":
            return np.ones(self.n_steps)
        # at the middle of each timestep: odd numbers of 1/(4 n_steps) of a turn
        sine = exact_math.sin_of_turn(2 * np.arange(self.n_steps) + 1, 4 * self.n_steps)
        return sine * sine

    def velocity(self, directions: Sequence[int]) -> Array:
        """The target y* of movements, each with its hold.

        Parameters
        ----------
        directions : sequence of int
            Indices into right, up, left and down, at least one.

        Returns
        -------
        ndarray
            (2 n_steps len(directions), 2).

        Raises
        ------
        ValueError
            For an index out of range.
        """
        directions = _directions(directions)
        speed = np.concatenate([self.speed, np.zeros(self.n_steps)])
        return np.concatenate([np.outer(speed, VECTORS[direction]) for direction in directions])

    def position(self, velocity: Array) -> Array:
        """The cursor's path from the origin.

        Parameters
        ----------
        velocity : ndarray
            (T, 2).

        Returns
        -------
        ndarray
            (T, 2), in movements.
        """
        path: Array = np.cumsum(velocity, axis=0) / exact_math.sum(self.speed)
        return path

    def allowed(self, cursor: Array) -> npt.NDArray[np.bool_]:
        """The directions that keep a cursor within bounds.

        Parameters
        ----------
        cursor : ndarray
            (2,), in movements.

        Returns
        -------
        ndarray of bool
            (4,).

        Raises
        ------
        ValueError
            For a wrong shape, or a value that is not finite.
        """
        farthest: Array = np.abs(validate.array("cursor", cursor, (2,)) + VECTORS).max(axis=1)
        return farthest <= self.bound + 1e-9


@dataclass(eq=False)
class MovementTask(validate.Checked):
    """A task whose trials are movements with their holds, in random directions that keep the cursor within bounds.

    Parameters
    ----------
    reaching : Reaching
        The movements.
    cursor : ndarray
        (2,): where the next trial begins, copied; each trial moves it.

    Raises
    ------
    ValueError
        For another kind of object, and for a cursor from which no movement stays within bounds.
    """

    stored_as = "MovementTask"

    reaching: Reaching = field(default_factory=Reaching)
    cursor: Array = field(default_factory=lambda: np.zeros(2))
    n_in = len(DIRECTIONS)
    n_out = 2

    def __post_init__(self) -> None:
        validate.instance("reaching", self.reaching, Reaching)
        self.cursor = validate.array("cursor", self.cursor, (2,))
        # one movement that is allowed can be taken back: then there is always another
        if not self.reaching.allowed(self.cursor).any():
            raise ValueError(
                f"cursor must have a movement that keeps it within -{self.reaching.bound:g}..{self.reaching.bound:g}, "
                f"got {validate.short_repr(self.cursor)}"
            )

    @property
    def n_steps(self) -> int:
        """T, a movement and a hold."""
        return 2 * self.reaching.n_steps

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """The next movement.

        Parameters
        ----------
        rng : numpy.random.Generator
            Samples the direction.

        Returns
        -------
        tuple of ndarray
            Inputs (T, 4) and targets (T, 2).

        Raises
        ------
        ValueError
            For anything but a generator.
        """
        rng = validate.generator("rng", rng)
        direction = int(rng.choice(np.flatnonzero(self.reaching.allowed(self.cursor))))
        self.cursor = self.cursor + VECTORS[direction]
        return self.reaching.inputs(direction), self.reaching.velocity([direction])


@dataclass(frozen=True)
class SequenceTask(validate.Checked):
    """A task whose every trial is one sequence of movements and holds from beginning to end, without input.

    Parameters
    ----------
    directions : tuple of int
        Indices into right, up, left and down, at least one.
    reaching : Reaching
        The movements.

    Raises
    ------
    ValueError
        For an index out of range, and for another kind of object.
    """

    stored_as = "SequenceTask"

    directions: tuple[int, ...]
    reaching: Reaching = field(default_factory=Reaching)
    n_in = 0
    n_out = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "directions", _directions(self.directions))
        validate.instance("reaching", self.reaching, Reaching)

    @property
    def n_steps(self) -> int:
        """T, all movements and holds."""
        return 2 * self.reaching.n_steps * len(self.directions)

    @cached_property
    def _trial(self) -> tuple[Array, Array]:
        return (
            validate.frozen(np.zeros((self.n_steps, 0))),
            validate.frozen(self.reaching.velocity(self.directions)),
        )

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """The whole sequence.

        Parameters
        ----------
        rng : numpy.random.Generator
            Not used.

        Returns
        -------
        tuple of ndarray
            Inputs (T, 0) and targets (T, 2): the same arrays, read-only, every time.
        """
        return self._trial
