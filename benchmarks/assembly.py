"""What the compiler made of the innermost loops: instructions by kind, from the assembly numba emits here.

    python -m benchmarks.assembly [--listing]

A loop that is bound by arithmetic shows multiply-adds on whole registers, fewer loads than multiply-adds, and nothing
on the stack.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

KINDS = {
    "multiply-adds": r"vf(n?m(add|sub))\w*pd\b.*[yz]mm",
    "other vector arithmetic": r"v(p?add|p?sub|mul|max|min|p?and|p?or|p?xor|pternlog|scale|blend|psll)\w*\b.*[yz]mm",
    "divisions": r"vdivpd\b.*[yz]mm",
    "broadcasts": r"v(broadcast|movddup|pbroadcast)\w*",
    "vector loads": r"vmov[au]p[ds]\s+\S*\([^)]*\), %[yz]mm",
    "vector stores": r"vmov[au]p[ds]\s+%[yz]mm\d+, \S*\(",
}
STACK = r"\((%rsp|%rbp)"


@dataclass(frozen=True)
class Loop:
    """The instructions between a label and the jump back to it."""

    lines: tuple[str, ...]

    def counts(self) -> Counter[str]:
        """Instructions of each of `KINDS`, the operands read straight from memory, and what goes to the stack."""
        found: Counter[str] = Counter()
        for line in self.lines:
            for kind, pattern in KINDS.items():
                if re.match(pattern, line):
                    found[kind] += 1
                    break
            else:
                found["other"] += 1
            if re.match(KINDS["multiply-adds"], line) and "(" in line:
                found["multiply-adds that read memory"] += 1
            if re.match(r"vmov\w+\s", line) and re.search(STACK, line):
                found["on the stack"] += 1
        return found


def innermost_loops(assembly: str) -> list[Loop]:
    """Every loop of an assembly text (AT&T syntax) that has no other label inside it."""
    labels: dict[str, int] = {}
    lines: list[str] = []
    loops = []
    for raw in assembly.splitlines():
        line = raw.split("#")[0].strip()
        label = re.match(r"(\.L\w+):", line)
        if label:
            labels[label[1]] = len(lines)
        elif line and not line.startswith("."):
            lines.append(line)
            jump = re.match(r"j\w+\s+(\.L\w+)", line)
            if jump and jump[1] in labels:
                start = labels[jump[1]]
                if not any(start < other < len(lines) for other in labels.values()):
                    loops.append(Loop(tuple(lines[start:])))
    return loops


def hottest(assembly: str) -> Loop:
    """The innermost loop with most multiply-adds. Raises ValueError if there is no loop."""
    loops = innermost_loops(assembly)
    if not loops:
        raise ValueError("no loop in this assembly")
    return max(loops, key=lambda loop: loop.counts()["multiply-adds"])


def compiled() -> dict[str, str]:
    """The assembly of each hot piece, compiled by itself."""
    import numba
    import numpy as np

    from rflo_repro.learning.kernels import products, unit
    from rflo_repro.learning.kernels.layout import LANES, aligned_zeros, padded

    def assembly_of(function: Callable[..., Any], *arguments: Any) -> str:
        jitted = numba.njit(nogil=True, error_model="numpy")(function)
        jitted(*arguments)
        (text,) = jitted.inspect_asm().values()
        return str(text)

    n = 100
    row = padded(n)
    m, history, out, u, h = aligned_zeros((n, row), (64 * row,), (n, row), (row,), (2 * row,))
    block, one_row, short_row, units = products._block, products._row, products._short_row, unit.unit_steps
    vectors, row_vectors, short = products.TILE_VECTORS, products.ROW_VECTORS, products.SHORT

    def tile(out: Any, a: Any, b: Any, n_k: int) -> None:
        block(out, 0, out.shape[1], a, 0, a.shape[0] // n_k, 1, b, 0, b.shape[0] // n_k, vectors, n_k)

    def lone_trial(u: Any, m: Any, sources: Any) -> None:
        one_row(u, 0, 0, sources, 0, 1, 0, m, 0, m.shape[1], row_vectors, m.shape[0])

    def small_network(u: Any, m: Any, sources: Any) -> None:
        short_row(u, 0, 0, sources, 0, 1, 0, m, 0, m.shape[1], short, m.shape[0])

    def activation(u: Any, h: Any) -> None:
        units(10.0, u, 0, h, 0, h.shape[0] // 2, h, 0, h.shape[0] // 2)

    small = aligned_zeros((short * LANES,), (short * LANES, short * LANES))
    return {
        "matrix product (gradient, lockstep)": assembly_of(tile, out, history, np.copy(history), 64),
        "a step of one trial": assembly_of(lone_trial, u, m, history),
        "a step of one trial, small network": assembly_of(small_network, *small, history),
        "tanh and leak": assembly_of(activation, u, h),
    }


@click.command(help=__doc__)
@click.option("--listing", is_flag=True, help="Print the loops themselves too.")
def main(listing: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # what comes from a cache has no assembly to show
        os.environ["NUMBA_CACHE_DIR"] = folder
        texts = compiled()
    for name, text in texts.items():
        loop = hottest(text)
        click.echo(f"{name}: " + ", ".join(f"{n} {kind}" for kind, n in loop.counts().most_common()))
        if listing:
            click.echo("\n".join("    " + line for line in loop.lines))


if __name__ == "__main__":
    main()
