"""The process that the command line runs in: its streams, its signals, and how it ends.

Whatever surrounds it (a closed or narrow stdout, a nonsensical MPLBACKEND, a signal, a full disk), it ends with the
right result or with one line on stderr.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import click

from rflo_repro.runs import status, system

if TYPE_CHECKING:
    from rich.console import Console

UNWIND_SECONDS = 1.2
WRITE_SECONDS = 0.5
SHOW = "RFLO_REPRO_TRACEBACK"
# The signal that ends this process, once there is one
_received: list[int] = []


def supervised(program: Callable[[], object]) -> None:
    """Run a click command in this process, and end the process as a shell expects.

    Exit codes: 0; 1 for what the disk or the machine refuses; 2 for a request that cannot be met; 128 and the signal's
    number for SIGINT, SIGTERM and SIGHUP. With RFLO_REPRO_TRACEBACK=1 what was not foreseen shows where it comes from.
    """
    _streams()
    _received.clear()
    with system.stopping(_stop_soon), _surroundings():
        code = _code(program)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _nobody_listens(sys.stdout)
    except OSError as error:
        # what was not written is tried once more here, and what went wrong may have been said
        if not code:
            _say(f"Error: stdout: {error.strerror}")
        _nobody_listens(sys.stdout)
        code = code or 1
    if code:
        sys.exit(code)


@contextmanager
def _surroundings() -> Iterator[None]:
    """Environment and warnings as this program wants them; afterwards as a program that called it had them."""
    # pictures go to files, and the threads are our own: what the user's shell or notebook has set is of no concern
    own = {"MPLBACKEND": "agg", "NUMBA_NUM_THREADS": "1"}
    before = {name: os.environ.get(name) for name in own}, warnings.showwarning
    os.environ.update(own)
    warnings.showwarning = _warned
    try:
        yield
    finally:
        warnings.showwarning = before[1]
        for name, value in before[0].items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _code(program: Callable[[], object]) -> int:
    """Run it, say what went wrong, and return the exit code."""
    try:
        program()
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        return error.exit_code
    except BrokenPipeError:
        return 0
    except BaseException as error:
        if _received:
            _stop_now()
        if isinstance(error, SystemExit):
            raise
        if isinstance(error, OSError):
            _say(f"Error: {refusal(error)}")
            return 1
        # click takes an end of file for a wish to stop
        cause = error.__cause__ or error.__context__ if isinstance(error, click.Abort) else None
        return _unforeseen(cause or error)


def refusal(error: OSError) -> str:
    """What the disk or the machine refuses, and where."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _unforeseen(error: BaseException) -> int:
    if os.environ.get(SHOW):
        traceback.print_exception(error)
    reason = " ".join(str(error).split())
    _say(f"Error: {type(error).__name__}{': ' if reason else ''}{reason} ({SHOW}=1 shows where)")
    return 1


def _say(line: str) -> None:
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _warned(message: Warning | str, *_: Any, **__: Any) -> None:
    """A library's warning as one line."""
    _say(f"Warning: {str(message).strip().partition(chr(10))[0]}")


def _streams() -> None:
    """Make sure that there are standard streams, and that each takes any text."""
    # whoever was started without them would get a table's file as number 1 or 2, and write messages into it
    while (lowest := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(lowest, True)
    os.close(lowest)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _nobody_listens(stream: IO[str]) -> None:
    """What is left to be said there goes nowhere, and does not fail once more when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def console(quiet: bool = False, stderr: bool = False) -> Console:
    """Where a command speaks: bars on a terminal, plain lines elsewhere. Text is text: nothing in it is markup.

    quiet: it says nothing. stderr: on stderr, where stdout is for a program.
    """
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            # whoever read along has gone: the work goes on
            self.quiet = True
            _nobody_listens(self.file)

    return Plain(soft_wrap=True, emoji=False, markup=False, highlight=False, quiet=quiet, stderr=stderr)


def _stop_soon(number: int, *_: object) -> None:
    """Unwind; if that takes long (a kernel is being compiled, a long trial runs), end without it.

    Nothing is damaged by that: a file is replaced in one rename or not at all, and what is under way goes on from its
    last checkpoint.
    """
    if _received:
        _stop_now()
    _received.append(number)
    hard = threading.Timer(UNWIND_SECONDS, _stop_now)
    hard.daemon = True
    hard.start()
    raise KeyboardInterrupt


def _stop_now() -> None:
    status.changing.acquire(timeout=WRITE_SECONDS)
    with suppress(OSError):
        os.write(2, f"{status.line()}\n".encode(errors="replace"))
    os._exit(128 + _received[0])
