"""The recurrent network of Eq. 1: its weights, its initial state, and what constrains them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rflo_repro.learning import arithmetic, validate
from rflo_repro.learning.validate import Array


def _children(rng: np.random.Generator, n: int) -> list[np.random.Generator]:
    """Generators of their own, from one seed drawn out of the stream: the first ones are the same whatever `n` is."""
    seed = rng.integers(0, 1 << 64, 4, dtype=np.uint64)
    children = np.random.SeedSequence([int(word) for word in seed]).spawn(n)
    return [np.random.Generator(np.random.PCG64(child)) for child in children]


@dataclass(frozen=True, eq=False, repr=False)
class Network(validate.Brief, validate.Checked):
    """A rate network with N units, Nx inputs and Ny readouts (Eq. 1), phi = tanh.

        h(t+1) = h(t) + (1/tau) [-h(t) + phi(w_rec h(t) + w_in x(t+1))],    y(t) = w_out h(t)

    w_in: (N, Nx) input weights; Nx may be 0.
    w_rec: (N, N) recurrent weights W, row postsynaptic, column presynaptic.
    w_out: (Ny, N) readout weights.
    feedback: (N, Ny) fixed feedback weights B.
    h0: (N,) state before the first timestep.
    tau: time constant in timesteps, at least 1.
    output_feedback: whether the readout drives the units through B, u(t) += B y(t-1).
    signs: (N,) of +1 and -1, or None. Dale's law: column j of w_rec has the sign of unit j, and every update keeps it.

    All arrays are copied to float64 and made read-only; nothing is shared with what was passed in.
    Raises ValueError for a wrong shape, a value that is not finite, tau below 1, or weights that break `signs`.
    """

    w_in: Array
    w_rec: Array
    w_out: Array
    feedback: Array
    h0: Array
    tau: float
    output_feedback: bool = False
    signs: Array | None = None

    def __post_init__(self) -> None:
        w_rec = validate.array("w_rec", self.w_rec, (None, None))
        n_rec = w_rec.shape[0]
        if n_rec < 1 or w_rec.shape[1] != n_rec:
            raise ValueError(f"w_rec must be square with at least one unit, got shape {w_rec.shape}")
        w_out = validate.array("w_out", self.w_out, (None, n_rec))
        if w_out.shape[0] < 1:
            raise ValueError("w_out must have at least one readout, got shape " + str(w_out.shape))
        values: dict[str, Any] = {
            "w_in": validate.array("w_in", self.w_in, (n_rec, None)),
            "w_rec": w_rec,
            "w_out": w_out,
            "feedback": validate.array("feedback", self.feedback, (n_rec, w_out.shape[0])),
            "h0": validate.array("h0", self.h0, (n_rec,)),
        }
        if self.signs is not None:
            signs = validate.array("signs", self.signs, (n_rec,))
            if not (np.abs(signs) == 1.0).all():
                raise ValueError("signs must be +1 or -1 for every unit")
            if (w_rec * signs < 0.0).any():
                raise ValueError("w_rec has weights whose sign is not that of their presynaptic unit in signs")
            values["signs"] = signs
        for name, value in values.items():
            object.__setattr__(self, name, validate.frozen(value))
        object.__setattr__(self, "tau", validate.real("tau", self.tau, minimum=1.0))
        object.__setattr__(self, "output_feedback", validate.flag("output_feedback", self.output_feedback))

    @property
    def n_rec(self) -> int:
        """N, the number of recurrent units."""
        return int(self.w_rec.shape[0])

    @property
    def n_in(self) -> int:
        """Nx, the number of inputs."""
        return int(self.w_in.shape[1])

    @property
    def n_out(self) -> int:
        """Ny, the number of readouts."""
        return int(self.w_out.shape[0])

    @property
    def alignment(self) -> float:
        """Normalised overlap of readout and feedback, Tr(w_out B) / (|w_out| |B|); NaN if either is zero."""
        back = self.feedback.T
        sizes = arithmetic.size(self.w_out) * arithmetic.size(back)
        return arithmetic.inner(self.w_out, back) / sizes if sizes > 0.0 else math.nan

    @classmethod
    def random(
        cls,
        n_rec: int,
        n_in: int,
        n_out: int,
        rng: np.random.Generator,
        g: float = 1.5,
        tau: float = 10.0,
        h0: Array | float = 0.1,
        readout_scale: float = 1.0,
        output_feedback: bool = False,
        signs: Array | None = None,
    ) -> Network:
        """A network drawn as in the paper's Methods.

        w_rec ~ N(0, g^2/N), w_out ~ U(-1, 1) `readout_scale` / sqrt(N), w_in ~ U(-1, 1), B ~ N(0, 1).
        h0: (N,), or one number for every unit (assumption `initial-state`).
        signs: (N,) of +1/-1: w_rec[i, j] becomes signs[j] |w_rec[i, j]| (Figure 2, supplement 1).
        rng: gives 256 bits, whatever the sizes (four draws of a 64-bit generator), and the seed that they are gives
            each matrix a generator of its own, so that none depends on the size of another. Only the stream counts: a
            copy, a jumped generator and one whose state was restored give the network that the original would.

        Raises ValueError for sizes below 1 (n_in: below 0), g or readout_scale below 0, tau below 1.
        """
        n_rec = validate.integer("n_rec", n_rec, 1)
        n_in = validate.integer("n_in", n_in, 0)
        n_out = validate.integer("n_out", n_out, 1)
        g = validate.real("g", g, 0.0)
        readout_scale = validate.real("readout_scale", readout_scale, 0.0)
        for_rec, for_out, for_in, for_feedback = _children(validate.generator("rng", rng), 4)
        with np.errstate(over="ignore"):
            w_rec = arithmetic.normal(for_rec, (n_rec, n_rec)) * (g / math.sqrt(n_rec))
        if not np.isfinite(w_rec).all():
            raise ValueError(f"g must leave every weight finite, got {g!r}")
        if signs is not None:
            w_rec = np.abs(w_rec) * validate.array("signs", signs, (n_rec,))
        validate.unmasked("h0", h0)
        try:
            initial = np.asarray(h0)
        except ValueError as error:
            raise ValueError(f"h0 must be a number or an array of shape ({n_rec},): {error}") from None
        return cls(
            w_in=for_in.uniform(-1.0, 1.0, (n_rec, n_in)),
            w_rec=w_rec,
            w_out=for_out.uniform(-1.0, 1.0, (n_out, n_rec)) * (readout_scale / math.sqrt(n_rec)),
            feedback=arithmetic.normal(for_feedback, (n_rec, n_out)),
            h0=np.full(n_rec, initial) if initial.ndim == 0 else initial,
            tau=tau,
            output_feedback=output_feedback,
            signs=signs,
        )
