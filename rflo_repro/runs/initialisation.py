"""How the networks of the paper's Methods are sampled, and from which random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np

    from rflo_repro.learning.network import Network, Phi
    from rflo_repro.learning.task import Task
    from rflo_repro.learning.validate import Array

# One child of the root seed for each purpose, so that no draw of one moves another.
PURPOSES = {
    "network": 0, "task": 1, "initial state": 2, "test": 3, "exploration": 4, "bias": 5, "time constants": 6,
}  # fmt: skip


def generator(seed: int, network: int, purpose: str) -> np.random.Generator:
    """The random numbers of one network for one purpose, whatever else is sampled or run."""
    import numpy as np

    # `default_rng` may one day give another kind
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(network, PURPOSES[purpose]))))


@dataclass(frozen=True)
class Initialisation:
    """What a network is sampled from; its task, a root seed and its number say the rest.

    tau_spread: each unit has a time constant of its own, log-uniform from tau / tau_spread to tau tau_spread; 1: tau.
    h0: every unit's initial state, or `uniform`, U(-1, 1), or `normal`, N(0, 1), sampled once a network.
    dale: the first half of the units excitatory, the rest inhibitory.
    layers: of as many units each. The first has all inputs, each drives the next, and the last alone is read out. All
    blocks of weights have the variance that those of a network of the layer's size have.
    bias: standard deviation of the normal biases that training begins with (0: it begins with none), or None: no bias.
    The others are as in `Network.random`.
    """

    stored_as = "Recipe"
    stored_unless: ClassVar = {"layers": 1}

    n_rec: int
    tau: float = 10.0
    g: float = 1.5
    h0: float | Literal["uniform", "normal"] = 0.1
    readout_scale: float = 1.0
    dale: bool = False
    output_feedback: bool = False
    phi: Phi = "tanh"
    density: float | None = None
    bias: float | None = None
    tau_spread: float = 1.0
    layers: int = 1

    @property
    def plain(self) -> bool:
        """Whether its units are the paper's: tanh, one time constant, and a synapse between any two."""
        return self.phi == "tanh" and self.density is None and self.tau_spread == 1.0 and self.layers == 1

    def draw(self, task: Task, seed: int, network: int) -> Network:
        """The network of this number. Raises ValueError as `Network.random` does."""
        import numpy as np

        from rflo_repro.learning import exact_math
        from rflo_repro.learning.network import Network

        def normal(purpose: str) -> Array:
            return exact_math.normal(generator(seed, network, purpose), (self.n_rec,))

        signs = np.where(np.arange(self.n_rec) < (self.n_rec + 1) // 2, 1.0, -1.0) if self.dale else None
        h0: float | Array
        if self.h0 == "uniform":
            h0 = generator(seed, network, "initial state").uniform(-1.0, 1.0, self.n_rec)
        else:
            h0 = normal("initial state") if self.h0 == "normal" else self.h0
        return Network.random(
            self.n_rec,
            task.n_in,
            task.n_out,
            generator(seed, network, "network"),
            g=self.g * float(np.sqrt(self.layers)),
            tau=self.tau if self.tau_spread == 1.0 else self._taus(generator(seed, network, "time constants")),
            h0=h0,
            readout_scale=self.readout_scale * float(np.sqrt(self.layers)),
            output_feedback=self.output_feedback,
            signs=signs,
            phi=self.phi,
            density=self.density,
            bias=None if self.bias is None else self.bias * normal("bias"),
            **({} if self.layers == 1 else self._masks(task)),
        )

    def _masks(self, task: Task) -> dict[str, Any]:
        """Where there are synapses. Raises ValueError for units that the layers cannot share."""
        import numpy as np

        if self.n_rec % self.layers:
            raise ValueError(f"n_rec must be a multiple of the {self.layers} layers, got {self.n_rec}")
        layer = np.arange(self.n_rec) // (self.n_rec // self.layers)
        before = layer[:, np.newaxis] - layer
        return {
            "mask": (before == 0) | (before == 1),
            "mask_in": np.repeat(layer[:, np.newaxis] == 0, task.n_in, axis=1),
            "mask_out": np.repeat(layer[np.newaxis] == self.layers - 1, task.n_out, axis=0),
        }

    def _taus(self, rng: np.random.Generator) -> Array:
        """(N,): a time constant for each unit. Raises ValueError for a spread that is none or leaves less than 1."""
        import numpy as np

        from rflo_repro.learning import exact_math, validate

        largest = validate.real("tau_spread", self.tau_spread, 1.0)
        if self.tau / largest < 1.0:
            raise ValueError(f"tau_spread must be at most tau ({self.tau:g}), got {largest!r}")
        exponents = rng.uniform(-1.0, 1.0, self.n_rec) * exact_math.log(largest)
        return np.clip(self.tau * exact_math.exp(exponents), self.tau / largest, self.tau * largest)
