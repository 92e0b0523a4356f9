"""Disks that are full, directories that cannot be written or vanish: one clear line, and the tables of before."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import SMALL, tables_in

INTO = ("--results", "r", "--figures", "f", "--jobs", "1")


def refused(log: str, *words: str) -> None:
    """Whether a process ended with one line that has these words."""
    assert "Traceback" not in log, log
    (line,) = [line for line in log.splitlines() if line.startswith("Error: ")]
    for word in words:
        assert word in line


@pytest.mark.parametrize("part", ["job", "table", "picture"])
def test_a_write_that_the_system_refuses(server, small, part):
    """Real write errors without a full disk: files may not grow beyond a size."""
    argv = [*SMALL, *INTO, *(["--no-plot"] if part == "table" else [])]
    assert server.run(*argv)[0] == 0
    before = {path: path.read_bytes() for path in Path("r").iterdir() if path.is_file()}
    largest = {"job": 300, "table": 2000, "picture": 40_000}[part]
    again = [*argv, "--force"] if part == "job" else argv
    code, log = server.run(*again, largest_file=largest)
    assert code == 1, log
    refused(log, {"job": ".npz", "table": ".csv", "picture": ".png"}[part], "File too large")
    after = {path: path.read_bytes() for path in Path("r").iterdir() if path.is_file()}
    assert part == "picture" or after == before
    assert list(Path("r").rglob("*.tmp")) + list(Path("f").rglob("*.tmp")) == []
    assert server.run(*argv)[0] == 0
    assert tables_in(Path("r")) == small.tables


@pytest.fixture
def disk():
    """An empty folder on the small disk that `.ci/run` mounts and names."""
    folder = Path(os.environ["RFLO_REPRO_SMALL_DISK"])
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


@pytest.mark.disk
@pytest.mark.parametrize("room_for", ["nothing", "some jobs", "jobs"])
def test_a_full_disk(server, small, disk, room_for):
    into = ("--results", disk / "r", "--jobs", "1", "--no-plot")
    assert server.run(*SMALL, *into)[0] == 0
    before = {path: path.read_bytes() for path in (disk / "r").iterdir() if path.is_file()}
    free = {"nothing": 0, "some jobs": 8192, "jobs": 40_960}[room_for]
    ballast = disk / "ballast"
    with open(ballast, "wb") as file:
        room = os.statvfs(disk)
        file.write(b"\0" * (room.f_bavail * room.f_frsize - free))
    # the tables of more networks would take the place of those before
    more = (*SMALL[:-1], "8")
    code, log = server.run(*more, *into)
    assert code == 1, log
    refused(log, "No space left on device", str(disk / "r"))
    assert {path: path.read_bytes() for path in (disk / "r").iterdir() if path.is_file()} == before
    assert list((disk / "r").rglob("*.tmp")) == []
    ballast.unlink()
    code, log = server.run(*more, *into)
    assert code == 0, log
    assert tables_in(disk / "r") != small.tables


@pytest.mark.disk
def test_a_disk_that_cannot_be_written(server, disk):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        code, log = server.run(*SMALL, "--results", disk / "r", "--no-plot")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert code == 2
    refused(log, "--results", "cannot be written")


def test_results_that_vanish_in_the_middle_are_made_again(server, small):
    # after four jobs
    code, log = server.run(*SMALL, *INTO, fault={"at": 8, "do": "remove", "folder": "r"})
    assert code == 1, log
    refused(log, "r/fig2_curves.csv", "No such file or directory")
    assert server.run(*SMALL, *INTO)[0] == 0
    assert tables_in(Path("r")) == small.tables


def test_results_whose_place_a_file_takes(server, small):
    code, log = server.run(*SMALL, *INTO, fault={"at": 4, "do": "file", "folder": "r"})
    assert code == 1, log
    refused(log, "Not a directory")
    Path("r").unlink()
    assert server.run(*SMALL, *INTO)[0] == 0
    assert tables_in(Path("r")) == small.tables
