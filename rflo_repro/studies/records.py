"""Records of reference runs: the loss of some trials, to be read, and a digest of every array, to be sure."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rflo_repro.learning.files import replacing
from rflo_repro.runs.job import Arrays

REFERENCES = resources.files("rflo_repro.studies") / "references"
# Trials whose loss is written out, from 1; the last one as well
TRIALS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
DIGITS = 16  # of a digest, in hexadecimal: 64 bits


@dataclass(frozen=True)
class Record:
    """What is compared of a run: the loss before some trials' updates (None: there is none), and digests of its arrays.

    loss: by trial, from 1; empty where nothing is trained. digests: by array.
    """

    loss: dict[str, float | None]
    digests: dict[str, str]


Records = dict[str, Record]


def digest(values: npt.NDArray[Any]) -> str:
    """Of the shape and every bit, alike on all machines; one NaN is like another."""
    values = np.asarray(values)
    if values.dtype.kind == "U":
        return hashlib.sha256(repr((values.shape, values.tolist())).encode()).hexdigest()[:DIGITS]
    plain = values.astype("<i8" if values.dtype.kind in "biu" else "<f8")
    if plain.dtype.kind == "f":
        plain[np.isnan(plain)] = np.nan
    return hashlib.sha256(repr(plain.shape).encode() + plain.tobytes()).hexdigest()[:DIGITS]


def record(arrays: Arrays) -> Record:
    """The record of a session's arrays, `loss` (n_trials,) among them where something is trained."""
    loss = arrays.get("loss", np.zeros(0))
    trials = [trial for trial in TRIALS if trial < len(loss)] + [len(loss)] * (len(loss) > 0)
    known = {str(trial): float(loss[trial - 1]) for trial in trials}
    return Record(
        {trial: value if math.isfinite(value) else None for trial, value in known.items()},
        {name: digest(values) for name, values in sorted(arrays.items())},
    )


def difference(found: Record, reference: Record) -> str | None:
    """The first that differs, both values, or None. A loss that differs is nearer to the cause than a digest."""
    for trial, value in found.loss.items():
        if trial not in reference.loss:
            return f"trial {trial}, which the reference has not"
        if value != reference.loss[trial]:
            return f"loss of trial {trial}: {value!r}, reference {reference.loss[trial]!r}"
    if found.loss.keys() != reference.loss.keys():
        return f"{list(found.loss)[-1]} trials, reference {list(reference.loss)[-1]}"
    for name in sorted(found.digests.keys() | reference.digests.keys()):
        if found.digests.get(name) != reference.digests.get(name):
            where = " between the trials above" if name == "loss" else ""
            return f"{name}{where}: digest {found.digests.get(name)}, reference {reference.digests.get(name)}"
    return None


def read() -> Records:
    """The stored references."""
    records = json.loads((REFERENCES / "sessions.json").read_text(encoding="utf-8"))
    return {name: Record(**fields) for name, fields in records.items()}


def text(records: Mapping[str, Record]) -> str:
    """What `read` reads, a line a session."""
    lines = [f" {json.dumps(name)}: {json.dumps(asdict(found))}" for name, found in records.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(records: Mapping[str, Record]) -> None:
    """Write the references into the package's source."""
    with replacing(Path(str(REFERENCES)) / "sessions.json") as temporary:
        temporary.write_text(text(records), encoding="utf-8", newline="\n")
