"""Peak memory of training sessions of growing size, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from rflo_repro.learning.network import Network
from rflo_repro.learning.train import train
from rflo_repro.runs import system
from rflo_repro.runs.request import RequestError
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.studies.cost.experiment import N_REC, N_STEPS, RULE
from rflo_repro.tasks import PeriodicTask

MEMORY = Schema(
    "bench_memory",
    "one session in a process of its own",
    (
        RULE,
        N_REC,
        N_STEPS,
        Column("megabytes", "number", "MB", "peak resident memory beyond that of a session of 8 units and 10 steps"),
        Column(
            "expected_megabytes", "number", "MB", "what is expected: 8 bytes a unit and step, and for 5 N^2 weights"
        ),
    ),
    ("rule", "n_rec", "n_steps"),
)


def measure() -> pd.DataFrame:
    """Peak memory of sessions of growing size, each in a process of its own."""
    rows = []
    for rule in ("rflo", "bptt"):
        least = _peak(rule, 8, 10)
        for n_rec, n_steps in ((30, 1600), (100, 16_000), (1000, 800), (1000, 4000), (1000, 16_000)):
            rows.append(
                {
                    "rule": rule,
                    "n_rec": n_rec,
                    "n_steps": n_steps,
                    "megabytes": (_peak(rule, n_rec, n_steps) - least) / 1e6,
                    "expected_megabytes": 8 * (n_rec * n_steps + 5 * n_rec**2) / 1e6,
                }
            )
    return pd.DataFrame(rows)


def _peak(rule: str, n_rec: int, n_steps: int) -> float:
    """Peak resident memory in bytes of a process that trains one network for one trial."""
    code = f"from benchmarks.memory import one_trial; one_trial({rule!r}, {n_rec}, {n_steps})"
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    return float(done.stdout)


def one_trial(rule: str, n_rec: int, n_steps: int) -> None:
    """Train one network for one trial and print this process's peak memory in bytes."""
    net = Network.random(n_rec, 0, 1, np.random.default_rng(0))
    train(net, PeriodicTask(n_steps), rule, 1e-3, 1, np.random.default_rng(0))
    peak = system.peak_memory()
    if peak is None:
        raise RequestError("part", "memory cannot be measured on this system")
    print(peak)
