"""From a request to a plan: everything that is settled before anything is computed or written."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rflo_repro.learning import validate
from rflo_repro.runs import folders, system
from rflo_repro.runs.choices import ChoiceError, Choices, vary
from rflo_repro.runs.conditions import names_of, of_one_network, of_scale
from rflo_repro.runs.experiment import Experiment
from rflo_repro.runs.folders import CUSTOM, Folders
from rflo_repro.runs.job import Condition, describe
from rflo_repro.runs.request import Execution, Request, RequestError
from rflo_repro.runs.size import check_size

C = TypeVar("C")
MANY_NETWORKS = 1000


@dataclass(frozen=True)
class Plan(Generic[C]):
    """What a request comes to.

    choices: those of the scale, with what the request changes. conditions: what is computed, none of a mere drawing.
    """

    experiment: Experiment[C]
    request: Request
    choices: C
    conditions: Sequence[Condition]

    @property
    def n_threads(self) -> int:
        """On how many threads it is computed; what measures time has one."""
        return 1 if self.experiment.about.timed else self.request.jobs or system.cores()

    @property
    def execution(self) -> Execution:
        """How it is computed."""
        return Execution(self.n_threads, self.request.scheduler, self.request.force, self.request.checkpoint)

    @property
    def plain(self) -> bool:
        """Whether its settings are those of its scale."""
        return self.choices == self.experiment.scales.get(self.request.scale) and self.request.selection.eta is None

    @functools.cached_property
    def paper_order(self) -> Mapping[str, Sequence[str]]:
        """The names of all conditions at the paper's scale, by table: the order of its rows."""
        every = of_scale(of_one_network(self.experiment))
        return {schema.name: names_of(every, schema) for schema in self.experiment.schemas.values()}

    @functools.cached_property
    def reference(self) -> bool:
        """Whether it is a part of the paper's run: its scale, its values, its conditions."""
        if not self.experiment.computed:
            return self.request.scale == "paper"
        if self.choices != self.experiment.scales.get("paper") or self.request.selection.eta is not None:
            return False
        schemas = self.experiment.schemas.values()
        return all(set(names_of(self.conditions, s)) <= set(self.paper_order[s.name]) for s in schemas)

    @functools.cached_property
    def settings(self) -> dict[str, Any]:
        """What the metadata of its tables say of it: the scale, the choices, and a learning rate that was given."""
        scale = self.request.scale
        return {
            "scale": scale if self.plain and (self.reference or scale != "paper") else CUSTOM,
            "choices": describe(self.choices),
            "eta": self.request.selection.eta,
        }

    @functools.cached_property
    def folders(self) -> Folders:
        """Where its files go."""
        request, usual = self.request, self.experiment.scales.get(self.request.scale)
        scale, eta = request.scale, request.selection.eta
        of_scale = self.reference or (self.plain and scale != "paper") or not self.experiment.computed
        deviation = None if of_scale else folders.deviation(usual, self.choices, scale, eta)
        results, figures = (folders.of_run(base, scale, self.reference, deviation) for base in ("results", "figures"))
        # the picture of a sweep's file lies beside its tables in a directory that is named
        named = request.figures or (request.results if scale == CUSTOM else None)
        return Folders(request.results or results, named or figures)

    @property
    def headline(self) -> str:
        """What is computed, in a line."""
        about, selection = self.experiment.about, self.request.selection
        part = selection.suffix.replace("-", " ").strip()
        counts = (("n_networks", "networks"), ("n_trials", "trials"))
        known = [f"{getattr(self.choices, name):,} {word}" for name, word in counts if hasattr(self.choices, name)]
        rates = "given rate" if selection.eta is not None else " and ".join(selection.rates) + " rates"
        scale = f"{self.settings['scale']} scale" + (f": {' × '.join(known)}" if known else "")
        said = [about.command + (f" ({part})" if part else ""), scale]
        return " · ".join([*said, rates] if about.rates else said)


def plan(experiment: Experiment[C], request: Request) -> Plan[C]:
    """The plan of a request. Raises RequestError for one that cannot be met; touches nothing."""
    chosen = choices(experiment, request)
    found = Plan(experiment, request, chosen, ())
    if experiment.computed:
        # all conditions of very many networks take long to be made, only to be refused
        n_networks = getattr(chosen, "n_networks", 1)
        if n_networks > MANY_NETWORKS:
            few: C = dataclasses.replace(chosen, n_networks=1)  # type: ignore[type-var]
            check_size(conditions(experiment, few, request), n_networks, found.n_threads, request)
        found = dataclasses.replace(found, conditions=conditions(experiment, chosen, request))
        check_size(found.conditions, 1, found.n_threads, request)
        folders.check("results", found.folders.results)
    if request.plot:
        folders.check("figures", found.folders.figures)
    return found


def choices(experiment: Experiment[C], request: Request) -> C:
    """The choices at the asked scale, with what the request changes. Raises RequestError for a wrong name or value."""
    usual: Any = experiment.scales.get(request.scale)
    if not isinstance(usual, Choices):
        return usual  # type: ignore[no-any-return]
    given = {
        "networks": request.networks,
        "seed": request.seed,
        "trials": request.trials,
        "rule-file": None if request.rule_file is None else str(request.rule_file),
    }
    try:
        return vary(usual, request.sets, given)  # type: ignore[return-value]
    except ChoiceError as error:
        raise RequestError(error.option, str(error)) from None


def conditions(experiment: Experiment[C], chosen: C, request: Request) -> Sequence[Condition]:
    """The conditions that are asked for. Raises RequestError if there are none, or for choices that make none."""
    try:
        return experiment.conditions(chosen, request.selection)
    except ValueError as error:
        if not request.sets:
            raise
        given = ", ".join(f"{name}={validate.short_repr(text)}" for name, text in request.sets)
        raise RequestError("set", f"{given}: {error}") from None
