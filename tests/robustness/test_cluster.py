"""A real Dask scheduler and two worker processes on the loopback address."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import further

from .conftest import SMALL, stored_in, tables_in

NO_PLOT = ("--no-plot", "--results", "r")


def says(process: subprocess.Popen[str], pattern: str) -> str:
    """Wait for a line of a process's log; its match."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found.group(1)
    raise AssertionError(f"{process.args} ended")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler of its own."""
    program = Path(sys.executable).parent / "dask"
    process = subprocess.Popen(
        [program, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        yield says(process, r"Scheduler at: *(tcp://\S+)")
        process.kill()


def worker(scheduler: str, **environment: str) -> subprocess.Popen[str]:
    """A worker of one thread, which is not started again when it dies."""
    program = Path(sys.executable).parent / "dask"
    process = subprocess.Popen(
        [program, "worker", scheduler, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    says(process, r"(Registered to)")
    return process


@pytest.fixture(scope="module")
def two(scheduler: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Two workers, for all tests until one of them is killed."""
    workers = [worker(scheduler) for _ in range(2)]
    yield workers
    for process in workers:
        process.kill()
        process.communicate()


def test_the_tables_of_a_cluster_are_those_of_threads(server, small, scheduler, two):
    """Also when one of two workers is killed in the middle, and when the run itself is killed and goes on."""
    code, log = server.run(*SMALL, *NO_PLOT, "--cluster", scheduler)
    assert code == 0, log
    assert f"workers at {scheduler}: 2" in log
    assert tables_in(Path("r")) == small.tables
    # what is stored is not sent
    code, log = server.run(*SMALL, *NO_PLOT, "--cluster", scheduler)
    assert code == 0
    assert log.count("(stored)") == 2


def test_a_run_on_a_cluster_that_is_killed_goes_on(server, small, scheduler, two):
    fault = {"at": 3, "do": "kill before", "folder": "r"}
    code, _ = server.run(*SMALL, *NO_PLOT, "--cluster", scheduler, fault=fault)
    assert code == -signal.SIGKILL
    before = stored_in(Path("r"))
    assert len(before) == 3
    assert server.run(*SMALL, *NO_PLOT, "--cluster", scheduler)[0] == 0
    assert before.items() <= stored_in(Path("r")).items()
    assert tables_in(Path("r")) == small.tables


TASK = """
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LevelTask:
    level: float
    n_steps: int = 10
    n_in = 0
    n_out = 1

    def trial(self, rng):
        return np.zeros((10, 0)), np.full((10, 1), self.level)
"""
SWEEP = """
name = "levels"
trials = 5
networks = 2
[grid]
rule = "rflo"
task = "level"
eta = 0.01
n_rec = 5
[tasks.level]
is = "task_of_a_sweep:LevelTask"
level = 0.5
"""


def test_workers_get_the_task_that_lies_beside_a_sweep(server, scheduler, two):
    Path("mine").mkdir()
    Path("mine/task_of_a_sweep.py").write_text(TASK)
    Path("mine/levels.toml").write_text(SWEEP)
    tables = []
    # and again once it is another, without a restart
    for task in (TASK, TASK.replace("self.level)", "2 * self.level)")):
        Path("mine/task_of_a_sweep.py").write_text(task)
        code, log = server.run("sweep", "mine/levels.toml", "--results", "r", "--cluster", scheduler)
        assert code == 0, log
        assert log.count("(stored)") == 0
        tables.append(tables_in(Path("r")))
        assert server.run("sweep", "mine/levels.toml", "--results", "threads", "--jobs", "2")[0] == 0
        assert tables_in(Path("threads")) == tables[-1]
    assert tables[0] != tables[1]


def test_a_worker_that_is_killed(server, scheduler, two):
    """The last that needs two."""
    part = ("fig2", "--scale", "smoke", "--period", "20", "--rule", "rflo", "--networks", "5", "--trials", "8000")
    run = server.start(*part, *NO_PLOT, "--cluster", scheduler)
    while not stored_in(Path("r")):
        time.sleep(0.02)
    os.kill(two[0].pid, signal.SIGKILL)
    assert len(stored_in(Path("r"))) < 4  # it was in the middle
    code, log = run.end()
    assert code == 0, log
    assert server.run(*part, "--no-plot", "--results", "threads", "--jobs", "2")[0] == 0
    assert tables_in(Path("r")) == tables_in(Path("threads"))


OTHER_SOURCE = """
from rflo_repro.runs import provenance
provenance.numerical_digest = lambda *modules: "0123456789abcdef"
provenance.numerical_digest.__module__ = "rflo_repro.runs.provenance"
provenance.numerical_digest.__qualname__ = "numerical_digest"
"""


def test_a_worker_of_another_numerical_source_is_refused(server, scheduler, tmp_path):
    # as if a kernel were edited there: Python reads this module when it starts
    (tmp_path / "sitecustomize.py").write_text(OTHER_SOURCE)
    other = worker(scheduler, PYTHONPATH=str(tmp_path))
    try:
        code, log = server.run(*SMALL, *NO_PLOT, "--cluster", scheduler)
    finally:
        other.kill()
        other.communicate()
    assert code == 2, log
    assert "Error: Invalid value for '--cluster': the worker at tcp://127.0.0.1" in log
    assert "has another numerical source (digest 0123456789ab, here" in log
    assert "Traceback" not in log
    assert stored_in(Path("r")) == {}


def test_no_scheduler(server):
    code, log = server.run(*SMALL, *NO_PLOT, "--cluster", "tcp://127.0.0.1:9")
    assert code == 2
    assert log.splitlines()[-1].startswith(
        "Error: Invalid value for '--cluster': no Dask scheduler answers at tcp://127.0.0.1:9"
    )


def answers(connection: socket.socket, how: str) -> None:
    """What is at the other end, and is no scheduler."""
    with contextlib.suppress(OSError):
        if how == "nonsense":
            connection.sendall(bytes(range(256)))
        elif how == "drop by drop":
            while True:
                connection.sendall(b"\0")
                time.sleep(0.2)
        elif how == "a web page":
            connection.recv(10)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif how == "it hangs up":
            connection.close()


@pytest.mark.parametrize("how", ["silence", "nonsense", *further("a web page", "drop by drop", "it hangs up")])
def test_whatever_answers_that_is_no_scheduler_is_refused_in_five_seconds(server, how):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connections = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connections.append(listening.accept()[0])
                    threading.Thread(target=answers, args=(connections[-1], how), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        started = time.monotonic()
        code, log = server.run(*SMALL, *NO_PLOT, "--cluster", address)
        seconds = time.monotonic() - started
        for connection in connections:
            connection.close()
    assert code == 2, log
    assert log.splitlines()[-1].startswith(
        f"Error: Invalid value for '--cluster': no Dask scheduler answers at {address}"
    )
    assert seconds < 9.0  # the five, and to start and end
    assert stored_in(Path("r")) == {}


@pytest.mark.parametrize(
    "address", ["here", "tcp://", "tcp://host", "http://host:80", "tcp://host:x", "tcp://h:1/a", ""]
)
def test_an_address_that_is_none(server, address):
    code, log = server.run(*SMALL, *NO_PLOT, "--cluster", address)
    assert code == 2
    assert f"Invalid value for '--cluster': {address!r} is not tcp://HOST:PORT or tls://HOST:PORT" in log
