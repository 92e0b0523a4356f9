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
NOT_SEEN = "what these read, or import from elsewhere, is not looked at; --force computes again"
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
def imported(module: Path, depth: int = 0) -> frozenset[Path]:
    """The Python files in the folder of a module that it imports, and that these import, wherever in them. Of a module
    that is installed, none. depth: how many packages the module is in, one in the other."""
    root = module.parents[depth]
    if any(root.is_relative_to(installed) for installed in _INSTALLED):
        return frozenset()
    # what a package imports runs before its modules
    found = {file for folder in module.parents[:depth] if (file := folder / "__init__.py").is_file()}
    waiting = [module, *found]
    while waiting:
        at = waiting.pop()
        for name, _ in imports(at):
            new = set(_files_of(name, at, root)) - found
            found |= new
            waiting += new
    return frozenset(found - {module})


def _files_of(name: str, module: Path, root: Path) -> Iterator[Path]:
    """The files that run where a module imports a name: of packages on the way, and of modules."""
    level = len(name) - len(name.lstrip("."))
    folder = module.parents[level - 1] if level else root
    for part in name[level:].split("."):
        yield from (file for file in (folder / f"{part}.py", folder / part / "__init__.py") if file.is_file())
        folder /= part


@functools.cache
def imports(module: Path) -> list[tuple[str, bool]]:
    """What is imported, as it is written, and whether a function does it when it is called."""
    try:
        with PARSING:
            tree = ast.parse(module.read_bytes())
    except (SyntaxError, ValueError):  # it cannot be imported then
        return []
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    called = {node for function in ast.walk(tree) if isinstance(function, functions) for node in ast.walk(function)}
    found = [(name, node in called) for node in ast.walk(tree) for name in _named(node)]
    return [(name, later) for name, later in found if name.partition(".")[0] not in _NOT_OWN]


def _named(node: ast.AST) -> list[str]:
    """The modules that a statement or a call imports; from a package perhaps what is in it."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        package = "." * node.level + (f"{node.module}." if node.module else "")
        return [package + alias.name for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__"):
        return [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return []
