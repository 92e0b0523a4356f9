"""Progress: plain lines in a log, bars on a terminal."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from rflo_repro.runs import progress
from rflo_repro.runs.progress import Reporter, clock


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (0.4, "0:00"), (59.6, "1:00"), (65, "1:05"), (3661, "61:01")]
)
def test_the_clock(seconds, text):
    assert clock(seconds) == text


def drive(console):
    """Two conditions, of which one was stored."""
    with Reporter(console) as reporter:
        reporter.condition(0, "bptt", [10, 10])
        reporter.condition(1, "random-feedback", [10])
        for column in range(2):
            reporter.trials(0, column, 5)
            reporter.trials(0, column, 10)
            reporter.finished(0, column, stored=False)
        reporter.summary(0, "loss 0.1  (0.05, 0.2)")
        reporter.finished(1, 0, stored=True)
        reporter.note("some/[path]/file is damaged")
        reporter.summary(1, "loss 0.3")
    return console.file.getvalue()


def test_a_log_has_a_plain_line_a_condition():
    lines = drive(Console(file=io.StringIO(), force_terminal=False, width=40)).splitlines()
    assert lines == [
        "  bptt                 2/2    0:00  loss 0.1  (0.05, 0.2)",
        "  some/[path]/file is damaged",
        "  random-feedback      1/1    0:00  loss 0.3  (stored)",
    ]


def test_a_terminal_has_bars():
    text = drive(Console(file=io.StringIO(), force_terminal=True, width=100, _environ={}))
    assert "\x1b[" in text
    assert "2/2" in text
    assert "loss 0.1  (0.05, 0.2)" in text
    assert "some/[path]/file is damaged" in text


def test_a_long_run_says_in_the_log_how_long_it_will_take(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), width=200)
    with Reporter(console) as reporter:
        reporter.condition(0, "rflo", [100, 100])
        for trials in range(0, 101, 10):
            reporter.trials(0, 0, trials)
            now[0] += 10.0
    lines = console.file.getvalue().splitlines()
    assert 1 < len(lines) <= 100 / progress.LOG_EVERY_SECONDS + 1
    assert lines[0].startswith("  rflo      0/2    0:40  about 2:40 left")
