"""The disk cache of compiled kernels, and when its files are valid.

Numba's own cache notices an edit in the file of a kernel, not in a kernel that it calls. Here the folder is named by a
digest of all the kernels' source, so that code compiled from other source is never found. Numba runs whatever it finds;
here each file begins with a digest of its content, and a damaged one is reported, deleted and compiled again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching, event

F = TypeVar("F")
numba_config: Any = numba.config
SOURCE = Path(__file__).parent
# numba itself tells processors apart, by name and features
SWITCHES = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DISABLE_INTEL_SVML")
N_DIGEST = hashlib.sha256().digest_size
log = logging.getLogger("rflo_repro")


def content_digest(folder: Path = SOURCE) -> str:
    """Digest of the names and contents of the Python files in `folder`, and of numba's switches that change the code.

    Raises FileNotFoundError where there is no source, as in a zip: then nothing says what a file was compiled from.
    """
    if not (folder / Path(__file__).name).is_file():
        raise FileNotFoundError(folder)
    digest = hashlib.sha256(repr([str(getattr(numba_config, name)) for name in SWITCHES]).encode())
    for path in sorted(folder.glob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def directory() -> Path | None:
    """This source's folder, or None if nothing can be written there or the source is not in files: kernels are then
    compiled at every start.

    It lies in ``NUMBA_CACHE_DIR`` if that is set, else in ``rflo-repro`` in the user's cache folder.
    """
    try:
        base = numba_config.CACHE_DIR or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "rflo-repro")
        folder = Path(base, f"kernels-{content_digest()[:16]}")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return None


@cache
def warn_once(line: str) -> None:
    """Log a warning about the folder, each only once."""
    log.warning(line)


class _Locator(caching._CacheLocator):  # type: ignore[misc]
    """Where a function's files are; numba's own locators hash paths, which fails for one that is not UTF-8."""

    def __init__(self, function: Any, folder: Path) -> None:
        self.line, self.path = function.__code__.co_firstlineno, str(folder / "compiled")

    def get_cache_path(self) -> str:
        return self.path

    def get_source_stamp(self) -> str:
        # the folder is named by all of the source
        return ""

    def get_disambiguator(self) -> str:
        return str(self.line)


class _Compiled(caching.CompileResultCacheImpl):  # type: ignore[misc]
    def __init__(self, function: Any, locator: _Locator) -> None:
        self._lineno, self._locator = locator.line, locator
        module = function.__module__.rpartition(".")[2]
        self._filename_base = self.get_filename_base(f"{module}.{function.__qualname__}", "")

    def check_cachable(self, data: Any) -> bool:
        # without numba's warning: what cannot be cached is compiled again
        return all(part.can_cache for part in data.lifted) and not data.library.has_dynamic_globals


class _Files(caching.IndexDataCacheFile):  # type: ignore[misc]
    """Numba's index of signatures and its files of compiled code, each behind a digest of its content."""

    def _dump(self, content: Any) -> bytes:
        data: bytes = super()._dump(content)
        return hashlib.sha256(data).digest() + data

    def _valid_content(self, path: str) -> Any:
        content = Path(path).read_bytes()
        if hashlib.sha256(content[N_DIGEST:]).digest() != content[:N_DIGEST]:
            warn_once(f"{path} is damaged; dropped and compiled anew")
            Path(path).unlink(missing_ok=True)
            raise FileNotFoundError(path)
        return pickle.loads(content[N_DIGEST:])

    def save(self, key: Any, data: Any) -> None:
        # Numba counts its files: two processes that compile at once would give two signatures one number
        name = f"{self._index_name.removesuffix('.nbi')}.{hashlib.sha256(super()._dump(key)).hexdigest()[:16]}.nbc"
        self._save_data(name, data)
        self._save_index({**self._load_index(), key: name})

    def _load_index(self) -> dict[Any, str]:
        try:
            version, index = self._valid_content(self._index_path)
        except FileNotFoundError:
            return {}
        return cast(dict[Any, str], index) if version == self._version else {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        with self._open_for_write(self._index_path) as file:
            file.write(self._dump((self._version, overloads)))

    def _load_data(self, name: str) -> Any:
        return self._valid_content(self._data_path(name))


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    """A function's compiled code on disk. An error of the disk costs a compilation, and never ends a run."""

    def __init__(self, function: Any, folder: Path) -> None:
        locator = _Locator(function, folder)
        self._name, self._py_func, self._impl = repr(function), function, _Compiled(function, locator)
        self._cache_path = locator.path
        self._cache_file = _Files(locator.path, self._impl.filename_base, locator.get_source_stamp())
        self.enable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except OSError as error:
            self._without(error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            self._without(error)

    def _without(self, error: OSError) -> None:
        warn_once(f"{self._cache_path}: {error.strerror}; compiled kernels are not kept")
        self.disable()


class _CompilationListener(event.Listener):  # type: ignore[misc]
    def __init__(self, report: Callable[[float | None], None]) -> None:
        self.report, self.depth, self.started = report, 0, 0.0

    def on_start(self, _event: Any) -> None:
        # numba compiles one function at a time, and what it calls within
        if self.depth == 0:
            self.started = time.monotonic()
            self.report(None)
        self.depth += 1

    def on_end(self, _event: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.report(time.monotonic() - self.started)


def watch_compilation(report: Callable[[float | None], None]) -> AbstractContextManager[None]:
    """A context in which `report` is called with None when a compilation begins, and with its seconds when it ends."""
    return cast(AbstractContextManager[None], event.install_listener("numba:compile", _CompilationListener(report)))


def disk_cached(function: F) -> F:
    """A function that numba has decorated, its compiled code cached in `directory`."""
    folder = directory()
    if folder is not None and isinstance(function, numba.core.dispatcher.Dispatcher):
        cast(Any, function)._cache = _Cache(function.py_func, folder)
    return function
