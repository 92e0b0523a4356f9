"""How far a training is: a caller's function, or a line that is written over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rflo_repro.learning import validate


def called(progress: Any, n_trials: int) -> Callable[[int], None] | None:
    """What is called with the number of trials done, of `n_trials`; None if nothing is. Raises ValueError."""
    if progress is None:
        return None
    if callable(progress):
        given: Callable[[int], None] = progress
        return given
    try:
        asked = validate.boolean("progress", progress)
    except ValueError:
        raise ValueError(
            f"progress must be True, False or a function of the trials done, got {validate.short_repr(progress)}"
        ) from None
    began = time.monotonic()

    def say(done: int) -> None:
        left = (time.monotonic() - began) * (n_trials - done) / done
        end = "\n" if done == n_trials else ""
        line = f"\r{done:,} of {n_trials:,} trials, {left:.0f} s left".ljust(50)
        print(line, end=end, file=sys.stderr, flush=True)

    return say if asked else None
