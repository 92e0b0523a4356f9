"""The numerical kernels: numba only, no Python objects, no random numbers; all of them release the GIL."""

from __future__ import annotations

from ._cache import watched
from .dynamics import forward
from .exact import rtrl_gradient, train_exact
from .layout import (
    CARRIES,
    Rates,
    Record,
    Rule,
    Trials,
    Updates,
    Weights,
    exact_workspace,
    trace_workspace,
    weights,
    workspace,
)
from .sessions import gradient, train_trials
from .traces import trace_gradient, train_online
from .updates import apply_update

__all__ = [
    "CARRIES",
    "Rates",
    "Record",
    "Rule",
    "Trials",
    "Updates",
    "Weights",
    "apply_update",
    "exact_workspace",
    "forward",
    "gradient",
    "rtrl_gradient",
    "trace_gradient",
    "trace_workspace",
    "train_exact",
    "train_online",
    "train_trials",
    "watched",
    "weights",
    "workspace",
]
