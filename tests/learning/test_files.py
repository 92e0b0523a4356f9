"""Files that are written in full or not at all, whatever fails, and who names them."""

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.learning import files
from rflo_repro.learning.files import replacing


def test_replacing_leaves_the_old_file_if_anything_fails(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write():
        with replacing(path) as temporary:
            temporary.write_text("new")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_a_result_is_for_whoever_may_read_the_folder(tmp_path):
    mask = os.umask(0o022)
    try:
        with replacing(tmp_path / "file"):
            pass
    finally:
        os.umask(mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def held(monkeypatch, tries):
    """What `os.replace` does on Windows while another program holds the file open: refuse so many times."""
    usual, calls = os.replace, []

    def refusing(*paths):
        calls.append(paths)
        if len(calls) <= tries:
            error = PermissionError(errno.EACCES, "Access is denied")
            error.winerror = 5
            raise error
        usual(*paths)

    monkeypatch.setattr(os, "replace", refusing)
    return calls


WRITERS = {
    "a file": lambda path, text: write(path, text),
    "a network": lambda path, text: rr.Network.random(len(text), 1, 1, np.random.default_rng(0)).save(path),
}


def write(path, text):
    with files.replacing(path) as temporary:
        temporary.write_text(text)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_is_open_elsewhere_is_tried_again(tmp_path, monkeypatch, writer):
    path = tmp_path / "x"
    WRITERS[writer](path, "old")
    before = path.read_bytes()
    calls = held(monkeypatch, tries=2)
    WRITERS[writer](path, "newer")
    assert path.read_bytes() != before
    assert len(calls) == 3
    before = path.read_bytes()
    held(monkeypatch, tries=10**9)
    monkeypatch.setattr(files, "RETRY_SECONDS", 0.0)
    with pytest.raises(PermissionError, match=r"open in another program; close it there: .*x'$"):
        WRITERS[writer](path, "newest")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_refusal_that_waiting_will_not_change_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(files.time, "sleep", None)
    with pytest.raises(OSError, match=r"new|old"):
        files.replace(tmp_path / "new", tmp_path / "old")


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("given", ["~/x", "missing/x"])
def test_where_there_is_no_folder_the_path_that_was_given_is_named(given, writer):
    with pytest.raises(FileNotFoundError) as caught:
        WRITERS[writer](Path(given), "new")
    assert str(caught.value).endswith(f": {str(Path(given))!r}")


def test_no_file_is_replaced_elsewhere():
    package = Path(rr.__file__).parent
    for path in [
        *package.rglob("*.py"),
        *(f for top in ("tools", "benchmarks") for f in (package.parent / top).rglob("*.py")),
    ]:
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"os\.replace|os\.rename|shutil\.move|\.rename\((?!columns)", text)
        assert found == (["os.replace"] if path == Path(files.__file__) else []), path
