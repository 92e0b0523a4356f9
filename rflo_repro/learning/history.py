"""What a training returns, from which it can be resumed."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rflo_repro.learning import archive, validate
from rflo_repro.learning.network import Network, arrays_of, network_of
from rflo_repro.learning.settings import Settings
from rflo_repro.learning.trial_source import Rngs, Trial
from rflo_repro.learning.validate import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

VERSION = "rflo-repro history 1"
CURVES = ("loss", "alignment", "evaluated", "evaluated_loss", "metric")
"""The arrays of a history."""


EXPLODED = 10.0
"""A loss that has grown by more than this factor is that of a network which exploded."""


def _none() -> Array:
    return np.zeros(0)


def whole_batches(n_trials: Any, batch: int) -> int:
    """The number of trials. Raises ValueError unless it is one, of whole batches."""
    whole = validate.integer("n_trials", n_trials, 1)
    if whole % batch:
        raise ValueError(f"n_trials must be a multiple of batch ({batch}), got {whole}")
    return whole


@dataclass(frozen=True)
class TrainingState:
    """All that a training that is resumed needs besides its history.

    proceed: trains on from such a state, to a number of trials in all: `train.continue_training`.
    moments: what the optimiser remembers. lookahead: trials that were sampled from the task and not yet trained on.
    identity: what tells it from other trainings, for a checkpoint.
    """

    settings: Settings
    rngs: Rngs
    proceed: Callable[..., History]
    identity: Mapping[str, str] = field(default_factory=dict)
    moments: tuple[Array, ...] = ()
    lookahead: tuple[Trial, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class History(validate.ShortRepr):
    """The course of a training, and the trained network.

    Parameters
    ----------
    loss : ndarray
        (n_trials,): L of Eq. 2 of each trial, before its update; NaN after a divergence.
    alignment : ndarray
        (n_trials,): Tr(Wout B) / (\\|Wout\\| \\|B\\|), likewise.
    diverged : bool
        Whether a NaN or an infinity ended the training early.
    network : Network
        The trained copy, with the last weights that were finite.
    state : ndarray
        (N,): the state at the end, after the last trial if states are carried on, else h0.
    snapshots : tuple of (int, Network)
        Numbers of trials, from 1, and the network before that trial's update.
    evaluated : ndarray
        (K,): the numbers of trials after which the network was evaluated.
    evaluated_loss, metric : ndarray
        (K,): what `evaluate` found then, means over trials; the metric is NaN if the task has none.
    """

    loss: Array
    alignment: Array
    diverged: bool
    network: Network
    state: Array
    snapshots: tuple[tuple[int, Network], ...] = ()
    evaluated: Array = field(default_factory=_none)
    evaluated_loss: Array = field(default_factory=_none)
    metric: Array = field(default_factory=_none)
    _training: TrainingState | None = field(default=None, repr=False)

    @property
    def rule(self) -> Any:
        """The learning rule as `train` was asked for it, `e-prop` and `e-prop-random` by these names, or a function of
        one's own; None if the history does not come from `train`."""
        return self._training and getattr(self._training.settings.rule, "name", self._training.settings.rule)

    @property
    def exploded(self) -> bool:
        """Whether the training diverged, or the median loss of its last 1% of trials is more than ten times the first
        loss: the weights grow without end."""
        window = max(1, len(self.loss) // 100)
        return self.diverged or bool(np.median(self.loss[-window:]) > EXPLODED * self.loss[0])

    def __reduce__(self) -> tuple[Any, ...]:
        # what it is resumed from may hold what cannot be pickled: a function for eta, somebody's task
        values = [getattr(self, field.name) for field in fields(self)]
        try:
            pickle.dumps(self._training)
        except Exception:
            values[-1] = None
        return type(self), tuple(values)

    def resume(self, n_trials: int, progress: Callable[[int], None] | bool | None = None) -> History:
        """Train on: the same bits as one longer call of `train`.

        Weights, optimiser, generators, state and trial numbers go on from where this history ended, as often as it is
        resumed; the generator that `train` was given is left alone. The task is the same object.

        Parameters
        ----------
        n_trials : int
            How many trials more, a multiple of the batch.
        progress : callable or bool, optional
            As in `train`; it counts all trials.

        Returns
        -------
        History
            The whole history, these trials included.

        Raises
        ------
        ValueError
            For another number of trials, if the training diverged, or if the history does not come from `train`.
        """
        if self._training is None:
            raise ValueError(
                "a history can be resumed if it comes from train, got one made by hand, loaded from a file, or pickled "
                "with a task or eta that cannot be pickled"
            )
        if self.diverged:
            raise ValueError("a training that diverged cannot be resumed")
        own = replace(self._training, rngs=copy.deepcopy(self._training.rngs))
        more = whole_batches(n_trials, own.settings.batch)
        return own.proceed(own, len(self.loss) + more, progress, None, self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to one file of arrays, NumPy's .npz without pickles. What is read back cannot be resumed.

        Parameters
        ----------
        path : path-like
            The file, which is replaced.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        nets = {"network": self.network, **{f"snapshot {i}": net for i, (_, net) in enumerate(self.snapshots)}}
        arrays = {name: getattr(self, name) for name in (*CURVES, "diverged", "state")}
        arrays["snapshots"] = np.array([trial for trial, _ in self.snapshots], dtype=np.int64)
        for name, net in nets.items():
            arrays |= {f"{name}, {part}": value for part, value in arrays_of(net).items()}
        archive.write(path, VERSION, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """Read what `save` wrote, with the same bits; nothing is unpickled.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        History
            The history, without what is needed to resume it.

        Raises
        ------
        ValueError
            For a file that is damaged or no saved history.
        OSError
            If it cannot be read.
        """
        given = archive.read(path, VERSION, "history")

        def network(name: str) -> Network:
            own = f"{name}, "
            return network_of({k.removeprefix(own): v for k, v in given.items() if k.startswith(own)})

        try:
            return cls(
                **{name: given[name] for name in CURVES},
                diverged=bool(given["diverged"]),
                state=given["state"],
                network=network("network"),
                snapshots=tuple((int(n), network(f"snapshot {i}")) for i, n in enumerate(given["snapshots"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no saved history: {error}") from None

    def plot(self, axes: Axes | None = None, label: str | None = None) -> Axes:
        """Draw the loss against the trial: medians of a hundredth of the trials each, over their quartiles.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            Where; a new picture by default. To compare rules give each the same axes.
        label : str, optional
            For the legend, which `axes.legend()` draws.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.
        """
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(4.4, 3.3), layout="constrained")[1]
            axes.spines[["top", "right"]].set_visible(False)
        parts = np.array_split(self.loss, min(len(self.loss), 100))
        at = np.cumsum([len(part) for part in parts])
        low, middle, high = np.array([np.quantile(part, (0.25, 0.5, 0.75)) for part in parts]).T
        (line,) = axes.plot(at, middle, label=label)
        axes.fill_between(at, low, high, color=line.get_color(), alpha=0.18, linewidth=0)
        axes.set(xlabel="trial", ylabel="loss", yscale="log")
        return axes

    def to_frame(self) -> pd.DataFrame:
        """A tidy table, one row a trial.

        Returns
        -------
        pandas.DataFrame
            Columns `trial` (from 1), `loss` and `alignment`.
        """
        import pandas as pd

        trial = np.arange(1, len(self.loss) + 1)
        return pd.DataFrame({"trial": trial, "loss": self.loss, "alignment": self.alignment})
