"""Modules of users, by their file: such as lie in the folder of a sweep's file."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rflo_repro.runs import provenance
from rflo_repro.runs.store import content

if TYPE_CHECKING:
    from rflo_repro.runs.job import Job

_loaded: dict[str, ModuleType] = {}


def module_in(path: Path) -> ModuleType:
    """The module in this file, run once. Its name is its own: another file of the same name is another module, and
    none hides one that is installed. Raises what the module raises."""
    path = path.resolve()
    if str(path) not in _loaded:
        mark = hashlib.sha256(str(path).encode() + content(path)).hexdigest()[:12]
        spec = importlib.util.spec_from_file_location(f"{path.stem}_{mark}", path)
        assert spec is not None
        assert spec.loader is not None
        # known by its name before it runs, as dataclasses want it
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _loaded[str(path)] = module
    return _loaded[str(path)]


def send(client: Any, jobs: Sequence[Job]) -> None:
    """Give the workers of a Dask client, those to come too, such modules as these are made of, by the same names.
    Raises what they raise there."""
    needed = {part for job in jobs for part in provenance.modules_of(job)}
    for path, module in _loaded.items():
        if path in needed:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / f"{module.__name__}.py"
                copy.write_bytes(content(Path(path)))
                client.upload_file(str(copy))
