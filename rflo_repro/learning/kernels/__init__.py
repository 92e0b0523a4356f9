"""The numerical kernels: numba only, no Python objects, no random numbers; all of them release the GIL."""

from __future__ import annotations

from .dynamics import forward
from .exact import rtrl_gradient, train_exact
from .layout import Workspace, aligned_zeros, padded, workspace
from .sessions import gradient, train_trials
from .traces import trace_gradient, train_online
from .updates import apply_update

__all__ = [
    "Workspace",
    "aligned_zeros",
    "apply_update",
    "forward",
    "gradient",
    "padded",
    "rtrl_gradient",
    "trace_gradient",
    "train_exact",
    "train_online",
    "train_trials",
    "workspace",
]
