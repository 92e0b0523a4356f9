"""The rules of the study, as data. Nothing numerical is imported before a rule is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rflo_repro.learning.rules import LearningRule

PERIODIC, INTERVALS, MOVEMENTS = "periodic", "intervals", "movements"
TASKS = (PERIODIC, INTERVALS, MOVEMENTS)
# Tasks of the field, of `fig-tasks`
FIELD = ("match-to-sample", "evidence", "reber")
EVERY = (*TASKS, *FIELD)


@dataclass(frozen=True)
class Member:
    """A rule, and what it is tried on.

    name: what tables and pictures call it. base: the rule of `rflo_repro.RULES` that it is made of; its own name if
    empty. tasks: that it learns. theta_tau, k_tau: time constant of the trace and length of a block, in tau.
    draws: of a stochastic rule. optimizer: its method. output_feedback: whether the readout of its networks is fed
    back. tuned: whether it has learning rates. longest_tau: the longest period that it is tried on.
    """

    name: str
    base: str = ""
    tasks: tuple[str, ...] = (PERIODIC,)
    theta_tau: float | None = None
    k_tau: float | None = None
    draws: int | None = None
    optimizer: str = "sgd"
    output_feedback: bool = False
    tuned: bool = True
    longest_tau: float = math.inf

    def rule(self, tau: float) -> LearningRule:
        """The rule for networks of this time constant, in timesteps. Raises ValueError if blocks are not whole ones."""
        from dataclasses import replace

        from rflo_repro.learning.rules import RULES
        from rflo_repro.paper.periodic import timesteps

        changes: dict[str, Any] = {"name": self.name}
        if self.theta_tau is not None:
            changes["trace_tau"] = self.theta_tau * tau
        if self.k_tau is not None:
            changes["truncation"] = timesteps(self.k_tau, tau)
        if self.draws is not None:
            changes["draws"] = self.draws
        return replace(RULES[self.base or self.name], **changes)


FAMILY = (
    Member("readout-only", tasks=EVERY),
    Member("snap-0", tasks=EVERY),
    Member("snap-1", tasks=EVERY),
    Member("snap-1-random"),
    Member("local", tasks=EVERY),
    Member("rflo", tasks=EVERY),
    Member("bptt", tasks=EVERY),
    Member("random-feedback", tasks=(PERIODIC, *FIELD)),
    *(
        Member(f"{base}-theta-{theta:g}", base, theta_tau=theta)
        for base in ("local", "rflo")
        for theta in (0.5, 2.0, 4.0)
    ),
    *(Member(f"{base}-k-{k:g}", base, k_tau=k) for base in ("bptt", "random-feedback") for k in (1.0, 2.5, 5.0, 10.0)),
    Member("uoro", tasks=EVERY),
    Member("uoro-3", "uoro", draws=3),
    Member("uoro-10", "uoro", draws=10),
    # as many draws as cost what Kronecker factors do at N = 30
    Member("uoro-31", "uoro", draws=31, longest_tau=20.0),
    Member("kf-rtrl"),
    Member("node-perturbation", tasks=(PERIODIC, *FIELD)),
    Member("reward-hybrid"),
    Member("force", output_feedback=True, tuned=False),
    *(Member(f"{base}-rmsprop", base, optimizer="rmsprop") for base in ("snap-0", "local", "snap-1", "bptt")),
)
