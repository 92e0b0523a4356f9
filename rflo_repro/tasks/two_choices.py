"""Decisions between two choices on noisy evidence: which of two inputs is larger, and which one counts.

Song, Yang and Wang (2016), PLoS Computational Biology 12:e1004792, doi:10.1371/journal.pcbi.1004792, with their times
and inputs; a timestep is 10 ms, and so the usual time constant of 10 timesteps is their 100 ms. Their noise is in the
network; here it is in the inputs (assumption `tasks-of-the-field`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rflo_repro.learning import exact_math, validate
from rflo_repro.learning.validate import Array

HIGH, LOW = 1.0, 0.2
"""The target of the choice that is right, and of both before the decision."""


def _steps(task: Any, *names: str) -> None:
    for name in names:
        object.__setattr__(task, name, validate.integer(name, getattr(task, name), 1))


def _coherences(task: Any) -> None:
    given = validate.array("coherences", task.coherences, (None,))
    if not len(given) or (given <= 0.0).any():
        raise ValueError(f"coherences must be above 0, got {validate.short_repr(task.coherences)}")
    object.__setattr__(task, "coherences", tuple(float(c) for c in given))
    object.__setattr__(task, "input_sd", validate.real("input_sd", task.input_sd, 0.0))


def _evidence(coherence: float, scale: float, choice: int) -> Array:
    """The heights of the two inputs, for a coherence in percent."""
    difference = scale * coherence / 100.0
    high, low = (1.0 + difference) / 2.0, (1.0 - difference) / 2.0
    return np.array([high, low] if choice == 0 else [low, high])


def _decision_targets(n_steps: int, fixation: int, decision: int, choice: int) -> Array:
    targets = np.full((n_steps, 2), np.nan)
    targets[:fixation] = LOW
    targets[-decision:] = LOW
    targets[-decision:, choice] = HIGH
    return targets


def _right_choice(outputs: Array, targets: Array, decision: int) -> float:
    """1 if the output that is larger on average in the decision is the one wanted, else 0."""
    means, wanted = (exact_math.mean(part[-decision:].T) for part in (outputs, targets))
    return float(np.argmax(means) == np.argmax(wanted))


@dataclass(frozen=True)
class EvidenceTask(validate.Checked):
    """Evidence accumulation: which of two noisy inputs is larger, for a time that differs from trial to trial.

    Fixation, stimulus, decision. The third input is on from the start of the stimulus. Targets: both outputs low in the
    fixation, and in the decision the right one high; none in the stimulus. Song et al. (2016) train networks of 100
    units on it.

    Parameters
    ----------
    coherences : tuple of float
        Differences of the inputs in percent, of which a trial has one.
    fixation, decision : int
        Timesteps of the first and of the last part.
    mean_stimulus, shortest, longest : int
        The stimulus lasts an exponentially distributed time of this mean, between these limits, in timesteps.
    input_sd : float
        Standard deviation of the noise on both inputs at every timestep of the stimulus.

    Raises
    ------
    ValueError
        For values out of range.
    """

    stored_as = "EvidenceTask"

    coherences: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    fixation: int = 10
    decision: int = 30
    mean_stimulus: int = 33
    shortest: int = 8
    longest: int = 150
    input_sd: float = 0.45
    n_in, n_out = 3, 2

    def __post_init__(self) -> None:
        _steps(self, "fixation", "decision", "mean_stimulus", "shortest")
        _coherences(self)
        object.__setattr__(self, "longest", validate.integer("longest", self.longest, self.shortest))

    @property
    def n_steps(self) -> int:
        """T of the longest trial."""
        return self.fixation + self.longest + self.decision

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One trial.

        Parameters
        ----------
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        tuple of ndarray
            Inputs (T, 3) and targets (T, 2), NaN during the stimulus.
        """
        choice, coherence = int(rng.integers(2)), self.coherences[int(rng.integers(len(self.coherences)))]
        # the inverse of the distribution function, between its values at the limits
        below, above = (float(exact_math.exp(np.array(-n / self.mean_stimulus))) for n in (self.shortest, self.longest))
        share = below - rng.random() * (below - above)
        duration = round(-self.mean_stimulus * float(exact_math.log(np.array(share))))
        n_steps = self.fixation + duration + self.decision
        stimulus = slice(self.fixation, self.fixation + duration)
        inputs = np.zeros((n_steps, 3))
        inputs[stimulus, :2] = _evidence(coherence, 3.2, choice)
        inputs[stimulus, :2] += self.input_sd * exact_math.normal(rng, (duration, 2))
        inputs[self.fixation :, 2] = 1.0
        return inputs, _decision_targets(n_steps, self.fixation, self.decision, choice)

    def metric(self, outputs: Array, inputs: Array, targets: Array) -> float:
        """Whether the output that is larger in the decision is the right one.

        Parameters
        ----------
        outputs, inputs, targets : ndarray
            (T, 2), (T, 3) and (T, 2).

        Returns
        -------
        float
            1 or 0.
        """
        return _right_choice(outputs, targets, self.decision)


@dataclass(frozen=True)
class ContextTask(validate.Checked):
    """Context-dependent integration: two pairs of noisy inputs, of which the context says which pair counts.

    After Mante et al. (2013), Nature 503:78, doi:10.1038/nature12742, as Song et al. (2016) train networks of 150 units
    on it. Inputs 1 and 2 say the context, 3 and 4 are one pair and 5 and 6 the other. Targets as in `EvidenceTask`.

    Parameters
    ----------
    coherences : tuple of float
        Differences of a pair in percent; each pair has one of them, and a sign of its own.
    fixation, stimulus, decision : int
        Timesteps of the parts of a trial.
    input_sd : float
        Standard deviation of the noise on both pairs at every timestep of the stimulus.

    Raises
    ------
    ValueError
        For values out of range.
    """

    stored_as = "ContextTask"

    coherences: tuple[float, ...] = (1.0, 3.0, 10.0)
    fixation: int = 10
    stimulus: int = 80
    decision: int = 30
    input_sd: float = 0.45
    n_in, n_out = 6, 2

    def __post_init__(self) -> None:
        _steps(self, "fixation", "stimulus", "decision")
        _coherences(self)

    @property
    def n_steps(self) -> int:
        """T."""
        return self.fixation + self.stimulus + self.decision

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One trial.

        Parameters
        ----------
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        tuple of ndarray
            Inputs (T, 6) and targets (T, 2), NaN during the stimulus.
        """
        context = int(rng.integers(2))
        inputs = np.zeros((self.n_steps, 6))
        during = slice(self.fixation, self.fixation + self.stimulus)
        choices = []
        for pair in (0, 1):
            coherence, choice = self.coherences[int(rng.integers(len(self.coherences)))], int(rng.integers(2))
            inputs[during, 2 + 2 * pair : 4 + 2 * pair] = _evidence(coherence, 5.0, choice)
            choices.append(choice)
        inputs[during, 2:] += self.input_sd * exact_math.normal(rng, (self.stimulus, 4))
        inputs[during, context] = 1.0
        return inputs, _decision_targets(self.n_steps, self.fixation, self.decision, choices[context])

    def metric(self, outputs: Array, inputs: Array, targets: Array) -> float:
        """Whether the output that is larger in the decision is the right one.

        Parameters
        ----------
        outputs, inputs, targets : ndarray
            (T, 2), (T, 6) and (T, 2).

        Returns
        -------
        float
            1 or 0.
        """
        return _right_choice(outputs, targets, self.decision)
