"""Entries of the TOML files that users write: read and checked, with errors that name the file and the entry."""

from __future__ import annotations

import dataclasses
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from rflo_repro.learning import validate
from rflo_repro.learning.rules import RULES, LearningRule
from rflo_repro.runs.request import RequestError
from rflo_repro.runs.store import content

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")
LONGEST_NAME = 64


def read(path: Path, make: Callable[[Mapping[str, Any], Path], T]) -> T:
    """What `make` returns for a TOML file's entries and folder.

    Raises RequestError, with the file, for what is no TOML and for what `make` raises.
    """
    try:
        return make(tomllib.loads(_text(content(path))), path.parent)
    except OSError as error:
        raise RequestError(None, f"{path}: {error.strerror}") from None
    except RecursionError:
        raise RequestError(None, f"{path}: nested too deeply") from None
    except (ValueError, TypeError, RequestError) as error:
        raise RequestError(None, f"{path}: {error}") from None


def _text(read: bytes) -> str:
    """A file's text, without a byte-order mark. Raises ValueError, with the line, for what is no UTF-8."""
    try:
        return read.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = read.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8 text: save the file with the encoding UTF-8") from None


def only(what: str, entries: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raises ValueError for an entry that is not known."""
    for key in entries:
        if key not in known:
            raise ValueError(f"{what} must be among {', '.join(known)}, got {key!r}{validate.hint(key, known)}")


def table(name: str, value: Any) -> Mapping[str, Any]:
    """The value, if it is a table. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a table, got {value!r}")
    return value


def check_name(kind: str, name: str, taken: Sequence[str], what: str) -> None:
    """Raises ValueError for a name that is taken by another `what`, that pandas does not read back as text, such as
    `null`, or that a line of text cannot show."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise ValueError(f"{kind} must have names of 1 to {LONGEST_NAME} printable characters, got {name!r}")
    column = io.StringIO(pd.DataFrame({"name": [name]}).to_csv(index=False))
    if pd.read_csv(column)["name"].tolist() != [name]:
        raise ValueError(f"{kind} must not have a name that pandas reads as a number, a flag or missing, got {name!r}")
    if name in taken:
        raise ValueError(f"{kind}.{name} is {what} already; give yours another name")


def made(kind: str, name: str, value: Any, cls: Callable[..., T], fields: Sequence[str]) -> T:
    """What a class makes of the table `kind.name`, whose entries are among these fields. Raises ValueError."""
    entries = table(f"{kind}.{name}", value)
    only(f"{kind}.{name}", entries, fields)
    try:
        return cls(**{key: frozen(entry) for key, entry in entries.items()})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{kind}.{name}: {error}") from None


def rule_of(name: str, value: Any) -> LearningRule:
    """The rule in a table `rules.NAME`. Raises ValueError."""
    check_name("rules", name, list(RULES), "a rule")
    fields = [field.name for field in dataclasses.fields(LearningRule)[1:]]
    missing = [needed for needed in ("feedback", "carry") if needed not in table(f"rules.{name}", value)]
    if missing:
        raise ValueError(f"rules.{name}: {' and '.join(missing)} missing")
    return made("rules", name, value, lambda **entries: LearningRule(name, **entries), fields)


def frozen(value: Any) -> Any:
    """The value with tuples in place of lists."""
    return tuple(frozen(item) for item in value) if isinstance(value, list) else value
