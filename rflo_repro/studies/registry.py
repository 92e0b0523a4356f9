"""Finds the studies, each a folder beside this file whose `__init__.py` says what it is (`ABOUT`), and what is derived
from figures and studies."""

from __future__ import annotations

import functools

import rflo_repro.studies
from rflo_repro.paper import registry
from rflo_repro.runs.experiment import About, listed
from rflo_repro.runs.variants import Variant
from rflo_repro.runs.variants import variants as of_runs
from rflo_repro.studies.multiverse import ABOUT as MULTIVERSE


@functools.cache
def studies() -> dict[str, About]:
    """Every study, by command."""
    return listed(rflo_repro.studies)


def has_search(about: About) -> bool:
    """Whether `tune` searches for its rates: those of figures, and of studies that say how."""
    return bool(about.rates) and (about.command in registry.figures() or bool(about.tuning))


def variants(about: About) -> list[Variant]:
    """An experiment with all that is derived from it: besides what `runs.variants` has, a figure in the variant closest
    to the paper's statements, and the search for its learning rates."""
    found = of_runs(about)
    if about.command in MULTIVERSE.closest:
        from rflo_repro.studies.multiverse import closest

        found.append(Variant(closest.experiment(about, "")))
    if search := studies().get(f"tune {about.command}"):
        found.append(Variant(search.experiment))
    if has_search(about):
        from rflo_repro.studies import tune

        found.append(Variant(tune.experiment(about)))
    return found
