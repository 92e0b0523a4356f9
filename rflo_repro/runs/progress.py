"""Progress of a sweep: bars on a terminal, plain lines in a log."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from rich.progress import TaskID

LOG_EVERY_SECONDS = 30.0
INDENT = "  "


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 1:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


@dataclass
class _Row:
    label: str
    n_trials: list[int]
    trials: list[int]
    computed: list[bool]
    n_done: int = 0
    first: float | None = None
    last: float = 0.0
    text: str = ""
    task: TaskID | None = None
    active: set[int] = field(default_factory=set)

    @property
    def seconds(self) -> float:
        return 0.0 if self.first is None else self.last - self.first

    def left(self, now: float) -> str:
        """How long the condition is still likely to take, from the trials computed so far."""
        computed = sum(t for t, new in zip(self.trials, self.computed, strict=True) if new)
        if self.first is None or computed == 0 or now - self.first < 1.0:
            return ""
        missing = sum(self.n_trials) - sum(self.trials)
        return f"about {clock(missing * (now - self.first) / computed)} left"


class Reporter:
    """Says on `console` how far each condition is; safe to call from several threads. A context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._rows: dict[int, _Row] = {}
        self._lock = threading.Lock()
        self._said = time.monotonic()
        self._bars = (
            Progress(
                TextColumn(INDENT + "{task.description}", markup=False),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[elapsed]}  {task.fields[text]}", markup=False),
                console=console,
            )
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Reporter:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def condition(self, row: int, label: str, n_trials: list[int]) -> None:
        """Announce a condition and the trials of each of its realisations."""
        new = _Row(label, n_trials, [0] * len(n_trials), [False] * len(n_trials))
        if self._bars is not None:
            new.task = self._bars.add_task(label, total=len(n_trials), elapsed="", text="")
        self._rows[row] = new
        self._width = max(len(r.label) for r in self._rows.values())

    def trials(self, row: int, column: int, trials: int) -> None:
        """A realisation under way has done this many trials."""
        with self._lock:
            now, state = time.monotonic(), self._rows[row]
            state.first = now if state.first is None else state.first
            state.last = now
            state.trials[column], state.computed[column] = trials, True
            self._draw(state, now)
            if self._bars is None and now - self._said > LOG_EVERY_SECONDS:
                self._said = now
                self._print(self._line(state, state.left(now)))

    def finished(self, row: int, column: int, stored: bool) -> None:
        """A realisation is on disk; `stored`: it already was."""
        with self._lock:
            state = self._rows[row]
            state.n_done += 1
            state.trials[column] = state.n_trials[column]
            if not stored:
                state.last = time.monotonic()
            self._draw(state, time.monotonic())

    def summary(self, row: int, text: str) -> None:
        """A condition is complete."""
        with self._lock:
            state = self._rows[row]
            state.text = text if any(state.computed) else f"{text}  (stored)"
            self._draw(state, time.monotonic())
            if self._bars is None:
                self._said = time.monotonic()
                self._print(self._line(state, state.text))

    def note(self, text: str) -> None:
        """Something a reader of the log should know."""
        self._print(INDENT + text)

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _line(self, state: _Row, text: str) -> str:
        done = f"{state.n_done}/{len(state.n_trials)}"
        return f"{INDENT}{state.label:<{self._width}}  {done:>7}  {clock(state.seconds):>6}  {text}"

    def _draw(self, state: _Row, now: float) -> None:
        if self._bars is not None and state.task is not None:
            self._bars.update(
                state.task,
                # the bar moves with the trials, the count with the realisations
                completed=state.n_done,
                elapsed=clock(state.seconds),
                text=state.text or state.left(now),
            )
