"""Where compiled kernels are kept between two starts.

Numba's own cache sees an edit in the file of a kernel, not in a kernel that it calls. Here the folder is named by a
digest of all the numerical source, so that what was compiled from other source is never found.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba

numba_config: Any = numba.config
SOURCE = Path(__file__).parent


def source_digest(folder: Path = SOURCE) -> str:
    """Digest of the names and contents of the Python files in `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def directory() -> Path | None:
    """This source's folder, or None if nothing can be written there: then nothing is kept, and nothing fails.

    It lies in ``NUMBA_CACHE_DIR`` if that is set, else in ``rflo-repro`` in the user's cache folder.
    """
    try:
        base = numba_config.CACHE_DIR or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "rflo-repro")
        folder = Path(base, f"kernels-{source_digest()[:16]}")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return None


@contextmanager
def kept_apart() -> Iterator[None]:
    """Functions that numba decorates in here are kept in `directory`; the user's own are not touched."""
    before = numba_config.CACHE_DIR
    folder = directory()
    if folder is not None:
        numba_config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba_config.CACHE_DIR = before
