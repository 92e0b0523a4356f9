"""How the networks of the paper's Methods are drawn, and from which random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

    from rflo_repro.learning.network import Network, Phi
    from rflo_repro.learning.task import Task

# One child of the root seed for each purpose, so that no draw of one moves another.
PURPOSES = {"network": 0, "task": 1, "initial state": 2, "test": 3, "exploration": 4}


def generator(seed: int, network: int, purpose: str) -> np.random.Generator:
    """The random numbers of one network for one purpose, whatever else is drawn or run beside it."""
    import numpy as np

    # `default_rng` may one day give another kind
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(network, PURPOSES[purpose]))))


@dataclass(frozen=True)
class Recipe:
    """What a network is drawn from; its task, a root seed and its number say the rest.

    h0: every unit's initial state, or `uniform`: U(-1, 1) drawn once a network.
    dale: the first half of the units excitatory, the rest inhibitory.
    The others are as in `Network.random`.
    """

    n_rec: int
    tau: float = 10.0
    g: float = 1.5
    h0: float | Literal["uniform"] = 0.1
    readout_scale: float = 1.0
    dale: bool = False
    output_feedback: bool = False
    phi: Phi = "tanh"
    density: float | None = None

    @property
    def plain(self) -> bool:
        """Whether its units are the paper's: tanh, and a synapse between any two."""
        return self.phi == "tanh" and self.density is None

    def draw(self, task: Task, seed: int, network: int) -> Network:
        """The network of this number. Raises ValueError as `Network.random` does."""
        import numpy as np

        from rflo_repro.learning.network import Network

        signs = np.where(np.arange(self.n_rec) < (self.n_rec + 1) // 2, 1.0, -1.0) if self.dale else None
        h0 = self.h0
        return Network.random(
            self.n_rec,
            task.n_in,
            task.n_out,
            generator(seed, network, "network"),
            g=self.g,
            tau=self.tau,
            h0=generator(seed, network, "initial state").uniform(-1.0, 1.0, self.n_rec) if h0 == "uniform" else h0,
            readout_scale=self.readout_scale,
            output_feedback=self.output_feedback,
            signs=signs,
            phi=self.phi,
            density=self.density,
        )
