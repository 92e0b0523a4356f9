"""A program that calls the command line gets back whatever it had, however the command ends."""

import os
import runpy
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import nullcontext, suppress

import click
import numpy as np
import pytest
from cases import further
from hypothesis import given, settings
from hypothesis import strategies as st

from rflo_repro import cli, process

STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")]


def state():
    """What a command could change of its process."""
    return {
        "signals": [signal.getsignal(number) for number in STOPS],
        "warnings": (warnings.showwarning, list(warnings.filters)),
        "environment": dict(os.environ),
        "streams": [(stream, stream and stream.errors) for stream in (sys.stdout, sys.stderr)],
        "threads": threading.enumerate(),
        "here": (os.getcwd(), list(sys.path), list(sys.argv), np.geterr()),
    }


@pytest.fixture(autouse=True, scope="module")
def _interruptible():
    """A shell starts what is in the background so that it ignores an interrupt."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def kill(number):
    os.kill(os.getpid(), number)


def raising(error):
    def program():
        raise error

    return program


def warned():
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("beware", stacklevel=1)


ENDS = {
    "done": lambda: None,
    "said": lambda: print("\udcff $x$"),
    "usage": raising(click.UsageError("no")),
    "disk": raising(OSError(28, "No space left on device")),
    "bug": raising(ZeroDivisionError()),
    "exit": raising(SystemExit(3)),
    "interrupt": lambda: kill(signal.SIGINT),
    "pipe": raising(BrokenPipeError()),
    "warned": warned,
}
RAISED = {
    **{end: pytest.raises(SystemExit, match=code) for end, code in (("usage", "2"), ("disk", "1"), ("bug", "1"))},
    "exit": pytest.raises(SystemExit, match="3"),
    "interrupt": pytest.raises(KeyboardInterrupt),
}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(ENDS)), min_size=1, max_size=4),
    st.dictionaries(
        st.sampled_from(["MPLBACKEND", "NUMBA_NUM_THREADS"]), st.sampled_from(["", "nonsense", "2", "svg"])
    ),
)
def test_all_is_given_back_however_a_command_ends(ends, environment):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        before = state()
        for end in ends:
            with RAISED.get(end, nullcontext()):
                process.supervised(ENDS[end], hosted=True)
            assert state() == before


def test_a_signal_reaches_the_handler_that_a_program_had(monkeypatch):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("own"))
    try:
        with pytest.raises(SystemExit) as end:
            process.supervised(lambda: kill(signal.SIGTERM), hosted=True)
        assert end.value.code == 128 + signal.SIGTERM
        kill(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == ["own", "own"]


@pytest.mark.parametrize("call", [cli.main, lambda: runpy.run_module("rflo_repro", run_name="__main__")])
@pytest.mark.parametrize(("words", "code"), [("--version", None), ("fig2 --period nan", 2), *further(("list", None))])
def test_the_program_can_be_called_from_another_and_twice(call, words, code, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mine.py", *words.split()])
    before, said = state(), []
    for _ in range(2):
        with suppress(SystemExit) if code is None else pytest.raises(SystemExit, match=str(code)):
            call()
        said.append(capsys.readouterr())
    assert said[0] == said[1]
    assert any(said[0])
    assert state() == before


def test_streams_that_are_none_stay_so(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    process.supervised(lambda: print("heard by nobody"), hosted=True)
    assert sys.stdout is None


def test_it_runs_in_a_thread(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["mine.py", "--version"])
    thread = threading.Thread(target=cli.main)
    thread.start()
    thread.join()
    assert capsys.readouterr().out.startswith("rflo-repro, version")


HOST = """
import os, sys
sys.argv = ["mine.py", "plot", "fig1"]
os.environ["MPLBACKEND"] = "svg"
from rflo_repro import cli
cli.main()
import matplotlib
assert os.environ["MPLBACKEND"] == matplotlib.rcParams["backend"] == "svg", matplotlib.rcParams["backend"]
reader, writer = os.pipe()
kept = os.dup(1)
os.dup2(writer, 1)
os.close(reader)
sys.argv[1:] = ["--help"]
cli.main()
os.dup2(kept, 1)
print("goes on")
"""


def test_pictures_and_a_closed_pipe_leave_nothing_behind(tmp_path):
    done = subprocess.run([sys.executable, "-c", HOST], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("goes on\n")


@pytest.mark.parametrize(
    ("file", "spec", "own"),
    [
        ("/usr/bin/rflo-repro", None, True),
        ("C:\\Scripts\\rflo-repro.exe\\__main__.py", None, True),
        ("/x/rflo_repro/__main__.py", "rflo_repro.__main__", True),
        ("/home/rflo-repro/mine.py", None, False),
        ("/x/pytest/__main__.py", "pytest.__main__", False),
        ("", None, False),
    ],
)
def test_whose_process_it_is(file, spec, own, monkeypatch):
    main = type(sys)("__main__")
    main.__file__ = file
    main.__spec__ = spec and type(sys)("spec")
    if spec:
        main.__spec__.name = spec
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert process.hosted() is not own
