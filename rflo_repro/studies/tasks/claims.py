"""How RFLO does on tasks of the field, judged from the study's table. The criteria were set before it was computed but
for what counts as learned, which was set after a look at it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rflo_repro.stats.answers import MARGIN
from rflo_repro.stats.claims import Claim, Part, Tables
from rflo_repro.stats.measured import NO_WORSE, RATIO, Test, above, at_most, compared
from rflo_repro.stats.statistics import where

# Half way from a guess to no mistake
LEARNED = 0.75


def _over_bptt(final: pd.DataFrame, task: str, test: Test) -> Part:
    frame = where(final, {"task": task})
    frame = frame.assign(outcome=np.where(frame.metric >= LEARNED, "learned", "did not learn"))
    one, other = (where(frame, {"rule": rule}) for rule in ("rflo", "bptt"))
    return compared(task, one, other, test)


def rflo_is_as_good(tables: Tables) -> Sequence[Part]:
    """RFLO against BPTT on each task."""
    return [_over_bptt(tables["final"], str(task), at_most()) for task in tables["final"].task.unique()]


def language_is_far_behind(tables: Tables) -> Sequence[Part]:
    """RFLO against BPTT on the grammar."""
    return [_over_bptt(tables["final"], "reber", above(MARGIN))]


CLAIMS = (
    Claim(
        "RFLO is as good as BPTT on the field's tasks",
        "On each of five tasks of the field RFLO ends about as low as BPTT.",
        "ours",
        RATIO.format("of RFLO", "of BPTT") + f"; learned: {LEARNED:.0%} right, half way from a guess",
        NO_WORSE,
        rflo_is_as_good,
    ),
    Claim(
        "with cross-entropy RFLO is far behind on language",
        "With a softmax and cross-entropy, local RFLO does terribly on language: here the embedded Reber grammar.",
        "author response, of the Penn Treebank, without a number",
        RATIO.format("of RFLO", "of BPTT"),
        "with 99% confidence the loss, in nats, is more than 3.2 times as high",
        language_is_far_behind,
    ),
)
