"""How a rule's updates are computed: one table from the name of an algorithm to its kernels, memory and cost.

`LearningRule.form` names the algorithm of a rule. `traces` is the online form of a filtered rule that is local in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rflo_repro.learning.packing import PackedNetwork
    from rflo_repro.learning.rules import LearningRule

Workspace = Callable[[Any, "LearningRule", "PackedNetwork", int, int], Any]
"""Scratch memory from the module `kernels`, a rule, a network, the timesteps of a trial and the trials in lockstep."""


def _filter_workspace(kernels: Any, rule: LearningRule, packed: PackedNetwork, n_steps: int, width: int) -> Any:
    return packed.workspace(n_steps, width)


def _uoro_workspace(kernels: Any, rule: LearningRule, packed: PackedNetwork, n_steps: int, width: int) -> Any:
    return packed.workspace(n_steps, width, kernels.uoro(*packed.sizes, n_steps, width, rule.draws))


def _kf_workspace(kernels: Any, rule: LearningRule, packed: PackedNetwork, n_steps: int, width: int) -> Any:
    return packed.workspace(n_steps, width, kernels.factors(*packed.sizes[:2], n_steps, width))


def _reward_workspace(kernels: Any, rule: LearningRule, packed: PackedNetwork, n_steps: int, width: int) -> Any:
    return kernels.reward_workspace(*packed.sizes, n_steps, width)


def _exact_workspace(kernels: Any, rule: LearningRule, packed: PackedNetwork, n_steps: int, width: int) -> Any:
    return kernels.exact_workspace(*packed.sizes)


def _trace_workspace(kernels: Any, rule: LearningRule, packed: PackedNetwork, n_steps: int, width: int) -> Any:
    return kernels.trace_workspace(*packed.sizes)


def _filter_switches(kernels: Any, rule: LearningRule) -> Any:
    carry = kernels.CARRIES[rule.carry]
    return kernels.Rule(
        rule.feedback == "symmetric", carry, rule.trace_tau or 0.0, rule.truncation or 0, int(rule.next_error)
    )


def _reward_switches(kernels: Any, rule: LearningRule) -> Any:
    carry = kernels.CARRIES[rule.carry]
    return kernels.Perturbation(rule.sigma, rule.reward == "trial", carry, rule.trace_tau or 0.0)


@dataclass(frozen=True)
class Algorithm:
    """What computes the updates of a rule, what it asks of the rule, and what it costs.

    train, update: names of the kernels that train, and that give one trial's update.
    workspace: their scratch memory. switches: the rule as they take it.
    multiply_adds: a timestep, from a rule, N, Nx and Ny, beyond the forward pass, the readout's update, the error fed
    back and one outer product.
    carries: the Jacobian approximations (`LearningRule.carry`) that it takes. feedback: the one that it takes.
    None: any.
    options: the further fields of a rule that it takes. required: the one of these that it needs.
    n_signs: Rademacher signs a timestep and draw, from N.
    within_trial: whether weights change at every timestep. perturbs: whether it adds noise to the units.
    least_squares: whether the readout learns by recursive least squares, and nothing else learns.
    histories, matrices, cubes: its memory beyond that of filtered rules, in numbers: so many times N a timestep and
    trial, so many times N^2, and so many times N^3.
    """

    train: str
    update: str
    workspace: Workspace
    multiply_adds: Callable[[LearningRule, int, int, int], int]
    switches: Callable[[Any, LearningRule], Any] = _filter_switches
    carries: tuple[str, ...] | None = ("full",)
    feedback: str | None = None
    options: tuple[str, ...] = ()
    required: str | None = None
    n_signs: Callable[[int], int] = lambda n_rec: 0
    within_trial: bool = False
    perturbs: bool = False
    least_squares: bool = False
    histories: int = 0
    matrices: int = 0
    cubes: int = 0


ALGORITHMS: dict[str, Algorithm] = {
    # one pass backwards in time
    "filtered": Algorithm(
        train="train_trials",
        update="gradient",
        workspace=_filter_workspace,
        multiply_adds=lambda rule, n, n_in, n_out: n * n if rule.carry == "full" else 0,
        carries=None,
        options=("trace_tau", "truncation", "next_error"),
    ),
    # eligibility traces, Eq. 5-6
    "traces": Algorithm(
        train="train_online",
        update="trace_gradient",
        workspace=_trace_workspace,
        multiply_adds=lambda rule, n, n_in, n_out: n * (n + n_in),
        carries=("leak", "none", "diagonal"),
        within_trial=True,
    ),
    # RTRL, Eq. 4: the dependence of every unit on every weight goes through W
    "forward": Algorithm(
        train="train_exact",
        update="rtrl_gradient",
        workspace=_exact_workspace,
        multiply_adds=lambda rule, n, n_in, n_out: n**3 * (n + n_in),
        feedback="symmetric",
        cubes=2,
    ),
    # W times a vector a draw; the draws share the outer product
    "uoro": Algorithm(
        train="train_trials",
        update="gradient",
        workspace=_uoro_workspace,
        multiply_adds=lambda rule, n, n_in, n_out: rule.draws * n * n,
        options=("draws",),
        n_signs=lambda n_rec: n_rec,
    ),
    # W times a matrix a draw
    "kf": Algorithm(
        train="train_trials",
        update="gradient",
        workspace=_kf_workspace,
        multiply_adds=lambda rule, n, n_in, n_out: rule.draws * (n**3 + n * n),
        options=("draws",),
        n_signs=lambda n_rec: 2,
        histories=2,
        matrices=2,
    ),
    # a run with noise a draw beside the one without
    "perturbation": Algorithm(
        train="train_rewarded",
        update="reward_update",
        workspace=_reward_workspace,
        multiply_adds=lambda rule, n, n_in, n_out: rule.draws * n * (n + n_in + n_out),
        switches=_reward_switches,
        carries=("full", "leak", "none"),
        options=("draws", "sigma", "reward", "trace_tau"),
        required="sigma",
        n_signs=lambda n_rec: n_rec,
        perturbs=True,
    ),
    # the inverse correlation matrix times h, and its change
    "rls": Algorithm(
        train="train_online",
        update="least_squares_update",
        workspace=_trace_workspace,
        multiply_adds=lambda rule, n, n_in, n_out: 2 * n * n,
        carries=None,
        options=("alpha",),
        required="alpha",
        within_trial=True,
        least_squares=True,
        matrices=1,
    ),
}


def multiply_adds(rule: LearningRule, n_rec: int, n_in: int, n_out: int, online: bool = False) -> float:
    """What a timestep of a rule costs: multiply-adds over those of the forward pass alone (docs/rules.md).

    Parameters
    ----------
    rule : LearningRule
        The rule.
    n_rec, n_in, n_out : int
        N, Nx and Ny.
    online : bool
        Whether weights change at every timestep.

    Returns
    -------
    float
        At least 1. What is of the order of N alone is left out: activation functions, filters, random signs.
    """
    inputs, readout = n_rec * (n_rec + n_in), n_rec * n_out
    algorithm = rule.algorithm_for(online)
    learned = readout if "w_out" in rule.trains else 0
    recurrent = bool({"w_in", "w_rec"} & {*rule.trains})
    if recurrent:
        # the error fed back, and the sum over time of one outer product
        learned += readout + inputs
    if recurrent or algorithm.least_squares:
        learned += algorithm.multiply_adds(rule, n_rec, n_in, n_out)
    return (inputs + readout + learned) / (inputs + readout)
