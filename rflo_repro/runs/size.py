"""Whether a request fits this machine: memory and time, before anything is made."""

from __future__ import annotations

from collections.abc import Sequence

from rflo_repro.runs import system
from rflo_repro.runs.job import Condition
from rflo_repro.runs.request import Request, RequestError

LARGEST_SHARE_OF_MEMORY = 0.7
YEAR = 365.25 * 86400.0
LONGEST = YEAR


def check_size(conditions: Sequence[Condition], copies: int, jobs: int, request: Request) -> None:
    """Raises RequestError if `copies` times these conditions need more memory or time than there is.

    In memory are the largest jobs, `jobs` at a time (on a cluster they are elsewhere), and the arrays of all
    that are finished. Time is what the fastest processor would take; of a cluster's nothing is known.
    """
    costs = [(c.jobs[0].cost(), len(c.jobs) * copies) for c in conditions]
    saved = sum(cost.saved * n for cost, n in costs)
    working = max(cost.bytes for cost, _ in costs) * (1 if request.scheduler else jobs)
    needed, have = working + saved, system.memory()
    if needed > LARGEST_SHARE_OF_MEMORY * have:
        raise _too_much(request, f"{_ratio(needed, 2**30)} GiB of memory, and this machine has {have / 2**30:.3g} GiB")
    seconds = sum(cost.seconds * n for cost, n in costs) / jobs
    if seconds > LONGEST and not request.scheduler:
        years = f"{_ratio(seconds, YEAR)} years on {jobs} thread{'s' if jobs > 1 else ''}"
        raise _too_much(request, f"{years}, and at most {LONGEST / YEAR:g} is begun")


def _ratio(much: float, unit: float) -> str:
    try:
        return f"{much / unit:.3g}"
    except OverflowError:
        return "inf"


def _too_much(request: Request, needed: str) -> RequestError:
    """What is said of a request that is too large: the options that make it so, as written, and what it would need."""
    options = {
        "period": ", ".join(f"{period:.15g}" for period in request.selection.periods_tau),
        "set": ", ".join(f"{name}={' '.join(text.split())}" for name, text in request.sets),
        "trials": str(request.trials or ""),
        "networks": str(request.networks or ""),
    }
    given = {option: text for option, text in options.items() if text}
    if len(given) == 1:
        ((option, text),) = given.items()
        return RequestError(option, f"{text} needs about {needed}")
    said = [f"--{option} {text}" for option, text in given.items()]
    return RequestError(None, " ".join([*said, f"needs about {needed}"]))
