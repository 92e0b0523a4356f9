"""The process that the command line runs in: its streams, its signals, and how it ends.

Whatever surrounds it (a closed or narrow stdout, a nonsensical MPLBACKEND, a signal, a full disk), it ends with the
right result or with one line on stderr.
"""

from __future__ import annotations

import io
import os
import re
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
SCRIPT = r"[/\\]rflo-repro(-script\.py|\.exe[/\\]__main__\.py)?$"
SHOW = "RFLO_REPRO_TRACEBACK"
# The signal that ends this process, once there is one
_received: list[int] = []
# Streams that go nowhere, and where they went
_silenced: list[tuple[IO[str], int]] = []


def supervised(program: Callable[[], object], hosted: bool = False) -> None:
    """Run a click command in this process, and end the process as a shell expects.

    Exit codes: 0; 1 for what the disk or the machine refuses; 2 for a request that cannot be met; 128 and the signal's
    number for SIGINT, SIGTERM and SIGHUP. With RFLO_REPRO_TRACEBACK=1 what was not foreseen shows where it comes from.
    hosted: another program goes on afterwards: it gets its streams, handlers, warnings and environment back, whatever
    happens, and then hears the signal that stopped the command.
    """
    _received.clear()
    with _streams(hosted):
        with system.stopping(_unwind if hosted else _stop_soon), _surroundings():
            code = _code(program, hosted)
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
    if _received:
        system.raise_signal(_received[0])
    if code:
        sys.exit(code)


def hosted() -> bool:
    """Whether this process is another program's than `rflo-repro` and `python -m rflo_repro`."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), str(getattr(main, "__file__", ""))
    return not (spec.name.startswith("rflo_repro.") if spec else re.search(SCRIPT, file))


@contextmanager
def _surroundings() -> Iterator[None]:
    """Environment and warnings as this program wants them; afterwards as a program that called it had them."""
    # pictures go to files, and the threads are our own: what the user's shell or notebook has set is of no concern
    before = {name: os.environ.pop(name) for name in ("MPLBACKEND", "NUMBA_NUM_THREADS") if name in os.environ}
    loaded, showwarning = set(sys.modules), warnings.showwarning
    warnings.showwarning = _warned
    try:
        yield
    finally:
        warnings.showwarning = showwarning
        os.environ.update(before)
        # libraries read the environment once, when they are imported
        with suppress(KeyError, ValueError):
            if "matplotlib" not in loaded:
                sys.modules["matplotlib"].rcParams["backend"] = before["MPLBACKEND"]
        with suppress(KeyError, ValueError):
            if "numba" not in loaded:
                sys.modules["numba"].config.NUMBA_NUM_THREADS = int(before["NUMBA_NUM_THREADS"])


def _code(program: Callable[[], object], hosted: bool) -> int:
    """Run it, say what went wrong, and return the exit code."""
    out = sys.stdout
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
        if _received and hosted:
            _say(status.line())
            status.trials.clear()
            return 128 + _received[0]
        if _received:
            _stop_now()
        if isinstance(error, SystemExit):
            if sys.stdout is out:
                raise
            # click wraps the streams when nobody is at the end of the pipe
            _nobody_listens(out)
            return 0
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


@contextmanager
def _streams(hosted: bool) -> Iterator[None]:
    """Make sure that there are standard streams, and that each takes any text; in another program as long as this."""
    # whoever was started without them would get a table's file as number 1 or 2, and write messages into it
    while (lowest := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(lowest, True)
    os.close(lowest)
    before = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    errors = {stream: stream.errors for stream in before.values() if isinstance(stream, io.TextIOWrapper)}
    for name, stream in before.items():
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        with suppress(OSError, ValueError):
            if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
                stream.reconfigure(errors="replace")
    try:
        yield
    finally:
        while hosted and _silenced:
            stream, own = _silenced.pop()
            with suppress(OSError, ValueError):
                stream.flush()
                os.dup2(own, stream.fileno())
            os.close(own)
        for name, stream in before.items() if hosted else ():
            if stream is None:
                getattr(sys, name).close()
            setattr(sys, name, stream)
            with suppress(OSError, ValueError):
                if stream in errors:
                    stream.reconfigure(errors=errors[stream])


def _nobody_listens(stream: IO[str]) -> None:
    """What is left to be said there goes nowhere, and does not fail once more when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    _silenced.append((stream, os.dup(stream.fileno())))
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


def _unwind(number: int, *_: object) -> None:
    """Unwind, however long that takes: the process is not ours to end."""
    _received.append(number)
    raise KeyboardInterrupt


def _stop_now() -> None:
    status.changing.acquire(timeout=WRITE_SECONDS)
    with suppress(OSError):
        os.write(2, f"{status.line()}\n".encode(errors="replace"))
    os._exit(128 + _received[0])
