"""What somebody's own task is made of: its module, what that imports from its own folder, and the files it declares."""

from __future__ import annotations

import ast
import functools
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Python 3.11 may fail where two threads make trees at once
PARSING = threading.Lock()
NOT_SEEN = "what it reads, or imports from elsewhere, is not looked at; --force computes it again"
_INSTALLED = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_NOT_OWN = {*sys.stdlib_module_names, __name__.partition(".")[0]}


def files(task: Any, module: Path) -> set[Path]:
    """The files, of its own folder, that decide the numbers of a task whose class is in this module."""
    named = {module.parent / name for name in declared(task)}
    return {module, *imported(module, type(task).__module__.count(".")), *named}


def said_of(modules: Iterable[str]) -> dict[str, Any]:
    """What a table's metadata say of somebody's own files among these modules; nothing if there are none."""
    own = sorted(Path(module).name for module in modules if Path(module).is_absolute())
    return {"own_files": own, "not_seen": NOT_SEEN} if own else {}


def declared(task: Any) -> tuple[str, ...]:
    """The files that a task names in `depends`, from the folder of its module. Raises ValueError."""
    names = getattr(task, "depends", ())
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"depends must be a tuple of file names, got {names!r}")
    return tuple(names)


def check(task: Any, module: Path) -> None:
    """Raises ValueError for a file that a task declares and that is not there."""
    for name in declared(task):
        if not (module.parent / name).is_file():
            raise ValueError(f"depends names {name!r}, which is no file in {module.parent}")


@functools.cache
def imported(module: Path, depth: int = 0) -> set[Path]:
    """The Python files beside a module that it imports, and that these import, wherever in them; of a package, all. Of
    a module that is installed, none. depth: how many packages the module is in, one in the other."""
    folder, found, waiting = module.parents[depth], set[Path](), [module]
    if any(folder.is_relative_to(installed) for installed in _INSTALLED):
        return found
    if depth:
        found = set((folder / module.relative_to(folder).parts[0]).rglob("*.py"))
        waiting += found
    while waiting:
        for name, _ in imports(waiting.pop()):
            file, package = folder / f"{name}.py", folder / name
            beside = {file} if file.is_file() else set(package.rglob("*.py")) if package.is_dir() else set()
            waiting += beside - found
            found |= beside
    return found - {module}


@functools.cache
def imports(module: Path) -> list[tuple[str, bool]]:
    """The first part of the name of each module that is imported, and whether a function does it when it is called."""
    return [*_imports(module)]


def _imports(module: Path) -> Iterator[tuple[str, bool]]:
    try:
        with PARSING:
            tree = ast.parse(module.read_bytes())
    except (SyntaxError, ValueError):  # it cannot be imported then, and a package may hold what nobody imports
        return
    inside = {
        node
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__"):
            names = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        for name in {name.partition(".")[0] for name in names} - _NOT_OWN:
            yield name, node in inside
