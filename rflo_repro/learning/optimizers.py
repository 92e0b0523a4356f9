"""Learning rates and optimisers: how a batch's updates change the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from rflo_repro.learning import validate

Method = Literal["sgd", "momentum", "rmsprop", "adam"]


@dataclass(frozen=True)
class LearningRates(validate.Checked):
    """A learning rate for each matrix, Eq. 5.

    Parameters
    ----------
    w_in, w_rec, w_out : float
        eta3, eta2 and eta1; finite and at least 0.

    Raises
    ------
    ValueError
        For a rate below 0, or one that is not finite.
    """

    stored_as = "LearningRates"

    w_in: float
    w_rec: float
    w_out: float

    def __post_init__(self) -> None:
        for name in ("w_in", "w_rec", "w_out"):
            object.__setattr__(self, name, validate.real(f"eta ({name})", getattr(self, name), 0.0))


@dataclass(frozen=True)
class Optimizer(validate.Checked):
    """How an update g, the sum over a batch with the 1/T of Eq. 15, changes the weights w at the rate eta.

    The method gives the step d::

        sgd        d = g                               momentum   v <- beta1 v + g,  d = v
        rmsprop    s <- beta2 s + (1-beta2) g^2,       d = g / (sqrt(s) + epsilon)
        adam       v <- beta1 v + (1-beta1) g and s as in rmsprop; after n updates
                   d = [v / (1-beta1^n)] / (sqrt(s / (1-beta2^n)) + epsilon)

    and the weights become w + eta (d - weight_decay w).

    Parameters
    ----------
    method : {"sgd", "momentum", "rmsprop", "adam"}
        Which of these; plain `sgd` changes weights as the paper does.
    clip : float or None
        The largest Euclidean norm of g, all trained matrices together, above 0: a larger g is first scaled down to it.
        None: no limit.
    weight_decay : float
        At least 0. It acts on every trained matrix and the bias, and is not divided by sqrt(s).
    beta1, beta2 : float
        In [0, 1).
    epsilon : float
        Above 0.

    Raises
    ------
    ValueError
        For other values.

    References
    ----------
    Kingma and Ba 2015, Adam: a method for stochastic optimization. ICLR.
    """

    stored_as = "Optimizer"

    method: Method = "sgd"
    clip: float | None = None
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", validate.one_of("method", self.method, get_args(Method)))
        for name in ("weight_decay", "beta1", "beta2"):
            maximum = math.inf if name == "weight_decay" else 1.0
            object.__setattr__(self, name, validate.real(name, getattr(self, name), 0.0, maximum))
        for name in ("beta1", "beta2"):
            if getattr(self, name) == 1.0:
                raise ValueError(f"{name} must be below 1, got 1.0")
        for name in ("clip", "epsilon"):
            if name == "epsilon" or self.clip is not None:
                value = validate.real(name, getattr(self, name), 0.0)
                if value == 0.0:
                    raise ValueError(f"{name} must be above 0, got 0.0")
                object.__setattr__(self, name, value)

    @property
    def plain(self) -> bool:
        """Whether an update is just added at its rate."""
        return self.method == "sgd" and self.clip is None and self.weight_decay == 0.0


def resolve(optimizer: str | Optimizer) -> Optimizer:
    """The optimiser itself, or that of a method with its usual settings. Raises ValueError for an unknown one."""
    if isinstance(optimizer, str):
        return Optimizer(validate.one_of("optimizer", optimizer, get_args(Method)))  # type: ignore[arg-type]
    return validate.instance("optimizer", optimizer, Optimizer)
