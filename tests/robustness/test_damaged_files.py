"""Files that are damaged, foreign, from another version or hostile: named in one line, made anew or refused."""

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rflo_repro.runs import provenance

from .conftest import SMALL, stored_in, tables_in

INTO = ("--results", "r", "--no-plot", "--jobs", "1")
WHOLE = ("fig2-size", "--scale", "smoke", "--trials", "10", "--networks", "1", *INTO)


def reseal(csv: Path) -> None:
    """Put the hash of an edited CSV into its page."""
    page = json.loads(csv.with_suffix(".json").read_text())
    page["sha256"] = hashlib.sha256(csv.read_bytes()).hexdigest()
    csv.with_suffix(".json").write_text(json.dumps(page))


def rewrite(csv: Path, **entries: object) -> None:
    """Change entries of a table's page."""
    page = json.loads(csv.with_suffix(".json").read_text())
    csv.with_suffix(".json").write_text(json.dumps({**page, **entries}))


def in_place_of(path: Path, make: Callable[[Path], object]) -> None:
    """Something else in a file's place."""
    path.unlink()
    make(path)


DAMAGE = {
    "truncated": lambda csv: csv.write_bytes(csv.read_bytes()[:-30]),
    "empty": lambda csv: csv.write_text(""),
    "foreign": lambda csv: csv.write_bytes(b"\x89PNG\r\n\0\xff"),
    "edited by hand": lambda csv: csv.write_text(csv.read_text().replace("0.", "1.")),
    "without its page": lambda csv: csv.with_suffix(".json").unlink(),
    "a page that is none": lambda csv: csv.with_suffix(".json").write_text("[" * 100_000),
    "a page of another version": lambda csv: rewrite(csv, runs=[{"when": 1}]),
    "a page without settings": lambda csv: rewrite(csv, settings=None),
    "other columns": lambda csv: (csv.write_text(csv.read_text().replace("network", "net", 1)), reseal(csv)),
    "a pipe": lambda csv: in_place_of(csv, os.mkfifo),
    "a page that is a pipe": lambda csv: in_place_of(csv.with_suffix(".json"), os.mkfifo),
    "a page without end": lambda csv: in_place_of(csv.with_suffix(".json"), lambda page: page.symlink_to("/dev/zero")),
    "a formula": lambda csv: (csv.write_text(csv.read_text() + "=cmd|' /C calc'!A0\n"), reseal(csv)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_table_is_named_and_made_anew(server, damage):
    assert server.run(*WHOLE)[0] == 0
    tables, stored = tables_in(Path("r")), stored_in(Path("r"))
    csv = Path("r") / "fig2_size_final.csv"
    DAMAGE[damage](csv)
    # a part cannot go into it
    code, log = server.run("plot", "fig2-size", "--results", "r", "--figures", "f")
    if "page of" not in damage and "page without" not in damage:
        assert code == 2, log
        assert csv.name in next(line for line in log.splitlines() if line.startswith("Error: "))
    code, log = server.run("list", "--results", "r")
    assert code == 0, log
    assert "damaged" in log
    code, log = server.run(*WHOLE)
    assert code == 0, log
    (line,) = [line for line in log.splitlines() if "made anew" in line]
    assert csv.stem in line
    assert tables_in(Path("r")) == tables
    assert stored_in(Path("r")) == stored


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "no end"])
def test_what_is_no_file_is_not_waited_for(server, small, make):
    assert server.run(*SMALL, *INTO)[0] == 0
    stored = sorted(stored_in(Path("r")))
    in_place_of(stored[0], make)
    code, log = server.run(*SMALL, *INTO)
    assert code == 0, log
    assert f"{stored[0]} is damaged" in log
    assert tables_in(Path("r")) == small.tables
    make(Path("own.toml"))
    for command in (["sweep", "own.toml"], ["fig-rules", "--scale", "smoke", "--rule-file", "own.toml"]):
        code, log = server.run(*command)
        assert code == 2, log
        assert "own.toml: Not a regular file" in log


def test_a_part_does_not_go_into_a_damaged_table(server, small):
    assert server.run(*SMALL, *INTO)[0] == 0
    csv = Path("r") / "fig2_final.csv"
    csv.write_text("")
    code, log = server.run(*SMALL, *INTO)
    assert code == 2
    assert "r/fig2_final.csv is not the table that fig2_final.json describes" in log
    assert csv.read_text() == ""


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path.cwd() / "exploded",))


def hostile(kind: str, path: Path) -> None:
    """Put something else in the place of a stored job."""
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    elif kind == "pickle in an archive":
        np.savez(path, loss=np.array([Bomb()], dtype=object), _meaning=np.array([Bomb()], dtype=object))
    elif kind == "names that climb":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../../exploded.npy", b"x")
    elif kind == "a header that is code":
        header = b"{'descr': __import__('os').system('touch exploded'), 'fortran_order': False, 'shape': (1,)}\n"
        array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("loss.npy", array)
    elif kind == "a huge shape":
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,)}\n"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("loss.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    else:
        path.unlink()
        path.symlink_to("/dev/null" if kind == "a link to nothing" else Path("elsewhere").absolute())


HOSTILE = (
    "pickle", "pickle in an archive", "names that climb", "a header that is code", "a huge shape", "a link to nothing",
    "a link that is broken",
)  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_store_file_does_nothing(server, small, kind):
    assert server.run(*SMALL, *INTO)[0] == 0
    target = sorted(stored_in(Path("r")))[3]
    hostile(kind, target)
    code, log = server.run(*SMALL, *INTO)
    assert code == 0, log
    assert "broken" in kind or f"{target} is damaged" in log
    assert tables_in(Path("r")) == small.tables
    assert not target.is_symlink()
    assert not list(Path().rglob("exploded*"))


def test_a_hostile_table_does_nothing(server):
    """Text of a table or of its page is neither run nor followed nor taken for markup."""
    assert server.run(*WHOLE)[0] == 0
    csv = Path("r") / "fig2_size_final.csv"
    rewrite(csv, runs=[{
        "date": "[red]2019[/red]\x1b[31m", "commit": "$(touch exploded)", "source_changed": None,
        "conditions": ["../../x"], "numerical_source": {"digest": "x", "of": ["../../../../etc/passwd", "/dev/null"]},
    }])  # fmt: skip
    code, log = server.run("list", "--results", "r")
    assert code == 0, log
    assert "Traceback" not in log
    assert "root:" not in log
    assert not list(Path().rglob("exploded*"))


def test_an_edited_kernel_never_yields_yesterdays_numbers(tmp_path):
    """In a copy of the package: a comment changes nothing, a number in a kernel changes the key of the store."""
    shutil.copytree(provenance.PACKAGE, tmp_path / "rflo_repro", ignore=shutil.ignore_patterns("__pycache__"))
    program = """
import rflo_repro as rr, sys
from pathlib import Path
from rflo_repro.runs import provenance
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.session import Session
from rflo_repro.runs.store import Store
session = Session(rr.PeriodicTask(20), "rflo", 0.03, 5, Initialisation(6), seed=1, network=0)
store = Store(Path("stored"))
found = store.get(session)
if found is None:
    import numpy as np
    store.put(session, {"loss": np.zeros(3)}, provenance.of_result(0.0))
print("rflo_repro" in sys.modules and rr.__file__, found is not None)
"""

    def found() -> str:
        done = subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONPATH": str(tmp_path), "PATH": ""}, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        assert str(tmp_path) in done.stdout
        return done.stdout.split()[-1]

    assert [found(), found()] == ["False", "True"]
    kernel = tmp_path / "rflo_repro" / "learning" / "kernels" / "dynamics.py"
    source = kernel.read_text()
    kernel.write_text(source + "\n# a comment\n")
    assert found() == "True"
    kernel.write_text(source + "\n_EDITED = 1.5\n")
    assert found() == "False"
    kernel.write_text(source)
    assert found() == "True"
