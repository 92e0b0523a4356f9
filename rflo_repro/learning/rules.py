"""The learning rules, as data.

With updates at the end of a trial every rule is one computation with two switches (see `docs/rules.md`):

    z(t) = C(t+1) z(t+1) + F eps(t)          dW = (1/T) sum_t [z(t) * phi'(u(t)) / tau] h(t-1)^T

`feedback` chooses F, `carry` chooses C, `trains` says which matrices move at all.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal, get_args

from rflo_repro.learning import validate

Feedback = Literal["symmetric", "random"]
Carry = Literal["full", "leak", "none", "diagonal"]
Form = Literal["filtered", "forward", "uoro", "kf", "perturbation", "rls"]
Reward = Literal["trial", "step"]
Matrix = Literal["w_in", "w_rec", "w_out"]

MATRICES: tuple[Matrix, ...] = ("w_in", "w_rec", "w_out")


@dataclass(frozen=True)
class LearningRule(validate.Checked):
    """A learning rule: how the output error reaches the units, and how far back in time.

    name: what tables and plots call it.
    feedback: `symmetric`, F = Wout^T (Eq. 3), or `random`, F = B, fixed (Eq. 5).
    carry: `full`, C = (1-1/tau) I + (1/tau) W^T diag(phi'(u)) (Eq. 20); `leak`, C = (1-1/tau) I alone, which
        drops the nonlocal term of Eq. 4 and leaves the eligibility trace of Eq. 6; `diagonal`, the diagonal of the
        full one (SnAp-1); or `none`, C = 0 (SnAp-0: the immediate effect of a weight).
    trains: the matrices that change; the others keep every bit.
    form: `filtered` (one backward pass, ~N^2 a step); `forward` (RTRL, Eq. 4, ~N^4 a step; exact rules only); `uoro`
        and `kf`, random estimates of RTRL's sensitivities, with the carry `full`; `perturbation`, random noise on the
        units and a reward; or `rls`, recursive least squares for the readout (FORCE).
    trace_tau: with the carry `leak`, the time constant of the trace in timesteps, at least 1: C = (1-1/trace_tau) I,
        while the 1/tau of the gain stays. None: the network's own tau.
    truncation: the trial is cut into blocks of so many steps, and no error is carried out of one into the block before
        it: 1 is SnAp-0, and with the carry `full` the length of the trial or more is BPTT. None: no cut.
    next_error: whether each step takes the next one's error, and the last step its own, as in the author's published
        notebook: z(t) = C(t+1) z(t+1) + F eps(t+1). It is no gradient. Wout has each step's own.
    draws: how many random estimates a trial's update is the mean of; for the forms `uoro`, `kf` and `perturbation`.
    sigma: size of the noise on the drive u of the units, above 0, for the form `perturbation`, which needs it. The
        carry is then C of the eligibility: `full`, 1, for the exact gradient, `leak` or `none`. `feedback` has no say.
    reward: with the form `perturbation`, when it is given: once a `trial`, at its end, or at every `step`.
    alpha: what P(0) = I/alpha begins with, above 0, for the form `rls`, which needs it.

    Raises ValueError for values other than these.
    """

    stored_as = "LearningRule"

    name: str
    feedback: Feedback
    carry: Carry
    trains: tuple[Matrix, ...] = MATRICES
    form: Form = "filtered"
    trace_tau: float | None = None
    truncation: int | None = None
    draws: int = 1
    sigma: float | None = None
    alpha: float | None = None
    reward: Reward = "trial"
    next_error: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"name must be a non-empty string, got {validate.shown(self.name)}")
        for field, allowed in (("feedback", get_args(Feedback)), ("carry", get_args(Carry)), ("form", get_args(Form))):
            object.__setattr__(self, field, validate.word(field, getattr(self, field), allowed))
        if not isinstance(self.trains, tuple) or not all(isinstance(m, str) and m in MATRICES for m in self.trains):
            raise ValueError(
                f"trains must be a tuple of names from {', '.join(MATRICES)}, got {validate.shown(self.trains)}"
            )
        if self.form == "forward" and (self.feedback, self.carry) != ("symmetric", "full"):
            raise ValueError(
                "form 'forward' is RTRL: it needs feedback 'symmetric' and carry 'full', "
                f"got {self.feedback!r} and {self.carry!r}"
            )
        if self.form in ("uoro", "kf") and self.carry != "full":
            raise ValueError(f"form {self.form!r} estimates RTRL: it needs carry 'full', got {self.carry!r}")
        object.__setattr__(self, "draws", validate.integer("draws", self.draws, 1))
        if self.draws > 1 and not self.n_signs(1):
            raise ValueError(f"draws needs form 'uoro', 'kf' or 'perturbation', got {self.form!r}")
        for field, form in (("sigma", "perturbation"), ("alpha", "rls")):
            value = getattr(self, field)
            if (value is not None) != (self.form == form):
                raise ValueError(f"{field} belongs to form {form!r}, got {validate.shown(value)} and {self.form!r}")
            if value is not None:
                object.__setattr__(self, field, validate.real(field, value, sys.float_info.min))
        if self.form == "rls" and self.trains != ("w_out",):
            raise ValueError(f"form 'rls' needs trains ('w_out',), got {self.trains!r}")
        object.__setattr__(self, "reward", validate.word("reward", self.reward, get_args(Reward)))
        if self.form == "perturbation" and self.carry == "diagonal":
            raise ValueError("form 'perturbation' needs carry 'full', 'leak' or 'none', got 'diagonal'")
        if self.form != "perturbation" and self.reward != "trial":
            raise ValueError(f"reward belongs to form 'perturbation', got {self.reward!r} and {self.form!r}")
        if self.trace_tau is not None:
            object.__setattr__(self, "trace_tau", validate.real("trace_tau", self.trace_tau, 1.0))
            if self.carry != "leak":
                raise ValueError(f"trace_tau needs carry 'leak', got {self.carry!r}")
            if self.form == "rls":
                raise ValueError("trace_tau needs form 'filtered' or 'perturbation', got 'rls'")
        if self.truncation is not None:
            object.__setattr__(self, "truncation", validate.integer("truncation", self.truncation, 1))
            if self.form != "filtered":
                raise ValueError(f"truncation needs form 'filtered', got {self.form!r}")

        object.__setattr__(self, "next_error", validate.flag("next_error", self.next_error))
        if self.next_error and self.form != "filtered":
            raise ValueError(f"next_error needs form 'filtered', got {self.form!r}")

    @property
    def untrained(self) -> bool:
        """Whether no matrix changes."""
        return not self.trains

    @property
    def local_in_time(self) -> bool:
        """Whether the rule has an online form (Eq. 5-6): its error need not travel back through the network."""
        if self.form == "rls":
            return True
        return self.form == "filtered" and self.carry != "full" and self.truncation is None and not self.next_error

    def n_signs(self, n_rec: int) -> int:
        """How many random signs a step of each draw takes, for N units: 0 for a rule without chance."""
        return {"uoro": n_rec, "kf": 2, "perturbation": n_rec}.get(self.form, 0)

    def n_rows(self, n_rec: int, n_in: int) -> float:
        """How many times the work of a rule without traces a step takes, about: RTRL has a row for each weight,
        Kronecker factors have one for each unit and draw, UORO one for each draw, least squares a matrix more, and each
        draw of node perturbation is a run more."""
        rows: dict[str, float] = {
            "forward": n_rec * (n_rec + n_in),
            "uoro": 1 + self.draws,
            "kf": n_rec * self.draws,
            "perturbation": 0.5 + self.draws,
            "rls": 2,
        }
        return rows.get(self.form, 1)


RULES: dict[str, LearningRule] = {
    rule.name: rule
    for rule in (
        LearningRule("bptt", "symmetric", "full"),
        LearningRule("rflo", "random", "leak"),
        LearningRule("local", "symmetric", "leak"),
        LearningRule("random-feedback", "random", "full"),
        LearningRule("readout-only", "random", "leak", trains=("w_out",)),
        LearningRule("recurrent-only", "random", "leak", trains=("w_in", "w_rec")),
        LearningRule("untrained", "random", "leak", trains=()),
        LearningRule("rtrl", "symmetric", "full", form="forward"),
        LearningRule("snap-0", "symmetric", "none"),
        LearningRule("snap-1", "symmetric", "diagonal"),
        LearningRule("snap-1-random", "random", "diagonal"),
        LearningRule("uoro", "symmetric", "full", form="uoro"),
        LearningRule("kf-rtrl", "symmetric", "full", form="kf"),
        LearningRule("node-perturbation", "symmetric", "full", form="perturbation", sigma=0.01),
        LearningRule("reward-hybrid", "symmetric", "full", form="perturbation", sigma=0.01, reward="step"),
        LearningRule("force", "random", "leak", trains=("w_out",), form="rls", alpha=1.0),
    )
}


def resolve(rule: str | LearningRule) -> LearningRule:
    """The rule itself, or the registered one of that name. Raises ValueError for an unknown name."""
    if isinstance(rule, LearningRule):
        return rule
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)} or a LearningRule, got {validate.shown(rule)}")
    return RULES[rule]
