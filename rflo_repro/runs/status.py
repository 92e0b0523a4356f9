"""Unfinished jobs, for the line that a run says when it is stopped."""

from __future__ import annotations

import threading

NAMED = 3

# by condition and network: how many of its trials are saved, and of how many
trials: dict[str, tuple[int, int]] = {}
# held while a file and what is said of it change
changing = threading.Lock()


def line() -> str:
    """What is saved, where the same command goes on, and what it begins anew."""
    now = sorted(trials.items())
    further = [f"at trial {next_trial(*count)} ({name})" for name, count in now if count[0]]
    anew = [name for name, (saved, _) in now if not saved]
    parts = [f"goes on {_listed(further)}"] if further else []
    parts += [f"begins anew {_listed(anew)}"] if anew else []
    there = "goes on there, and begins anew what was unfinished"
    return f"stopped; what is finished is saved: the same command {' and '.join(parts) or there}"


def next_trial(saved: int, n_trials: int) -> str:
    """The trial after those that are saved."""
    return f"{min(saved + 1, n_trials)} of {n_trials}"


def _listed(names: list[str]) -> str:
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return "; ".join([*names[:NAMED], *more])
