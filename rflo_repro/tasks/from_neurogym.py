"""Environments of NeuroGym as tasks: neurogym.github.io, whose package is not needed here, only an environment."""

from __future__ import annotations

from typing import Any

import numpy as np

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.validate import Array

TARGETS = ("classes", "one-hot")


class NeuroGymTask:
    """An environment of NeuroGym: observations in, its ground truth as targets. `from_neurogym` makes it."""

    def __init__(self, env: Any, targets: str) -> None:
        self.env, self.targets = env, targets
        self.n_in = int(env.observation_space.shape[0])
        self.n_out = int(env.action_space.n)

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One trial.

        Parameters
        ----------
        rng : numpy.random.Generator
            Seeds the environment, anew for each trial.

        Returns
        -------
        tuple of ndarray
            Inputs (T, Nx), the observations, and targets: the number of the right action at each timestep, (T,), or
            (T, Ny) of ones and zeros.
        """
        self.env.seed(int(rng.integers(2**31)))
        self.env.new_trial()
        inputs, actions = np.array(self.env.ob, dtype=np.float64), np.array(self.env.gt)
        if self.targets == "classes":
            return inputs, actions.astype(np.float64)
        return inputs, np.eye(self.n_out)[actions.astype(np.int64)]

    def metric(self, outputs: Array, inputs: Array, targets: Array) -> float:
        """Whether the output that is largest on average in the decision is the right choice.

        The decision are the timesteps at which the right action is not to fixate. In a trial without one the right
        choice is to fixate at the end.

        Parameters
        ----------
        outputs, inputs, targets : ndarray
            (T, Ny), (T, Nx), and the targets of the trial.

        Returns
        -------
        float
            1 or 0.
        """
        actions = targets if targets.ndim == 1 else np.argmax(targets, axis=1)
        decision = np.flatnonzero(actions != 0)
        if not len(decision):
            return float(np.argmax(outputs[-1]) == 0)
        means = exact_math.mean(outputs[decision].T)
        return float(np.argmax(means) == actions[decision[-1]])


def from_neurogym(env: Any, targets: str = "classes") -> NeuroGymTask:
    """A NeuroGym environment as a task for `train`, `evaluate` and `train_many`.

    `docs/tasks.md` says which environments can be used.

    Parameters
    ----------
    env : gymnasium.Env
        What ``neurogym.make(...)`` returns, with discrete actions of which 0 is to fixate, and a ground truth for each
        timestep: `new_trial`, `ob` and `gt`. Its timestep is its own: with ``dt=20`` a tau of 5 timesteps is 100 ms.
    targets : {"classes", "one-hot"}
        Class numbers, for ``loss="cross-entropy"``, or ones and zeros, for the squared error.

    Returns
    -------
    NeuroGymTask
        The task.

    Raises
    ------
    ValueError
        For an environment without discrete actions or without a ground truth.
    """
    targets = validate.one_of("targets", targets, TARGETS)
    env = getattr(env, "unwrapped", env)
    missing = [name for name in ("seed", "new_trial") if not callable(getattr(env, name, None))]
    if missing:
        got = validate.short_repr(env)
        raise ValueError(f"env must be a NeuroGym environment of trials, got {got} without {' and '.join(missing)}")
    if len(getattr(env.observation_space, "shape", None) or ()) != 1:
        raise ValueError(f"env must have observations that are vectors, got {env.observation_space!r}")
    if not hasattr(env.action_space, "n"):
        raise ValueError(f"env must have discrete actions, got {env.action_space!r}")
    task = NeuroGymTask(env, targets)
    try:
        env.seed(0)
        env.new_trial()
        observed, actions = np.asarray(env.ob), np.asarray(env.gt)
    except Exception as error:  # whatever an environment of somebody else's raises
        raise ValueError(f"env must give a trial with a ground truth: {type(error).__name__}: {error}") from None
    whole = actions.dtype.kind in "iu" and actions.shape == observed.shape[:1]
    if not whole or actions.min() < 0 or actions.max() >= task.n_out:
        raise ValueError(f"env.gt must be the number of an action at each timestep, got {validate.short_repr(actions)}")
    return task
