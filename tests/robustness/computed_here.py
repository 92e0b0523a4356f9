"""What this process computes on its processor: a program for test_same_bytes.py.

    python computed_here.py FOLDER COMMAND...        a command of rflo-repro with its options in one argument, such as
                                                     "fig2 --scale smoke"; its tables go to FOLDER

Prints as JSON what the arithmetic of Python, NumPy, the BLAS and the kernels is made for, and digests of what each
but the kernels gives for the same arguments.
"""

import hashlib
import json
import math
import sys

import numpy as np


def digest(values) -> str:
    return hashlib.sha256(np.ascontiguousarray(values, dtype=float).tobytes()).hexdigest()


def arithmetic() -> dict[str, object]:
    """What is in force here, and what it makes of the same numbers: without any of the package's code."""
    from llvmlite import binding
    from numba.core.registry import cpu_target

    x = np.arange(1, 20_001) * 1e-3
    matrix = np.sin(np.arange(40_000) % 977).reshape(200, 200).round(6)
    _, processor, features = cpu_target.target_context.codegen().magic_tuple()
    numpy_here = np.show_config(mode="dicts")
    return {
        "kernels": [processor, features],
        "numpy": numpy_here["SIMD Extensions"].get("found", []),
        "fma": bool(binding.get_host_cpu_features().get("fma", False)),
        "blas": numpy_here["Build Dependencies"]["blas"]["name"],
        "C library's functions": digest([f(v) for v in x.tolist() for f in (math.sin, math.exp, math.log1p)]),
        "NumPy's functions": digest([np.log10(x), np.tanh(x), np.exp(-x)]),
        "BLAS's products": digest(matrix @ matrix.T),
    }


def main(folder: str, *commands: str) -> None:
    from rflo_repro.cli import cli

    for command in commands:
        cli.main([*command.split(), "--results", folder, "--jobs", "1"], standalone_mode=False)
    print("\n" + json.dumps(arithmetic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
