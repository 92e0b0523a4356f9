"""Results and checkpoints of jobs on disk, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rflo_repro.learning.files import replacing
from rflo_repro.runs import generation, provenance, system
from rflo_repro.runs.job import Arrays, Job, describe, identity

FOLDER = ".realisations"
FINISHED, CHECKPOINT = ".npz", ".checkpoint"
_MEANING = "_meaning"  # the entry of an .npz that says what the others are


class InvalidFile(Exception):
    """Why a file is not taken for a result or a checkpoint, in one line."""


class Store:
    """A folder of .npz files, one a job, under a key of all that determines its numbers.

    With the arrays lies their provenance: who computed them, when, and by which source. `provenance` has that of every
    result that was read or put, by the job's identity.

    The key holds the job's content and the generation of the numbers, so that neither other parameters nor another
    generation can be taken for today's; a result of any source of the generation is valid. While the present source is
    unproven, the key holds its digest in place of the generation: what it puts is found by itself alone, before and
    after it is proven. What sources that the generation lists have put under their digest is found.

    A checkpoint has the suffix `.checkpoint` until its job is finished, and always the digest in its key: no reference
    says how another source lays out its arrays.

    Nothing is ever unpickled. Files are damaged or foreign unless they say their key and hash; those are named in
    `problems` and computed again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self.provenance: dict[str, dict[str, Any]] = {}

    def meaning(self, job: Job, suffix: str = FINISHED) -> dict[str, Any]:
        """What determines the numbers of a job, as plain data."""
        return self._meanings(job, suffix)[0]

    def _meanings(self, job: Job, suffix: str) -> list[dict[str, Any]]:
        """That under which it is put, and those under which it is found as well."""
        modules, described = provenance.modules_of(job), describe(job)
        sources = [generation.by_digest(modules)]
        if suffix == FINISHED and (proven := generation.by_bytes(modules)) not in sources:
            sources = [proven, *sources, *generation.earlier(modules)]
        return [{"realisation": described, **source} for source in sources]

    def path(self, job: Job, suffix: str = FINISHED) -> Path:
        """The file of a job's result or of its checkpoint."""
        return self._path(self.meaning(job, suffix), suffix)

    def _path(self, meaning: dict[str, Any], suffix: str) -> Path:
        key = hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()
        return self.folder / key[:2] / f"{key[:40]}{suffix}"

    def get(self, job: Job) -> Arrays | None:
        """The stored arrays, or None if there are no valid ones."""
        try:
            found = self._read(job, FINISHED)
        except InvalidFile as error:
            self.problems.append(f"{error}; computed again")
            return None
        if found is None:
            return None
        arrays, self.provenance[identity(job)] = found
        return arrays

    def put(self, job: Job, arrays: Arrays, record: dict[str, Any]) -> None:
        """Save the arrays of a finished job with their provenance (`provenance.of_result`), and remove its checkpoint.

        Raises OSError if they cannot be written.
        """
        # the present source, which may not be the next one's
        record = {**record, "source": generation.by_digest(provenance.modules_of(job))["digest"]}
        self._write(job, FINISHED, arrays, record)
        self.provenance[identity(job)] = record
        self.remove_checkpoint(job)

    def checkpoint(self, job: Job) -> tuple[Arrays, dict[str, Any]] | None:
        """The arrays of a job's checkpoint and their provenance. Raises InvalidFile."""
        return self._read(job, CHECKPOINT)

    def save_checkpoint(self, job: Job, arrays: Mapping[str, Any], record: dict[str, Any]) -> None:
        """Save the arrays of an unfinished job with their provenance. Raises OSError."""
        self._write(job, CHECKPOINT, arrays, record)

    def remove_checkpoint(self, job: Job) -> None:
        """Remove a job's checkpoint, if there is one."""
        with suppress(OSError):
            self.path(job, CHECKPOINT).unlink()

    def _read(self, job: Job, suffix: str) -> tuple[Arrays, dict[str, Any]] | None:
        for meaning in self._meanings(job, suffix):
            path = self._path(meaning, suffix)
            if path.exists():
                return _valid(path, meaning)
        return None

    def _write(self, job: Job, suffix: str, arrays: Mapping[str, Any], record: dict[str, Any]) -> None:
        meaning = self.meaning(job, suffix)
        path = self._path(meaning, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        meaning = {**meaning, "sha256": _sha256(arrays), "made": record}
        entries = {**arrays, _MEANING: np.array(json.dumps(meaning, sort_keys=True))}
        # NumPy's own function leaves an archive open on a disk that fills up
        compression = zipfile.ZIP_DEFLATED if suffix == FINISHED else zipfile.ZIP_STORED
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", compression) as archive:
            for name, array in entries.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)


def _valid(path: Path, meaning: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a file and their provenance. Raises InvalidFile unless it says this meaning and its hash."""
    try:
        # given a path, np.load leaves a broken archive open
        with opened(path) as handle:
            file = np.load(handle, allow_pickle=False)
            arrays = {name: file[name] for name in file.files}
        stored = json.loads(str(arrays.pop(_MEANING)))
        record = stored.pop("made")
        provenance.where(record)
    except Exception as error:  # what a damaged archive raises is without limit: zlib.error, RuntimeError, ...
        raise InvalidFile(f"{path} is damaged ({type(error).__name__})") from None
    if stored != {**meaning, "sha256": _sha256(arrays)}:
        raise InvalidFile(f"{path} is not what its name says")
    source = {"source": meaning["digest"]} if "digest" in meaning else {}
    return arrays, {**source, **record}


def _sha256(arrays: Mapping[str, Any]) -> str:
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.reshape(-1).view(np.uint8).data)
    return total.hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read. Raises OSError, for what is no file as well: a pipe or a device might never end."""
    with open(system.open_file(path), "rb") as file:
        yield file


def content(path: Path) -> bytes:
    """What is in a file. Raises OSError as `opened` does."""
    with opened(path) as file:
        return file.read()
