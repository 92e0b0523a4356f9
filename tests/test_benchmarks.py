"""The harness beside the package: what it reads from assembly, that it gives the cores back, and what it writes."""

import os

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmarks import bench
from benchmarks.assembly import ARM, SPILLS, Tile, assembly_of, hottest, innermost_loops, spills
from rflo_repro.cli import cli
from rflo_repro.runs.system import one_core

ROWS = [
    {"rule": "rflo", "n_rec": 30, "n_steps": 800, "us_per_step": 1.0, "beside": "rflo", "ratio": 1.0,
     "expected_ratio": 1.0},
]  # fmt: skip
ASSEMBLY = """
    .text
kernel:
.LBB0_1:
    vmovupd	(%rdi), %zmm1
.LBB0_2:
    vbroadcastsd	(%rsi), %zmm0           # a comment
    vfmadd231pd	(%rdx), %zmm0, %zmm1
    vmovupd	%zmm1, 64(%rsp)
    jne	.LBB0_2
    addq	$8, %rsi
    jne	.LBB0_1
    vfmadd231pd	%zmm2, %zmm0, %zmm1
    retq
"""


def test_only_the_inner_loop_is_counted_and_all_of_it():
    (loop,) = innermost_loops(ASSEMBLY)
    assert loop.counts() == {
        "broadcasts": 1,
        "multiply-adds": 1,
        "multiply-adds that read memory": 1,
        "vector stores": 1,
        "on the stack": 1,
        "other": 1,
    }
    assert hottest(ASSEMBLY) == loop
    with pytest.raises(ValueError, match="no loop"):
        hottest("kernel:\n    retq\n")


ARM_ASSEMBLY = """
tile:
.LBB0_1:
    ldr	x8, [sp, #8]
.LBB0_2:
    ldp	q0, q1, [x9]                     // a comment
    ld1r	{ v2.2d }, [x8], #8
    fmla	v3.2d, v0.2d, v2.2d
    str	q3, [sp, #16]
    subs	x10, x10, #1
    b.ne	.LBB0_2
    cbnz	x8, .LBB0_1
    ret
"""


def test_loops_of_arm_are_read_too():
    (loop,) = innermost_loops(ARM_ASSEMBLY)
    assert loop.counts() == {
        "broadcasts": 1,
        "multiply-adds": 1,
        "vector loads": 1,
        "vector stores": 1,
        "on the stack": 1,
        "other": 2,
    }


def test_sums_of_the_chosen_tiles_stay_in_registers_and_the_table_says_so():
    table, now = pd.read_csv(SPILLS), pd.DataFrame(spills())
    told = [name for name in table.columns if name != "on_the_stack"]
    assert table[told].equals(now[told]), "run `python -m benchmarks.assembly --write`"
    for frame in (table, now):
        fused = frame[(frame.processor != "x86-64") & (frame.chosen == "yes")]
        assert set(zip(fused.register_bits, fused.registers, strict=True)) == {(512, 32), (256, 16), (128, 32)}
        assert (fused.on_the_stack == 0).all()
    # the negative control: a row as it fits sixteen registers of 256 bits
    assert hottest(assembly_of(Tile("row", 1, 7), "neoverse-n1", ARM)).counts()["on the stack"] > 20


def test_one_core_while_it_is_timed_and_all_of_them_after(monkeypatch):
    asked = [{0, 1, 5}]
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: asked[-1], raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: asked.append(cores), raising=False)
    with one_core():
        assert asked[1:] == [{5}]
    assert asked[2:] == [{0, 1, 5}]


def test_where_a_process_cannot_choose_its_cores_it_is_timed_on_all(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with one_core():
        pass


def test_tables_of_the_usual_sizes_are_not_replaced_by_others(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "rules", lambda sizes: pd.DataFrame(ROWS).assign(n_rec=sizes[0]))

    def run(*sizes):
        asked = [word for n in sizes for word in ("--n-rec", str(n))]
        return CliRunner().invoke(cli, ["bench", "--part", "rules", *asked, "--results", str(tmp_path)])

    assert run().exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.glob("bench_*")}
    done = run(8)
    assert done.exit_code == 2
    assert "'--results'" in done.output
    assert {path: path.read_bytes() for path in tmp_path.glob("bench_*")} == before
    # and neither is what cannot be believed
    (tmp_path / "bench_rules.json").unlink()
    assert run(8).exit_code == 2
    (tmp_path / "bench_rules.csv").unlink()
    assert run(8).exit_code == 0
    assert run(8).exit_code == 0
    assert run(9).exit_code == 2
