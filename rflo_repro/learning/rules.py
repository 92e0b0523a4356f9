"""The learning rules, as data.

With updates at the end of a trial every rule is one computation with two switches (see `docs/rules.md`):

    z(t) = C(t+1) z(t+1) + F eps(t)          dW = (1/T) sum_t [z(t) * phi'(u(t)) / tau] h(t-1)^T

`feedback` chooses F, `carry` chooses C, `trains` says which matrices move at all.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from rflo_repro.learning import validate
from rflo_repro.learning.algorithms import ALGORITHMS, Algorithm

Feedback = Literal["symmetric", "random"]
Carry = Literal["full", "leak", "none", "diagonal"]
Form = Literal["filtered", "forward", "uoro", "kf", "perturbation", "rls"]
Reward = Literal["trial", "step"]
Matrix = Literal["w_in", "w_rec", "w_out"]

MATRICES: tuple[Matrix, ...] = ("w_in", "w_rec", "w_out")


@dataclass(frozen=True)
class LearningRule(validate.Checked):
    """A learning rule: how the output error reaches the units, and how far back in time.

    Parameters
    ----------
    name : str
        What tables and plots call it.
    feedback : {"symmetric", "random"}
        F = Wout^T (Eq. 3), or F = B, fixed (Eq. 5).
    carry : {"full", "leak", "none", "diagonal"}
        The Jacobian approximation. `full`: C = (1-1/tau) I + (1/tau) W^T diag(phi'(u)) (Eq. 20); `leak`:
        C = (1-1/tau) I, without the nonlocal term of Eq. 4, which leaves the eligibility trace of Eq. 6; `diagonal`:
        the diagonal of the full one (SnAp-1 [1]_); `none`: C = 0 (SnAp-0, the immediate effect of a weight).
    trains : tuple of {"w_in", "w_rec", "w_out"}
        The matrices that change.
    form : {"filtered", "forward", "uoro", "kf", "perturbation", "rls"}
        The algorithm. `filtered`: one backward pass, some N^2 a timestep; `forward`: RTRL (Eq. 4), some N^4, for exact
        rules; `uoro` [2]_ and `kf` [3]_: stochastic estimates of RTRL's sensitivities, with the carry `full`;
        `perturbation`: node perturbation, noise on the units and a reward (Eq. 8); `rls`: recursive least squares
        for the readout, FORCE [4]_.
    trace_tau : float or None
        With the carry `leak`, the time constant of the trace in timesteps, at least 1: C = (1-1/trace_tau) I, while
        the gain phi'/tau stays. None: the network's own tau.
    truncation : int or None
        The trial is cut into blocks of so many timesteps, and no error is carried from one into the block before it:
        1 is SnAp-0, and with the carry `full` the length of the trial or more is BPTT. None: no cut.
    draws : int
        How many random estimates a trial's update is the mean of, for `uoro`, `kf` and `perturbation`.
    sigma : float or None
        Size of the noise on the pre-activations u, above 0, which `perturbation` needs. The carry is then C of the
        eligibility: `full`, 1, for the exact gradient, `leak` or `none`; `feedback` is not used.
    alpha : float or None
        P(0) = I/alpha, above 0, which `rls` needs.
    reward : {"trial", "step"}
        With `perturbation`: one reward at the end of the trial, or one at every timestep.
    next_error : bool
        Whether each timestep takes the next one's error, and the last one its own, as in the author's published
        notebook: z(t) = C(t+1) z(t+1) + F eps(t+1). It is no gradient. Wout takes each timestep's own.

    Raises
    ------
    ValueError
        For other values, or a combination that no algorithm computes.

    References
    ----------
    .. [1] Menick et al. 2021, Practical real time recurrent learning with a sparse approximation. ICLR.
    .. [2] Tallec and Ollivier 2018, Unbiased online recurrent optimization. ICLR.
    .. [3] Mujika et al. 2018, Approximating real-time recurrent learning with random Kronecker factors. NeurIPS.
    .. [4] Sussillo and Abbott 2009, Generating coherent patterns of activity from chaotic neural networks. Neuron 63.
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
            raise ValueError(f"name must be a non-empty string, got {validate.short_repr(self.name)}")
        for field, allowed in (("feedback", get_args(Feedback)), ("carry", get_args(Carry)), ("form", get_args(Form))):
            object.__setattr__(self, field, validate.one_of(field, getattr(self, field), allowed))
        if not isinstance(self.trains, tuple) or not all(isinstance(m, str) and m in MATRICES for m in self.trains):
            raise ValueError(
                f"trains must be a tuple of names from {', '.join(MATRICES)}, got {validate.short_repr(self.trains)}"
            )
        object.__setattr__(self, "draws", validate.integer("draws", self.draws, 1))
        object.__setattr__(self, "reward", validate.one_of("reward", self.reward, get_args(Reward)))
        object.__setattr__(self, "next_error", validate.boolean("next_error", self.next_error))
        for name, minimum in (("sigma", sys.float_info.min), ("alpha", sys.float_info.min), ("trace_tau", 1.0)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, validate.real(name, getattr(self, name), minimum))
        if self.trace_tau is not None and self.carry != "leak":
            raise ValueError(f"trace_tau needs carry 'leak', got {self.carry!r}")
        if self.truncation is not None:
            object.__setattr__(self, "truncation", validate.integer("truncation", self.truncation, 1))
        self._check_form()

    def _check_form(self) -> None:
        """Raises ValueError for a carry, feedback or option that the rule's algorithm does not take."""
        algorithm = self.algorithm
        if algorithm.carries is not None and self.carry not in algorithm.carries:
            raise ValueError(f"form {self.form!r} needs carry {_or(algorithm.carries)}, got {self.carry!r}")
        if algorithm.feedback not in (None, self.feedback):
            raise ValueError(f"form {self.form!r} needs feedback {algorithm.feedback!r}, got {self.feedback!r}")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            forms = [form for form in get_args(Form) if field.name in ALGORITHMS[form].options]
            if forms and self.form not in forms and value != field.default:
                got = validate.short_repr(value)
                raise ValueError(f"{field.name} needs form {_or(forms)}, got {got} and {self.form!r}")
            if field.name == algorithm.required and value is None:
                raise ValueError(f"{field.name} must be given with form {self.form!r}, got None")
        if algorithm.least_squares and self.trains != ("w_out",):
            raise ValueError(f"form {self.form!r} needs trains ('w_out',), got {self.trains!r}")

    @property
    def algorithm(self) -> Algorithm:
        """The entry of `ALGORITHMS` that computes its updates at the end of a trial."""
        return ALGORITHMS[self.form]

    def algorithm_for(self, online: bool) -> Algorithm:
        """The algorithm that trains by it: eligibility traces online, but for recursive least squares.

        Parameters
        ----------
        online : bool
            Whether weights change at every timestep.

        Returns
        -------
        Algorithm
            An entry of `ALGORITHMS`.
        """
        return ALGORITHMS["traces"] if online and not self.algorithm.within_trial else self.algorithm

    @property
    def untrained(self) -> bool:
        """Whether no matrix changes."""
        return not self.trains

    @property
    def local_in_time(self) -> bool:
        """Whether the rule has an online form (Eq. 5-6): its error need not travel back through the network."""
        if self.algorithm.within_trial:
            return True
        traced = self.form == "filtered" and self.carry in (ALGORITHMS["traces"].carries or ())
        return traced and self.truncation is None and not self.next_error


def _or(words: Sequence[str]) -> str:
    """The words as an error lists them: 'a', 'b' or 'c'."""
    return " or ".join(filter(None, (", ".join(map(repr, words[:-1])), repr(words[-1]))))


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


# e-prop (Bellec et al. 2020) without adaptation is RFLO: with symmetric feedback, and with random
ALIASES = {"e-prop": "local", "e-prop-random": "rflo"}


def resolve(rule: str | LearningRule) -> LearningRule:
    """The rule itself, or that of a name in any case; by an alias, with the alias for its name.

    Raises ValueError for an unknown name.
    """
    if isinstance(rule, LearningRule):
        return rule
    if not isinstance(rule, str):
        raise ValueError(f"rule must be a LearningRule or one of {', '.join(RULES)}, got {validate.short_repr(rule)}")
    name = validate.one_of("rule", rule, [*RULES, *ALIASES])
    return replace(RULES[ALIASES[name]], name=name) if name in ALIASES else RULES[name]
