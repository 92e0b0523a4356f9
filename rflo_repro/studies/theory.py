"""`rflo-repro theory`: what the paper derives, measured in random networks.

- `theory_exact`: RTRL's update against batch BPTT's (Eq. 28), and RFLO's against it as a control.
- `theory_appendix`: the two statements of Appendix 2, in linear networks as it assumes them and in those of Figure 2.
- `theory_alignment`: Figure 2c's control: RFLO with the recurrent weights held still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from rich.console import Console

from rflo_repro.learning import arithmetic
from rflo_repro.paper import registry
from rflo_repro.runs import provenance, road
from rflo_repro.runs.learning_curves import final_loss, last_part, summary
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.realisation import Arrays, Condition, Progress, describe
from rflo_repro.runs.recipe import Recipe, generator
from rflo_repro.runs.request import Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import FOLDER, Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.runs.tables import Column, Schema, write
from rflo_repro.tasks import IntervalMatchingTask, PeriodicTask

if TYPE_CHECKING:
    from rflo_repro.learning.network import Network

# A tanh network whose states are this small is linear to about the square of it.
SMALL = 1e-5
# Change of w_rec in the difference quotient of the alignment's growth, relative to the size of w_rec.
STEP = 1e-4
BLOCK = 100  # networks a realisation


@dataclass(frozen=True)
class Choices:
    """n_networks: of Appendix 2 a condition. g_linear: recurrent weights of linear networks have variance
    g_linear^2/N, below 1 so that their activity decays. n_exact: networks in which RTRL and BPTT are compared.
    The alignment's control has Figure 2's choices at the same scale."""

    n_networks: int = 1000
    n_rec: int = 30
    tau: float = 10.0
    g: float = 1.5
    g_linear: float = 0.5
    periods_tau: tuple[float, ...] = (20.0, 40.0, 80.0, 160.0)
    n_exact: int = 20
    seed: int = 2019


CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_networks=200, n_exact=10),
    "smoke": Choices(n_networks=20, n_exact=5, periods_tau=(20.0,)),
}

_NETWORK = Column("network", "integer", "", "index of the random network, from 0")
_PERIOD = Column("period_tau", "number", "tau", "period of the target")
EXACT = Schema(
    "theory_exact",
    "one random network and trial",
    (
        Column("task", "text", "", "periodic (no input) or intervals (two inputs)"),
        _NETWORK,
        Column("rtrl", "number", "", "largest difference of RTRL's and BPTT's update over BPTT's largest, any matrix"),
        Column("rflo", "number", "", "the same of RFLO's update"),
    ),
    ("task",),
)
APPENDIX = Schema(
    "theory_appendix",
    "one random network before training",
    (
        Column("units", "text", "", "linear: decaying activity from a random state; tanh: the networks of Figure 2"),
        _PERIOD,
        _NETWORK,
        Column("overlap", "number", "", "cosine of wout and b"),
        Column("loss_change", "number", "", "change of the loss by RFLO's update of w_rec, over its rate, small"),
        Column("loss_change_cosine", "number", "", "the same over the sizes of update and gradient: from -1 to 1"),
        Column("alignment_growth", "number", "", "G of Eq. 42: d2(change of wout b)/(d eta1 d eta2) at 0"),
    ),
    ("units", "period_tau"),
)
ALIGNMENT = Schema(
    "theory_alignment",
    "one network trained by RFLO",
    (
        Column("rates", "text", "", "printed or tuned"),
        _PERIOD,
        Column("recurrent", "text", "", "whether the recurrent weights are trained or frozen"),
        Column("eta", "number", "", "learning rate"),
        _NETWORK,
        Column("first_alignment", "number", "", "Tr(Wout B) / (|Wout| |B|) in the first trial"),
        Column("final_alignment", "number", "", "its median in the last 1% of trials"),
        Column("final_loss", "number", "", "median loss L of the last 1% of trials; empty after a divergence"),
    ),
    ("rates", "period_tau", "recurrent"),
)


@dataclass(frozen=True)
class Exact:
    """RTRL's update against BPTT's in one random network."""

    task: PeriodicTask | IntervalMatchingTask
    recipe: Recipe
    seed: int
    network: int
    n_trials: int = 1
    n_bytes: int = 1 << 20

    def run(self, progress: Progress) -> Arrays:
        """rtrl, rflo: (1,) the largest difference to BPTT's update, over BPTT's largest, of any matrix."""
        from rflo_repro.learning.rules import MATRICES
        from rflo_repro.learning.training import weight_updates

        net = self.recipe.draw(self.task, self.seed, self.network)
        trial = self.task.trial(generator(self.seed, self.network, "task"))
        updates = {rule: weight_updates(net, *trial, rule=rule) for rule in ("bptt", "rtrl", "rflo")}

        def apart(rule: str) -> float:
            pairs = [(getattr(updates[rule], m), getattr(updates["bptt"], m)) for m in MATRICES]
            return max(float(np.abs(one - exact).max() / np.abs(exact).max()) for one, exact in pairs if exact.size)

        return {rule: np.array([apart(rule)]) for rule in ("rtrl", "rflo")}


@dataclass(frozen=True)
class Appendix:
    """The two statements of Appendix 2 in random networks before training: `count` of them from number `first` on."""

    linear: bool
    period_steps: int
    recipe: Recipe
    seed: int
    first: int
    count: int
    n_bytes: int = 1 << 22

    @property
    def n_trials(self) -> int:
        """Networks, for each is one trial."""
        return self.count

    def initial(self, network: int) -> Network:
        """A network. A linear one is a tanh network with a random state so small that tanh is the identity, and a
        readout as much larger, so that output and error are of ordinary size."""
        net = self.recipe.draw(PeriodicTask(self.period_steps), self.seed, network)
        if not self.linear:
            return net
        h0 = SMALL * arithmetic.normal(generator(self.seed, network, "initial state"), (net.n_rec,))
        return replace(net, h0=h0, w_out=net.w_out / SMALL)

    def run(self, progress: Progress) -> Arrays:
        """overlap, loss_change, loss_change_cosine, alignment_growth, as in the table: (count,)."""
        found = []
        for i in range(self.count):
            found.append(self._measure(self.initial(self.first + i)))
            progress(i + 1)
        return {name: np.array([one[name] for one in found]) for name in found[0]}

    def _measure(self, net: Network) -> dict[str, float]:
        from rflo_repro.learning.training import weight_updates

        inputs, targets = PeriodicTask(self.period_steps).trial(np.random.default_rng(0))
        local, exact = (weight_updates(net, inputs, targets, rule) for rule in ("rflo", "bptt"))
        sizes = arithmetic.size(exact.w_rec), arithmetic.size(local.w_rec)
        # minus the gradient times the update: the change of the loss to first order in the rate (Eq. 32, second term)
        change = -arithmetic.inner(exact.w_rec, local.w_rec)
        step = STEP * arithmetic.size(net.w_rec) / sizes[1]
        ahead, behind = (
            arithmetic.inner(
                weight_updates(replace(net, w_rec=net.w_rec + sign * step * local.w_rec), inputs, targets).w_out,
                net.feedback.T,
            )
            for sign in (1.0, -1.0)
        )
        # what the small state took from update and readout is put back
        scale = SMALL if self.linear else 1.0
        return {
            "overlap": net.alignment,
            "loss_change": change / scale,
            "loss_change_cosine": change / (sizes[0] * sizes[1]),
            "alignment_growth": (ahead - behind) / (2.0 * step) / (scale * scale),
        }


def exact_conditions(choices: Choices) -> list[Condition]:
    """RTRL and BPTT in networks without and with inputs."""
    recipe = Recipe(choices.n_rec, choices.tau, choices.g)
    tasks: dict[str, PeriodicTask | IntervalMatchingTask] = {
        "periodic": PeriodicTask(200),
        "intervals": IntervalMatchingTask(longest=60),
    }
    return [
        Condition(
            f"RTRL and BPTT, {name}",
            {"task": name},
            tuple(Exact(task, recipe, choices.seed, network) for network in range(choices.n_exact)),
        )
        for name, task in tasks.items()
    ]


def appendix_conditions(choices: Choices) -> list[Condition]:
    """Linear networks and those of Figure 2, at each period."""
    h0 = registry.figures()["fig2"].experiment.scales["paper"].h0
    return [
        Condition(
            f"Appendix 2, {units} {period:g} tau",
            {"units": units, "period_tau": period},
            tuple(
                Appendix(units == "linear", round(period * choices.tau), Recipe(choices.n_rec, choices.tau, g, h0),
                         choices.seed, first, min(BLOCK, choices.n_networks - first))
                for first in range(0, choices.n_networks, BLOCK)
            ),
        )
        for units, g in (("linear", choices.g_linear), ("tanh", choices.g))
        for period in choices.periods_tau
    ]  # fmt: skip


def alignment_conditions(scale: str) -> list[Condition]:
    """RFLO as in Figure 2, and the same with the rate of w_rec at 0."""
    from rflo_repro.learning.training import LearningRates

    figure = registry.figures()["fig2"]
    found = []
    for condition in figure.experiment.conditions(
        figure.experiment.scales[scale], Selection(rules=("rflo",), rates=figure.rates)
    ):
        eta = condition.values["eta"]
        values = {name: condition.values[name] for name in ("rates", "period_tau")}
        for recurrent, rates in (("trained", eta), ("frozen", LearningRates(eta, 0.0, eta))):
            sessions = [replace(s, eta=rates) for s in condition.realisations if isinstance(s, Session)]
            label = f"alignment, w_rec {recurrent}, {values['period_tau']:g} tau {values['rates']}"
            found.append(Condition(label, {**values, "recurrent": recurrent, "eta": eta}, tuple(sessions)))
    return found


def _alignment(arrays: Arrays) -> dict[str, Any]:
    return {
        "first_alignment": arrays["alignment"][:1],
        "final_alignment": last_part(arrays["alignment"]),
        "final_loss": final_loss(arrays),
    }


def _rows(
    conditions: Sequence[Condition], results: Sequence[Sequence[Arrays]], columns: Callable[[Arrays], dict[str, Any]]
) -> pd.DataFrame:
    """A row a network; `columns` gives a realisation's, each one value or one a network."""
    frames = []
    for condition, realisations in zip(conditions, results, strict=True):
        part = pd.concat([pd.DataFrame(columns(arrays)) for arrays in realisations], ignore_index=True)
        frames.append(part.assign(**condition.values, network=range(len(part))))
    return pd.concat(frames, ignore_index=True)


def theory(scale: str, jobs: int | None, results: Path, console: Console, force: bool = False) -> None:
    """Measure all three and write their tables. Raises Refused for a folder it cannot use."""
    road.check_folder("results", results)
    choices = CHOICES[scale]
    work = (
        (EXACT, exact_conditions(choices), dict, lambda s: f"apart {max(float(a['rtrl'][0]) for a in s):.1g}"),
        (APPENDIX, appendix_conditions(choices), dict, lambda s: f"{sum(len(a['overlap']) for a in s)} networks"),
        (ALIGNMENT, alignment_conditions(scale), _alignment, summary),
    )
    store = Store(results / FOLDER)
    for schema, conditions, columns, said in work:
        arrays = sweep(conditions, store, jobs or joblib.cpu_count(), Reporter(console), said, force)
        frame = _rows(conditions, arrays, columns)
        path = write(results, schema, frame, page(scale, choices, conditions))
        console.print(str(path), highlight=False, soft_wrap=True)


def page(scale: str, choices: Any, conditions: Sequence[Condition]) -> dict[str, Any]:
    """What is said beside a study's table of where it comes from."""
    modules = sorted({m for c in conditions for r in c.realisations[:1] for m in provenance.modules_of(r)})
    return {
        "settings": {"scale": scale, "choices": describe(choices)},
        "root_seed": choices.seed,
        "runs": [
            {
                **provenance.record(),
                "numerical_source": {"digest": provenance.numerical_digest(*modules), "of": modules},
                "conditions": [c.label for c in conditions],
            }
        ],
    }
