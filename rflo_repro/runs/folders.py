"""Where the files of a run go: the paper's beside each other, those of other settings in folders of their own."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rflo_repro.runs.choices import declared
from rflo_repro.runs.job import describe
from rflo_repro.runs.request import RequestError

CUSTOM = "custom"
LONGEST_NAME = 60


@dataclass(frozen=True)
class Folders:
    """Where tables (`results`) and pictures (`figures`) are."""

    results: Path
    figures: Path

    @classmethod
    def of_scale(cls, scale: str, results: Path | None = None, figures: Path | None = None) -> Folders:
        """Those of a scale, if nothing else is varied; `results` and `figures` are directories that were named."""
        named = ("results", results), ("figures", figures)
        return cls(*(path or of_run(base, scale, scale == "paper") for base, path in named))


def of_run(base: str, scale: str, reference: bool, deviation: str | None = None) -> Path:
    """`base` for the paper's own run, else `base/<scale>`, or `base/custom/<deviation>` where settings deviate."""
    if reference:
        return Path(base)
    return Path(base) / scale if deviation is None and scale != "paper" else Path(base) / CUSTOM / (deviation or "")


def deviation(usual: Any, chosen: Any, scale: str, eta: float | None) -> str:
    """What settings that are no scale's are called, by what deviates: such as `eta0.03-trials50`.

    A name is at most 60 of the characters that any file system takes, and stands for one choice of all settings: where
    they do not fit into it, it ends in a digest of them.
    """
    known = {name: (choice.option or name, getattr(chosen, name)) for name, choice in declared(chosen).items()}
    parts = [f"{said}{_written(value)}" for name, (said, value) in known.items() if value != getattr(usual, name)]
    parts += [f"eta{eta:.15g}"] if eta is not None else []
    parts = [*([scale] if scale != "paper" else []), *sorted(parts)] if parts else ["other-conditions"]
    name = "-".join(parts)
    safe = re.sub(r"[^A-Za-z0-9._+-]", "_", name)
    if safe == name and len(name) <= LONGEST_NAME:
        return name
    settings = json.dumps([scale, describe(chosen), eta], sort_keys=True)
    return f"{safe[: LONGEST_NAME - 11]}-{hashlib.sha256(settings.encode()).hexdigest()[:10]}"


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "_".join(map(_written, value))
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def options(results: Path) -> str:
    """The options of a command whose tables go to `results`, each after a space."""
    if results == Path("results"):
        return ""
    if results in (Path("results/smoke"), Path("results/quick")):
        return f" --scale {results.name}"
    return f" --results {shlex.quote(str(results))}"


def check(option: str, folder: Path) -> None:
    """Raises RequestError if files cannot be put in `folder`. Makes nothing."""
    reason = _refusal(folder)
    if reason is not None:
        raise RequestError(option, f"{reason}; name a directory that can be written")


def _refusal(folder: Path) -> str | None:
    """Why files cannot be put in `folder`, or None. Leaves nothing behind."""
    nearest = folder
    try:
        while not _exists(nearest):
            if nearest.is_symlink():
                return f"{nearest} is a broken link"
            nearest = nearest.parent
        if not nearest.is_dir():
            return f"{nearest} is a file, not a directory"
        with tempfile.TemporaryFile(dir=nearest):
            return None
    except OSError as error:
        return f"{nearest} cannot be written ({error.strerror})"


def _exists(path: Path) -> bool:
    """Whether it is there. Raises OSError where the system cannot tell, as of a name that is too long."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
