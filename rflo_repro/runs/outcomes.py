"""How a training session went: learned, plateau, thrown out, ran away or diverged, from its learning curve.

Losses are measured against that of an output of zero, L of Eq. 2 (the zero-output loss). The curve is read in windows
of 1% of the trials, by the median of each, so that a single spike counts for nothing:

- `diverged`: a NaN or an infinity ended the training;
- `learned`: in the last window the loss is at most a tenth of the zero-output loss (nine tenths of the target's power);
- `ran away`: in the last window it is more than ten times the first trial's; the weights grow without end, and how far
  they got says nothing;
- `thrown out`: it was so in an earlier window, and is no longer;
- `plateau`: it never was. The level where it stands, the median loss of the last tenth of trials, says which plateau.

A network that is not trained is `untrained`.
"""

from __future__ import annotations

import numpy as np

from rflo_repro.learning import exact_math
from rflo_repro.learning.validate import Array

LEARNED = 0.1
N_WINDOWS = 100
LAST_PART = 0.1
RAN_AWAY = 10.0


def zero_output_loss(targets: Array) -> float:
    """Loss L of Eq. 2 for an output of zero. targets: (T, Ny); NaN: no error."""
    there = np.nan_to_num(targets)
    return 0.5 * exact_math.inner(there, there) / len(targets)


def outcome(loss: Array, diverged: bool, zero_output: float) -> tuple[str, float]:
    """The class of a session, and the level of its plateau (NaN for other classes).

    loss: (n_trials,), before each trial's update. zero_output: what `zero_output_loss` gives for the task.
    """
    if diverged:
        return "diverged", np.nan
    width = max(1, len(loss) // N_WINDOWS)
    # from the end, so that the last window is that of the final loss
    windows = np.median(loss[len(loss) % width :].reshape(-1, width), axis=1)
    good = windows <= LEARNED * zero_output
    if good[-1]:
        return "learned", np.nan
    if windows[-1] > RAN_AWAY * loss[0]:
        return "ran away", np.nan
    if good.any():
        return "thrown out", np.nan
    return "plateau", float(np.median(loss[-max(1, round(LAST_PART * len(loss))) :]))
