"""Be `rflo-repro` where the system lacks something: a program for test_lacking.py.

    python lacking.py PART,PART... COMMAND...    what is taken away; a command with its options is one argument

Libraries built for this system may rely on what is taken away; then they go with it, as they would be others elsewhere.
"""

import errno
import os
import signal
import sys
from typing import Any


def lose(module: Any, *names: str) -> None:
    for name in names:
        vars(module).pop(name, None)


def no_sysconf() -> None:
    lose(os, "sysconf", "sysconf_names")
    sys.modules["psutil"] = None


def no_pages_of_sysconf() -> None:
    """As on macOS, which has sysconf and not every name."""
    usual: Any = getattr(os, "sysconf", None)

    def sysconf(name: Any) -> Any:
        if "PAGE" in str(name):
            raise ValueError("unrecognized configuration name")
        return usual(name)

    vars(os)["sysconf"] = sysconf


def no_resource() -> None:
    sys.modules["resource"] = None


def no_fcntl() -> None:
    sys.modules["fcntl"] = None


def no_sighup() -> None:
    lose(signal, "SIGHUP")


def no_nonblock() -> None:
    no_fcntl()  # filelock's lock by fcntl opens its file so
    lose(os, "O_NONBLOCK")


def no_affinity() -> None:
    lose(os, "sched_getaffinity", "sched_setaffinity")


def no_proc() -> None:
    """No file below /proc and /sys can be opened, in whatever way."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and str(args[0]).startswith(("/proc/", "/sys/")):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), args[0])

    sys.addaudithook(hook)


PARTS = {name.removeprefix("no_"): function for name, function in list(globals().items()) if name.startswith("no_")}


def main(lacking: str, *commands: str) -> None:
    for part in lacking.split(",") if lacking else ():
        PARTS[part]()
    from rflo_repro import cli, process

    process.hosted = lambda: False
    for command in commands:
        sys.argv = ["rflo-repro", *command.split()]
        try:
            cli.main()
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    main(*sys.argv[1:])
