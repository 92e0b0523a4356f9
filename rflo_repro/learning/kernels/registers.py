"""The vector registers that kernels are compiled for, and the tiles whose sums stay in them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from llvmlite import binding

from ._cache import numba_config

if numba_config.CPU_NAME not in (None, "host") and numba_config.CPU_FEATURES is None:
    # Who names a processor means that one: numba would add whatever the host has beyond it
    numba_config.CPU_FEATURES = ""


class Registers(NamedTuple):
    """Bits of a vector register, and how many there are."""

    bits: int
    number: int


class Tiles(NamedTuple):
    """Sizes of the tiles of `products`, in rows and in vectors of eight doubles."""

    block_rows: int
    block_vectors: int
    row_vectors: int
    """Of a row by itself."""
    pair_vectors: int
    """Of two rows, which is what is left of some batches."""
    chain_vectors: int
    """Of a row in several chains, all chains together."""


# A tile keeps its sums and what they are made of in registers: of 512 bits, 25 sums and 5 vectors; of 256, where a
# vector takes two, 10 sums and a vector. `python -m benchmarks.assembly` shows what goes to the stack.
TILES = {
    Registers(512, 32): Tiles(5, 5, row_vectors=8, pair_vectors=8, chain_vectors=8),
    Registers(256, 16): Tiles(5, 1, row_vectors=7, pair_vectors=2, chain_vectors=6),
    Registers(128, 32): Tiles(5, 1, row_vectors=3, pair_vectors=2, chain_vectors=4),
    Registers(128, 16): Tiles(2, 1, row_vectors=1, pair_vectors=1, chain_vectors=4),
}
SUM_OF_EIGHT = """
define void @sum(ptr %x) {
    %a = load <8 x double>, ptr %x
    %b = fadd <8 x double> %a, %a
    store <8 x double> %b, ptr %x
    ret void
}
"""


def registers_of(triple: str, name: str, features: str) -> Registers:
    """The registers of a processor as LLVM describes it: those it uses to add eight doubles."""
    if not triple.startswith("x86_64"):
        return Registers(128, 32)
    target = binding.Target.from_triple(triple).create_target_machine(cpu=name, features=features)
    assembly = target.emit_assembly(binding.parse_assembly(SUM_OF_EIGHT))
    return Registers(512, 32) if "zmm" in assembly else Registers(256 if "ymm" in assembly else 128, 16)


def processor() -> str:
    """The processor that kernels are compiled for, as LLVM names it."""
    named = numba_config.CPU_NAME
    return str(binding.get_host_cpu_name() if named in (None, "host") else named)


@cache
def registers() -> Registers:
    """The registers that kernels are compiled for in this process."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = numba_config.CPU_FEATURES
    if features is None:
        features = binding.get_host_cpu_features().flatten()
    return registers_of(binding.get_process_triple(), processor(), features)
