"""The numerical kernels: numba only, no Python objects, no random numbers; all of them release the GIL."""

from __future__ import annotations

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
    aligned_zeros,
    exact_workspace,
    padded,
    trace_workspace,
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
    "aligned_zeros",
    "apply_update",
    "exact_workspace",
    "forward",
    "gradient",
    "padded",
    "rtrl_gradient",
    "trace_gradient",
    "trace_workspace",
    "train_exact",
    "train_online",
    "train_trials",
    "workspace",
]
