"""What the compiler makes of the innermost loops: instructions by kind, for this processor or for another.

    python -m benchmarks.assembly [--processor NAME] [--listing]
    python -m benchmarks.assembly --write        the spills of all processors, to benchmarks/spills.csv

A loop that is bound by arithmetic shows multiply-adds on whole registers, fewer loads than multiply-adds, and nothing
on the stack. Tiles are compiled for processors that need not be at hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import click
import pandas as pd
from llvmlite import binding, ir

from rflo_repro.learning.files import replacing
from rflo_repro.learning.kernels import products
from rflo_repro.learning.kernels.registers import TILES, Tiles, registers_of

# x86 in AT&T syntax, then Arm; a processor without a fused multiply-add calls the C library's
KINDS = {
    "multiply-adds": r"vfn?m(add|sub)\w*pd\b.*[yz]mm|fml[as]\s|(call\w*|bl)\s+\*?%?\w*fma|callq\s+\*%r",
    "other vector arithmetic": r"v(p?add|p?sub|mul|max|min|p?and|p?or|p?xor|pternlog|scale|blend|psll)\w*\b.*[yz]mm"
    r"|f(add|sub|mul|max|min|neg|abs)\w*\s+v",
    "divisions": r"vdivpd\b.*[yz]mm|fdiv\s+v",
    "broadcasts": r"v(broadcast|movddup|pbroadcast)\w*|ld1r|dup\s+v",
    "vector loads": r"vmov[au]p[ds]\s+\S*\([^)]*\), %[yz]mm|ld(r|p|ur)\s+q",
    "vector stores": r"vmov[au]p[ds]\s+%[yz]mm\d+, \S*\(|st(r|p|ur)\s+q",
}
STACK = r"\(%r[sb]p\b|\[(sp|x29)\b"
JUMP = r"(?:j\w+|b(?:\.\w+)?|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,)\s+(\.L\w+)$"
X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
PROCESSORS = {
    "znver4": X86,
    "haswell": X86,
    "apple-m1": ARM,
    "neoverse-n1": ARM,
    "cortex-a76": ARM,
    "x86-64": X86,
}
SPILLS = Path(__file__).with_name("spills.csv")


@dataclass(frozen=True)
class Loop:
    """The instructions between a label and the jump back to it."""

    lines: tuple[str, ...]

    def counts(self) -> Counter[str]:
        """Instructions of each of `KINDS`, multiply-adds that read memory, and what goes to the stack."""
        found: Counter[str] = Counter()
        for line in self.lines:
            kind = next((kind for kind, pattern in KINDS.items() if re.match(pattern, line)), "other")
            found[kind] += 1
            if kind == "multiply-adds" and "(" in line:
                found["multiply-adds that read memory"] += 1
            if re.search(STACK, line):
                found["on the stack"] += 1
        return found


def innermost_loops(assembly: str) -> list[Loop]:
    """Every loop of an assembly text that has no other label inside it."""
    labels: dict[str, int] = {}
    lines: list[str] = []
    loops = []
    for raw in assembly.splitlines():
        line = re.sub(r"\s*(#|//)\s.*", "", raw).strip()
        label = re.match(r"(\.L\w+):", line)
        if label:
            labels[label[1]] = len(lines)
        elif line and not line.startswith("."):
            lines.append(line)
            jump = re.match(JUMP, line)
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


class Tile(NamedTuple):
    """One loop of `products`: rows of so many vectors, each summed in so many chains."""

    name: str
    rows: int
    vectors: int
    chains: int = 1


def tiles_of(sizes: Tiles) -> list[Tile]:
    """The largest tiles that `products` has with these sizes."""
    return [
        Tile("block", sizes.block_rows, sizes.block_vectors),
        Tile("row", 1, sizes.row_vectors),
        Tile("pair", 2, sizes.pair_vectors),
        *(Tile("chains", 1, max(1, sizes.chain_vectors // n), n) for n in (2, 4)),
    ]


def assembly_of(tile: Tile, name: str, triple: str) -> str:
    """The assembly of a tile for a processor that LLVM knows by this name, at numba's level of optimisation."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    index, doubles = ir.IntType(64), ir.DoubleType().as_pointer()
    source = ir.Module(tile.name)
    source.triple = triple
    arguments = [doubles, index, index, doubles, index, index, index, doubles, index, index, index]
    function = ir.Function(source, ir.FunctionType(ir.VoidType(), arguments), "tile")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    products._Loop(builder, tuple(function.args), tile.rows, tile.vectors, tile.chains).emit()
    builder.ret_void()
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=name, opt=3)
    module = binding.parse_assembly(str(source))
    module.data_layout = str(machine.target_data)
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(module, passes)
    return str(machine.emit_assembly(module))


def spills() -> Iterator[dict[str, Any]]:
    """A row for each tile of each processor, and for each with a vector more than was chosen."""
    for name, triple in PROCESSORS.items():
        kind = registers_of(triple, name, "")
        for tile in tiles_of(TILES[kind]):
            for more in (0, 1):
                larger = tile._replace(vectors=tile.vectors + more)
                counts = hottest(assembly_of(larger, name, triple)).counts()
                yield {
                    "register_bits": kind.bits,
                    "registers": kind.number,
                    "processor": name,
                    **larger._asdict(),
                    "chosen": "no" if more else "yes",
                    "multiply_adds": counts["multiply-adds"],
                    "on_the_stack": counts["on the stack"],
                }


@click.command(help=__doc__)
@click.option("--processor", type=click.Choice(list(PROCESSORS)), multiple=True, default=list(PROCESSORS))
@click.option("--listing", is_flag=True, help="Print the loops themselves too.")
@click.option("--write", is_flag=True, help="Write the table of spills.")
def main(processor: tuple[str, ...], listing: bool, write: bool) -> None:
    if write:
        with replacing(SPILLS) as temporary:
            pd.DataFrame(spills()).to_csv(temporary, index=False, lineterminator="\n")
        return
    for name in processor:
        triple = PROCESSORS[name]
        for tile in tiles_of(TILES[registers_of(triple, name, "")]):
            loop = hottest(assembly_of(tile, name, triple))
            said = ", ".join(f"{n} {kind}" for kind, n in loop.counts().most_common())
            click.echo(f"{name}, {tile.name} of {tile.rows} x {tile.vectors} in {tile.chains}: {said}")
            if listing:
                click.echo("\n".join("    " + line for line in loop.lines))


if __name__ == "__main__":
    main()
