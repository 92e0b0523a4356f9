"""What the system is asked, with each answer taken away."""

import builtins
import math
import os
import signal
import sys
from pathlib import Path

import pytest

from rflo_repro.runs import system

GIB = 2**30


@pytest.fixture
def no_groups(monkeypatch, tmp_path):
    monkeypatch.setattr(system, "CGROUP", tmp_path / "none")
    monkeypatch.setattr(system, "PROC", tmp_path / "none")


@pytest.mark.parametrize(
    "raised", [ValueError("unrecognized configuration name"), OSError(22, "no"), AttributeError(), None]
)
@pytest.mark.parametrize("name", ["SC_PAGE_SIZE", "SC_PHYS_PAGES"])
def test_memory_is_unknown_where_the_system_does_not_say(monkeypatch, no_groups, raised, name):
    def sysconf(asked):
        if asked != name:
            return 4096
        if raised is None:
            return -1
        raise raised

    monkeypatch.setattr(os, "sysconf", sysconf, raising=False)
    assert system.memory() == math.inf
    monkeypatch.delattr(os, "sysconf")
    assert system.memory() == math.inf


def group(tmp_path, monkeypatch, line, files):
    """A control group of these files, by path under the root of all groups."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cgroup").write_text(line + "\n")
    for path, text in files.items():
        (tmp_path / "groups" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / path).write_text(text + "\n")
    monkeypatch.setattr(system, "PROC", tmp_path / "proc")
    monkeypatch.setattr(system, "CGROUP", tmp_path / "groups")
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 64 * GIB // 4096}.get, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


@pytest.mark.parametrize(
    ("line", "files", "gib"),
    [
        ("0::/a/b", {"a/b/memory.max": str(2 * GIB)}, 2),
        ("0::/a/b", {"a/b/memory.max": "max", "a/memory.max": str(3 * GIB)}, 3),
        ("0::/", {"memory.max": str(5 * GIB)}, 5),
        ("0::/a", {"a/memory.max": "max"}, 64),
        ("0::/a", {"a/memory.max": "nonsense"}, 64),
        ("0::/a", {}, 64),
        ("4:memory:/a", {"memory/a/memory.limit_in_bytes": str(7 * GIB)}, 7),
        ("4:memory:/a", {"memory/a/memory.limit_in_bytes": str(2**63 - 4096)}, 64),
        ("nonsense", {}, 64),
    ],
)
def test_a_containers_limit_of_memory_counts(tmp_path, monkeypatch, line, files, gib):
    group(tmp_path, monkeypatch, line, files)
    assert system.memory() == gib * GIB


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
@pytest.mark.parametrize(
    ("line", "files", "n"),
    [
        ("0::/a", {"a/cpu.max": "200000 100000"}, 2),
        ("0::/a", {"a/cpu.max": "150000 100000"}, 2),
        ("0::/a", {"a/cpu.max": "10000 100000"}, 1),
        ("0::/a", {"a/cpu.max": "max 100000"}, 16),
        ("0::/a", {"a/cpu.max": ""}, 16),
        ("2:cpu,cpuacct:/a", {"cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"}, 3),
        ("2:cpu,cpuacct:/a", {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, 16),
    ],
)
def test_a_containers_limit_of_processors_counts(tmp_path, monkeypatch, line, files, n):
    group(tmp_path, monkeypatch, line, files)
    assert system.cores() == n


def test_processors_where_the_system_does_not_say(monkeypatch, no_groups):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert system.cores() == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert system.cores() == 6


def test_the_peak_of_memory_is_unknown_without_proc_and_resource(monkeypatch, no_groups):
    assert (system.peak_memory() or 10**6) > 10**6 - 1
    usual = builtins.__import__

    def without(name, *given, **named):
        if name == "resource":
            raise ImportError(name)
        return usual(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    assert system.peak_memory() is None


@pytest.mark.parametrize("missing", ["sched_getaffinity", "sched_setaffinity"])
def test_what_is_timed_is_timed_where_no_core_can_be_chosen(monkeypatch, missing):
    monkeypatch.delattr(os, missing, raising=False)
    with system.one_core():
        pass


@pytest.mark.parametrize("missing", [None, "SIGHUP", "SIGTERM"])
@pytest.mark.parametrize("fails", [False, True])
def test_signals_are_as_they_were_afterwards(monkeypatch, missing, fails):
    numbers = [getattr(signal, name) for name in system.STOPPING if hasattr(signal, name)]
    before = [signal.getsignal(number) for number in numbers]
    if missing is not None:
        monkeypatch.delattr(signal, missing, raising=False)
    heard = []

    def inside():
        with system.stopping(lambda number, frame: heard.append(number)):
            signal.raise_signal(signal.SIGINT)
            if fails:
                raise KeyError

    if fails:
        with pytest.raises(KeyError):
            inside()
    else:
        inside()
    assert heard == [signal.SIGINT]
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("missing", [None, "O_NONBLOCK"])
def test_a_pipe_is_refused_and_never_waited_for(tmp_path, monkeypatch, missing):
    os.mkfifo(tmp_path / "pipe")
    keep_open = os.open(tmp_path / "pipe", os.O_RDWR)
    if missing is not None:
        monkeypatch.delattr(os, missing)
    with pytest.raises(OSError, match="Not a regular file"):
        system.open_file(tmp_path / "pipe")
    os.close(keep_open)


def test_nothing_else_asks_the_system():
    package = Path(system.__file__).parent.parent
    others = [p for p in package.rglob("*.py") if p != Path(system.__file__)]
    others += (package.parent / "benchmarks").glob("*.py")
    asking = ("os.sysconf", "sys.platform", "/proc/", "sched_getaffinity")
    asking += ("import signal", "import resource\n", "import fcntl")
    for path in others:
        text = path.read_text(encoding="utf-8")
        for asked in asking:
            assert asked not in text, f"{path} asks for {asked}"
