"""What `train` was asked for, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rflo_repro.learning import kernels, validate
from rflo_repro.learning.evaluate import Rule
from rflo_repro.learning.optimizers import LearningRates, Optimizer
from rflo_repro.learning.rules import MATRICES, LearningRule

if TYPE_CHECKING:
    from rflo_repro.learning.task import Task

Eta = float | LearningRates | dict[str, float]
BATCHES_AHEAD = 256


def kernel_rates(eta: Any, trains: Sequence[str]) -> kernels.Rates:
    """The learning rate of each matrix: `eta`, or 0 where it is not trained. Raises ValueError."""
    if isinstance(eta, dict):
        if {*eta} != {*MATRICES}:
            raise ValueError(f"eta by matrix must have {', '.join(MATRICES)}, got {validate.short_repr([*eta])}")
        eta = LearningRates(**eta)
    if not isinstance(eta, LearningRates):
        one = validate.real("eta", eta, 0.0)
        eta = LearningRates(w_in=one, w_rec=one, w_out=one)
    return kernels.Rates(*(getattr(eta, name) if name in trains else 0.0 for name in MATRICES))


@dataclass(frozen=True)
class Settings:
    """The arguments of `train` that a resumed training shares with the one it goes on with."""

    task: Task
    rule: LearningRule | Rule
    eta: Eta | Callable[[int], Eta]
    online: bool
    batch: int
    reset_state: bool
    optimizer: Optimizer
    noise: float
    snapshots: tuple[int, ...]
    loss: str
    evaluate_every: int
    stop: Callable[[Any], Any] | None

    @property
    def known(self) -> LearningRule | None:
        """The rule, unless it is one of the user's own."""
        return self.rule if isinstance(self.rule, LearningRule) else None

    @property
    def within_trial(self) -> bool:
        """Whether weights change at every timestep."""
        return self.online or (self.known is not None and self.known.algorithm.within_trial)

    @property
    def noisy(self) -> bool:
        """Whether anything is added to the pre-activations of the units."""
        return self.noise > 0.0 or (self.known is not None and self.known.algorithm.perturbs)

    def sign_bytes(self, n_rec: int) -> int:
        """Bytes of Rademacher signs a timestep."""
        return 0 if self.known is None else self.known.draws * -(-self.known.algorithm.n_signs(n_rec) // 8)

    def rates(self, trial: int) -> kernels.Rates:
        """The rates of the batch that begins with a trial, numbered from 1. Raises ValueError."""
        trains = MATRICES if self.known is None else self.known.trains
        return kernel_rates(self.eta(trial) if callable(self.eta) else self.eta, trains)

    def constant_rates(self, done: int, n_most: int) -> tuple[kernels.Rates, int]:
        """The rates of the next batch, and the number of trials, at most `n_most`, that have the same ones."""
        rates = self.rates(done + 1)
        if not callable(self.eta):
            return rates, n_most
        same = self.batch
        # no further than one kernel call goes: the user's function may be slow
        while same < min(n_most, BATCHES_AHEAD * self.batch) and self.rates(done + same + 1) == rates:
            same += self.batch
        return rates, same
