"""Networks that learn side by side in a thread of their own, in pieces short enough to stop at any time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rflo_repro.explorer.knobs import Knobs
from rflo_repro.runs.initialisation import generator
from rflo_repro.runs.outcomes import zero_output_loss

if TYPE_CHECKING:
    from rflo_repro.learning.history import History
    from rflo_repro.learning.validate import Array
    from rflo_repro.runs.session import Session

PIECE_SECONDS = 0.05
CURVE_POINTS = 300


@dataclass(frozen=True)
class Curve:
    """A learning curve, a point for each of the windows that a logarithmic axis shows as equally wide.

    trial: (n,) the last one of each window. loss, alignment: (n,) medians over the window.
    """

    trial: Array
    loss: Array
    alignment: Array


class Trainings:
    """The trainings that the knobs ask for, one a rule.

    histories: by rule, how far each has come. outputs: by rule, (T, Ny), what the network does now in the trial that is
    shown. seconds: how long all of them have been trained. error: what ended the training early, if anything did.
    """

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self.sessions: dict[str, Session] = {rule: knobs.session(rule) for rule, _ in knobs.rules}
        self.histories: dict[str, History] = {}
        self.outputs: dict[str, Array] = {}
        self.seconds, self.error = 0.0, ""
        self._thread: threading.Thread | None = None
        self._going = threading.Event()
        inputs, targets = knobs.session(knobs.rules[0][0]).task.trial(generator(knobs.seed, 0, "test"))
        self.inputs, self.targets = np.array(inputs), np.array(targets)
        last = knobs.n_trials // knobs.batch * knobs.batch
        edges = np.unique(np.rint(np.geomspace(1, last + 1, CURVE_POINTS)).astype(int))
        # of two trials of a batch neither sees the other's update
        self._edges = np.unique(1 + (edges - 1) // knobs.batch * knobs.batch)

    @property
    def zero_output_loss(self) -> float:
        """The loss of an output that is always zero in the trial that is shown."""
        return zero_output_loss(self.targets)

    @property
    def running(self) -> bool:
        """Whether the networks are learning."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def finished(self) -> bool:
        """Whether no training goes on any further."""
        return bool(self.error) or not self._unfinished()

    def start(self, learn: bool = True) -> None:
        """Begin, or go on; without learning only the outputs of the initial networks are computed."""
        if not self.running and not self.finished:
            if learn:
                self._going.set()
            # a daemon: whoever closes the program does not wait for a network
            self._thread = threading.Thread(target=self._train, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Hold after the piece that is being trained; `start` goes on from there."""
        self._going.clear()

    def wait(self) -> None:
        """Return once the thread has ended."""
        if self._thread is not None:
            self._thread.join()

    def curve(self, rule: str, begin: int = 0) -> Curve:
        """The windows that a rule's training has behind it, from number `begin` on."""
        history = self.histories.get(rule)
        if history is None:
            return Curve(np.zeros(0), np.zeros(0), np.zeros(0))
        edges = self._edges[self._edges <= len(history.loss) + 1][begin:]
        windows = list(zip(edges[:-1] - 1, edges[1:] - 1, strict=True))

        def medians(values: Array) -> Array:
            return np.array([np.median(values[first:last]) for first, last in windows])

        return Curve(edges[1:] - 1.0, medians(history.loss), medians(history.alignment))

    def _unfinished(self) -> list[str]:
        def goes_on(rule: str) -> bool:
            history = self.histories.get(rule)
            return history is None or not (history.diverged or len(history.loss) == self.knobs.n_trials)

        return [rule for rule in self.sessions if goes_on(rule)]

    def _train(self) -> None:
        from rflo_repro.learning.evaluate import run

        n_next = dict.fromkeys(self.sessions, self.knobs.batch)
        try:
            for rule in self.sessions.keys() - self.outputs.keys():
                self.outputs[rule] = run(self.sessions[rule].initial(), self.inputs).y
            while self._going.is_set() and (unfinished := self._unfinished()):
                # the one that is behind, so that all are seen to learn at once
                rule = min(unfinished, key=self._done)
                began = time.perf_counter()
                self._piece(rule, n_next[rule])
                seconds = time.perf_counter() - began
                self.outputs[rule] = run(self.histories[rule].network, self.inputs).y
                self.seconds += seconds
                most = max(1, round(n_next[rule] * PIECE_SECONDS / seconds / self.knobs.batch)) * self.knobs.batch
                n_next[rule] = min(most, 4 * n_next[rule])
        except Exception as error:  # the page says it, and a thread has nobody to raise it to
            self.error = f"{type(error).__name__}: {error}"

    def _done(self, rule: str) -> int:
        history = self.histories.get(rule)
        return 0 if history is None else len(history.loss)

    def _piece(self, rule: str, n_trials: int) -> None:
        history = self.histories.get(rule)
        n_trials = min(n_trials, self.knobs.n_trials - self._done(rule))
        if history is None:
            self.histories[rule] = replace(self.sessions[rule], n_trials=n_trials).train(lambda done: None)
        else:
            self.histories[rule] = history.resume(n_trials)
