"""The numerical kernels: numba only, no Python objects, no random numbers; all of them release the GIL."""

from __future__ import annotations

from ._cache import watch_compilation
from .dynamics import forward
from .exact import rtrl_gradient, train_exact
from .layout import (
    CARRIES,
    METHODS,
    PHIS,
    Factors,
    LeastSquares,
    Optimizer,
    Perturbation,
    Rates,
    Record,
    Rule,
    Trials,
    Units,
    Uoro,
    Updates,
    Weights,
    Workspace,
    exact_workspace,
    factors,
    least_squares,
    moments,
    padded,
    reward_workspace,
    trace_workspace,
    units,
    uoro,
    weights,
    workspace,
)
from .losses import cross_entropy
from .normal import box_muller
from .optimizers import optimize
from .rewards import reward_update, train_rewarded
from .sessions import gradient, train_trials
from .traces import least_squares_update, trace_gradient, train_online
from .updates import apply_update

__all__ = [
    "CARRIES",
    "METHODS",
    "PHIS",
    "Factors",
    "LeastSquares",
    "Optimizer",
    "Perturbation",
    "Rates",
    "Record",
    "Rule",
    "Trials",
    "Units",
    "Uoro",
    "Updates",
    "Weights",
    "Workspace",
    "apply_update",
    "box_muller",
    "cross_entropy",
    "exact_workspace",
    "factors",
    "forward",
    "gradient",
    "least_squares",
    "least_squares_update",
    "moments",
    "optimize",
    "padded",
    "reward_update",
    "reward_workspace",
    "rtrl_gradient",
    "trace_gradient",
    "trace_workspace",
    "train_exact",
    "train_online",
    "train_rewarded",
    "train_trials",
    "units",
    "uoro",
    "watch_compilation",
    "weights",
    "workspace",
]
