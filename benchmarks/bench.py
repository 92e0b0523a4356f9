"""`rflo-repro bench`: time of a timestep beside C, JAX and NumPy; the rules beside each other; two cores; memory.

Timing tables are measurements of one machine at one hour; they are not the same twice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from rich.console import Console

from benchmarks import memory
from benchmarks import steps as benchmark_steps
from rflo_repro.learning.kernels.registers import registers
from rflo_repro.learning.network import Network
from rflo_repro.learning.rules import RULES, LearningRule
from rflo_repro.learning.train import train
from rflo_repro.runs import folders, output, provenance, size, system, tables
from rflo_repro.runs.request import RequestError
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.cost.experiment import N_REC, N_STEPS, RULE, TIME
from rflo_repro.tasks import PeriodicTask

SIZES = (30, 100, 200, 1000)
TIMED_STEPS = 800
N_MATRICES = 15  # of N^2 numbers, in all implementations together
STEPS = Schema(
    "bench_steps",
    "one rule of one implementation at one size",
    (
        RULE,
        Column("implementation", "text", "", "rflo_repro, c (hand-vectorised), jax, or numpy (a plain class)"),
        N_REC,
        N_STEPS,
        Column(
            "register_bits", "integer", "bits", "registers that all were compiled for: the machine's, or 256 of 512"
        ),
        TIME,
        Column("ratio_to_c", "number", "", "time over that of the C program in the same run; empty without one"),
        Column("fraction_of_fma_rate", "number", "", "multiply-adds a second over the most one core was seen to do"),
        Column("fraction_of_traffic_rate", "number", "", "online rule: time of its memory traffic alone over its time"),
    ),
    ("rule", "implementation", "n_rec", "register_bits"),
)
# What makes a machine with wide registers compile for the kind that most laptops have
NARROW = {"NUMBA_CPU_NAME": "x86-64-v3", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2", "OPENBLAS_CORETYPE": "Haswell"}
FAMILY = Schema(
    "bench_rules",
    "one rule of the family at one size",
    (
        RULE,
        N_REC,
        N_STEPS,
        TIME,
        Column("beside", "text", "", "what it is measured beside: bptt where the carry is full, else rflo"),
        Column("ratio", "number", "", "time over that of the rule beside it, in the same rounds"),
        Column("expected_ratio", "number", "", "by the N^2 products of a step: 1, or (2 + R) / 3 for R draws"),
    ),
    ("rule", "n_rec"),
)
MEMBERS = (
    RULES["rflo"],
    RULES["bptt"],
    RULES["snap-0"],
    RULES["snap-1"],
    LearningRule("trace of 4 tau", "random", "leak", trace_tau=40.0),
    LearningRule("blocks of 50", "symmetric", "full", truncation=50),
    RULES["uoro"],
    replace(RULES["uoro"], name="uoro, 3 draws", draws=3),
    replace(RULES["uoro"], name="uoro, 10 draws", draws=10),
    RULES["kf-rtrl"],
)
LARGEST_KF = 100  # its cost grows with the third power
LARGE = 500  # a trial is long enough to be its own average
ROUNDS, SECONDS = 15, 0.05
CORES = Schema(
    "bench_cores",
    "ten networks, a number of threads",
    (
        Column("jobs", "integer", "threads", "threads"),
        Column("seconds", "number", "seconds", "time of ten networks of 30 units"),
        Column("share", "number", "", "time over that of one thread"),
    ),
    ("jobs",),
)


def bench(
    sizes: Sequence[int], limit_c: str | None, parts: Sequence[str], named: Path | None, console: Console
) -> None:
    """Run the parts of the benchmark, print and write their tables: into `named`, or beside the others if the sizes are
    the usual ones.

    Raises RequestError for a folder that cannot be written or whose tables of other sizes would be replaced by unusual
    ones.
    """
    usual = tuple(sizes) == SIZES
    results = named or folders.of_run("results", "paper", usual, f"bench-{'_'.join(map(str, sizes))}")
    folders.check("results", results)
    settings = {"scale": "paper" if usual else folders.CUSTOM, "choices": {"n_rec": list(sizes)}, "eta": None}
    for n_rec in sizes if "steps" in parts else ():
        # the weights, their updates and what the other implementations hold of them
        if (needed := N_MATRICES * 8.0 * n_rec**2) > size.LARGEST_SHARE_OF_MEMORY * system.memory():
            have = system.memory() / 2**30
            message = f"{n_rec} needs about {needed / 2**30:.3g} GiB of memory, and this machine has {have:.3g} GiB"
            raise RequestError("n-rec", message)
    schemas = {"steps": STEPS, "rules": FAMILY, "cores": CORES, "memory": memory.MEMORY}
    for schema in (schemas[part] for part in parts if not usual):
        if (results / f"{schema.name}.csv").exists() and _settings(results, schema) != settings:
            raise RequestError("results", f"{results} has {schema.name} of other sizes; name another directory")
    measure: dict[str, Callable[[], pd.DataFrame]] = {
        "steps": lambda: steps(sizes, limit_c),
        "rules": lambda: rules(sizes),
        "cores": cores,
        "memory": memory.measure,
    }
    for part in parts:
        schema, frame = schemas[part], measure[part]()
        show(frame, schema, console)
        path = tables.write(results, schema, frame, output.metadata(schema, settings, [provenance.record()]))
        console.print(f"table    {path}", highlight=False, soft_wrap=True)


def _settings(results: Path, schema: Schema) -> Any:
    """What a table was made with; None if that cannot be told."""
    try:
        return tables.read(results, schema)[1].get("settings")
    except tables.TableError:
        return None


def steps(sizes: Sequence[int], limit_c: str | None) -> pd.DataFrame:
    """Times on this machine; and where its registers are wide, times as they are on one whose registers are narrow."""
    rows = benchmark_steps.run(sizes, TIMED_STEPS, limit_c)
    if registers().bits == 512:
        code = "import json, sys; from benchmarks import steps; print(json.dumps(steps.run(*json.loads(sys.argv[1]))))"
        given = json.dumps([list(sizes), TIMED_STEPS, limit_c])
        done = subprocess.run(
            [sys.executable, "-c", code, given],
            cwd=provenance.PACKAGE.parent, env={**os.environ, **NARROW}, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        rows += json.loads(done.stdout)
    return pd.DataFrame(rows)


def show(frame: pd.DataFrame, schema: Schema, console: Console) -> None:
    """Print a table of measurements."""
    named = frame[[column.name for column in schema.columns]].rename(columns=lambda name: name.replace("_", " "))
    text = named.astype(object).where(named.notna(), "").to_string(index=False, float_format="{:.3g}".format)
    console.print(text, highlight=False, soft_wrap=True)


def rules(sizes: Sequence[int]) -> pd.DataFrame:
    """Times of the family on one core, what is drawn at random included: the best of interleaved rounds."""
    rows = []
    with system.one_core():
        for n_rec in sizes:
            net = Network.random(n_rec, 0, 1, np.random.default_rng(0))
            members = [rule for rule in MEMBERS if rule.form != "kf" or n_rec <= LARGEST_KF]
            n_trials, best = {}, dict.fromkeys((rule.name for rule in members), np.inf)
            for rule in members:
                _seconds(net, rule, 1)  # compiles
                n_trials[rule.name] = max(1, round(SECONDS / _seconds(net, rule, 1)))
            for _ in range(ROUNDS if n_rec < LARGE else ROUNDS // 3):
                for rule in members:
                    seconds = _seconds(net, rule, n_trials[rule.name]) / n_trials[rule.name]
                    best[rule.name] = min(best[rule.name], seconds)
            for rule in members:
                beside = "bptt" if rule.carry == "full" else "rflo"
                rows.append(
                    {
                        "rule": rule.name,
                        "n_rec": n_rec,
                        "n_steps": TIMED_STEPS,
                        "us_per_step": best[rule.name] / TIMED_STEPS * 1e6,
                        "beside": beside,
                        "ratio": best[rule.name] / best[beside],
                        "expected_ratio": {"uoro": (2 + rule.draws) / 3, "kf": None}.get(rule.form, 1.0),
                    }
                )
    return pd.DataFrame(rows)


def _seconds(net: Network, rule: LearningRule, n_trials: int) -> float:
    """Time of so many trials, with weights that hardly move."""
    start = time.perf_counter()
    train(net, PeriodicTask(TIMED_STEPS), rule, 1e-9, n_trials, np.random.default_rng(0))
    return time.perf_counter() - start


def cores() -> pd.DataFrame:
    """Ten networks on one thread and on two, in turn, best of five."""
    nets = [Network.random(30, 0, 1, np.random.default_rng(i)) for i in range(10)]

    def one(net: Network) -> None:
        train(net, PeriodicTask(TIMED_STEPS), "rflo", 1e-3, 2000, np.random.default_rng(0))

    def seconds(jobs: int) -> float:
        start = time.perf_counter()
        joblib.Parallel(n_jobs=jobs, backend="threading")(joblib.delayed(one)(net) for net in nets)
        return time.perf_counter() - start

    one(nets[0])
    rounds = [{jobs: seconds(jobs) for jobs in (1, 2)} for _ in range(5)]
    best = {jobs: min(times[jobs] for times in rounds) for jobs in (1, 2)}
    return pd.DataFrame([{"jobs": j, "seconds": s, "share": s / best[1]} for j, s in best.items()])
