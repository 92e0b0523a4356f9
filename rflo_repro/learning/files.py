"""Files that are written in full or not at all."""

from __future__ import annotations

import glob
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ABANDONED_SECONDS = 3600.0
# On Windows a file that another program holds open cannot be replaced: it is tried again for so long
RETRY_SECONDS = 5.0


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place in one rename when all went well, or else vanishes.

    An OSError from within names `path`. What a killed process left behind for this path goes after an hour.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > ABANDONED_SECONDS:
                left.unlink()
    # not tempfile's: that makes a file private, and a result is for whoever may read the folder
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.open("xb").close()
        yield temporary
        replace(temporary, path)
    except OSError as error:
        if error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()


def replace(temporary: Path, path: Path) -> None:
    """Put a file into the place of another in one step. Raises OSError, where another program holds that one open only
    after some seconds."""
    until = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            os.replace(temporary, path)
            return
        except PermissionError as error:
            if not hasattr(error, "winerror"):
                raise
            if time.monotonic() > until:
                raise PermissionError(error.errno, "is open in another program; close it there", str(path)) from None
            time.sleep(0.05)
