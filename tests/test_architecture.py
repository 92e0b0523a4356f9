"""The walls between the package's rooms, read from its imports."""

import ast
import functools
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
ROOT = PACKAGE.parent
# Of what a room may import, besides itself. The command line is a room of four files; the last one is the package's
# `__init__`, whose names are for users alone. `exact_math` and `files` are those modules of `learning`.
BELOW_PAPER = {"stats", "runs", "tasks", "learning"}
BELOW_STUDIES = {*BELOW_PAPER, "report", "paper"}
ALLOWED = {
    "version": set(),
    "learning": set(),
    "tasks": {"learning"},
    "stats": {"exact_math"},
    "runs": {"version", "stats", "learning", "tasks"},
    "report": {"runs", "stats", "exact_math", "files"},
    "paper": {*BELOW_PAPER, "report"},
    "studies": BELOW_STUDIES,
    "explorer": {*BELOW_STUDIES, "studies"},
    "benchmarks": {*BELOW_STUDIES, "studies"},
    "tools": {*BELOW_STUDIES, "studies"},
    "cli": {*BELOW_STUDIES, "studies", "explorer", "version", "benchmarks"},
    "__init__": {"version", "learning", "tasks", "runs", "studies", "explorer"},
}
SHARED = ("exact_math", "files")
FOLDERS = [path.name for path in (PACKAGE / "paper").iterdir() if (path / "__init__.py").exists()]


def running(tree):
    """Every node but those that only a type checker sees."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from running(node)


def imports(tree, module, nodes=ast.walk):
    """Full names that a module imports, anywhere in it; `from a import b` is a.b."""
    found = set()
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")[: -node.level]
                base = ".".join([*parts, base] if base else parts)
            found |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            # a name that is put together is known by its beginning
            text = node.args[0]
            text = text.values[0] if isinstance(text, ast.JoinedStr) else text
            found |= {str(text.value)} if isinstance(text, ast.Constant) else set()
    return found


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    module_name(path): path for top in (PACKAGE, ROOT / "benchmarks", ROOT / "tools") for path in top.rglob("*.py")
}


def module_of(name):
    """The module that a full name is in; empty for a name of another package."""
    while name not in MODULES and name:
        name = name.rpartition(".")[0]
    return name


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(prefix="", nodes=ast.walk):
    """Every module whose name begins so, and the modules that it imports, for a type checker too."""
    known = {name: path for name, path in MODULES.items() if name.startswith(prefix)}
    assert known
    trees = {name: tree_of(path) for name, path in known.items()}
    # relative imports count from the package that a module is in, or is
    inside = {name: f"{name}.__init__" if path.name == "__init__.py" else name for name, path in known.items()}
    return {
        name: {module for full in imports(tree, inside[name], nodes) if (module := module_of(full))} - {name}
        for name, tree in trees.items()
    }


def room(module):
    """The room that a module is in."""
    top, *parts = module.split(".")
    if top != "rflo_repro":
        return top
    if parts[0:1] == ["learning"] and parts[1:] in ([name] for name in SHARED):
        return parts[1]
    return {"options": "cli", "process": "cli", "__main__": "cli"}.get(parts[0], parts[0]) if parts else "__init__"


def arrows_up(graph):
    """Imports of a room that is not allowed to be imported there."""
    home = dict.fromkeys(SHARED, "learning")
    return {
        (module, other)
        for module, imported in graph.items()
        for other in imported
        if (here := home.get(room(module), room(module))) != (there := room(other))
        and not {there, home.get(there, there)} & {here, *ALLOWED[here]}
    }


def circles(graph):
    """Modules that import themselves by way of others, and those between two such circles."""
    left = dict(graph)
    while ends := [module for module, imported in left.items() if not imported & left.keys()]:
        for module in ends:
            del left[module]
    while starts := left.keys() - set().union(*left.values(), set()):
        for module in starts:
            del left[module]
    return set(left)


def test_no_arrow_runs_up():
    assert {room(module) for module in MODULES} == {*ALLOWED, *SHARED}
    assert not arrows_up(modules())


def test_there_is_no_circle():
    assert not circles(modules(nodes=running))


def test_an_arrow_up_and_a_circle_are_seen():
    """Negative control."""
    graph = modules(nodes=running)
    for module, other in (
        ("rflo_repro.runs.store", "rflo_repro.paper.rates"),
        ("rflo_repro.runs.store", "rflo_repro"),
        ("rflo_repro.stats.claims", "rflo_repro.learning.network"),
        ("rflo_repro.studies.trained", "rflo_repro.cli"),
        ("rflo_repro.studies.trained", "rflo_repro.options"),
        ("rflo_repro.studies.trained", "benchmarks.steps"),
        ("tools.write", "rflo_repro"),
    ):
        assert arrows_up({**graph, module: {*graph[module], other}}) == {(module, other)}
    one, other = "rflo_repro.runs.store", "rflo_repro.runs.tables"
    assert other not in graph[one]
    assert one in graph[other]
    assert {one, other} <= circles({**graph, one: {*graph[one], other}})


def test_the_package_says_which_names_it_imports_on_first_use():
    """What only a type checker sees in `__init__` is what is imported at run time."""
    seen = imports(tree_of(PACKAGE / "__init__.py"), "rflo_repro.__init__")
    names = {f"rflo_repro.{module}.{name}" for module, of in vars(rflo_repro)["_HOMES"].items() for name in of}
    assert names == {name for name in seen if name.startswith("rflo_repro.") and name[11:]} - {
        "rflo_repro.version.VERSION"
    }


def figures_in(imported):
    return {name.split(".")[2] for name in imported if name.startswith("rflo_repro.paper.")} & set(FOLDERS)


def test_no_figure_imports_another():
    assert len(FOLDERS) > 1
    for folder in FOLDERS:
        for module, imported in modules(f"rflo_repro.paper.{folder}").items():
            assert figures_in(imported) <= {module.split(".")[2]}, module


def test_what_figures_share_knows_none_of_them():
    for module, imported in modules("rflo_repro.paper").items():
        assert module.split(".")[2:3] in [[folder] for folder in FOLDERS] or not figures_in(imported), module


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
    relative = ast.parse("from . import b\nfrom .c import d")
    assert imports(relative, "rflo_repro.runs.store") == {"rflo_repro.runs.b", "rflo_repro.runs.c.d"}


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
            module = module_name(PACKAGE / path)
            for imported in modules(module, running)[module]:
                file = MODULES[imported].relative_to(PACKAGE).as_posix()
                seen = file in covered | WITHOUT_NUMBERS or file.startswith(provenance.NUMERICAL)
                assert seen or _is_figure(file), f"{path} imports {file}"


def _is_figure(file):
    """The `__init__.py` of a figure or a study holds names and texts only."""
    return file.startswith(("paper/", "studies/")) and file.endswith("/__init__.py")


HEAVY = ("numba", "numpy", "pandas", "matplotlib", "scipy", "joblib", "jax", "dask")


def loaded_by(arguments):
    """The libraries that a command imports."""
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
    return loaded & {*HEAVY}


@pytest.mark.parametrize("arguments", [["--help"], ["fig2", "--help"], ["plot", "--help"], ["fig2", "--period", "nan"]])
def test_help_and_refusals_import_nothing_heavy(arguments):
    assert loaded_by(arguments) == set()


def test_a_list_of_tables_imports_only_what_reads_them():
    assert loaded_by(["list"]) == {"numpy", "pandas"}


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, rflo_repro as rr\nprint(*sys.modules)\nrr.PeriodicTask\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    before, after = (set(line.split()) for line in done.stdout.splitlines())
    assert before.isdisjoint(HEAVY)
    # Negative control: what is used is imported.
    assert "numpy" in after
