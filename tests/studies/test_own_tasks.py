"""Tasks of one's own in a sweep: what tells two of them apart, what their numbers depend on, and what is refused."""

import json
import os
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from cases import further
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.runs import generation, own_source
from rflo_repro.runs.job import describe, identity
from rflo_repro.runs.session import Session
from rflo_repro.tasks import PeriodicTask

HEAD = """
from dataclasses import dataclass, field
import numpy as np
"""
MINE = """
@dataclass(frozen=True)
class Mine:
    level: float = field(default=0.5, compare=False)
    n_in, n_out, n_steps = 0, 1, np.int64(8)
    def trial(self, rng):
        return np.zeros((8, 0)), np.full((8, 1), float(self.level))
"""
FILE = """
name = "own"
trials = 20
[grid]
rule = "rflo"
task = {names}
n_rec = 5
tau = 5
eta = 0.01
"""


def lay(folder, module, **tasks):
    """A module and a sweep file in a folder; tasks: the entries of each, by name."""
    folder.mkdir(exist_ok=True)
    (folder / "mytask.py").write_text(HEAD + textwrap.dedent(module), encoding="utf-8")
    text = FILE.format(names=json.dumps([*tasks])) + "".join(f"[tasks.{n}]\n{rows}\n" for n, rows in tasks.items())
    (folder / "own.toml").write_text(text, encoding="utf-8")


def sweep(folder, *options):
    done = CliRunner().invoke(cli, ["sweep", f"{folder}/own.toml", "--results", f"{folder}/out", *options])
    assert not isinstance(done.exception, AssertionError), done.exception
    return done


def losses(folder):
    return pd.read_csv(Path(folder) / "out" / "own_final.csv").set_index("task").final_loss


IS = 'is = "mytask:Mine"\n'


@pytest.mark.parametrize(
    "module",
    [
        MINE,
        # a class that calls all its objects equal
        MINE.replace("@dataclass(frozen=True)", "@dataclass(frozen=True, eq=False)")
        + "    def __eq__(self, other): return True\n    def __hash__(self): return 1\n",
        # numbers that are equal and are not the same
        MINE.replace("float(self.level)", "0.1 + 3.0 * isinstance(self.level, bool)"),
        # no dataclass
        MINE.replace("@dataclass(frozen=True)\n", "").replace(
            "level: float = field(default=0.5, compare=False)", "def __init__(self, level): self.level = level"
        )
        + "    def __eq__(self, other): return True\n    def __hash__(self): return 1\n",
    ],
    ids=["a field that is not compared", "all equal", "one and true", "a plain class"],
)
def test_tasks_are_told_apart_by_content_and_not_by_equality(tmp_path, module):
    values = ("1", "true") if "isinstance" in module else ("0.1", "3.0")
    lay(tmp_path / "a", module, **{name: IS + f"level = {value}" for name, value in zip("xy", values, strict=True)})
    first = sweep(tmp_path / "a")
    assert first.exit_code == 0, first.output
    found = losses(tmp_path / "a")
    assert found.x < 1.0 < found.y
    assert sweep(tmp_path / "a").output.count("(stored)") == 2
    pd.testing.assert_series_equal(losses(tmp_path / "a"), found)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.integers(), st.booleans(), st.floats(), st.text(), st.none()), min_size=2, max_size=2))
def test_two_fields_that_differ_in_any_way_are_two_jobs(values):
    one, other = (
        Session(task=PeriodicTask(20), rule="rflo", eta=v, n_trials=1, init=None, seed=0, network=0) for v in values
    )
    assert (identity(one) == identity(other)) == (repr(values[0]) == repr(values[1]))


LATER = MINE.replace("        return np", "        import shapes\n        return np").replace(
    "float(self.level)", "shapes.level_of(self)"
)
SHAPES = "from shapes import level_of\n" + MINE.replace("float(self.level)", "level_of(self)")


@pytest.mark.parametrize(
    ("module", "edited"),
    [
        pytest.param(LATER, "shapes.py", id="in trial"),
        *further(
            (SHAPES, "shapes.py"), ("from lib.shapes import level_of\n" + SHAPES.partition("\n")[2], "lib/shapes.py")
        ),
        *further(
            (
                "import importlib\nlevel_of = importlib.import_module('shapes').level_of\n" + SHAPES.partition("\n")[2],
                "shapes.py",
            )
        ),
        *further(("import between\nlevel_of = between.level_of\n" + SHAPES.partition("\n")[2], "shapes.py")),
    ],
)
def test_what_a_task_imports_from_its_own_folder_decides_its_numbers(tmp_path, module, edited):
    a, b = tmp_path / "a", tmp_path / "b"
    for folder in (a, b):
        lay(folder, module, x=IS)
        for path in ("shapes.py", "lib/shapes.py"):
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text("def level_of(task): return 0.1\n")
        (folder / "between.py").write_text("from shapes import level_of\n")
    (b / edited).write_text("def level_of(task): return 3.0\n")
    assert run_apart(a) == "computed"
    small = losses(a).x
    for path in b.rglob("*.py"):
        (a / path.relative_to(b)).write_text(path.read_text())
    assert run_apart(a) == "computed"
    assert losses(a).x > 10 * small


def run_apart(folder):
    """A sweep in a process of its own: whether it was computed or stored."""
    import subprocess

    command = [sys.executable, "-B", "-m", "rflo_repro", "sweep", f"{folder}/own.toml", "--results", f"{folder}/out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is not looked at; --force computes again" in done.stdout
    return "stored" if "(stored)" in done.stdout else "computed"


def test_a_file_that_a_task_declares_decides_its_numbers(tmp_path):
    module = MINE.replace("    n_in,", '    depends = ("level.txt",)\n    n_in,').replace(
        "float(self.level)", "float(open(__file__.replace('mytask.py', 'level.txt')).read())"
    )
    lay(tmp_path / "a", module, x=IS)
    missing = sweep(tmp_path / "a")
    assert missing.exit_code == 2
    assert "tasks.x: depends names 'level.txt', which is no file in" in missing.output
    for text, expected in (("0.1", "computed"), ("0.1", "stored"), ("3", "computed")):
        (tmp_path / "a" / "level.txt").write_text(text)
        assert run_apart(tmp_path / "a") == expected
    page = json.loads((tmp_path / "a" / "out" / "own_final.json").read_text())
    assert page["runs"][-1]["own_files"] == ["level.txt", "mytask.py"]
    assert "--force" in page["runs"][-1]["not_seen"]


def test_modules_of_one_name_in_two_folders_are_not_mixed_up(tmp_path):
    for name, level in (("a", 0.1), ("b", 3.0)):
        lay(tmp_path / name, SHAPES, x=IS)
        (tmp_path / name / "shapes.py").write_text(f"def level_of(task): return {level}\n")
    sys.modules.pop("shapes", None)
    assert sweep(tmp_path / "a").exit_code == 0
    with pytest.raises(ValueError, match=r"b/shapes\.py is not .*a/shapes\.py, which is in use: give one another name"):
        rr.trained(tmp_path / "b" / "own.toml")
    refused = sweep(tmp_path / "b")
    assert refused.exit_code == 2
    assert not (tmp_path / "b" / "out").exists()
    sys.modules.pop("shapes")
    assert sweep(tmp_path / "b").exit_code == 0
    assert losses(tmp_path / "b").x > 10 * losses(tmp_path / "a").x
    sys.modules.pop("shapes")


@pytest.mark.parametrize(
    "field",
    [
        "np.ones(3)", "{1: 2, '1': 3}", "Colour.RED", "datetime.date(2020, 1, 1)", "frozenset({1})", "print",
        "object()", "1j", "b'x'", "np.datetime64('2020-01-01')",
    ],
)  # fmt: skip
def test_a_field_that_is_no_plain_data_is_refused_at_the_start(tmp_path, field):
    module = "import datetime, enum\nclass Colour(enum.Enum):\n    RED = 1\n" + MINE.replace(
        "    n_in,", f"    odd: object = field(default_factory=lambda: {field})\n    n_in,"
    )
    lay(tmp_path / "a", module, x=IS)
    refused = sweep(tmp_path / "a")
    assert refused.exit_code == 2
    assert "own.toml: tasks.x: odd must be a number, text, a flag, or a tuple or dataclass of these" in refused.output
    assert not (tmp_path / "a" / "out").exists()


def test_a_task_that_remembers_its_trials_is_each_networks_own(tmp_path):
    module = (
        MINE.replace("@dataclass(frozen=True)\n", "")
        .replace("level: float = field(default=0.5, compare=False)", "def __init__(self): self.level = 0")
        .replace("        return", "        self.level += 1\n        return")
    )
    lay(tmp_path / "a", module, x=IS)
    for name, jobs in (("one", "1"), ("two", "2")):
        (tmp_path / "a" / "own.toml").write_text(
            (tmp_path / "a" / "own.toml").read_text().replace("trials = 20", "trials = 20\nnetworks = 4")
            if name == "one"
            else (tmp_path / "a" / "own.toml").read_text()
        )
        done = CliRunner().invoke(
            cli, ["sweep", f"{tmp_path}/a/own.toml", "--results", f"{tmp_path}/{name}", "--jobs", jobs]
        )
        assert done.exit_code == 0, done.output
    one, two = ((tmp_path / name / "own_curves.csv").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_dataclass_that_can_change_is_told_what_to_write(tmp_path):
    lay(tmp_path / "a", MINE.replace("(frozen=True)", ""), x=IS)
    assert "tasks.x.is must be frozen: write @dataclass(frozen=True) above Mine" in sweep(tmp_path / "a").output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: b"\xef\xbb\xbf" + text, None),
        (lambda text: text.replace(b"\n", b"\r\n"), None),
        (lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), None),
        (lambda text: b"# caf\xe9\n" + text, "line 1 is not UTF-8 text: save the file with the encoding UTF-8"),
        (lambda text: text + b"\n# \xff", "is not UTF-8 text"),
        (lambda text: text.decode().encode("utf-16"), "line 1 is not UTF-8 text"),
    ],
    ids=["mark", "crlf", "both", "latin-1", "the last line", "utf-16"],
)
def test_a_file_is_read_as_an_editor_saved_it(tmp_path, change, said):
    lay(tmp_path / "a", MINE, x=IS)
    file = tmp_path / "a" / "own.toml"
    file.write_bytes(change(file.read_bytes()))
    done = sweep(tmp_path / "a")
    assert (done.exit_code, said is None or said in done.output) == (0 if said is None else 2, True), done.output


def test_a_sweep_is_fresh_right_after_it_ran_and_unknown_without_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lay(Path("a"), MINE, x=IS)
    assert CliRunner().invoke(cli, ["sweep", "a/own.toml"]).exit_code == 0

    def listed():
        found = json.loads(CliRunner().invoke(cli, ["list", "--json"]).output)
        return next(state["state"] for name, state in found.items() if "own" in name)

    assert listed() == "fresh"
    module = Path("a/mytask.py")
    text = module.read_text()
    module.unlink()
    assert listed() == "unknown"
    module.write_text(text)
    assert listed() == "fresh"


def test_what_cannot_be_read_is_unknown_at_once(tmp_path, monkeypatch):
    """The names of files are from metadata that others may have written."""
    monkeypatch.chdir(tmp_path)
    lay(Path("a"), MINE, x=IS)
    assert CliRunner().invoke(cli, ["sweep", "a/own.toml"]).exit_code == 0
    os.mkfifo("pipe.py")
    for path in (tmp_path, tmp_path / "pipe.py", tmp_path / "no\0name.py", Path("/dev/zero")):
        source = {"digest": "0", "of": [str(path)]}
        assert generation.standing(source) == "unknown", path


def test_of_a_package_what_the_task_imports_counts(tmp_path):
    files = {
        "lab/__init__.py": "", "lab/deep/__init__.py": "from . import first\n", "lab/deep/first.py": "",
        "lab/deep/task.py": "from ..shapes import level\nfrom .near import *\nimport lab.whole.part\nimport numpy\n",
        "lab/shapes.py": "", "lab/deep/near.py": "", "lab/whole/__init__.py": "", "lab/whole/part.py": "import beside",
        "beside.py": "", "lab/other.py": "", "numpy_like.py": "",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = own_source.imported(tmp_path / "lab/deep/task.py", depth=2)
    assert {path.relative_to(tmp_path).as_posix() for path in found} == {
        "lab/shapes.py", "lab/deep/near.py", "lab/deep/first.py", "lab/deep/__init__.py", "lab/__init__.py",
        "lab/whole/__init__.py", "lab/whole/part.py", "beside.py",
    }  # fmt: skip


def test_plain_data_is_described_and_nothing_else():
    assert describe({"a": (1, 2.5, None, "x", True)}) == {"a": [1, 2.5, None, "x", True]}
    with pytest.raises(ValueError, match=r"must be a number, text, a flag"):
        describe({1: 1, "1": 2})
