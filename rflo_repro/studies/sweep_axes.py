"""What a sweep's grid may vary: each axis with the check of its values and its column in the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from rflo_repro.learning import validate
from rflo_repro.learning.network import Phi
from rflo_repro.learning.task import LOSSES
from rflo_repro.runs.choices import first_state
from rflo_repro.runs.request import LIMITS
from rflo_repro.runs.tables import Column

PERIODIC = "periodic"


@dataclass(frozen=True)
class Axis:
    """An axis of a grid.

    check: from a name and a value to the value; raises ValueError. column: of the tables. usual: the value of a grid
    that does not name the axis. always: whether tables have the column even then.
    """

    check: Callable[[str, Any], Any]
    column: Column
    usual: Any = None
    always: bool = False

    def column_of(self, values: Sequence[Any]) -> Column:
        """The column of these values: text where there are words."""
        worded = any(isinstance(value, str) for value in values)
        return replace(self.column, kind="text") if worded else self.column


def _named(name: str, value: Any) -> Any:
    """Names are compared with those that the file knows."""
    return value


def _number(least: float, *most: float) -> Callable[[str, Any], Any]:
    return lambda name, value: validate.real(name, value, least, *most)


def _count(*most: int) -> Callable[[str, Any], Any]:
    return lambda name, value: validate.integer(name, value, 1, *most)


def _rate(matrix: str, of: str) -> Axis:
    return Axis(
        _number(0.0), Column(f"eta_{matrix}", "number", "", f"learning rate of the {of} weights, in place of eta")
    )


AXES = {
    "rule": Axis(
        _named, Column("rule", "text", "", "learning rule: one of rflo_repro.RULES, or of the sweep's own"), always=True
    ),
    "task": Axis(_named, Column("task", "text", "", "task: periodic, or one of the sweep's own"), PERIODIC, True),
    "n_rec": Axis(_count(), Column("n_rec", "integer", "units", "number of recurrent units N"), 30, True),
    "tau": Axis(_number(1.0), Column("tau", "number", "timesteps", "time constant of the network"), 10.0, True),
    "period": Axis(
        _number(0.0),
        Column("period_tau", "number", "tau", "period of the target, in units of tau; empty for tasks without one"),
        always=True,
    ),
    "g": Axis(_number(0.0), Column("g", "number", "", "initial recurrent weights have the variance g^2/N"), 1.5, True),
    "eta": Axis(_number(0.0), Column("eta", "number", "", "learning rate"), always=True),
    "eta_in": _rate("in", "input"),
    "eta_rec": _rate("rec", "recurrent"),
    "eta_out": _rate("out", "readout"),
    "n_trials": Axis(
        _count(LIMITS["trials"]),
        Column("trials", "integer", "trials", "number of training trials that was asked for"),
    ),
    "batch": Axis(
        _count(), Column("batch", "integer", "trials", "trials whose updates are summed before they are applied")
    ),
    "online": Axis(validate.boolean, Column("online", "flag", "", "whether weights change at every timestep")),
    "h0": Axis(
        first_state,
        Column("h0", "number", "", "initial state of every unit; as text, uniform, U(-1, 1), or normal, N(0, 1)"),
    ),
    "phi": Axis(
        lambda name, value: validate.one_of(name, value, get_args(Phi)),
        Column("phi", "text", "", "activation function"),
    ),
    "density": Axis(
        _number(0.0, 1.0), Column("density", "number", "", "share of the recurrent synapses that there are")
    ),
    "bias": Axis(
        _number(0.0), Column("bias", "number", "", "standard deviation of the initial biases, which are trained")
    ),
    "tau_spread": Axis(
        _number(1.0), Column("tau_spread", "number", "", "time constants go from tau over this to tau times this")
    ),
    "noise": Axis(_number(0.0), Column("noise", "number", "", "standard deviation of the noise on the units' drive")),
    "loss": Axis(
        lambda name, value: validate.one_of(name, value, LOSSES),
        Column("loss_function", "text", "", "squared or cross-entropy"),
    ),
    "optimizer": Axis(
        _named, Column("optimizer", "text", "", "optimiser: a method of rflo_repro.Optimizer, or the sweep's own")
    ),
}
