"""The harness beside the package: what it reads from assembly, that it gives the cores back, and what it writes."""

import os

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmarks import bench
from benchmarks.assembly import hottest, innermost_loops
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
