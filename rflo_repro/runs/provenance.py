"""Where numbers come from: versions, machine, commit, and a digest of the source that makes the numbers.

What the digest stands for, as long as the bytes stay, is in `generation`.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime
import functools
import hashlib
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from rflo_repro.runs import own_source, system
from rflo_repro.version import VERSION

PACKAGE = Path(__file__).resolve().parent.parent
# What decides the numbers of every job, besides the modules that it is made of (`modules_of`): the rules, and
# where the random numbers come from.
NUMERICAL = ("learning", "runs/session.py")


def _tokens(node: Any) -> Iterator[str]:
    """A syntax tree's content, alike on every Python version and blind to comments, layout and docstrings."""
    if isinstance(node, ast.Constant):
        yield repr(node.value)
    elif isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                value = [
                    item
                    for item in value
                    if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
                            and isinstance(item.value.value, str))
                ]  # fmt: skip
            # Fields that are empty differ between versions of Python by their mere presence.
            if value not in (None, [], "") and name not in ("kind", "ctx", "type_comment"):
                yield name
                yield from _tokens(value)
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _tokens(item)
        yield "]"
    else:
        yield repr(node)


@functools.cache
def meaning_digest(path: Path) -> str:
    """SHA-256 of a Python file's meaning: comments, docstrings and layout do not count. `missing` if there is none. Of
    another file, SHA-256 of its bytes."""
    try:
        with open(system.open_file(path), "rb") as file:
            content = file.read()
        with own_source.PARSING:
            tree = ast.parse(content) if path.suffix == ".py" else None
    except FileNotFoundError:  # a module that was moved or renamed since
        return "missing"
    except (SyntaxError, ValueError):  # of somebody else's package, which nobody need import
        tree = None
    if tree is None:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha256("\x1f".join(_tokens(tree)).encode()).hexdigest()


@functools.cache
def numerical_digest(*modules: str) -> str:
    """Digest of the learning rules' source and of these modules: of the package (such as `tasks/periodic.py`), or
    absolute paths outside it."""
    files: set[Path] = set()
    for part in (*NUMERICAL, *modules):
        path = PACKAGE / part
        files |= set(path.rglob("*.py")) if path.is_dir() else {path}
    return digest_of(files)


def digest_of(files: Iterable[Path]) -> str:
    """Digest of the meaning of these Python files."""
    total = hashlib.sha256()
    for name, digest in sorted((_name(path), meaning_digest(path)) for path in files):
        total.update(f"{name} {digest}\n".encode())
    return total.hexdigest()


def _name(path: Path) -> str:
    """A module's path within the package; where somebody else's module lies, and its name, do not matter."""
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else ""


def modules_of(value: Any) -> set[str]:
    """The modules, relative to the package, of the dataclasses and tasks that a job is made of, outside `learning`; of
    somebody's own, the paths of all files that decide its numbers, as far as these are known (`own_source`)."""
    if isinstance(value, type) or not (dataclasses.is_dataclass(value) or hasattr(value, "trial")):
        return set()
    held = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
    parts = [getattr(value, field.name) for field in held] or getattr(value, "__dict__", {}).values()
    found = {module for part in parts for module in modules_of(part)}
    path = module_path(type(value))
    if path.is_relative_to(PACKAGE):
        found.add(path.relative_to(PACKAGE).as_posix())
    else:
        found |= {str(file) for file in own_source.files(value, path)}
    return {part for part in found if not part.startswith("learning/")}


def module_path(kind: type) -> Path:
    """The file of the module of a class."""
    return Path(sys.modules[kind.__module__].__file__ or "").resolve()


def _git(*arguments: str) -> str | None:
    # a hook of git's has variables that name the repository in which it runs
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(PACKAGE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@functools.cache
def commit() -> tuple[str | None, bool | None]:
    """The commit of the checkout that holds this package and whether its source was changed since; None outside one."""
    if not _git("ls-files", "--error-unmatch", "__init__.py"):
        return None, None
    changed = _git("status", "--porcelain", "--", ".", ":(top)pyproject.toml")
    return _git("rev-parse", "HEAD"), None if changed is None else changed != ""


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def command() -> str:
    """How this process was called, as text that any file takes: what is not UTF-8 in it is escaped."""
    program = Path(sys.argv[0])
    name = "rflo-repro" if program.resolve().is_relative_to(PACKAGE) else program.name
    return shlex.join([name, *sys.argv[1:]]).encode("utf-8", "backslashreplace").decode("utf-8")


def record() -> dict[str, Any]:
    """Everything about this process and machine that a reader of a table may ask for."""
    return {"date": now(), "command": command(), **_producer()}


def of_result(seconds: float) -> dict[str, Any]:
    """Where a result comes from that was computed here, just now and in so many seconds. It is stored with it."""
    return {"date": now(), "seconds": round(seconds, 3), **_producer()}


def producer(record: Mapping[str, Any]) -> dict[str, Any]:
    """What two results share that were computed by one processor, one set of versions and one commit."""
    return {name: record[name] for name in ("commit", "source_changed", "versions", "machine")}


def where(record: Mapping[str, Any]) -> str:
    """Who computed a result, in a few words."""
    machine, versions = record["machine"], record["versions"]
    known = ", ".join(f"{name} {versions.get(name)}" for name in ("rflo-repro", "numpy", "numba"))
    processor = f"{machine.get('architecture')} {machine.get('cpu')}, {machine.get('registers')} bits"
    return f"{machine.get('system')} {processor}, {known}, commit {str(record['commit'] or 'unknown')[:9]}"


@functools.cache
def _producer() -> dict[str, Any]:
    from rflo_repro.learning.kernels.registers import processor, registers

    revision, changed = commit()
    return {
        "commit": revision,
        "source_changed": changed,
        "versions": {
            "rflo-repro": VERSION,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("numpy", "numba", "llvmlite", "pandas")},
        },
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cpu": processor(),
            "registers": registers().bits,
            "cores": os.cpu_count(),
        },
    }
