"""Files of named arrays: NumPy's .npz without pickles."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rflo_repro.learning.files import replacing

# the entry that names a file's format
FORMAT = "format"


def write(path: str | os.PathLike[str], version: str, arrays: Mapping[str, Any]) -> None:
    """Write these arrays; a disk that is full leaves an old file as it was. Raises OSError."""
    archive = io.BytesIO()
    np.savez_compressed(archive, **{FORMAT: np.array(version), **arrays})
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(archive.getvalue())


def read(path: str | os.PathLike[str], version: str, what: str) -> dict[str, Any]:
    """The arrays of a file that `write` wrote. what: of what it is, for errors.

    Raises ValueError for a file that is damaged or another one, OSError if it cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            given = {name: file[name] for name in file.files}
    except Exception as error:  # what a damaged archive raises is without limit: zlib.error, RuntimeError, ...
        raise ValueError(f"{path} is damaged or no saved {what} ({type(error).__name__})") from None
    if str(given.pop(FORMAT, "")) != version:
        raise ValueError(f"{path} is no saved {what}")
    return given
