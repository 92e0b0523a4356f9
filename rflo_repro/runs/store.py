"""Finished realisations on disk, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rflo_repro.runs import provenance
from rflo_repro.runs.realisation import Arrays, Realisation, describe

FOLDER = ".realisations"
_MEANING = "_meaning"  # the entry of an .npz that says what the others are


class Store:
    """A folder of .npz files, one a finished realisation, under a key of all that determines its numbers.

    The key holds the realisation's fields and the digest of the numerical source, so that neither other parameters nor
    an edited kernel can be taken for today's. Nothing is ever unpickled. Files are damaged or foreign unless they say
    their key and hash; those are named in `problems` and computed again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def meaning(self, realisation: Realisation) -> dict[str, Any]:
        """What determines the numbers of a realisation, as plain data."""
        return {
            "realisation": describe(realisation),
            "digest": provenance.numerical_digest(*sorted(provenance.modules_of(realisation))),
        }

    def path(self, realisation: Realisation) -> Path:
        """Where a realisation is kept."""
        text = json.dumps(self.meaning(realisation), sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        return self.folder / key[:2] / f"{key[:40]}.npz"

    def get(self, realisation: Realisation) -> Arrays | None:
        """The stored arrays, or None if there are none to be believed."""
        path = self.path(realisation)
        if not path.exists():
            return None
        try:
            # given a path, np.load leaves a broken archive open
            with open(path, "rb") as handle:
                file = np.load(handle, allow_pickle=False)
                arrays = {name: file[name] for name in file.files}
            stored = json.loads(str(arrays.pop(_MEANING)))
        except Exception as error:  # what a damaged archive raises is without limit: zlib.error, RuntimeError, ...
            self.problems.append(f"{path} is damaged ({type(error).__name__}); computed again")
            return None
        if stored != {**self.meaning(realisation), "sha256": _sha256(arrays)}:
            self.problems.append(f"{path} is not what its name says; computed again")
            return None
        return arrays

    def put(self, realisation: Realisation, arrays: Arrays) -> None:
        """Keep the arrays of a finished realisation. Raises OSError if they cannot be written."""
        path = self.path(realisation)
        path.parent.mkdir(parents=True, exist_ok=True)
        meaning = {**self.meaning(realisation), "sha256": _sha256(arrays)}
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, **{**arrays, _MEANING: np.array(json.dumps(meaning, sort_keys=True))})  # type: ignore[arg-type]


def _sha256(arrays: Arrays) -> str:
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()


class replacing:
    """A temporary path beside `path`, which takes its place in one rename when all went well, or else vanishes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".tmp")
        os.close(handle)
        self.temporary = Path(name)
        return self.temporary

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            # mkstemp makes a file private; a result is for whoever may read the folder
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(self.temporary, 0o666 & ~mask)
            os.replace(self.temporary, self.path)
        else:
            self.temporary.unlink(missing_ok=True)
