"""Tidy tables: a CSV with one observation a row, and beside it a JSON that says what it is and where it comes from."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from filelock import FileLock

from rflo_repro.runs.store import FOLDER, content, replacing

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


class TableError(Exception):
    """A table that cannot be believed or written; the message is one line that names the file."""


TYPES: dict[Kind, Any] = {"text": str, "integer": np.int64, "number": np.float64, "flag": bool}


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(content(path)).hexdigest()


def _typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame's columns in the schema's order and kinds. Raises KeyError, TypeError, ValueError."""
    return pd.DataFrame({c.name: frame[c.name].astype(TYPES[c.kind]) for c in schema.columns})


def lock(folder: Path) -> FileLock:
    """Held, as a context, by whoever changes the tables of a folder; the same thread may take it again.

    It is a file beside the stored jobs.

    Raises OSError if it cannot be had: in a folder that cannot be written, or after two minutes of waiting.
    """
    (folder / LOCK).parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / LOCK, timeout=LOCK_SECONDS, is_singleton=True)


def _announced(path: Path) -> list[Path]:
    """Pages that wait until their CSV is in place: one under way, and those that killed processes left behind."""
    return sorted(path.parent.glob(f".{glob.escape(path.stem)}.*.page.tmp"))


def write(folder: Path, schema: Schema, frame: pd.DataFrame, provenance: Mapping[str, Any]) -> Path:
    """Write `<name>.csv` and then `<name>.json` in `folder`, each by one rename; returns the CSV's path.

    The page is written in full before the CSV is renamed: whoever is killed between the two leaves a table that `read`
    can still tell from a damaged one. Raises OSError if they cannot be written; the ones before are then still there.
    """
    path = folder / f"{schema.name}.csv"
    # a name that nobody can foresee: a link laid out under it would be followed out of the folder
    announced = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.page.tmp")
    with lock(folder):
        before = _announced(path)
        try:
            with replacing(path) as temporary:
                _typed(frame, schema).to_csv(temporary, index=False, lineterminator="\n")
                page = {
                    "table": schema.name,
                    "row": schema.row,
                    "rows": len(frame),
                    "sha256": sha256(temporary),
                    "columns": [vars(column) for column in schema.columns],
                    **provenance,
                }
                with announced.open("x", encoding="utf-8", newline="\n") as file:
                    file.write(json.dumps(page, indent=2, ensure_ascii=False) + "\n")
        except BaseException:
            announced.unlink(missing_ok=True)
            raise
        os.replace(announced, path.with_suffix(".json"))
        for left in before:
            left.unlink(missing_ok=True)
    return path


def schema_of(page: Mapping[str, Any]) -> Schema:
    """The schema that a table's page says. Raises KeyError, TypeError for a page that says none."""
    columns = tuple(Column(**column) for column in page["columns"])
    return Schema(page["table"], page["row"], columns, tuple(page["condition"]))


def read(
    folder: Path, schema: Schema, as_written: bool = False, rows: int | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table and its provenance.

    as_written: with the columns that its page says in place of the schema's. rows: only the first so many, all unless
    given; that the file is the one its page describes is checked in any case.
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


def _read(folder: Path, schema: Schema, as_written: bool, rows: int | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    path = folder / f"{schema.name}.csv"
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        return _pair(path, path.with_suffix(".json"), schema, as_written, rows)
    except TableError:
        for page in _announced(path):
            with suppress(TableError):
                return _pair(path, page, schema, as_written, rows)
        raise


def _pair(
    path: Path, page: Path, schema: Schema, as_written: bool, rows: int | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    try:
        provenance = json.loads(content(page))
        _as_written(provenance)
        if provenance["sha256"] != sha256(path):
            raise TableError(f"{path} is not the table that {page.name} describes (torn or edited)")
        text = content(path)
        # a line break within quotes ends no row
        if b'"' not in text and text.count(b"\n") != provenance["rows"] + 1:
            raise TableError(f"{path} does not have the rows that {page.name} describes")
        if as_written:
            schema = schema_of(provenance)
        # numbers as Python reads them, bit for bit as they were written; an empty text is a text
        frame = pd.read_csv(
            path,
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
        raise TableError(f"{path} has no {page.name} beside it") from None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise TableError(f"{path} cannot be read with {page.name}: {type(error).__name__}") from None
    return frame, provenance


_RUN: dict[str, tuple[type, ...]] = {"date": (str,), "command": (str,)}
_MAKER: dict[str, tuple[type, ...]] = {
    "commit": (str, type(None)), "source_changed": (bool, type(None)), "versions": (dict,), "machine": (dict,),
}  # fmt: skip
_COMPUTED: dict[str, tuple[type, ...]] = {"first": (str,), "last": (str,), "conditions": (dict,), **_MAKER}


def _as_written(page: Any) -> None:
    """Raises TypeError, KeyError for a page whose entries are not of the kinds that are written: what is read from one
    is then of its kind everywhere."""

    def check(entry: Any, kinds: Mapping[str, tuple[type, ...]]) -> None:
        for name, kind in kinds.items():
            if not isinstance(entry[name], kind):
                raise TypeError(name)

    check(page, {"sha256": (str,)})
    if "settings" in page:
        check(page, {"settings": (dict,)})
        check(page["settings"], {"scale": (str,)})
    if "runs" in page:
        check(page, {"runs": (list,)})
    for run in page.get("runs", []):
        check(run, _RUN)
        for entry in makers(run):
            check(entry, _COMPUTED if "computed" in run else _MAKER)
        if "conditions" in run:
            check(run, {"conditions": (list,), "numerical_source": (dict,)})
            check(run["numerical_source"], {"digest": (str,), "of": (list,)})
            if not all(isinstance(name, str) for name in (*run["conditions"], *run["numerical_source"]["of"])):
                raise TypeError("conditions")


def makers(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who computed what a run on a page says: an entry for each, or the run itself where it measured here and now."""
    found: list[dict[str, Any]] = run["computed"] if "computed" in run else [dict(run)]
    return found


def without(run: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A run on a page without these conditions, in all that it says of them."""
    gone = set(names)
    left = {**run, "conditions": [name for name in run["conditions"] if name not in gone]}
    if "computed" in run:
        kept = [
            {**entry, "conditions": {name: n for name, n in entry["conditions"].items() if name not in gone}}
            for entry in run["computed"]
        ]
        left["computed"] = [entry for entry in kept if entry["conditions"]]
    return left


def conditions(frame: pd.DataFrame, schema: Schema) -> pd.Series[str]:
    """The condition of each row, as one text."""
    if not len(frame):
        return pd.Series([], dtype=str)
    # by column, as lists: pandas takes a hundred times as long by row
    named = zip(*([str(value) for value in frame[name].tolist()] for name in schema.condition), strict=True)
    return pd.Series(["|".join(values) for values in named], index=frame.index, dtype=str)


def replace_rows(old: pd.DataFrame, new: pd.DataFrame, schema: Schema, order: Sequence[str]) -> pd.DataFrame:
    """`old` with the rows of `new`'s conditions replaced, conditions in the given order (others keep theirs, last)."""
    fresh = set(conditions(new, schema))
    kept = old[~conditions(old, schema).isin(fresh)] if len(old) else old
    both = pd.concat([kept, new], ignore_index=True) if len(kept) else new.reset_index(drop=True)
    rank = {name: i for i, name in enumerate(order)}
    place = conditions(both, schema).map(lambda name: rank.get(name, len(rank)))
    return both.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True)
