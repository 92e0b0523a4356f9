"""The digest of the numerical source sees code, and nothing but code; a record says where a table comes from."""

import itertools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from rflo_repro.learning.optimizers import LearningRates
from rflo_repro.runs import provenance
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session
from rflo_repro.tasks import PeriodicTask

SOURCE = '''\
"""A module."""

RATE = 0.5


class Unit:
    """A unit."""

    size: int = 3


def step(h, u, tau=10.0):
    """One step."""
    # forward Euler
    return h + (u - h) / tau
'''


@pytest.fixture
def digest(tmp_path):
    """The digest of a module with this text; a new file each time, since digests are kept by path."""
    number = itertools.count()

    def of(text):
        path = tmp_path / f"module_{next(number)}.py"
        path.write_text(text, encoding="utf-8")
        return provenance.meaning_digest(path)

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# forward Euler", "# a comment that says more"),
        ("    # forward Euler\n", ""),
        ('"""One step."""', '"""One step of Eq. 1."""'),
        ('    """One step."""\n', ""),
        ('    """A unit."""\n', ""),
        ('"""A module."""\n', ""),
        ("RATE = 0.5", "RATE   =   0.5"),
        ("h + (u - h) / tau", "(\n        h\n        + (u - h) / tau\n    )"),
        ("\n\n\n", "\n\n"),
        ("0.5", "5e-1"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(digest, old, new):
    assert old in SOURCE
    assert digest(SOURCE.replace(old, new)) == digest(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5", "0.25"),
        ("0.5", "None"),
        ("10.0", "10"),
        ("= 3", "= True"),
        ("h + (u - h)", "h - (u - h)"),
        ("h + (u - h) / tau", "h + (h - u) / tau"),
        ("(u - h) / tau", "u - h / tau"),
        ("tau=10.0", "tau"),
        ("h, u, tau", "u, h, tau"),
        ("def step", "async def step"),
        ("size: int = 3", "size: int"),
        ("RATE", "rate"),
        ("return h", "return None, h"),
        ("def step", "@staticmethod\ndef step"),
    ],
)
def test_code_counts(digest, old, new):
    assert old in SOURCE
    assert digest(SOURCE.replace(old, new)) != digest(SOURCE)


@pytest.mark.parametrize(
    ("one", "other"), [("x = None", "x = ''"), ("x = 0", "x = False"), ("x = 1", "x = '1'"), ("x = []", "x = {}")]
)
def test_constants_of_different_kinds_are_not_taken_for_each_other(digest, one, other):
    assert digest(one) != digest(other)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of its own for `numerical_digest`, with everything it reads; digests are forgotten after an edit."""
    for name in (
        "learning/network.py",
        "learning/kernels/credit.py",
        "tasks/periodic.py",
        "runs/session.py",
        "runs/sweep.py",
        "paper/fig4/trial.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"NAME = {name!r}\n")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)

    def digest(*modules):
        provenance.meaning_digest.cache_clear()
        provenance.numerical_digest.cache_clear()
        return provenance.numerical_digest(*modules)

    yield tmp_path, digest
    provenance.meaning_digest.cache_clear()
    provenance.numerical_digest.cache_clear()


def test_the_learning_rules_always_count_and_what_is_named_besides(package):
    folder, digest = package
    named = ("tasks/periodic.py", "runs/session.py")
    before = digest(*named)
    for name in ("learning/network.py", "learning/kernels/credit.py", *named):
        text = (folder / name).read_text()
        (folder / name).write_text(text + "# a comment\n")
        assert digest(*named) == before
        (folder / name).write_text(text + "MORE = 1\n")
        assert digest(*named) != before
        (folder / name).write_text(text)
    (folder / "runs/sweep.py").write_text("MORE = 1\n")
    (folder / "paper/fig4/trial.py").write_text("MORE = 1\n")
    assert digest(*named) == before
    (folder / "learning/new.py").write_text("")
    assert digest(*named) != before


def test_a_figure_adds_its_own_module(package):
    folder, digest = package
    before = digest("paper/fig4/trial.py")
    assert before != digest()
    (folder / "paper/fig4/trial.py").write_text("MORE = 1\n")
    assert digest("paper/fig4/trial.py") != before


def test_moving_a_line_to_another_file_counts(package):
    folder, digest = package
    before = digest()
    one, other = folder / "learning/network.py", folder / "tasks/periodic.py"
    first, second = one.read_text(), other.read_text()
    one.write_text(second)
    other.write_text(first)
    assert digest() != before


def test_a_record_is_plain_json_and_says_what_is_needed():
    record = json.loads(json.dumps(provenance.record()))
    assert set(record) >= {"date", "command", "commit", "source_changed", "versions", "machine"}
    assert record["date"].endswith("Z")
    assert {"rflo-repro", "python", "numpy", "numba", "pandas"} <= set(record["versions"])
    assert record["machine"]["cores"] >= 1


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    provenance.commit.cache_clear()
    assert provenance.commit() == (None, None)
    # a package that is installed into somebody else's checkout is not that checkout's
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "__init__.py").write_text("")
    provenance.commit.cache_clear()
    assert provenance.commit() == (None, None)
    provenance.commit.cache_clear()


def test_changes_to_the_source_are_told_from_changes_to_results(tmp_path, monkeypatch):
    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    package = tmp_path / "rflo_repro"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "Begin")
    monkeypatch.setattr(provenance, "PACKAGE", package)

    def commit():
        provenance.commit.cache_clear()
        return provenance.commit()

    revision, changed = commit()
    assert len(revision) == 40
    assert changed is False
    (tmp_path / "results.csv").write_text("1\n")
    assert commit() == (revision, False)
    (package / "__init__.py").write_text("X = 1\n")
    assert commit() == (revision, True)
    provenance.commit.cache_clear()


@dataclass(frozen=True)
class Mine:
    """A job of somebody who builds on the package, with a task of the package's."""

    task: PeriodicTask
    rates: LearningRates


def test_a_job_is_made_of_its_module_and_those_of_its_fields():
    session = Session(
        task=PeriodicTask(20), rule="rflo", eta=0.03, n_trials=5, init=Initialisation(6), seed=1, network=0
    )
    assert provenance.modules_of(session) == {"runs/initialisation.py", "runs/session.py", "tasks/periodic.py"}
    assert provenance.modules_of(3) == provenance.modules_of(Session) == set()


def test_a_job_may_be_defined_outside_the_package(tmp_path):
    own, task = sorted(provenance.modules_of(Mine(PeriodicTask(20), LearningRates(0.1, 0.1, 0.1))))
    assert Path(own) == Path(__file__).resolve()
    assert task == "tasks/periodic.py"
    digest = provenance.numerical_digest(own, task)
    assert digest != provenance.numerical_digest(task)
    # moved elsewhere it is the same, edited it is another
    moved = tmp_path / Path(own).name
    moved.write_text(Path(own).read_text(encoding="utf-8"), encoding="utf-8")
    assert provenance.numerical_digest(str(moved), task) == digest
    edited = tmp_path / "edited" / moved.name
    edited.parent.mkdir()
    edited.write_text(moved.read_text(encoding="utf-8") + "MORE = 1\n", encoding="utf-8")
    assert provenance.numerical_digest(str(edited), task) != digest


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"])
def test_a_hook_of_another_repository_changes_no_commit(name, tmp_path, monkeypatch):
    before = provenance.commit()
    provenance.commit.cache_clear()
    monkeypatch.setenv(name, str(tmp_path))
    assert provenance.commit() == before
