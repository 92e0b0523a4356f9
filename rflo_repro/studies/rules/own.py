"""Rules of one's own, from a TOML file (docs/sweeps.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rflo_repro.learning import validate
from rflo_repro.learning.rules import LearningRule
from rflo_repro.runs.job import describe
from rflo_repro.runs.request import RequestError
from rflo_repro.studies import toml_entries
from rflo_repro.studies.rules.family import FAMILY
from rflo_repro.studies.toml_entries import only, rule_of, table


@dataclass(frozen=True)
class Own:
    """A rule of a file's. w, w_out: learning rates of W and Win, and of Wout; None: those of a rule like it."""

    stored_as = "Own"

    made: LearningRule
    w: float | None = None
    w_out: float | None = None
    optimizer = "sgd"
    base = "own"
    output_feedback = False
    tuned = True

    @property
    def name(self) -> str:
        """What tables and pictures call it."""
        return self.made.name

    def rule(self, tau: float) -> LearningRule:
        """The rule; its constants are in timesteps."""
        return self.made

    def __str__(self) -> str:
        return f"{self.name}-{hashlib.sha256(json.dumps(describe(self)).encode()).hexdigest()[:6]}"


def read(name: str, value: Any) -> tuple[Own, ...]:
    """The rules of a file, given by its path; what has been read stays as it is. Raises ValueError."""
    if isinstance(value, tuple) and all(isinstance(item, Own) for item in value):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{name} must be the path of a TOML file, got {validate.short_repr(value)}")
    try:
        return toml_entries.read(Path(value), _rules)
    except RequestError as error:
        raise ValueError(f"{name}: {error}") from None


def _rules(page: Mapping[str, Any], folder: Path) -> tuple[Own, ...]:
    """Raises ValueError."""
    only("entries", page, ("rules", "rates"))
    rules, rates = (table(part, page.get(part, {})) for part in ("rules", "rates"))
    if not rules:
        raise ValueError("rules is missing: a table [rules.NAME] for each")
    only("rates", rates, [*rules])
    found = []
    for name, value in rules.items():
        if any(name == member.name for member in FAMILY):
            raise ValueError(f"rules.{name} is a rule already; give yours another name")
        own = table(f"rates.{name}", rates.get(name, {}))
        only(f"rates.{name}", own, ("w", "w_out"))
        given = {key: validate.real(f"rates.{name}.{key}", rate, 0.0) for key, rate in own.items()}
        found.append(Own(rule_of(name, value), **given))
    return tuple(found)
