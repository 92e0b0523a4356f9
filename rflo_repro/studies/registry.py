"""Finds the studies: each folder beside this file is one, and says in its `__init__.py` what it is (`ABOUT`)."""

from __future__ import annotations

import functools

import rflo_repro.studies
from rflo_repro.runs.experiment import About, listed


@functools.cache
def studies() -> dict[str, About]:
    """Every study, by command."""
    return listed(rflo_repro.studies)
