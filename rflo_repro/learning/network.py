"""The recurrent network of Eq. 1: its weights, its initial state, and what constrains them."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import archive, exact_math, validate
from rflo_repro.learning.validate import Array

Phi = Literal["tanh", "relu", "softplus", "sigmoid", "identity"]
Mask = npt.NDArray[np.bool_]
VERSION = "rflo-repro network 1"


MASKS = {"mask_in": "w_in", "mask": "w_rec", "mask_out": "w_out"}


def children(rng: np.random.Generator, n: int) -> list[np.random.Generator]:
    """`n` independent generators, seeded by 256 bits of `rng`; the first ones are the same whatever `n` is."""
    words = rng.integers(0, 1 << 64, 4, dtype=np.uint64)
    seeds = np.random.SeedSequence([int(word) for word in words]).spawn(n)
    return [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]


def _each(value: Any, name: str, n: int) -> Any:
    """`value` as an array: one number is repeated for each of n units. Raises ValueError."""
    given = validate.as_array(name, value, f"a number or an array of shape ({n},)")
    return np.full(n, given) if given.ndim == 0 else given


@dataclass(frozen=True, eq=False, repr=False)
class Network(validate.ShortRepr, validate.Checked):
    """A rate network with N units, Nx inputs and Ny readouts (Eq. 1).

        h(t+1) = h(t) + (1/tau) [-h(t) + phi(w_rec h(t) + w_in x(t+1) + bias)],    y(t) = w_out h(t)

    All arrays are copied to float64 (`mask` to bool) and made read-only.

    Parameters
    ----------
    w_in : ndarray
        (N, Nx) input weights; Nx may be 0.
    w_rec : ndarray
        (N, N) recurrent weights W, row postsynaptic, column presynaptic.
    w_out : ndarray
        (Ny, N) readout weights.
    feedback : ndarray
        (N, Ny) fixed feedback weights B.
    h0 : ndarray
        (N,) state before the first timestep.
    tau : float or ndarray
        Time constant in timesteps, at least 1: one number, or (N,), one a unit.
    output_feedback : bool
        Whether the readout is fed back to the units through B, u(t) += B y(t-1).
    signs : ndarray or None
        (N,) of +1 and -1. Dale's law: column j of w_rec has the sign of unit j, before and after every update.
    phi : {"tanh", "relu", "softplus", "sigmoid", "identity"}
        Activation function.
    mask : ndarray of bool or None
        (N, N): False where there is no synapse, and w_rec stays zero. None: all synapses are there.
    bias : ndarray or None
        (N,), added to the pre-activations u. It is trained like the weights of an input that is always 1.
    mask_in, mask_out : ndarray of bool or None
        (N, Nx) and (Ny, N): False where w_in or w_out stays zero, as `mask` says of w_rec. Two layers, say, are
        units of which some alone have inputs and others alone are read out.

    Raises
    ------
    ValueError
        For a wrong shape, a value that is not finite, tau below 1, an unknown phi, or weights that break `signs` or
        `mask`.
    """

    w_in: Array
    w_rec: Array
    w_out: Array
    feedback: Array
    h0: Array
    tau: float | Array
    output_feedback: bool = False
    signs: Array | None = None
    phi: Phi = "tanh"
    mask: Mask | None = None
    bias: Array | None = None
    mask_in: Mask | None = None
    mask_out: Mask | None = None

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
        for name, of in MASKS.items():
            if getattr(self, name) is not None:
                values[name] = mask = validate.mask(name, getattr(self, name), values[of].shape)
                if values[of][~mask].any():
                    raise ValueError(f"{of} has weights other than zero where {name} is False")
        if self.bias is not None:
            values["bias"] = validate.array("bias", self.bias, (n_rec,))
        if not isinstance(self.tau, numbers.Real) and np.ndim(validate.as_array("tau", self.tau, "numbers")) > 0:
            values["tau"] = tau = validate.array("tau", self.tau, (n_rec,))
            if not (tau >= 1.0).all():
                raise ValueError(f"tau must be at least 1 for every unit, got {validate.short_repr(float(tau.min()))}")
        else:
            object.__setattr__(self, "tau", validate.real("tau", self.tau, minimum=1.0))
        for name, value in values.items():
            object.__setattr__(self, name, validate.frozen(value))
        object.__setattr__(self, "phi", validate.one_of("phi", self.phi, get_args(Phi)))
        object.__setattr__(self, "output_feedback", validate.boolean("output_feedback", self.output_feedback))

    def __repr__(self) -> str:
        tau = repr(self.tau) if isinstance(self.tau, float) else f"<array {self.tau.shape}>"
        sizes = f"n_rec={self.n_rec}, n_in={self.n_in}, n_out={self.n_out}, tau={tau}, phi={self.phi!r}"
        has = f"bias={self.bias is not None}, dale={self.signs is not None}, output_feedback={self.output_feedback}"
        return f"Network({sizes}, density={self.density:.3g}, {has})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write every field to one file of arrays, NumPy's .npz without pickles.

        Parameters
        ----------
        path : path-like
            The file, which is replaced.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        archive.write(path, VERSION, arrays_of(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read the network that `save` wrote, with the same bits; nothing is unpickled.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        Network
            The network.

        Raises
        ------
        ValueError
            For a file that is damaged or no saved network.
        OSError
            If it cannot be read.
        """
        given = archive.read(path, VERSION, "network")
        try:
            return network_of(given)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no saved network: {error}") from None

    @property
    def density(self) -> float:
        """The share of recurrent synapses that are not masked."""
        return 1.0 if self.mask is None else float(np.count_nonzero(self.mask)) / self.mask.size

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
        """Normalised overlap of readout and feedback, Tr(w_out B) / (norm(w_out) norm(B)); NaN if either is zero."""
        back = self.feedback.T
        sizes = exact_math.frobenius_norm(self.w_out) * exact_math.frobenius_norm(back)
        return exact_math.inner(self.w_out, back) / sizes if sizes > 0.0 else math.nan

    @classmethod
    def random(
        cls,
        n_rec: int,
        n_in: int,
        n_out: int,
        rng: np.random.Generator,
        g: float = 1.5,
        tau: float | Array = 10.0,
        h0: Array | float = 0.1,
        readout_scale: float = 1.0,
        output_feedback: bool = False,
        signs: Array | None = None,
        phi: Phi = "tanh",
        density: float | None = None,
        mask: Mask | None = None,
        bias: Array | float | None = None,
        mask_in: Mask | None = None,
        mask_out: Mask | None = None,
    ) -> Network:
        """A random network as in the paper's Methods.

        w_rec ~ N(0, g^2/N), w_out ~ U(-1, 1) `readout_scale` / sqrt(N), w_in ~ U(-1, 1), B ~ N(0, 1).

        Parameters
        ----------
        n_rec, n_in, n_out : int
            N and Ny of at least 1, and Nx of at least 0.
        rng : numpy.random.Generator
            Gives 256 bits, whatever the sizes, which seed a generator for each matrix: none depends on the size of
            another.
        g : float
            Scale of the recurrent weights, at least 0.
        tau : float or ndarray
            As in `Network`.
        h0 : float or ndarray
            (N,), or one number for every unit (assumption `initial-state`).
        readout_scale : float
            Scale of the readout weights, at least 0.
        output_feedback : bool
            As in `Network`.
        signs : ndarray, optional
            (N,) of +1 and -1: w_rec[i, j] becomes signs[j] abs(w_rec[i, j]) (Figure 2, supplement 1).
        phi : str
            As in `Network`.
        density : float, optional
            The probability of each synapse, above 0 and at most 1: samples a mask. w_rec is then
            N(0, g^2 / (density N)), so that pre-activations stay as large. Not together with `mask`.
        mask : ndarray of bool, optional
            As in `Network`; it leaves g^2/N as it is.
        bias : float or ndarray, optional
            (N,), or one number for every unit.
        mask_in, mask_out : ndarray of bool, optional
            As in `Network`; they leave the scale of the other weights as it is.

        Returns
        -------
        Network
            The network.

        Raises
        ------
        ValueError
            For a size, g or readout_scale that is too small, and as `Network` does.
        """
        n_rec = validate.integer("n_rec", n_rec, 1)
        n_in = validate.integer("n_in", n_in, 0)
        n_out = validate.integer("n_out", n_out, 1)
        g = validate.real("g", g, 0.0)
        readout_scale = validate.real("readout_scale", readout_scale, 0.0)
        for_rec, for_out, for_in, for_feedback, for_mask = children(validate.generator("rng", rng), 5)
        n_expected = float(n_rec)
        if density is not None:
            if mask is not None:
                raise ValueError("density samples a mask: give one of density and mask, got both")
            density = validate.real("density", density, 0.0, 1.0)
            if density == 0.0:
                raise ValueError("density must be above 0, got 0.0")
            mask = for_mask.random((n_rec, n_rec)) < density
            n_expected *= density
        with np.errstate(over="ignore"):
            w_rec = exact_math.normal(for_rec, (n_rec, n_rec)) * (g / math.sqrt(n_expected))
        if not np.isfinite(w_rec).all():
            raise ValueError(f"g must leave every weight finite, got {g!r}")
        if signs is not None:
            w_rec = np.abs(w_rec) * validate.array("signs", signs, (n_rec,))
        if mask is not None:
            w_rec = np.where(validate.mask("mask", mask, (n_rec, n_rec)), w_rec, 0.0)
        w_in = for_in.uniform(-1.0, 1.0, (n_rec, n_in))
        w_out = for_out.uniform(-1.0, 1.0, (n_out, n_rec)) * (readout_scale / math.sqrt(n_rec))
        if mask_in is not None:
            w_in = np.where(validate.mask("mask_in", mask_in, w_in.shape), w_in, 0.0)
        if mask_out is not None:
            w_out = np.where(validate.mask("mask_out", mask_out, w_out.shape), w_out, 0.0)
        return cls(
            w_in=w_in,
            w_rec=w_rec,
            w_out=w_out,
            feedback=exact_math.normal(for_feedback, (n_rec, n_out)),
            h0=_each(h0, "h0", n_rec),
            tau=tau,
            output_feedback=output_feedback,
            signs=signs,
            phi=phi,
            mask=mask,
            bias=None if bias is None else _each(bias, "bias", n_rec),
            mask_in=mask_in,
            mask_out=mask_out,
        )


def arrays_of(net: Network) -> dict[str, Any]:
    """Every field that there is, by name."""
    given = {field.name: getattr(net, field.name) for field in fields(net)}
    return {name: value for name, value in given.items() if value is not None}


def network_of(arrays: Mapping[str, Any]) -> Network:
    """The network of what `arrays_of` returned, read back from a file. Raises KeyError, TypeError, ValueError."""
    values = dict(arrays)
    for name in ("output_feedback", "phi", *(("tau",) if values["tau"].ndim == 0 else ())):
        values[name] = values[name].item()
    return Network(**values)
