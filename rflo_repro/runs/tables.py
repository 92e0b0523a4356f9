"""Tidy tables: a CSV with one observation a row, and beside it a JSON that says what it is and where it comes from."""

from __future__ import annotations

import glob
import hashlib
import io
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from filelock import FileLock

from rflo_repro.learning.files import replace, replacing
from rflo_repro.runs.request import RequestError
from rflo_repro.runs.store import FOLDER, content

Kind = Literal["text", "integer", "number", "flag"]
LOCK = Path(FOLDER, ".tables.lock")
LOCK_SECONDS = 120.0


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, kind, unit ('' if it has none) and meaning."""

    name: str
    kind: Kind
    unit: str
    meaning: str


@dataclass(frozen=True)
class Schema:
    """A table's name (`<name>.csv`), what a row is, its columns, and which of them name the condition."""

    name: str
    row: str
    columns: tuple[Column, ...]
    condition: tuple[str, ...]

    def has(self, values: Mapping[str, Any]) -> bool:
        """Whether a condition of these values belongs in the table: it has a value for each naming column."""
        return set(self.condition) <= set(values)


@dataclass(frozen=True)
class Table:
    """A table that was read, with its metadata."""

    path: Path
    schema: Schema
    frame: pd.DataFrame
    metadata: dict[str, Any]


class TableError(Exception):
    """A table that is not valid or cannot be written; the message is one line that names the file."""


TYPES: dict[Kind, Any] = {"text": str, "integer": np.int64, "number": np.float64, "flag": bool}


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(content(path)).hexdigest()


def _typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame's columns in the schema's order and kinds. Raises KeyError, TypeError, ValueError."""
    return pd.DataFrame({c.name: frame[c.name].astype(TYPES[c.kind]) for c in schema.columns})


def lock(folder: Path) -> FileLock:
    """Held, as a context, by whoever changes the tables of a folder; the same thread may take it again.

    It is a file in the store.

    Raises OSError if it cannot be had: in a folder that cannot be written, or after two minutes of waiting.
    """
    (folder / LOCK).parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / LOCK, timeout=LOCK_SECONDS, is_singleton=True)


def _waiting(path: Path) -> list[Path]:
    """Metadata that wait until their CSV is in place: of a write that goes on, and of processes that were killed."""
    return sorted(path.parent.glob(f".{glob.escape(path.stem)}.*.metadata.tmp"))


def write(folder: Path, schema: Schema, frame: pd.DataFrame, metadata: Mapping[str, Any]) -> Path:
    """Write `<name>.csv` and then `<name>.json` in `folder`, each by one rename; returns the CSV's path.

    The metadata are written in full before the CSV is renamed. Whoever is killed between the two renames leaves a table
    that `read` still finds: a part of a figure could not be written into it otherwise, for the store need not have
    the other rows. Raises OSError if they cannot be written; the ones before are then still there.
    """
    path = folder / f"{schema.name}.csv"
    # a name that nobody can foresee: a link laid out under it would be followed out of the folder
    waiting = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.metadata.tmp")
    with lock(folder):
        before = _waiting(path)
        try:
            with replacing(path) as temporary:
                # absolute: pandas has a meaning of its own for a path that begins with ~
                _typed(frame, schema).to_csv(temporary.absolute(), index=False, lineterminator="\n")
                described = {
                    "table": schema.name,
                    "row": schema.row,
                    "rows": len(frame),
                    "sha256": sha256(temporary),
                    "columns": [vars(column) for column in schema.columns],
                    **metadata,
                }
                with waiting.open("x", encoding="utf-8", newline="\n") as file:
                    file.write(json.dumps(described, indent=2, ensure_ascii=False) + "\n")
        except BaseException:
            waiting.unlink(missing_ok=True)
            raise
        replace(waiting, path.with_suffix(".json"))
        for left in before:
            left.unlink(missing_ok=True)
    return path


def schema_of(metadata: Mapping[str, Any]) -> Schema:
    """The schema that a table's metadata name. Raises KeyError, TypeError if they name none."""
    columns = tuple(Column(**column) for column in metadata["columns"])
    return Schema(metadata["table"], metadata["row"], columns, tuple(metadata["condition"]))


def read(
    folder: Path, schema: Schema, as_written: bool = False, rows: int | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table and its metadata.

    as_written: with the columns that the metadata name in place of the schema's. rows: only the first so many, all
    unless given; that the file is the one that the metadata describe is checked in any case.
    Raises FileNotFoundError if there is none, TableError if its JSON is missing or is not this CSV's.
    """
    try:
        return _read(folder, schema, as_written, rows)
    except TableError:
        # Another run may be between its CSV and its JSON: look again when it is done.
        with suppress(OSError):
            if (folder / LOCK).exists():
                with lock(folder):
                    return _read(folder, schema, as_written, rows)
        return _read(folder, schema, as_written, rows)


def load(folder: Path, schemas: Mapping[str, Schema], command: str) -> dict[str, Table]:
    """Tables by part. Raises RequestError, with the command that makes them, for one that is missing or not valid."""
    found = {}
    for part, schema in schemas.items():
        try:
            found[part] = Table(folder / f"{schema.name}.csv", schema, *read(folder, schema))
        except FileNotFoundError:
            raise RequestError("results", f"{folder} has no {schema.name}.csv: run {command} first") from None
        except TableError as error:
            raise RequestError("results", f"{error}: run {command} to make it anew") from None
    return found


def _read(folder: Path, schema: Schema, as_written: bool, rows: int | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    path = folder / f"{schema.name}.csv"
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        return _pair(path, path.with_suffix(".json"), schema, as_written, rows)
    except TableError:
        for waiting in _waiting(path):
            with suppress(TableError):
                return _pair(path, waiting, schema, as_written, rows)
        raise


def _pair(
    path: Path, beside: Path, schema: Schema, as_written: bool, rows: int | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    try:
        metadata = json.loads(content(beside))
        _check(metadata)
        text = content(path)
        if metadata["sha256"] != hashlib.sha256(text).hexdigest():
            raise TableError(f"{path} is not the table that {beside.name} describes (torn or edited)")
        # a line break within quotes ends no row
        if b'"' not in text and text.count(b"\n") != metadata["rows"] + 1:
            raise TableError(f"{path} does not have the rows that {beside.name} describes")
        if as_written:
            schema = schema_of(metadata)
        # numbers as Python reads them, bit for bit as they were written; an empty text is a text
        frame = pd.read_csv(
            io.BytesIO(text),
            usecols=[c.name for c in schema.columns],
            dtype={c.name: object if c.kind == "number" else TYPES[c.kind] for c in schema.columns},
            na_filter=False,
            nrows=rows,
        )
        # from lists: pandas takes much longer to go through its texts
        numbers = {c.name: frame[c.name].tolist() for c in schema.columns if c.kind == "number"}
        frame = frame.assign(**{name: [float(text or "nan") for text in texts] for name, texts in numbers.items()})
        frame = _typed(frame, schema)
    except FileNotFoundError:
        raise TableError(f"{path} has no {beside.name} beside it") from None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise TableError(f"{path} cannot be read with {beside.name}: {type(error).__name__}") from None
    return frame, metadata


_RUN: dict[str, tuple[type, ...]] = {"date": (str,), "command": (str,)}
_PRODUCER: dict[str, tuple[type, ...]] = {
    "commit": (str, type(None)), "source_changed": (bool, type(None)), "versions": (dict,), "machine": (dict,),
}  # fmt: skip
_COMPUTED: dict[str, tuple[type, ...]] = {"first": (str,), "last": (str,), "conditions": (dict,), **_PRODUCER}


def _check(metadata: Any) -> None:
    """Raises TypeError, KeyError for metadata whose entries are not of the kinds that are written."""

    def check(entry: Any, kinds: Mapping[str, tuple[type, ...]]) -> None:
        for name, kind in kinds.items():
            if not isinstance(entry[name], kind):
                raise TypeError(name)

    check(metadata, {"sha256": (str,)})
    if "settings" in metadata:
        check(metadata, {"settings": (dict,)})
        check(metadata["settings"], {"scale": (str,)})
    if "runs" in metadata:
        check(metadata, {"runs": (list,)})
    for run in metadata.get("runs", []):
        check(run, _RUN)
        for entry in producers(run):
            check(entry, _COMPUTED if "computed" in run else _PRODUCER)
        if "conditions" in run:
            check(run, {"conditions": (list,), "numerical_source": (dict,)})
            check(run["numerical_source"], {"digest": (str,), "of": (list,)})
            if not all(isinstance(name, str) for name in (*run["conditions"], *run["numerical_source"]["of"])):
                raise TypeError("conditions")


def producers(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who computed what a run wrote: an entry for each, or the run itself where it measured here and now."""
    found: list[dict[str, Any]] = run["computed"] if "computed" in run else [dict(run)]
    return found


def without(run: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A run's metadata without these conditions, in all that they say of them."""
    gone = set(names)
    left = {**run, "conditions": [name for name in run["conditions"] if name not in gone]}
    if "computed" in run:
        stay = [
            {**entry, "conditions": {name: n for name, n in entry["conditions"].items() if name not in gone}}
            for entry in run["computed"]
        ]
        left["computed"] = [entry for entry in stay if entry["conditions"]]
    return left


def conditions(frame: pd.DataFrame, schema: Schema) -> pd.Series[str]:
    """The condition of each row, as one text."""
    if not len(frame):
        return pd.Series([], dtype=str)
    # by column, as lists: pandas takes a hundred times as long by row
    named = zip(*([str(value) for value in frame[name].tolist()] for name in schema.condition), strict=True)
    return pd.Series(["|".join(values) for values in named], index=frame.index, dtype=str)


def replace_rows(old: pd.DataFrame, new: pd.DataFrame, schema: Schema, order: Sequence[str]) -> pd.DataFrame:
    """`old` with the rows of `new`'s conditions replaced, conditions in the given order (others last)."""
    fresh = set(conditions(new, schema))
    stay = old[~conditions(old, schema).isin(fresh)] if len(old) else old
    both = pd.concat([stay, new], ignore_index=True) if len(stay) else new.reset_index(drop=True)
    rank = {name: i for i, name in enumerate(order)}
    ranks = conditions(both, schema).map(lambda name: rank.get(name, len(rank)))
    return both.iloc[np.argsort(ranks.to_numpy(), kind="stable")].reset_index(drop=True)
