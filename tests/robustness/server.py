"""A process that has imported everything and forks an `rflo-repro` for every line it reads.

The children are processes of their own, which can be killed as such, but start in milliseconds. A line is JSON:
argv, cwd, log (a file for all that is said), and optionally a fault, what happens at the `at`-th rename of a file.
The answer is the child's process number; the line {"wait": number} is answered with how that child ended.
"""

import io
import json
import os
import resource
import shutil
import signal
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))
import sketch

from rflo_repro import cli, process
from rflo_repro.paper import registry
from rflo_repro.report import style
from rflo_repro.runs.request import Request
from rflo_repro.runs.run import run
from rflo_repro.studies import sweeps, tune  # noqa: F401  (so that no child has to)


def warm() -> None:
    """Load all that a child needs: modules and compiled kernels. Its pictures are not encoded."""
    style.Picture.save = sketch.save  # type: ignore[method-assign]
    with TemporaryDirectory() as folder:
        request = Request("smoke", networks=1, jobs=1, results=Path(folder), figures=Path(folder))
        run(registry.figures()["fig2"].experiment, request, Console(file=io.StringIO()))


def fault(at: int, do: str, folder: str) -> None:
    """Let something happen to this process or its folder just before (or after) the `at`-th rename."""
    rename, calls, in_turn = os.replace, iter(range(10**9)), threading.Lock()

    def replace(source: object, target: object) -> None:
        # in turn: the renames before the `at`-th, another thread's too, are then done
        with in_turn:
            now = next(calls) == at
            if now and do == "kill before":
                os.kill(os.getpid(), signal.SIGKILL)
            if now and do in ("remove", "file"):
                shutil.rmtree(folder)
            if now and do == "file":
                Path(folder).write_text("")
            rename(source, target)  # type: ignore[arg-type]
            if now and do == "kill after":
                os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace  # type: ignore[assignment]


def child(ask: dict) -> None:
    """Be `rflo-repro`."""
    os.chdir(ask["cwd"])
    log = os.open(ask["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if "largest_file" in ask:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (ask["largest_file"],) * 2)
    if "fault" in ask:
        fault(**ask["fault"])
    sys.argv = ["rflo-repro", *ask["argv"]]
    process.hosted = lambda: False
    cli.main()


def main() -> None:
    warm()
    for line in sys.stdin:
        ask = json.loads(line)
        if "wait" in ask:
            print(os.waitstatus_to_exitcode(os.waitpid(ask["wait"], 0)[1]), flush=True)
            continue
        number = os.fork()
        if number == 0:
            code = 70
            try:
                child(ask)
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(number, flush=True)


if __name__ == "__main__":
    main()
