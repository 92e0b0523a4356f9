"""Edits in a copy of the package: those that keep every byte are accepted and cost nothing, others are refused by name.

Quick ones run a few small references without compilation; those marked `long` are the command itself.
"""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from rflo_repro.runs import provenance

# the command line of a copy, whose references are a few of the small ones
FEW = """
import itertools
import sys
from rflo_repro import cli
from rflo_repro.studies import records, regression, small_runs
def computed(*_):
    runs = [*itertools.islice(small_runs.small_runs(), 7), *small_runs._of_the_rest()]
    return {f"small: {name}": records.record(arrays) for name, arrays in runs}
regression.computed = computed
cli.main()
"""
# so many networks are wanted: how many of them are computed, what is said of the table's source, and the numbers
WORK = """
import io
import json
import sys
from pathlib import Path
from rich.console import Console
from rflo_repro.runs import generation
from rflo_repro.runs.progress import Reporter
from rflo_repro.runs.job import Condition
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import Store
from rflo_repro.runs.sweep import sweep
from rflo_repro.tasks import PeriodicTask
init = Initialisation(6)
jobs = tuple(Session(PeriodicTask(12), "rflo", 0.03, 3, init, seed=1, network=i) for i in range(int(sys.argv[1])))
ran, run = [], Session.run
Session.run = lambda job, *given, **named: (ran.append(job), run(job, *given, **named))[1]
reporter = Reporter(Console(file=io.StringIO()))
(found,) = sweep([Condition("c", {}, jobs)], Store(Path("stored")), reporter)
page = Path("page.json")
if not page.exists():
    page.write_text(json.dumps(generation.numerical_source(jobs)))
state = generation.standing(json.loads(page.read_text()))
print(json.dumps([len(ran), state, [arrays["loss"].tolist() for arrays in found]]))
"""


class Copy:
    """A copy of the package, and what is run in it."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, program, *arguments, compiled=False):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(self.folder / "cache")}
        if not compiled:
            environment["NUMBA_DISABLE_JIT"] = "1"
        return subprocess.run(
            [sys.executable, *program, *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=1200, check=False,
        )  # fmt: skip

    def check(self, *options):
        return self.run(("-c", FEW), "check", *options)

    def work(self, n):
        done = self.run(("-c", WORK), str(n))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def edit(self, name, *changes):
        path = self.folder / "rflo_repro" / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A copy with a generation of a few references, in which two networks of four were computed."""
    copy = Copy(tmp_path_factory.mktemp("begun"))
    shutil.copytree(provenance.PACKAGE, copy.folder / "rflo_repro", ignore=shutil.ignore_patterns("__pycache__"))
    done = copy.check("--new-generation")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("generation 2 begins with this source, ")
    assert copy.work(2)[:2] == [2, "fresh"]
    return copy


@pytest.fixture
def copy(begun, tmp_path):
    shutil.copytree(begun.folder, tmp_path / "copy")
    return Copy(tmp_path / "copy")


def reworded(copy):
    copy.edit("learning/validate.py", ("must be a finite number", "has to be a finite number"))


def renamed_local(copy):
    copy.edit(
        "learning/kernels/activation.py",
        (
            "    scale = power_of_two(shifted)\n    e = fma(scale, p, scale - splat(1.0))",
            "    power = power_of_two(shifted)\n    e = fma(power, p, power - splat(1.0))",
        ),
    )


def moved_function(copy):
    path = copy.folder / "rflo_repro" / "learning" / "exact_math.py"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("def sum("), text.index("def dot(")
    line = "from rflo_repro.learning.validate import Array\n"
    heading = f"import numpy as np\nimport numpy.typing as npt\n\n{line}"
    path.with_name("sums.py").write_text(f"{heading}\n\n{text[start:end]}", encoding="utf-8")
    moved = text[:start] + text[end:]
    path.write_text(moved.replace(line, f"from rflo_repro.learning.sums import sum\n{line}"), encoding="utf-8")


@pytest.mark.parametrize("edit", [reworded, renamed_local, moved_function])
def test_an_edit_that_keeps_every_byte_is_accepted_and_nothing_is_computed_again(copy, edit):
    edit(copy)
    plain = copy.check()
    assert plain.returncode == 0, plain.stderr
    assert "the present source is unproven: `rflo-repro check --accept` adds it" in plain.stdout
    before = (copy.folder / "rflo_repro" / "runs" / "generation.json").read_text()
    accepted = copy.check("--accept")
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.splitlines()[-1].startswith("accepted: generation 2 has this source, ")
    after = (copy.folder / "rflo_repro" / "runs" / "generation.json").read_text()
    assert len(after.splitlines()) == len(before.splitlines()) + 1
    ran, state, losses = copy.work(4)
    assert (ran, state, len(losses)) == (2, "fresh", 4)


def test_what_is_unproven_is_computed_again_and_kept_apart(copy):
    reworded(copy)
    ran, state, _ = copy.work(2)
    assert (ran, state) == (2, "unproven")
    assert copy.work(3)[0] == 1
    assert copy.check("--accept").returncode == 0
    # what it computed before it was accepted is taken too
    assert copy.work(4)[:2] == [1, "fresh"]
    again = copy.check("--accept")
    assert again.stdout.splitlines()[-1] == "generation 2 has this source already"


def last_digit(copy):
    value = float(np.nextafter(1.0 / 6.0, 1.0))
    copy.edit("learning/kernels/activation.py", ("splat(1.0 / 6.0)", f"splat({value!r})"))


def another_order(copy):
    copy.edit(
        "learning/exact_math.py",
        ("left[..., :half] + left[..., half : 2 * half]", "left[..., : 2 * half : 2] + left[..., 1 : 2 * half : 2]"),
    )


def another_draw(copy):
    copy.edit("learning/exact_math.py", ("rng.random((len(part), 2))", "rng.random((2, len(part))).T"))


@pytest.mark.parametrize(
    ("edit", "first"), [(last_digit, "run, trials in lockstep"), (another_order, "networks"), (another_draw, "bptt")]
)
def test_an_edit_that_changes_a_byte_is_refused_by_name(copy, edit, first):
    edit(copy)
    files = [copy.folder / "rflo_repro" / name for name in ("runs/generation.json", "studies/references/sessions.json")]
    before = [path.read_bytes() for path in files]
    done = copy.check("--accept")
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "small sessions differ" in line]
    assert line.startswith(f"small: {first}: ")
    assert done.stdout.splitlines()[-1] == "refused: the present source is not of generation 2"
    assert [path.read_bytes() for path in files] == before
    ran, state, losses = copy.work(2)
    assert (ran, state) == (2, "unproven")
    assert len(losses) == 2
    # deliberately it begins a generation, of which nothing is stored but what it computed itself
    assert copy.check("--new-generation").stdout.splitlines()[-1].startswith("generation 3 begins with this source, ")
    assert copy.work(3)[:2] == [1, "stale"]


def test_the_two_options_exclude_each_other(copy):
    done = copy.check("--accept", "--new-generation")
    assert done.returncode == 2
    assert "exclude each other" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("edit", [reworded, last_digit])
def test_the_command_itself(tmp_path, edit):
    """With all references, compiled in the copy."""
    copy = Copy(tmp_path)
    shutil.copytree(provenance.PACKAGE, tmp_path / "rflo_repro", ignore=shutil.ignore_patterns("__pycache__"))
    edit(copy)
    done = copy.run(("-m", "rflo_repro"), "check", "--accept", compiled=True)
    assert done.returncode == (0 if edit is reworded else 1), done.stderr
    said = "accepted: generation 1 has" if edit is reworded else "refused: the present source is not of generation 1"
    assert done.stdout.splitlines()[-1].startswith(said)
