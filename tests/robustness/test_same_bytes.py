"""One seed gives the same tables to the byte on every x86-64 processor.

This machine plays the others: kernels are compiled for them, and NumPy, the C library and the BLAS told to leave
instructions alone that they would not have. That it changes what those give by themselves is checked with every run.
"""

import ast
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import rflo_repro
from rflo_repro.paper import registry

from .conftest import tables_in

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="how to play another processor is known for x86-64 alone"
)

HERE = Path(__file__).parent
PACKAGE = Path(rflo_repro.__file__).parent
SMOKE = "--scale smoke --no-plot --force"
PARTS = (
    f"fig2 {SMOKE} --period 20 --networks 1",
    f"fig2-locality {SMOKE} --period 20 --networks 1 --rule rflo --set noise=0.1 --set h0=normal",
    f"fig2-dale {SMOKE} --period 40 --networks 1",
    f"fig2-readout {SMOKE} --period 20 --networks 1",
    f"fig2-size {SMOKE} --networks 1",
    f"fig3 {SMOKE} --panel c --networks 1",
    f"fig4 {SMOKE} --networks 1 --trials 10",
)
FIGURES = {part.split()[0] for part in PARTS}
EVERYTHING = (
    f"all {SMOKE}",
    "theory --scale smoke --force",
    f"fig-gradient {SMOKE}",
    f"fig-rules {SMOKE} --period 20 --networks 1 --rule uoro --rule kf-rtrl --rule node-perturbation",
)
# from the oldest instructions to the newest: a processor that lacks one lacks those after it
DISPATCHED = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
NO_FMA = "glibc.cpu.hwcaps=-AVX2,-FMA"
OLD_BLAS = "Prescott"


def without(*features: str) -> dict[str, str]:
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(features)}


ONE_BY_ONE: dict[str, Mapping[str, str]] = {
    "generic": {"NUMBA_CPU_NAME": "generic"},
    "x86-64-v3": {"NUMBA_CPU_NAME": "x86-64-v3"},
    **{f"NumPy without {name}": without(name) for name in DISPATCHED},
    **{f"NumPy without {name} and later": without(*DISPATCHED[i:]) for i, name in enumerate(DISPATCHED[:-1])},
    "C library without FMA": {"GLIBC_TUNABLES": NO_FMA},
    "BLAS of an old processor": {"OPENBLAS_CORETYPE": OLD_BLAS},
}
# All at once: an old processor, and one like those of most laptops. The C library keeps its FMA in the first: kernels
# without an instruction for it ask there, and would wait for minutes.
OLD = {"NUMBA_CPU_NAME": "generic", "OPENBLAS_CORETYPE": OLD_BLAS, **without(*DISPATCHED)}
LAPTOP = {"NUMBA_CPU_NAME": "x86-64-v3", "GLIBC_TUNABLES": NO_FMA, **without(*DISPATCHED[1:])}


class Computed(NamedTuple):
    """Tables, and what was in force where they were computed (see computed_here.py)."""

    tables: dict[str, bytes]
    in_force: dict[str, Any]


@contextmanager
def processor(
    environment: Mapping[str, str], folder: Path, commands: tuple[str, ...], package: Path = PACKAGE
) -> Iterator[Callable[[], Computed]]:
    """A process that computes tables as with such a processor; what is given waits for it."""
    ours = ("NUMBA_CPU", "NPY_", "GLIBC_TUNABLES", "OPENBLAS_CORETYPE", "RFLO")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with subprocess.Popen(
        [sys.executable, HERE / "computed_here.py", folder, *commands],
        env={**clean, "PYTHONPATH": str(package.parent), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:

        def end() -> Computed:
            out, errors = process.communicate(timeout=500)
            assert process.returncode == 0, errors[-2000:]
            return Computed(tables_in(folder), json.loads(out.splitlines()[-1]))

        try:
            yield end
        finally:
            process.kill()


def computed(
    environment: Mapping[str, str], folder: Path, commands: tuple[str, ...], package: Path = PACKAGE
) -> Computed:
    with processor(environment, folder, commands, package) as end:
        return end()


def check_in_force(environment: Mapping[str, str], there: dict[str, Any], here: dict[str, Any]) -> None:
    """What the environment asks for has changed what it should, so that equal tables say something."""
    if "NUMBA_CPU_NAME" in environment:
        assert there["kernels"][0] == environment["NUMBA_CPU_NAME"]
        assert there["kernels"] != here["kernels"]
    else:
        assert there["kernels"] == here["kernels"]
    disabled = environment.get("NPY_DISABLE_CPU_FEATURES", "").split()
    assert there["numpy"] == [name for name in DISPATCHED if name not in disabled]
    if disabled and disabled == DISPATCHED:
        assert there["NumPy's functions"] != here["NumPy's functions"]
    if "GLIBC_TUNABLES" in environment and here["fma"] and platform.libc_ver()[0] == "glibc":
        assert there["C library's functions"] != here["C library's functions"]
    if environment.get("OPENBLAS_CORETYPE") == OLD_BLAS and "openblas" in str(here["blas"]):
        assert there["BLAS's products"] != here["BLAS's products"]


def first_difference(one: dict[str, bytes], other: dict[str, bytes]) -> str:
    """What differs first, or nothing."""
    if one.keys() != other.keys():
        return f"tables: {sorted(one.keys() ^ other.keys())}"
    for name, content in one.items():
        for i, lines in enumerate(zip(content.splitlines(), other[name].splitlines(), strict=False)):
            if lines[0] != lines[1]:
                return f"{name}, line {i + 1}: {lines[0].decode()} and {lines[1].decode()}"
        if content != other[name]:
            return f"{name}: lengths {len(content)} and {len(other[name])}"
    return ""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Parts of all figures on this processor as it is."""
    return computed({}, tmp_path_factory.mktemp("here"), PARTS)


def test_a_network_has_the_same_bytes_on_an_old_processor(tmp_path):
    part = (f"fig2 {SMOKE} --period 20 --rule rflo --networks 1",)
    there, ours = computed(OLD, tmp_path / "old", part), computed({}, tmp_path / "ours", part)
    check_in_force(OLD, there.in_force, ours.in_force)
    assert first_difference(ours.tables, there.tables) == ""


@pytest.mark.long
def test_figures_have_the_same_bytes_on_an_old_processor_and_on_a_laptop(tmp_path, here):
    with processor(OLD, tmp_path / "old", PARTS) as old, processor(LAPTOP, tmp_path / "laptop", PARTS) as laptop:
        for environment, end in ((OLD, old), (LAPTOP, laptop)):
            there = end()
            check_in_force(environment, there.in_force, here.in_force)
            assert first_difference(here.tables, there.tables) == ""
    computing = [figure for figure in registry.figures().values() if figure.computed and figure.command in FIGURES]
    assert len(here.tables) == sum(len(figure.experiment.schemas) for figure in computing)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """All figures and what studies compute beside times, on this processor as it is."""
    return computed({}, tmp_path_factory.mktemp("everything"), EVERYTHING)


@pytest.mark.long
@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_everything_has_the_same_bytes_whatever_one_part_of_a_processor_is(tmp_path, everything, name):
    there = computed(ONE_BY_ONE[name], tmp_path / "r", EVERYTHING)
    check_in_force(ONE_BY_ONE[name], there.in_force, everything.in_force)
    assert first_difference(everything.tables, there.tables) == ""


def with_one_chain(source: str) -> str:
    """The source of `products` in which a small network's step is summed in one chain, as a tile might have it."""
    tree = ast.parse(source)
    (chains,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "chains"]
    chains.body = ast.parse("return 1").body
    return ast.unparse(tree)


@pytest.mark.long
def test_an_order_of_summation_that_a_tile_decides_would_be_seen(tmp_path):
    """Negative control: in a copy of the package, with nothing but the number of chains changed."""
    package = tmp_path / "rflo_repro"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    path = package / "learning" / "kernels" / "products.py"
    path.write_text(with_one_chain(path.read_text(encoding="utf-8")), encoding="utf-8")
    part = (f"fig2 {SMOKE} --period 20 --rule rflo --networks 1",)
    edited, ours = computed({}, tmp_path / "edited", part, package), computed({}, tmp_path / "ours", part)
    assert edited.in_force == ours.in_force
    assert first_difference(ours.tables, edited.tables).startswith("fig2_final.csv, line 2: ")
