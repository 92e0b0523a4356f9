"""The choices of Figure 2: those of the periodic task, and in which form BPTT is run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rflo_repro.paper.choices import PeriodicChoices
from rflo_repro.runs.choices import Alternative, boolean, open_choice

if TYPE_CHECKING:
    from rflo_repro.learning.rules import LearningRule


@dataclass(frozen=True, kw_only=True)
class Choices(PeriodicChoices):
    """Raises ChoiceError for values out of range."""

    stored_as = "Choices"

    next_error: bool = open_choice(
        False,
        "published-bptt",
        "whether BPTT takes the next step's error in every place, as in the author's published notebook",
        boolean,
        Alternative(True, "BPTT of the notebook"),
    )

    def learning_rule(self, rule: str) -> str | LearningRule:
        """The rule as it is run."""
        if not self.next_error or rule != "bptt":
            return rule
        from rflo_repro.learning.rules import resolve

        return replace(resolve(rule), next_error=True)
