"""Which registers the kernels are compiled for."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from rflo_repro.learning.kernels.registers import TILES, registers_of

X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-apple-darwin"


@pytest.mark.parametrize(
    ("triple", "name", "features", "kind"),
    [
        (X86, "x86-64", "", (128, 16)),
        (X86, "sandybridge", "", (256, 16)),
        (X86, "x86-64-v3", "", (256, 16)),
        (X86, "x86-64-v3", "-avx", (128, 16)),
        ("x86_64-pc-windows-msvc", "znver4", "", (512, 32)),
        (X86, "skylake-avx512", "-avx512f", (256, 16)),
        (ARM, "apple-m1", "", (128, 32)),
    ],
)
def test_a_processor_has_the_registers_that_llvm_uses_for_it(triple, name, features, kind):
    assert registers_of(triple, name, features) == kind
    assert registers_of(triple, name, features) in TILES


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are names of x86-64 processors")
@pytest.mark.parametrize(("name", "bits"), [("x86-64", 128), ("haswell", 256), ("znver5", 512)])
def test_who_names_a_processor_gets_its_registers(name, bits):
    code = "from rflo_repro.learning.kernels import registers as r; print(r.processor(), r.registers().bits)"
    env = {"NUMBA_CPU_NAME": name, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **env}, capture_output=True, text=True)
    assert done.stdout.split() == [name, str(bits)]
