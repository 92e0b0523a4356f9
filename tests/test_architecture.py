"""The walls between the package's rooms, read from its imports."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import rflo_repro
from rflo_repro.paper import registry
from rflo_repro.runs import provenance
from rflo_repro.runs.request import Selection
from rflo_repro.studies.registry import studies

PACKAGE = Path(rflo_repro.__file__).parent
ROOMS = ("learning", "tasks", "stats", "runs", "paper", "studies", "report")
FOLDERS = [path.name for path in (PACKAGE / "paper").iterdir() if (path / "__init__.py").exists()]


def running(tree):
    """Every node but those that only a type checker sees."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from running(node)


def imports(tree, module, nodes=ast.walk):
    """Full names that a module imports, anywhere in it; `from a import b` counts as a and as a.b."""
    found = set()
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")[: -node.level]
                base = ".".join([*parts, base] if base else parts)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            # a name that is put together is known by its beginning
            text = node.args[0]
            text = text.values[0] if isinstance(text, ast.JoinedStr) else text
            found |= {str(text.value)} if isinstance(text, ast.Constant) else set()
    return found


def module_name(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def modules(*parts, nodes=ast.walk):
    """Every module of a part of the package and what it imports of the package, for a type checker too."""
    place = PACKAGE.joinpath(*parts)
    found = {}
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        everything = imports(ast.parse(path.read_text(encoding="utf-8")), module_name(path), nodes)
        found[path.relative_to(PACKAGE).as_posix()] = {
            name.removeprefix("rflo_repro.") for name in everything if name.startswith("rflo_repro.")
        }
    assert found
    return found


def rooms_of(imported):
    return {name.split(".")[0] for name in imported} & {*ROOMS, "cli"}


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("learning", {"learning"}),
        ("tasks", {"tasks", "learning"}),
        ("runs", {"runs", "stats", "learning", "tasks"}),
        ("paper", {"paper", "report", "stats", "runs", "tasks", "learning"}),
        ("studies", {"studies", "paper", "report", "stats", "runs", "tasks", "learning"}),
    ],
)
def test_what_a_room_imports(room, allowed):
    for path, imported in modules(room).items():
        assert rooms_of(imported) <= allowed, path


@pytest.mark.parametrize(("room", "allowed"), [("report", {"report", "runs", "stats"}), ("stats", {"stats"})])
def test_statistics_and_looks_know_of_learning_only_exact_math(room, allowed):
    kinds = ("learning.exact_math.", "learning.validate.Array.")
    for path, imported in modules(room).items():
        others = {name for name in imported if not f"{name}.".startswith(kinds)} - {"learning", "learning.validate"}
        assert rooms_of(others) <= allowed, path


def test_no_figure_imports_another():
    assert len(FOLDERS) > 1
    for folder in FOLDERS:
        for path, imported in modules("paper", folder).items():
            figures = {name.split(".")[1] for name in imported if name.startswith("paper.")} & set(FOLDERS)
            assert figures <= {folder}, path


def test_only_the_command_line_imports_studies():
    for path, imported in modules().items():
        if not path.startswith("studies/"):
            assert "studies" not in rooms_of(imported) or path in ("cli.py", "__init__.py"), path


def test_nothing_imports_the_command_line():
    for path, imported in modules().items():
        assert "cli" not in rooms_of(imported) or path == "__main__.py", path


def test_what_figures_share_knows_none_of_them():
    for path in (PACKAGE / "paper").glob("*.py"):
        imported = modules("paper", path.name)[f"paper/{path.name}"]
        assert not {name.split(".")[1] for name in imported if name.startswith("paper.")} & set(FOLDERS), path


def test_the_walls_are_seen():
    """Negative control: each way of importing counts."""
    for text in (
        "import rflo_repro.paper",
        "from rflo_repro import paper",
        "from rflo_repro.paper.fig2 import ABOUT",
        "from .. import paper",
        "if True:\n    from rflo_repro import paper",
        "from ..paper import fig2",
        "from ..paper.fig2.experiment import SCHEMAS as s",
        "def f():\n    from rflo_repro import paper",
        "if TYPE_CHECKING:\n    from rflo_repro.paper import rates",
        "import importlib\nimportlib.import_module('rflo_repro.paper.fig2')",
        "import importlib\nimportlib.import_module(f'rflo_repro.paper.{name}')",
    ):
        found = imports(ast.parse(text), "rflo_repro.runs.store")
        assert any(name.startswith("rflo_repro.paper") for name in found), text
    assert imports(ast.parse("from . import b\nfrom .c import d"), "rflo_repro.runs.store") == {
        "rflo_repro.runs", "rflo_repro.runs.b", "rflo_repro.runs.c", "rflo_repro.runs.c.d",
    }  # fmt: skip


def forbidden_in_kernels(tree):
    """Random generators, whatever they are imported or called as, and arithmetic whose order a compiler chooses."""
    found = {name for name in imports(tree, "kernels.x") if {"random", "secrets", "uuid"} & set(name.split("."))}
    for node in ast.walk(tree):
        names = {getattr(node, "attr", ""), getattr(node, "arg", "")}
        found |= names & {"random", "default_rng", "fastmath"}
    return found


def test_kernels_draw_no_random_numbers():
    paths = list((PACKAGE / "learning" / "kernels").glob("*.py"))
    assert len(paths) > 10
    for path in paths:
        assert not forbidden_in_kernels(ast.parse(path.read_text(encoding="utf-8"))), path


@pytest.mark.parametrize(
    "text",
    [
        "from numpy import random",
        "from numpy.random import default_rng as draw",
        "import numpy.random as r",
        "import random as r",
        "import numpy as n\nn.random.normal()",
        "@njit(fastmath=True)\ndef f(): pass",
    ],
)
def test_whatever_it_is_called_a_random_generator_is_seen(text):
    assert forbidden_in_kernels(ast.parse(text))


# What a job's modules may import besides `learning` and each other: types and names, no numbers.
WITHOUT_NUMBERS = {"runs/job.py", "tasks/__init__.py", "runs/__init__.py", "paper/__init__.py"}


EXPERIMENTS = {**registry.figures(), **studies()}


@pytest.mark.parametrize("name", [name for name, about in EXPERIMENTS.items() if about.computed])
def test_all_that_decides_the_numbers_of_a_job_is_in_its_digest(name):
    """A stored job is believed as long as its modules are unchanged: so they may use no others."""
    about = EXPERIMENTS[name]
    choices = about.experiment.scales["smoke"]
    conditions = about.experiment.conditions(choices, Selection(rates=about.rates[:1]))
    for covered in {frozenset(provenance.modules_of(c.jobs[0])) for c in conditions}:
        assert covered
        for path in covered:
            for imported in modules(*path.split("/"), nodes=running)[path]:
                place = imported.replace(".", "/")
                file = next((f for f in (f"{place}.py", f"{place}/__init__.py") if (PACKAGE / f).exists()), None)
                seen = file is None or file in covered | WITHOUT_NUMBERS or file.startswith(provenance.NUMERICAL)
                assert seen or _is_figure(file), f"{path} imports {file}"


def _is_figure(file):
    """The `__init__.py` of a figure or a study holds names and texts only."""
    return file.startswith(("paper/", "studies/")) and file.endswith("/__init__.py")


HEAVY = ("numba", "numpy", "pandas", "matplotlib", "scipy", "joblib", "jax", "dask")


@pytest.mark.parametrize("arguments", [["--help"], ["fig2", "--help"], ["plot", "--help"], ["fig2", "--period", "nan"]])
def test_help_and_refusals_import_nothing_heavy(arguments):
    code = (
        "import json, sys\n"
        "from rflo_repro import cli\n"
        f"sys.argv = ['rflo-repro', *{arguments!r}]\n"
        "try:\n"
        "    cli.main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "rflo_repro" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, rflo_repro as rr\nprint(*sys.modules)\nrr.PeriodicTask\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    before, after = (set(line.split()) for line in done.stdout.splitlines())
    assert before.isdisjoint(HEAVY)
    # Negative control: what is used is imported.
    assert "numpy" in after
