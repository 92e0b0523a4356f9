"""Finds the figures: each folder beside this file is one, and says in its `__init__.py` what it is (`ABOUT`)."""

from __future__ import annotations

import functools

import rflo_repro.paper
from rflo_repro.runs.experiment import About, listed


@functools.cache
def figures() -> dict[str, About]:
    """Every figure, by command, in the paper's order."""
    return listed(rflo_repro.paper)
