"""Where compiled code is kept, and under which settings the kernels still agree with their twins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba

import rflo_repro
from rflo_repro.learning.kernels import _cache

HERE = Path(__file__).parent
PACKAGE_PARENT = Path(rflo_repro.__file__).parents[1]


def python(*args, **environment):
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    env |= {"PYTHONPATH": str(PACKAGE_PARENT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run([sys.executable, *args], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_plain_python_agrees():
    assert python(str(HERE / "agreement.py"), NUMBA_DISABLE_JIT="1") == "agreed"


def test_a_machine_without_wide_registers_agrees():
    # less optimisation: what is compiled is what counts here
    settings = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_OPT": "1"}
    assert python(str(HERE / "agreement.py"), **settings) == "agreed"


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
    code = "from rflo_repro.learning import kernels as k; z = k.aligned_zeros((1, 8)); print(k.apply_update(" + (
        "z, z.copy(), z, z, z[0, :0], 1, 1.0, 1.0, 1.0))"
    )
    assert python("-c", code, **blocked) == "True"


def test_an_edit_anywhere_in_the_numerical_source_changes_the_key(tmp_path):
    copied = tmp_path / "kernels"
    shutil.copytree(_cache.SOURCE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    before = _cache.source_digest(copied)
    assert before == _cache.source_digest()
    path = copied / "activation.py"
    path.write_text(path.read_text().replace("SATURATED = 20.0", "SATURATED = 21.0"))
    edited = _cache.source_digest(copied)
    assert edited != before
    path.rename(copied / "renamed.py")
    assert _cache.source_digest(copied) not in (before, edited)


def test_other_code_of_the_user_is_left_alone():
    before = numba.config.CACHE_DIR
    with _cache.kept_apart():
        assert _cache.directory() is None or str(_cache.directory()) == numba.config.CACHE_DIR
    assert before == numba.config.CACHE_DIR


def test_a_second_start_compiles_nothing(tmp_path):
    code = (
        "from rflo_repro.learning import kernels as k; z = k.aligned_zeros((1, 8)); "
        "k.apply_update(z, z.copy(), z, z, z[0, :0], 1, 1.0, 1.0, 1.0); s = k.apply_update.stats; "
        "print(sum(s.cache_hits.values()), sum(s.cache_misses.values()))"
    )
    assert python("-c", code, NUMBA_CACHE_DIR=str(tmp_path)) == "0 1"
    assert python("-c", code, NUMBA_CACHE_DIR=str(tmp_path)) == "1 0"
