"""One seed gives the same bytes on a 64-bit Arm as on x86-64: an Arm that is emulated, instruction by instruction.

Debian's files for arm64 are unpacked into a folder and not installed, so nothing is asked of the kernel: each Arm
program is run by `qemu-aarch64`, which finds its libraries there. RFLO_REPRO_ARM64 names a folder that is kept from one
run to the next.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import tables_in
from .test_same_bytes import SMOKE, first_difference

ROOT = Path(__file__).parents[2]
DEBIAN, PYTHON = "bookworm", "3.11"
TOOLS = {"qemu-aarch64": "qemu-user", "debootstrap": "debootstrap", "dpkg-deb": "dpkg", "uv": "uv"}
KERNELS = [
    *(f"tests/learning/kernels/test_{name}.py" for name in ("products", "vector", "normal", "activation")),
    *(f"tests/learning/test_{name}.py" for name in ("network", "rules")),
]

pytestmark = pytest.mark.hours


def needed(tool: str) -> str:
    """The path of a program, in this environment or the system's; the test is skipped without it."""
    found = shutil.which(tool, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return found or pytest.skip(f"{tool} is not there: install {TOOLS[tool]}")


def unpack(folder: Path) -> None:
    """Python for arm64 in `folder`/root, and the wheels of the lock in `folder`/site."""
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        pytest.skip("debootstrap asks for root")
    root, site = folder / "root", folder / "site"
    subprocess.run(
        [needed("debootstrap"), "--foreign", "--arch=arm64", "--variant=minbase", "--include=python3", DEBIAN, root],
        check=True,
    )
    for package in (root / "var" / "cache" / "apt" / "archives").glob("*.deb"):
        subprocess.run([needed("dpkg-deb"), "--extract", package, root], check=True)
    target = ["--target", site, "--python-platform", "aarch64-manylinux_2_28", "--python-version", PYTHON]
    lock = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirements", ROOT / "requirements.lock"]
    subprocess.run([needed("uv"), "pip", "install", "--python", sys.executable, *target, *lock], check=True)


@pytest.fixture(scope="module")
def arm(tmp_path_factory):
    """Runs Python on the emulated processor and returns what it prints. It is started by a script of its own, which
    Python takes for itself, so that it can start itself once more."""
    qemu = needed("qemu-aarch64")
    folder = Path(os.environ.get("RFLO_REPRO_ARM64") or tmp_path_factory.mktemp("arm64")).resolve()
    if not (folder / "unpacked").exists():
        unpack(folder)
        (folder / "unpacked").touch()
    root, script = folder / "root", folder / "python"
    guest = f"-L {root} -E PYTHONHOME={root}/usr"
    script.write_text(f'#!/bin/sh\nexec {qemu} {guest} -0 "$0" {root}/usr/bin/python{PYTHON} "$@"\n', encoding="ascii")
    script.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTEST_"))}
    paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder / 'site'}", "NUMBA_CACHE_DIR": str(folder / "cache")}

    def run(*arguments):
        environment = {**clean, **paths, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = ["nice", "-n", "10", script, *arguments]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        return done.stdout

    return run


def test_the_references_are_identical(arm):
    processor, *said = arm(Path(__file__).with_name("references_here.py")).splitlines()
    assert processor == "aarch64 128 32"
    assert [line.rpartition(" ")[2] for line in said] == ["identical", "identical"], said


def test_a_figure_has_the_same_tables(arm):
    command = ["-m", "rflo_repro", *f"fig2 {SMOKE} --period 20 --quiet --results".split()]
    arm(*command, "arm")
    subprocess.run([sys.executable, *command, "here"], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    here, there = tables_in(Path("here")), tables_in(Path("arm"))
    assert here
    assert first_difference(here, there) == ""


def test_the_kernels_hold_what_they_promise(arm):
    arm("-m", "pytest", "--override-ini=addopts=", "-p", "no:cacheprovider", *(ROOT / path for path in KERNELS))
