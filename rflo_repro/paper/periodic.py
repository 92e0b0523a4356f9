"""What Figure 2 and its supplements share: the choices of the periodic task, and its printed learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rflo_repro.learning.rules import resolve
from rflo_repro.paper.choices import PeriodicChoices, SupplementChoices
from rflo_repro.paper.rates import learning_rate
from rflo_repro.runs import learning_curves
from rflo_repro.runs.experiment import About, Experiment, Picture
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.job import Condition, Results
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.sample import PART
from rflo_repro.runs.session import Session
from rflo_repro.stats.claims import Claim, Tables
from rflo_repro.tasks import PeriodicTask

if TYPE_CHECKING:
    import pandas as pd

    from rflo_repro.learning.optimizers import LearningRates
    from rflo_repro.report.comparison import Line

PERIODS_TAU = (20.0, 40.0, 80.0, 160.0)
# Methods, Figure 2: the rates found by the paper's grid search, by period in tau
PRINTED = {
    "rflo": {20.0: 0.03, 40.0: 0.01, 80.0: 0.001, 160.0: 0.0003},
    "bptt": {20.0: 0.03, 40.0: 0.03, 80.0: 0.01, 160.0: 0.03},
    "readout-only": dict.fromkeys(PERIODS_TAU, 0.03),
}


CHOICES = {
    "paper": SupplementChoices(),
    "quick": SupplementChoices(n_trials=2000, n_networks=5),
    "smoke": SupplementChoices(n_trials=40, n_networks=2),
}


def timesteps(period_tau: float, tau: float) -> int:
    """A period in timesteps. Raises ValueError if it is not a whole number of them."""
    exact = period_tau * tau
    if not math.isfinite(exact):
        raise ValueError(f"{period_tau:.15g} tau is more timesteps than can be counted (tau is {tau:.15g} of them)")
    if round(exact) < 1 or abs(exact - round(exact)) > 1e-9 * exact:
        raise ValueError(f"{period_tau:.15g} tau is not a whole number of timesteps (tau is {tau:.15g} of them)")
    return round(exact)


def steps(period_tau: float, tau: float, selection: Selection) -> int:
    """A period in timesteps. Raises RequestError if it is not a whole number of them: about --period if it was asked
    for there, and else about the choices."""
    try:
        return timesteps(period_tau, tau)
    except ValueError as error:
        raise RequestError("period" if period_tau in selection.periods_tau else "set", str(error)) from None


def periods_tau(selection: Selection, ends_alone: str) -> list[float]:
    """The periods to run, in order; a panel that shows the ends alone needs only the shortest and the longest."""
    chosen = sorted(selection.periods_tau or PERIODS_TAU)
    return sorted({chosen[0], chosen[-1]}) if selection.panels == (ends_alone,) else chosen


def rate(rule: str, period_tau: float) -> tuple[str, float]:
    """The paper's learning rate, and what it is called: at a period that the paper does not list it is that of the
    nearest one it does, called `nearest` (assumption `rates-between-periods`). A rule whose rate it does not print has
    that of RFLO or BPTT, whichever carries errors back as it does (assumption `rates-of-hybrids`)."""
    printed = PRINTED.get(rule) or PRINTED["rflo" if resolve(rule).local_in_time else "bptt"]
    if period_tau in printed:
        return "printed", printed[period_tau]
    return "nearest", printed[min(printed, key=lambda p: max(p, period_tau) / min(p, period_tau))]


@dataclass(frozen=True)
class Networks:
    """Networks of one condition.

    rates: the kind of their learning rate, such as `printed`. panels: letters of those that show them. label: in the
    progress line, the rule if not given. values: columns that tell them from others of this rule, rates and period.
    init: what they are sampled from, if not from the choices' initialisation.
    """

    rule: str
    period_tau: float
    rates: str
    panels: str = ""
    label: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    init: Initialisation | None = None


def condition(figure: str, networks: Networks, choices: PeriodicChoices, selection: Selection) -> Condition:
    """One rule at one period: a session for each network."""
    rule, period_tau = networks.rule, networks.period_tau
    values = {"rule": rule, **networks.values, "period_tau": period_tau}
    called, eta = networks.rates, 0.0
    if not (untrained := resolve(rule).untrained):
        called, eta = learning_rate(selection, figure, called, values, lambda: rate(rule, period_tau))
    task = PeriodicTask(steps(period_tau, choices.tau, selection))
    first = Session(
        task=task,
        rule=choices.learning_rule(rule),
        eta=_rates(choices, rule, eta, task.n_steps),
        # an untrained network has nothing to wait for
        n_trials=1 if untrained else choices.n_trials,
        init=networks.init or choices.init,
        seed=choices.seed,
        network=0,
        reset_state=choices.reset_state,
        **choices.training(rule),
    )
    label = f"{networks.label or rule} {period_tau:g} tau" + ("" if called == "printed" else f" {called}")
    return Condition(
        label=label,
        values={"figure": figure, "panel": networks.panels, **values, "rates": called, "eta": eta},
        jobs=tuple(replace(first, network=network) for network in range(choices.n_networks)),
        untrained=untrained,
    )


def _rates(choices: PeriodicChoices, rule: str, eta: float, n_steps: int) -> float | LearningRates:
    """What a network is trained with, where `eta` is the rate of an average over a trial and of B as it is."""
    if not choices.per_trial_average:
        eta *= n_steps
    if choices.feedback_scale == 1.0 or resolve(rule).feedback != "random":
        return eta
    from rflo_repro.learning.optimizers import LearningRates

    # B carries the error to these two, and nowhere else
    carried = choices.feedback_scale * eta
    return LearningRates(w_in=carried, w_rec=carried, w_out=eta)


def tabulate(choices: PeriodicChoices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The tables of `learning_curves.schemas`."""
    return learning_curves.tabulate(found, results, choices.tau)


@dataclass(frozen=True)
class Kind:
    """Networks that a supplement compares with others.

    rule: that trains them. label: in the picture, the rule's if not given. colour: its name in `palette.COLOURS`, that
    of the rule if not given.
    values: columns that tell them from others of the same rule. dale, output_feedback: of their initialisation.
    called: in the progress line, the rule if not given.
    """

    rule: str
    label: str = ""
    colour: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    dale: bool = False
    output_feedback: bool = False
    called: str = ""

    def networks(self, choices: SupplementChoices, period_tau: float, rates: str) -> Networks:
        """Those of one condition."""
        init = replace(choices.init, dale=self.dale, output_feedback=self.output_feedback)
        return Networks(self.rule, period_tau, rates, "ab", self.called, self.values, init)

    @property
    def line(self) -> Line:
        """Its line in the picture."""
        from rflo_repro.report import comparison, palette

        label = self.label or palette.name(self.rule)
        return comparison.Line({"rule": self.rule, **self.values}, label, palette.colour(self.colour or self.rule))


def compared(
    about: About,
    kinds: Sequence[Kind],
    condition_columns: Sequence[str],
    claims: Sequence[Claim],
    ends_only: bool = True,
) -> Experiment[SupplementChoices]:
    """A supplement: kinds of networks at every period. Panel a: loss in training (`ends_only`: at the shortest and the
    longest period), panel b: final loss against period.

    condition_columns: as for `learning_curves.schemas`.
    """

    def conditions(choices: SupplementChoices, selection: Selection) -> list[Condition]:
        chosen = periods_tau(selection, ends_alone="a") if ends_only else sorted(selection.periods_tau or PERIODS_TAU)
        return [
            condition(about.name, kind.networks(choices, period_tau, rates), choices, selection)
            for period_tau in chosen
            for rule in selection.rules or dict.fromkeys(kind.rule for kind in kinds)
            for kind in kinds
            if kind.rule == rule
            for rates in selection.rates
        ]

    def draw(tables: Tables, panels: Sequence[str]) -> tuple[Picture, list[str]]:
        from rflo_repro.report import comparison

        lines = [kind.line for kind in kinds]
        curves, final, larger = tables["curves"], tables["final"], tables.get(PART)
        return comparison.draw(curves, final, lines, panels, ends_only, larger), []

    schemas = learning_curves.schemas(about.name, condition_columns)
    return Experiment(about, draw, CHOICES, schemas, conditions, tabulate, learning_curves.summary, claims)
