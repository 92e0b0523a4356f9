"""Where compiled code is kept, and under which settings the kernels still agree with their twins."""

import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cases import further

import rflo_repro
from rflo_repro.learning.kernels import _cache

HERE = Path(__file__).parent
PACKAGE_PARENT = Path(rflo_repro.__file__).parents[1]


def run(*args, **environment):
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    env |= {"PYTHONPATH": str(PACKAGE_PARENT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run([sys.executable, *args], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def python(*args, **environment):
    return run(*args, **environment).stdout.strip()


def test_plain_python_agrees():
    assert python(str(HERE / "agreement.py"), "all", NUMBA_DISABLE_JIT="1") == "agreed"


@pytest.mark.parametrize("part", ["forward", *further("all")])
def test_a_machine_without_wide_registers_agrees(part):
    # less optimisation: what is compiled is what counts here
    settings = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_OPT": "1"}
    assert python(str(HERE / "agreement.py"), part, **settings) == "agreed"


APPLY = (
    "import numpy as np; from rflo_repro.learning import kernels as k; "
    "w = k.weights(1, 0, 1, np.zeros(0), 10.0, False); z = w.m; z += 1.0; "
    "done = k.apply_update(w, k.Updates(z, z), k.Rates(1.0, 1.0, 1.0))"
)
WHERE = "import rflo_repro.learning.kernels._cache as c; print(c.directory())"


def test_the_users_folder_comes_first(tmp_path):
    mine = Path(python("-c", WHERE, NUMBA_CACHE_DIR=str(tmp_path / "mine"), XDG_CACHE_HOME=str(tmp_path / "xdg")))
    assert mine.parent == tmp_path / "mine"
    xdg = Path(python("-c", WHERE, XDG_CACHE_HOME=str(tmp_path / "xdg")))
    assert xdg.parent == tmp_path / "xdg" / "rflo-repro"
    home = Path(python("-c", WHERE, HOME=str(tmp_path / "home"), XDG_CACHE_HOME=""))
    assert home.parent == tmp_path / "home" / ".cache" / "rflo-repro"
    assert mine.name == xdg.name == home.name


def test_nowhere_to_write_is_no_failure(tmp_path):
    (tmp_path / "file").write_text("")
    blocked = {"XDG_CACHE_HOME": str(tmp_path / "file")}
    assert python("-c", WHERE, **blocked) == "None"
    assert python("-c", f"{APPLY}; print(done)", **blocked) == "True"


@pytest.mark.parametrize("switch", ["NUMBA_OPT", *further("NUMBA_BOUNDSCHECK", "NUMBA_SLP_VECTORIZE")])
def test_code_of_other_switches_is_kept_apart(switch, tmp_path):
    usual = python("-c", WHERE, NUMBA_CACHE_DIR=str(tmp_path))
    assert python("-c", WHERE, NUMBA_CACHE_DIR=str(tmp_path), **{switch: "1"}) != usual
    assert python("-c", WHERE, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_DEBUGINFO="1") == usual


def test_lines_for_a_debugger_are_no_failure(tmp_path):
    given = {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_DEBUGINFO": "1"}
    assert python("-c", f"{APPLY}; print(done)", **given) == "True"


def test_without_source_in_files_nothing_is_kept(tmp_path):
    """Nothing would say what a file was compiled from."""
    archive = shutil.make_archive(str(tmp_path / "package"), "zip", PACKAGE_PARENT, "rflo_repro/learning")
    with zipfile.ZipFile(archive, "a") as opened:
        for name in ("__init__", "version"):
            opened.write(PACKAGE_PARENT / "rflo_repro" / f"{name}.py", f"rflo_repro/{name}.py")
    given = {"PYTHONPATH": archive, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert python("-c", WHERE, **given) == "None"
    assert python("-c", f"{APPLY}; print(done)", **given) == "True"


def test_an_edit_anywhere_in_the_numerical_source_changes_the_key(tmp_path):
    copied = tmp_path / "kernels"
    shutil.copytree(_cache.SOURCE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    before = _cache.content_digest(copied)
    assert before == _cache.content_digest()
    path = copied / "activation.py"
    path.write_text(path.read_text().replace("SATURATED = 20.0", "SATURATED = 21.0"))
    edited = _cache.content_digest(copied)
    assert edited != before
    path.rename(copied / "renamed.py")
    assert _cache.content_digest(copied) not in (before, edited)


def test_other_code_of_the_user_is_left_alone(tmp_path):
    code = "import numba; before = numba.config.CACHE_DIR; import rflo_repro.learning.kernels; " + (
        "print(numba.config.CACHE_DIR == before)"
    )
    assert python("-c", code, NUMBA_CACHE_DIR=str(tmp_path)) == "True"


# hits and misses of the cache, and what the kernel did
CALL = f"{APPLY}; s = k.apply_update.stats; print(sum(s.cache_hits.values()), sum(s.cache_misses.values()), z.sum())"


def test_a_second_start_compiles_nothing(tmp_path):
    assert python("-c", CALL, NUMBA_CACHE_DIR=str(tmp_path)).startswith("0 1 ")
    assert python("-c", CALL, NUMBA_CACHE_DIR=str(tmp_path)).startswith("1 0 ")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A folder of compiled kernels, and what the call prints that fills it."""
    folder = tmp_path_factory.mktemp("compiled")
    return folder, python("-c", CALL, NUMBA_CACHE_DIR=str(folder))


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:-1],
    "a bit flipped": flipped,
    "somebody else's": lambda content: pickle.dumps(print),
}


@pytest.mark.parametrize(("kind", "damage"), [("nbc", "a bit flipped"), *further(("nbi", "empty"))])
def test_damaged_code_is_named_dropped_and_compiled_anew(compiled, tmp_path, kind, damage):
    shutil.copytree(compiled[0], tmp_path / "mine")
    (path,) = (tmp_path / "mine").rglob(f"updates.apply_update-*.{kind}")
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    done = run("-c", CALL, NUMBA_CACHE_DIR=str(tmp_path / "mine"))
    assert done.stdout.strip() == compiled[1]
    assert done.stderr.strip() == f"{path} is damaged; dropped and compiled anew"
    again = run("-c", CALL, NUMBA_CACHE_DIR=str(tmp_path / "mine"))
    assert again.stdout.startswith("1 0 ")
    assert again.stderr == ""


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_no_damaged_file_is_believed(tmp_path, kind, damage, caplog):
    files = _cache._Files(str(tmp_path), "f", "")
    files.save("key", "compiled")
    assert files.load("key") == "compiled"
    (path,) = tmp_path.glob(f"*.{kind}")
    path.write_bytes(damage(path.read_bytes()))
    assert files.load("key") is None
    assert not path.exists()
    assert caplog.messages == [f"{path} is damaged; dropped and compiled anew"]
    files.save("key", "compiled")
    assert files.load("key") == "compiled"


def test_two_signatures_never_share_a_file(tmp_path):
    files = _cache._Files(str(tmp_path), "f", "")
    other = _cache._Files(str(tmp_path), "f", "")
    # as two processes would that began with no index
    files.save("one", 1)
    (tmp_path / "f.nbi").unlink()
    other.save("two", 2)
    assert other.load("two") == 2
    assert other.load("one") is None
    files.save("one", 1)
    assert (files.load("one"), files.load("two")) == (1, 2)
    assert list(tmp_path.glob("*.tmp*")) == []


def test_a_full_disk_costs_a_compilation_and_is_said_once(compiled, tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
    done = run("-c", limit + CALL, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.stdout.strip() == compiled[1]
    assert done.stderr.strip() == f"{next(tmp_path.iterdir())}/compiled: File too large; compiled kernels are not kept"
    assert [path for path in tmp_path.rglob("*.tmp*") if path.is_file()] == []
