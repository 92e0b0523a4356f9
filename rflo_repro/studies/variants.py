"""Tasks of Figures 3 and 4 with what the paper leaves open made otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from rflo_repro.learning.validate import Array
from rflo_repro.tasks import IntervalMatchingTask, Reaching


@dataclass(frozen=True)
class Pulses(IntervalMatchingTask):
    """Interval matching with input pulses of another height."""

    input_height: float = 1.0

    def with_delay(self, delay: int) -> tuple[Array, Array]:
        """As in the task, the inputs `input_height` as high."""
        inputs, targets = super().with_delay(delay)
        return self.input_height * inputs, targets


@dataclass(frozen=True)
class Movements(Reaching):
    """Movements and holds with tonic inputs of another amplitude, and, if `on_in_hold`, not switched off in a hold."""

    amplitude: float = 1.0
    on_in_hold: bool = False

    def inputs(self, direction: int) -> Array:
        """As in the task, but for amplitude and hold."""
        inputs = self.amplitude * super().inputs(direction)
        if self.on_in_hold:
            inputs[self.n_steps :, direction] = self.amplitude
        return inputs
