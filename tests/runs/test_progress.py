"""Progress: plain lines in a log, bars on a terminal."""

import importlib.machinery
import importlib.util
import io
import re
import sys
import time
import types

import numba
import numpy as np
import pytest
from rich.console import Console

import rflo_repro as rr
from rflo_repro.learning.kernels import watch_compilation
from rflo_repro.runs import progress
from rflo_repro.runs.job import Cost
from rflo_repro.runs.progress import Reporter, clock


def costs(*trials, seconds=1.0):
    """Of a condition whose jobs take so many trials."""
    return [Cost(n, 0, 0, seconds) for n in trials]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (0.4, "0:00"), (59.6, "1:00"), (65, "1:05"), (3661, "61:01")]
)
def test_the_clock(seconds, text):
    assert clock(seconds) == text


def drive(console):
    """Two conditions, of which one was stored."""
    with Reporter(console, str) as reporter:
        reporter.conditions([("bptt", costs(10, 10)), ("random-feedback", costs(10))])
        for column in range(2):
            reporter.trials(0, column, 5)
            reporter.trials(0, column, 10)
            reporter.finished(0, column, stored=False)
        reporter.complete(0, "loss 0.1  (0.05, 0.2)")
        reporter.finished(1, 0, stored=True)
        reporter.note("some/[path]/file is damaged")
        reporter.complete(1, "loss 0.3")
    return console.file.getvalue()


def test_what_an_earlier_run_did_does_not_count_for_the_estimate(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    reporter = Reporter(Console(file=io.StringIO(), width=200))
    reporter.conditions([("bptt", costs(1000, 1000))])
    for column, begun in ((0, 900), (1, 400)):
        reporter.trials(0, column, 0)
        reporter.resumed(0, column, begun)
    for now[0], done in ((101.0, 910), (111.0, 920), (142.0, 951)):
        reporter.trials(0, 0, done)
    said = reporter.console.file.getvalue().splitlines()
    assert said[:2] == [
        "  bptt, network 0: goes on at trial 901 of 1000",
        "  bptt, network 1: goes on at trial 401 of 1000",
    ]
    # one trial a second, and 649 are left
    assert said[-1].endswith("about 10:49 left")


@pytest.fixture
def widgets(monkeypatch):
    """What a notebook shows: the outputs of its widgets."""
    shown = []

    class Output:
        def __init__(self):
            shown.append(self)
            self.seen = []

        def __enter__(self):
            self.seen.append([])

        def __exit__(self, *_):
            pass

        def clear_output(self, wait=False):
            pass

    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    display.display = lambda *what, **how: shown[-1].seen[-1].append(what) if shown and shown[-1].seen else None
    ipython.display = display
    ipywidgets = types.ModuleType("ipywidgets")
    ipywidgets.Output = Output
    ipywidgets.__spec__ = importlib.machinery.ModuleSpec("ipywidgets", None)
    for module in (ipython, display, ipywidgets):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return shown


def test_a_notebook_has_the_bars_of_a_terminal(widgets):
    console = Console(file=io.StringIO(), force_jupyter=True)
    drive(console)
    assert len(widgets) == 1
    bars = [part.text for shown in widgets[0].seen for what in shown for part in what]
    assert "all networks" in "".join(bars)
    assert "━" in "".join(bars)


def test_a_notebook_without_widgets_has_the_lines_of_a_log(recwarn):
    reporter = Reporter(Console(file=io.StringIO(), force_jupyter=True))
    assert reporter._bars is None or importlib.util.find_spec("ipywidgets")
    with reporter:
        reporter.conditions([("bptt", costs(10))])
    assert not recwarn.list


def interrupted(bar):
    bar(5)
    raise KeyboardInterrupt


def test_a_bar_of_one_training(capsys):
    net = rr.Network.random(5, 0, 1, np.random.default_rng(0))
    with rr.ProgressBar(20) as bar:
        history = rr.train(net, rr.PeriodicTask(10), n_trials=10, progress=bar)
        history.resume(10, progress=bar)
    assert re.fullmatch(r"  training +0/1 +\d:\d\d +20 trials\n", capsys.readouterr().out)
    # an error leaves the terminal as it was
    with pytest.raises(KeyboardInterrupt), rr.ProgressBar(20) as bar:
        interrupted(bar)
    assert "5 trials" in capsys.readouterr().out
    with pytest.raises(ValueError, match="n_trials must be"):
        rr.ProgressBar(0)


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
        reporter.conditions([("rflo", costs(100, 100))])
        for trials in range(0, 101, 10):
            reporter.trials(0, 0, trials)
            now[0] += 10.0
    lines = console.file.getvalue().splitlines()
    assert 1 < len(lines) <= 100 / progress.LOG_EVERY_SECONDS + 2
    assert lines[0] == "  about 3:00 left"
    assert lines[1].startswith("  rflo      0/2    1:00  about 2:20 left")


def test_the_estimate_leaves_out_the_time_before_the_first_trials(monkeypatch):
    """Kernels are compiled in it."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), width=200)
    with Reporter(console) as reporter:
        reporter.conditions([("rflo", costs(1000))])
        reporter.trials(0, 0, 0)
        now[0] = 29.0
        reporter.trials(0, 0, 10)
        now[0] = 39.0
        reporter.trials(0, 0, 110)
    assert "about 1:29 left" in console.file.getvalue()


def test_the_estimate_knows_what_is_stored_and_that_other_conditions_take_longer(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), width=200)
    with Reporter(console) as reporter:
        reporter.conditions(
            [("short", costs(100)), ("long", costs(100, seconds=9.0)), ("stored", costs(100, seconds=90.0))]
        )
        reporter.finished(2, 0, stored=True)
        for trials in (0, 10, 60):
            reporter.trials(0, 0, trials)
            now[0] += 5.0
    # half a unit of work in five seconds, and 9.4 are left
    assert console.file.getvalue() == "  about 1:34 left\n"


def frames(height, n_conditions, under_way, n_done):
    """The last lines that a terminal of this height shows."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=height, _environ={})
    with Reporter(console, str) as reporter:
        reporter.conditions([(f"condition {i}", costs(10)) for i in range(n_conditions)])
        for row in range(n_done):
            reporter.finished(row, 0, stored=True)
            reporter.complete(row, "loss 1")
        for row in range(n_done, n_done + under_way):
            reporter.trials(row, 0, 5)
        return console.render_lines(reporter._bars.get_renderable()), console.file.getvalue()


@pytest.mark.parametrize("under_way", [1, 2, 100])
def test_what_is_under_way_is_in_sight_however_many_conditions_there_are(under_way):
    lines, printed = frames(24, 200, under_way, 40)
    shown = ["".join(segment.text for segment in line) for line in lines]
    assert len(shown) < 20
    assert any(line.startswith("  all networks") and "40/200" in line for line in shown)
    assert any(line.startswith("  condition 40 ") and "5/10" in line for line in shown)
    assert not any("condition 39 " in line for line in shown)
    assert "condition 39 " in printed


def test_a_label_is_text():
    for terminal in (False, True):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=100, _environ={})
        with Reporter(console, str) as reporter:
            reporter.conditions([("leak[/fast]", costs(10))])
            reporter.trials(0, 0, 5)
            reporter.finished(0, 0, stored=False)
            reporter.complete(0, "[red]")
        assert "leak[/fast]" in console.file.getvalue()


def test_twenty_thousand_conditions_are_announced_in_a_second():
    """Of this thread's own time, whatever else the machine does; were it to grow with their square, it took minutes."""
    started = time.thread_time()
    with Reporter(Console(file=io.StringIO(), force_terminal=True, width=100)) as reporter:
        reporter.conditions([(f"condition {i}", costs(10, 10, 10)) for i in range(20_000)])
        for row in range(20_000):
            reporter.trials(row, 0, 1)
    assert time.thread_time() - started < 10.0


def test_compiling_is_said_once_and_each_time_with_how_long_it_took():
    with Reporter(Console(file=io.StringIO(), width=100)) as reporter:
        for seconds in (None, 6.2, None, 0.3, None, 2.0):
            reporter.compiling(seconds)
    assert reporter.console.file.getvalue().splitlines() == [
        "  compiling the kernels ...",
        "  compiled in 6 s",
        "  compiled in 2 s",
    ]


def test_what_numba_compiles_is_heard_of_while_it_is_listened_to():
    inner = numba.njit(lambda x: x + 1.0)
    outer = numba.njit(lambda x: inner(x))
    heard = []
    with watch_compilation(heard.append):
        outer(1.0)
        outer(1.0)
        outer(1)
    assert heard[::2] == [None, None]
    assert len(heard) == 4
    assert all(seconds > 0.0 for seconds in heard[1::2])
    numba.njit(lambda x: x)(1.0)
    assert len(heard) == 4
