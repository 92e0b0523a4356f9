"""Modules of users, by their file: such as lie in the folder of a sweep's file."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rflo_repro.runs import own_source, provenance
from rflo_repro.runs.store import content

if TYPE_CHECKING:
    from rflo_repro.runs.job import Job

_loaded: dict[str, ModuleType] = {}


def module_in(path: Path) -> ModuleType:
    """The module in this file, run once. Its name is its own: another file of the same name is another module, and
    none hides one that is installed. What it imports may lie beside it, and is there when it runs.

    Raises what the module raises, and ImportError where the process has another module by the name of one beside it.
    """
    path = path.resolve()
    if str(path) not in _loaded:
        for file in own_source.imported(path):
            _check_whose(file.relative_to(path.parent).parts[0].removesuffix(".py"), path.parent)
        mark = hashlib.sha256(str(path).encode() + content(path)).hexdigest()[:12]
        spec = importlib.util.spec_from_file_location(f"{path.stem}_{mark}", path)
        assert spec is not None
        assert spec.loader is not None
        # known by its name before it runs, as dataclasses want it
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        with _first_on_the_path(path.parent):
            spec.loader.exec_module(module)
            _import_what_functions_will(path, 0)
        _loaded[str(path)] = module
    return _loaded[str(path)]


def module_named(name: str, folder: Path) -> ModuleType:
    """The module of this name, from a package in the folder or of those that are installed. Raises as `module_in`."""
    folder = folder.resolve()
    _check_whose(name.partition(".")[0], folder)
    with _first_on_the_path(folder):
        module = importlib.import_module(name)
        if module.__file__ and Path(module.__file__).resolve().is_relative_to(folder):
            _import_what_functions_will(Path(module.__file__).resolve(), name.count("."))
    return module


def _import_what_functions_will(path: Path, depth: int) -> None:
    """When they are called, its folder is no longer on the path."""
    root, beside = path.parents[depth], own_source.imported(path, depth)
    later = {name.partition(".")[0] for file in (path, *beside) for name, called in own_source.imports(file) if called}
    for file in sorted(beside):
        parts = [part for part in file.relative_to(root).with_suffix("").parts if part != "__init__"]
        if parts[0] in later:
            importlib.import_module(".".join(parts))


def _check_whose(name: str, folder: Path) -> None:
    """Raises ImportError where the process has another module by the name of one in the folder."""
    own = [file for file in (folder / f"{name}.py", folder / name / "__init__.py") if file.is_file()]
    other = getattr(sys.modules.get(name), "__file__", None)
    if own and other is not None and Path(other).resolve() not in own:
        raise ImportError(f"{own[0]} is not {other}, which is in use: give one another name, or run them one by one")


@contextmanager
def _first_on_the_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


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
