"""What the operating system is asked, and what is taken for granted where it does not answer.

Nothing else in the package asks for memory, processors, signals or kinds of files, so that a system which lacks one of
these lacks it here alone.
"""

from __future__ import annotations

import errno
import math
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")
PROC = Path("/proc/self")
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


def memory() -> float:
    """How much memory there is, in bytes: the machine's, or a container's limit. Infinite where nobody can tell."""
    with suppress(AttributeError, OSError, ValueError, TypeError):
        system: Any = os
        pages, size = system.sysconf("SC_PHYS_PAGES"), system.sysconf("SC_PAGE_SIZE")
        if pages > 0 and size > 0:
            return min(float(pages) * float(size), _limit("memory.max", "memory/memory.limit_in_bytes"))
    return _limit("memory.max", "memory/memory.limit_in_bytes")


def cores() -> int:
    """How many threads can compute at a time: those that this process may use, within a container's limit."""
    allowed, asked = None, getattr(os, "sched_getaffinity", None)
    with suppress(OSError, ValueError, TypeError):
        allowed = asked and len(asked(0))
    limit = _cpu_limit()
    return max(1, min(allowed or os.cpu_count() or 1, math.ceil(limit) if math.isfinite(limit) else sys.maxsize))


def _groups(version_1: str) -> Iterator[Path]:
    """The folders of this process's control group and of those around it, the innermost first."""
    with suppress(OSError, ValueError):
        for line in (PROC / "cgroup").read_text(encoding="utf-8").splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds == "" or version_1 in kinds.split(","):
                base = CGROUP if kinds == "" else CGROUP / version_1
                own = base / path.lstrip("/")
                yield from (folder for folder in (own, *own.parents) if folder == base or base in folder.parents)


def _limit(name: str, version_1: str) -> float:
    """The smallest limit in bytes that a control group sets, infinite if none does."""
    kind, _, old = version_1.partition("/")
    limits = [math.inf]
    for folder in _groups(kind):
        for file in (folder / name, folder / old):
            with suppress(OSError, ValueError):
                limits.append(float(int(file.read_text(encoding="ascii").strip())))
    # a limit that no machine could reach is how version 1 says that there is none
    return min(limit if 0 < limit < 2.0**60 else math.inf for limit in limits)


def _cpu_limit() -> float:
    """How many processors' time a control group grants, infinite if it does not say."""
    limits = [math.inf]
    for folder in _groups("cpu"):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
            limits.append(float(quota) / float(period))
        with suppress(OSError, ValueError):
            quota, period = (
                (folder / f"cpu.cfs_{what}_us").read_text(encoding="ascii").strip() for what in ("quota", "period")
            )
            limits.append(float(quota) / float(period))
    return min(limit if limit > 0 else math.inf for limit in limits)


def peak_memory() -> int | None:
    """The most memory that this process has had, in bytes, or None where nobody can tell."""
    with suppress(OSError, StopIteration, ValueError, IndexError):
        # not getrusage, whose peak a new process on Linux inherits from the one that started it
        text = (PROC / "status").read_text(encoding="ascii", errors="replace")
        return int(next(line for line in text.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    usage: Any = resource
    peak = int(usage.getrusage(usage.RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def one_core() -> Iterator[None]:
    """Everything that is started in here shares one core, where the system can be told so."""
    system: Any = os
    try:
        allowed = system.sched_getaffinity(0)
        system.sched_setaffinity(0, {max(allowed)})
    except (AttributeError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        system.sched_setaffinity(0, allowed)


@contextmanager
def stopping(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """In here `handler` hears the signals that stop a program, those that there are; afterwards all is as it was.

    Who started this with nohup wants it to go on, and a signal of another thread's program is not ours to take.
    """
    before: list[tuple[int, Any]] = []
    for name in STOPPING:
        number = getattr(signal, name, None)
        with suppress(OSError, RuntimeError, ValueError, TypeError):
            if number is not None and (name == "SIGINT" or signal.getsignal(number) is not signal.SIG_IGN):
                before.append((number, signal.signal(number, handler)))
    try:
        yield
    finally:
        for number, old in before:
            with suppress(OSError, ValueError, TypeError):
                signal.signal(number, old)


def raise_signal(number: int) -> None:
    """To whoever hears this signal in this process."""
    signal.raise_signal(number)


def open_file(path: Path) -> int:
    """A descriptor to read a file. Raises OSError for what is none, such as a pipe, at once."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return descriptor
