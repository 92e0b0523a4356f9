"""Real processes of the command line, and a small figure to run with them."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

# 2 conditions of 4 networks: 8 jobs, 3 tables and 2 pictures, which is 16 renames
SMALL = ("fig2", "--scale", "smoke", "--period", "20", "--rule", "rflo", "--rule", "bptt", "--networks", "4")
N_RENAMES = 16


@pytest.fixture(autouse=True)
def rates(tuned: None) -> None:
    """The tests here do not depend on the tuned rates of the day."""


@pytest.fixture(autouse=True, scope="session")
def heard() -> Iterator[None]:
    """Processes that the tests start hear SIGHUP, though the tests may have been started with nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(autouse=True)
def alone_on_the_small_disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests that fill the small disk do it one after the other, in whichever process they are."""
    if request.node.get_closest_marker("disk") is None:
        yield
        return
    with FileLock(tmp_path_factory.getbasetemp().parent / "small-disk.lock"):
        yield


@dataclass
class Process:
    """An `rflo-repro` under way."""

    server: "Server"
    number: int
    log: Path

    def end(self) -> tuple[int, str]:
        """Wait for it: how it ended (minus the signal that did it), and all that it said."""
        return int(self.server.ask(wait=self.number)), self.log.read_text()


@dataclass
class Server:
    """Starts processes of the command line in milliseconds (see server.py)."""

    process: subprocess.Popen[str]
    folder: Path
    logs: Iterator[int] = field(default_factory=itertools.count)

    def ask(self, **what: Any) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def start(self, *argv: object, **how: Any) -> Process:
        """An `rflo-repro` with these arguments in the working directory."""
        log = self.folder / f"{next(self.logs)}.log"
        number = self.ask(argv=[str(a) for a in argv], cwd=os.getcwd(), log=str(log), **how)
        return Process(self, int(number), log)

    def run(self, *argv: object, **how: Any) -> tuple[int, str]:
        """Exit code and output of one that is waited for."""
        return self.start(*argv, **how).end()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Server(process, tmp_path_factory.mktemp("logs"))
        process.stdin.close()  # type: ignore[union-attr]


@dataclass(frozen=True)
class Small:
    """The small figure run without interruption: its tables, and how long it took."""

    tables: dict[str, bytes]
    seconds: float


def tables_in(folder: Path) -> dict[str, bytes]:
    """The CSVs in a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


def stored_in(folder: Path) -> dict[Path, int]:
    """Finished jobs, and the file number of each, which changes when it is written again."""
    return {path: path.stat().st_ino for path in (folder / ".realisations").rglob("*.npz")}


@pytest.fixture(scope="session")
def small(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("small")
    started = time.monotonic()
    code, log = server.run(*SMALL, "--results", folder / "r", "--figures", folder / "f", "--jobs", 2)
    assert code == 0, log
    assert len(stored_in(folder / "r")) == 8
    return Small(tables_in(folder / "r"), time.monotonic() - started)
