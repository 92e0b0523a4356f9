"""Progress of a sweep or a training: bars on a terminal and in a notebook, plain lines in a log."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rflo_repro.learning import validate
from rflo_repro.runs import status
from rflo_repro.runs.job import Arrays, Cost

if TYPE_CHECKING:
    from rich.progress import TaskID

LOG_EVERY_SECONDS = 30.0
WORTH_SAYING_SECONDS = 1.0
ESTIMATE_AFTER_SECONDS = 3.0
MOST_BARS = 12  # more would not fit on a terminal, and what moves would be out of sight
INDENT = "  "


def say(console: Console, line: str) -> None:
    """A line of plain text: nothing in it is markup, and it is as long as it is."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 1:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


@dataclass
class _Row:
    """A condition: of its jobs the trials, and what a trial is likely to take; how many jobs are done,
    their trials and those of `unfinished` jobs, and whether any was computed in this run."""

    label: str
    n_trials: Sequence[int]
    seconds_a_trial: Sequence[float]
    n_done: int = 0
    trials: int = 0
    computed: bool = False
    unfinished: dict[int, int] = field(default_factory=dict)
    first: float | None = None
    last: float = 0.0
    task: TaskID | None = None

    @property
    def seconds(self) -> float:
        return 0.0 if self.first is None else self.last - self.first


@dataclass
class _Throughput:
    """How fast a run gets on, in seconds that its jobs should have taken: what is left, and what is done.

    Since when and from how much on it is measured: before the first trials were done, kernels may have been compiled.
    """

    left: float = 0.0
    done: float = 0.0
    since: float | None = None
    by_then: float = 0.0

    def add(self, seconds: float, now: float) -> None:
        self.left -= seconds
        self.done += seconds
        if self.since is None and seconds:
            self.since, self.by_then = now, self.done

    def estimate(self, now: float) -> str:
        """How long all that is left is likely to take, or nothing as long as that is not known."""
        if self.since is None or now - self.since < ESTIMATE_AFTER_SECONDS or self.done == self.by_then:
            return ""
        return f"about {clock(max(0.0, self.left) * (now - self.since) / (self.done - self.by_then))} left"


class Reporter:
    """Says on `console` how far each condition is; safe to call from several threads. A context manager.

    A log gets a line for each condition that is complete, once an estimate of how long the rest takes, and a line at
    least every half minute. A terminal, or a notebook with ipywidgets, gets the conditions' lines, and below them bars:
    one for each unfinished condition, and one for all with the estimate.
    """

    def __init__(self, console: Console, summary: Callable[[Sequence[Arrays]], str] = lambda arrays: "") -> None:
        """summary: what the line of a finished condition says of its arrays."""
        self.console, self._summary = console, summary
        self._rows: dict[int, _Row] = {}
        self._width = 0
        self._compiled = self._estimated = False
        self._throughput = _Throughput()
        self._lock = threading.Lock()
        self._said = time.monotonic()
        self._bars = (
            Progress(
                TextColumn(INDENT + "{task.description}", markup=False),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[text]}", markup=False),
                console=console,
            )
            if not console.quiet
            and (console.is_terminal or (console.is_jupyter and importlib.util.find_spec("ipywidgets") is not None))
            else None
        )
        self._all = (
            self._bars.add_task("all networks", total=0, text="", visible=False) if self._bars is not None else None
        )

    def __enter__(self) -> Reporter:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def conditions(self, announced: Sequence[tuple[str, Sequence[Cost]]]) -> None:
        """Announce the conditions, in order: a label, and what each job costs. Of seconds only the ratios count."""
        self._rows = {
            i: _Row(label, [cost.trials for cost in costs], [cost.seconds / cost.trials for cost in costs])
            for i, (label, costs) in enumerate(announced)
        }
        self._throughput = _Throughput(sum(cost.seconds for _, costs in announced for cost in costs))
        self._width = max((len(row.label) for row in self._rows.values()), default=0)
        if self._bars is not None and self._all is not None:
            n_jobs = sum(len(row.n_trials) for row in self._rows.values())
            self._bars.update(self._all, total=n_jobs, visible=len(self._rows) > 1)

    def name(self, row: int, column: int) -> str:
        """What a job is called."""
        return f"{self._rows[row].label}, network {column}"

    def trials(self, row: int, column: int, trials: int) -> None:
        """An unfinished job has done this many trials."""
        with self._lock:
            now, state = time.monotonic(), self._rows[row]
            self._count(state, column, trials, now)
            self._draw(state)
            if self._bars is not None:
                return
            estimate = self._throughput.estimate(now)
            if estimate and not self._estimated:
                self._estimated = True
                self._print(f"{INDENT}{estimate}")
            elif now - self._said > LOG_EVERY_SECONDS:
                self._print(self._line(state, estimate))

    def resumed(self, row: int, column: int, trials: int) -> None:
        """A job goes on after so many trials, which were done in an earlier run."""
        with self._lock:
            state = self._rows[row]
            state.unfinished[column] = trials
            state.trials += trials
            self._throughput.left -= trials * state.seconds_a_trial[column]
            where = status.next_trial(trials, state.n_trials[column])
            self._print(f"{INDENT}{self.name(row, column)}: goes on at trial {where}")

    def finished(self, row: int, column: int, stored: bool) -> None:
        """A job is on disk; `stored`: it already was."""
        with self._lock:
            state = self._rows[row]
            if stored:
                state.trials += state.n_trials[column]
                self._throughput.left -= state.n_trials[column] * state.seconds_a_trial[column]
            else:
                self._count(state, column, state.n_trials[column], time.monotonic())
                state.unfinished.pop(column)
            state.n_done += 1
            if self._bars is not None and self._all is not None:
                self._bars.advance(self._all)
            if not stored:
                self._draw(state)

    def _count(self, state: _Row, column: int, trials: int, now: float) -> None:
        """A job that is computed now has done this many trials."""
        state.first, state.last, state.computed = now if state.first is None else state.first, now, True
        more = trials - state.unfinished.get(column, 0)
        state.unfinished[column] = trials
        state.trials += more
        self._throughput.add(more * state.seconds_a_trial[column], now)

    def complete(self, row: int, sessions: Sequence[Arrays]) -> None:
        """A condition is complete, with these arrays."""
        text = self._summary(sessions)
        with self._lock:
            state = self._rows[row]
            if self._bars is not None and state.task is not None:
                self._bars.remove_task(state.task)
                state.task = None
            self._print(self._line(state, text if state.computed else f"{text}  (stored)"))

    def note(self, text: str) -> None:
        """Something a reader of the log should know."""
        with self._lock:
            self._print(INDENT + text)

    def compiling(self, seconds: float | None) -> None:
        """Kernels are being compiled (None), or it took so many seconds. The first is said once."""
        with self._lock:
            if seconds is None and not self._compiled:
                self._print(f"{INDENT}compiling the kernels ...")
                self._compiled = True
            elif seconds is not None and seconds >= WORTH_SAYING_SECONDS:
                self._print(f"{INDENT}compiled in {seconds:.0f} s")

    def _print(self, line: str) -> None:
        self._said = time.monotonic()
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _line(self, state: _Row, text: str) -> str:
        done = f"{state.n_done}/{len(state.n_trials)}"
        return f"{INDENT}{state.label:<{self._width}}  {done:>7}  {clock(state.seconds):>6}  {text}"

    def _draw(self, state: _Row) -> None:
        if self._bars is None or self._all is None:
            return
        estimate = self._throughput.estimate(state.last)
        self._bars.update(self._all, text=estimate)
        if state.task is None:
            if state.n_done == len(state.n_trials) or len(self._bars.task_ids) > MOST_BARS:
                return
            # the bar of a condition moves with its trials
            state.task = self._bars.add_task(state.label, total=sum(state.n_trials), text="")
        networks = [f"{state.n_done}/{len(state.n_trials)} networks"] if len(state.n_trials) > 1 else []
        only = [estimate] if len(self._rows) == 1 else []
        self._bars.update(state.task, completed=state.trials, text="  ".join(networks + only))


class Stopped(Exception):
    """Ends a job from within when the run is being stopped."""


@dataclass(frozen=True)
class JobProgress:
    """The progress of one job, the `column`-th of condition `row`. Once `stop` is set it ends the job."""

    reporter: Reporter
    row: int
    column: int
    stop: threading.Event

    def __call__(self, trials: int) -> None:
        """So many trials are done. Raises Stopped."""
        if self.stop.is_set():
            raise Stopped
        self.reporter.trials(self.row, self.column, trials)

    @property
    def name(self) -> str:
        """What the job is called."""
        return self.reporter.name(self.row, self.column)

    def resumed(self, trials: int) -> None:
        """The job goes on after so many trials."""
        self.reporter.resumed(self.row, self.column, trials)

    def note(self, text: str) -> None:
        """Something a reader of the log should know."""
        self.reporter.note(text)


class ProgressBar:
    """How far a training is, on a terminal or in a notebook: the `progress` of `train` and `History.resume`.

    A notebook without ipywidgets, and a log, get a line every half minute and one at the end.

    Parameters
    ----------
    n_trials : int
        In all, with those of a history that is resumed.

    Raises
    ------
    ValueError
        For another kind of number.

    Examples
    --------
    ::

        with rr.ProgressBar(10_000) as bar:
            history = rr.train(net, task, n_trials=10_000, progress=bar)
    """

    def __init__(self, n_trials: int) -> None:
        self._reporter = Reporter(Console(), lambda _: f"{self._done} trials")
        self._reporter.conditions(
            [("training", [Cost(validate.integer("n_trials", n_trials, 1), bytes=0, saved=0, seconds=1.0)])]
        )
        self._done = 0

    def __enter__(self) -> ProgressBar:
        self._reporter.__enter__()
        return self

    def __call__(self, trials: int) -> None:
        """So many trials are done."""
        self._done = trials
        self._reporter.trials(0, 0, trials)

    def __exit__(self, *_: object) -> None:
        self._reporter.complete(0, [])
        self._reporter.__exit__()
