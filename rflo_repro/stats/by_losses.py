"""The answers in the tables of the multiverse: from the losses alone, at 5%.

With the few networks of a variant nothing is sure at 99%.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from rflo_repro.stats.claims import Part
from rflo_repro.stats.statistics import LEVEL, holm

ByLosses = Literal["yes", "no", "worse", "better", "open", "no test"]
# What the tables of the multiverse call an answer by the losses
IN_TABLES: Mapping[ByLosses, str] = {
    "yes": "holds",
    "no": "does not hold",
    "worse": "behind, size open",
    "better": "ahead, size open",
    "open": "not decided",
    "no test": "cannot be tested",
}
OF_TABLES = {value: answer for answer, value in IN_TABLES.items()}


def by_losses(parts: Sequence[Part]) -> list[ByLosses]:
    """The answer of each part: the primary ones of a claim are corrected together by Holm's procedure, and among those
    whose size stays open the directions."""
    together = [i for i, part in enumerate(parts) if part.primary and part.chances]
    found: list[ByLosses] = ["open" if part.chances else "no test" for part in parts]
    for own in (together, *([i] for i, part in enumerate(parts) if not part.primary and part.chances)):
        for which in (0, 1):
            left = [i for i in own if found[i] == "open" and len(parts[i].chances) > which]
            best = {i: min(parts[i].chances[which].items(), key=lambda item: item[1]) for i in left}
            for i, p in holm({i: best[i][1] for i in left}).items():
                found[i] = best[i][0] if p <= LEVEL else found[i]
    return found
