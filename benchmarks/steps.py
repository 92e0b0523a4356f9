"""Time per step of every rule, beside hand-written C, JAX, and plain NumPy, in one interleaved run.

The measuring stick is a C program that takes ``N T trials rule`` and prints ``... <time> us/timestep ...``; without
one, or without a compiler, its rows are left out, and so are JAX's where it is not installed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.numpy_class import NumpyNetwork
from rflo_repro.learning import kernels
from rflo_repro.learning.kernels._cache import numba_config
from rflo_repro.learning.kernels.registers import registers
from rflo_repro.runs import system

Array = NDArray[np.float64]
Row = dict[str, Any]

TAU, ETA = 10.0, 0.003
BATCH = 10
LARGE = 500  # a trial is long enough to be its own average: a third of the rounds will do
LARGEST_RTRL = 40  # its cost grows with the fourth power
# Multiply-adds a step and pair of units: drive, gradient or traces, and the carry of BPTT or the update of online.
PRODUCTS = {"rflo": 2, "bptt": 3, "rflo online": 4, "rflo batch": 2, "bptt batch": 3}


@dataclass(frozen=True)
class Problem:
    """The periodic task of Figure 2 for a random network."""

    w: Array
    w_out: Array
    feedback: Array
    h0: Array
    targets: Array

    @classmethod
    def random(cls, n_rec: int, n_steps: int, seed: int = 0) -> Problem:
        rng = np.random.default_rng(seed)
        phase = 2 * np.pi * np.arange(1, n_steps + 1) / n_steps
        return cls(
            w=rng.normal(size=(n_rec, n_rec)) * 1.5 / np.sqrt(n_rec),
            w_out=rng.uniform(-1, 1, (1, n_rec)) / np.sqrt(n_rec),
            feedback=rng.normal(size=(n_rec, 1)),
            h0=np.full(n_rec, 0.1),
            targets=(np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.25 * np.sin(4 * phase))[:, None],
        )


Timer = Callable[[int], float]
"""Trains for a number of trials; returns seconds."""


def ours(problem: Problem, rule: str) -> Timer:
    """A rule of the package; ``batch`` advances ten trials in lockstep, ``batch apart`` one by one.

    Every call lays its arrays out anew, as every run of the C program does: now and then arrays come to lie so that
    they compete for the same sets of the cache, and a small network takes a fifth longer for as long as they do.
    """
    n_rec, n_steps = problem.w.shape[0], len(problem.targets)
    batch = BATCH if "batch" in rule else 1
    exact = rule in ("bptt", "bptt batch", "rtrl")

    def session() -> Callable[[int], None]:
        weights = kernels.weights(n_rec, 0, 1, np.zeros(0), TAU, False)
        weights.m[:, :n_rec], weights.w_out[:, :n_rec] = problem.w.T, problem.w_out
        weights.b[:, :n_rec], weights.state[:n_rec] = problem.feedback.T, problem.h0
        inputs, targets = np.zeros((1, n_steps, 0)), problem.targets[None].copy()
        train: Callable[..., int] = kernels.train_trials
        work: Any = None
        if rule == "rtrl":
            train, work = kernels.train_exact, kernels.exact_workspace(n_rec, 0, 1)
        elif rule == "rflo online":
            train, work = kernels.train_online, kernels.trace_workspace(n_rec, 0, 1)
        else:
            work = kernels.workspace(n_rec, 0, 1, n_steps, 1 if "apart" in rule else batch)
        switches = kernels.Rule(exact, kernels.CARRIES["full" if exact else "leak"])

        def advance(n_trials: int) -> None:
            order = np.zeros(n_trials, dtype=np.int64)
            record = kernels.Record(np.empty(n_trials), np.empty(n_trials))
            trials = kernels.Trials(inputs, targets, order, batch, True)
            n_good = train(weights, trials, switches, kernels.Rates(ETA, ETA, ETA), record, work)
            if n_good != n_trials:
                raise RuntimeError(f"{rule} diverged at N = {n_rec}: the time would mean nothing")

        return advance

    def train(n_trials: int) -> float:
        advance = session()
        advance(batch)  # the first touch of the memory, and the compiler's time
        start = time.perf_counter()
        advance(n_trials)
        return time.perf_counter() - start

    return train


def plain_numpy(problem: Problem, rule: str) -> Timer:
    """The class of `numpy_class`."""
    p = problem
    update = getattr(NumpyNetwork(p.w, p.w_out, p.feedback, p.h0, TAU, ETA), rule)

    def train(n_trials: int) -> float:
        start = time.perf_counter()
        for _ in range(n_trials):
            update(p.targets)
        return time.perf_counter() - start

    return train


def jax_scan(problem: Problem, rule: str) -> Timer:
    """The functions of `jax_scan`."""
    from benchmarks.jax_scan import session

    p = problem
    run = session(rule, p.w, p.w_out, p.feedback, p.h0, p.targets, TAU, ETA)

    def train(n_trials: int) -> float:
        start = time.perf_counter()
        run(n_trials)
        return time.perf_counter() - start

    return train


def find_limit(given: str | None) -> Path | None:
    """The C source: what is given, else RFLO_LIMIT_C, else limit.c in this folder, else None."""
    named = given or os.environ.get("RFLO_LIMIT_C")
    path = Path(named) if named else Path(__file__).with_name("limit.c")
    if named and not path.is_file():
        raise FileNotFoundError(f"no C source at {path}")
    return path if path.is_file() else None


def compile_limit(source: Path, folder: Path) -> Path | None:
    """The program, or None where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    program = folder / "limit"
    named = numba_config.CPU_NAME
    options = ["-O3", f"-march={named or 'native'}", "-ffast-math", "-o", str(program), str(source), "-lm"]
    subprocess.run([compiler, *options], check=True)
    return program


def hand_written_c(program: Path, n_rec: int, n_steps: int, rule: str) -> Timer:
    """The measuring stick, which times itself."""

    def train(n_trials: int) -> float:
        command = [str(program), str(n_rec), str(n_steps), str(n_trials), rule]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = re.search(r"([\d.]+) us/timestep", said)
        if found is None:
            raise RuntimeError(f"{program} did not say its time: {said!r}")
        return float(found[1]) * 1e-6 * n_trials * n_steps

    return train


def measure(
    n_rec: int, n_steps: int = 800, limit: Path | None = None, repeats: int = 15, seconds: float = 0.05
) -> list[Row]:
    """Time all implementations at one size; each gets about `seconds` in each of `repeats` interleaved rounds.

    The best round counts: whatever else a machine does can only make a round longer. Row: rule, implementation,
    n_rec, n_steps, register_bits, us_per_step, ratio_to_c (None without C), fraction_of_fma_rate and
    fraction_of_traffic_rate (how near to the ceilings of `machine`; the latter for the online rule only).
    """
    problem = Problem.random(n_rec, n_steps)
    timers: dict[tuple[str, str], Timer] = {}
    for rule in ("rflo", "bptt"):
        timers[rule, "rflo_repro"] = ours(problem, rule)
        if limit is not None:
            timers[rule, "c"] = hand_written_c(limit, n_rec, n_steps, rule)
        if importlib.util.find_spec("jax"):
            timers[rule, "jax"] = jax_scan(problem, rule)
        timers[rule, "numpy"] = plain_numpy(problem, rule)
    for rule in ("rflo online", "rflo batch", "rflo batch apart", "bptt batch"):
        timers[rule, "rflo_repro"] = ours(problem, rule)
    if n_rec <= LARGEST_RTRL:
        timers["rtrl", "rflo_repro"] = ours(problem, "rtrl")
    unit = {key: BATCH if "batch" in key[0] else 1 for key in timers}
    n_trials = {}
    for key, timer in timers.items():
        timer(unit[key])  # compiles, and warms the caches
        n_trials[key] = unit[key] * max(1, round(seconds / timer(unit[key])))
    best = dict.fromkeys(timers, np.inf)
    for _ in range(repeats if n_rec < LARGE else max(3, repeats // 3)):
        for key, timer in timers.items():
            best[key] = min(best[key], timer(n_trials[key]) / n_trials[key] / n_steps * 1e6)
    rate = machine.multiply_adds_per_us()
    rows = []
    for (rule, implementation), us in best.items():
        reference = best.get((rule.removesuffix(" apart").removesuffix(" batch"), "c"))
        products = n_rec**4 if rule == "rtrl" else PRODUCTS[rule.removesuffix(" apart")] * n_rec**2
        rows.append(
            {
                "rule": rule,
                "implementation": implementation,
                "n_rec": n_rec,
                "n_steps": n_steps,
                "register_bits": registers().bits,
                "us_per_step": us,
                "ratio_to_c": None if reference is None else us / reference,
                "fraction_of_fma_rate": products / us / rate,
                "fraction_of_traffic_rate": machine.two_matrices_us(n_rec) / us if "online" in rule else None,
            }
        )
    return rows


def run(sizes: Sequence[int], n_steps: int = 800, limit_c: str | None = None, repeats: int = 15) -> list[Row]:
    """`measure` at every size on one core, with the C program compiled for this machine where there is one."""
    source = find_limit(limit_c)
    with tempfile.TemporaryDirectory() as folder, system.one_core():
        program = compile_limit(source, Path(folder)) if source else None
        return [row for n_rec in sizes for row in measure(n_rec, n_steps, program, repeats)]
