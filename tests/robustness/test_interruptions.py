"""Processes killed at any moment, or by Ctrl-C: the next run goes on where they were, and makes the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cases import further

from .conftest import N_RENAMES, SMALL, Server, Small, stored_in, tables_in

INTO = ("--results", "r", "--figures", "f", "--jobs", "2")


def goes_on(server: Server, small: Small) -> None:
    """Whether the same command completes, computes nothing again, and leaves the tables of an uninterrupted run."""
    before = stored_in(Path("r"))
    code, log = server.run(*SMALL, *INTO)
    assert code == 0, log
    after = stored_in(Path("r"))
    assert before.items() <= after.items()
    assert len(after) == 8
    assert tables_in(Path("r")) == small.tables
    assert sorted(path.name for path in Path("f").glob("fig2*")) == [
        "fig2-period20-rflo-bptt.pdf",
        "fig2-period20-rflo-bptt.png",
    ]


def killed_at_random(server: Server, small: Small, share: float) -> None:
    process = server.start(*SMALL, *INTO)
    time.sleep(share * small.seconds)
    os.kill(process.number, signal.SIGKILL)
    code, _ = process.end()
    assert code in (-signal.SIGKILL, 0)
    goes_on(server, small)


def killed_at_a_rename(server: Server, small: Small, at: int, when: str) -> None:
    code, _ = server.run(*SMALL, *INTO, fault={"at": at, "do": f"kill {when}", "folder": "r"})
    assert code == -signal.SIGKILL
    if at < 8:
        assert len(stored_in(Path("r"))) >= at
    goes_on(server, small)


@pytest.mark.parametrize("part", [1, *further(0, 2, 3)])
def test_killed_at_a_random_moment(server, small, part):
    killed_at_random(server, small, (part + random.Random(part).random()) / 4)


@pytest.mark.long
@pytest.mark.parametrize("part", range(60))
def test_killed_at_many_random_moments(server, small, part):
    killed_at_random(server, small, (part + random.Random(part).random()) / 60)


# the third job, the second table's CSV and its JSON, the first picture
@pytest.mark.parametrize(("at", "when"), [(2, "before"), (10, "after"), *further((11, "before"), (14, "before"))])
def test_killed_in_the_middle(server, small, at, when):
    killed_at_a_rename(server, small, at, when)


@pytest.mark.long
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(N_RENAMES))
def test_killed_at_every_rename(server, small, at, when):
    killed_at_a_rename(server, small, at, when)


def test_killed_again_and_again(server, small):
    for at in (1, 1, 1, 2):
        code, _ = server.run(*SMALL, *INTO, fault={"at": at, "do": "kill before", "folder": "r"})
        assert code == -signal.SIGKILL
    assert len(stored_in(Path("r"))) >= 5
    goes_on(server, small)


@pytest.mark.parametrize("what", ["table", "picture"])
def test_the_table_and_the_picture_of_before_survive_a_kill(server, small, what):
    goes_on(server, small)
    before = {path: path.read_bytes() for folder in "rf" for path in Path(folder).glob("fig2*")}
    # nothing is computed again, so the first renames are those of the tables
    at = 0 if what == "table" else 6
    code, _ = server.run(*SMALL, *INTO, fault={"at": at, "do": "kill before", "folder": "r"})
    assert code == -signal.SIGKILL
    after = {path: path.read_bytes() for folder in "rf" for path in Path(folder).glob("fig2*")}
    for path, content in before.items():
        assert path.suffix == ".json" or after[path] == content
    goes_on(server, small)


def test_what_a_killed_process_left_behind_goes_after_an_hour(server, small):
    server.run(*SMALL, *INTO, fault={"at": 8, "do": "kill before", "folder": "r"})
    (left,) = Path("r").glob(".*.csv.*.tmp")
    goes_on(server, small)
    assert left.exists()  # it might have been another run's
    os.utime(left, (time.time() - 7200,) * 2)
    goes_on(server, small)
    assert not left.exists()


def interrupted(process, log_of, how=signal.SIGINT):
    """How long a process takes to end by a signal, Ctrl-C if not said; it says one line."""
    started = time.monotonic()
    os.kill(process, how)
    code, log = log_of()
    seconds = time.monotonic() - started
    assert code == 128 + how, log
    said = log.splitlines()
    assert [line for line in said if "stopped" in line] == said[-1:]
    assert said[-1].startswith("stopped; what is finished is saved: the same command ")
    assert "Traceback" not in log
    return seconds


@pytest.mark.parametrize(
    ("how", "delay"), [(signal.SIGINT, 0.05), (signal.SIGINT, 1.2), (signal.SIGTERM, 0.6), (signal.SIGHUP, 0.6)]
)
def test_a_signal_ends_it_within_two_seconds(server, how, delay):
    process = server.start("fig2", "--results", "r", "--figures", "f", "--jobs", "2")
    time.sleep(delay)
    assert interrupted(process.number, process.end, how) < 2.0


def test_ctrl_c_while_kernels_are_compiled_or_a_long_trial_runs(tmp_path):
    """A kernel's call cannot be interrupted from without: the process ends all the same."""
    program = Path(sys.executable).parent / "rflo-repro"
    process = subprocess.Popen(
        [program, "fig2", "--results", "r", "--figures", "f", "--jobs", "2"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(1.0)

    def end():
        rest, _ = process.communicate(timeout=20)
        return process.returncode, first + rest

    assert interrupted(process.pid, end) < 2.0
