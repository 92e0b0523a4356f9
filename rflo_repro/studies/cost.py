"""What a timestep costs: `rflo-repro fig-cost` on any machine, and `rflo-repro bench` in a source checkout.

Timing tables are measurements of one machine at one hour; they are not the same twice.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from rflo_repro.learning.network import Network
from rflo_repro.learning.training import train
from rflo_repro.report import style
from rflo_repro.runs import provenance, road
from rflo_repro.runs.request import Refused
from rflo_repro.runs.tables import Column, Schema, write
from rflo_repro.tasks import PeriodicTask

N_STEPS = 800
# RTRL grows with the fourth power: at 64 units a single step takes milliseconds
SIZES = {
    "rtrl": (4, 8, 12, 16, 24, 32, 48, 64),
    "bptt": (8, 16, 30, 64, 100, 200, 400, 1000),
    "rflo": (8, 16, 30, 64, 100, 200, 400, 1000),
}
PAPER = {"rtrl": 4, "bptt": 2, "rflo": 2}
SHARE_FOR_SLOPE = 4  # the slope is fitted to the largest sizes, where the power law has set in
SECONDS, REPEATS = 0.15, 5

_RULE = Column("rule", "text", "", "learning rule, updates at the end of the trial")
_N_REC = Column("n_rec", "integer", "units", "number of recurrent units N")
_N_STEPS = Column("n_steps", "integer", "timesteps", "length of a trial T")
_TIME = Column("us_per_step", "number", "microseconds", "time of a timestep on one core, update included")
COST = Schema("cost", "one rule at one size", (_RULE, _N_REC, _N_STEPS, _TIME), ("rule", "n_rec"))
STEPS = Schema(
    "bench_steps",
    "one rule of one implementation at one size",
    (
        _RULE,
        Column("implementation", "text", "", "rflo_repro, c (hand-vectorised), jax, or numpy (a plain class)"),
        _N_REC,
        _N_STEPS,
        _TIME,
        Column("ratio_to_c", "number", "", "time over that of the C program in the same run; empty without one"),
        Column("fraction_of_fma_rate", "number", "", "multiply-adds a second over the most one core was seen to do"),
        Column("fraction_of_traffic_rate", "number", "", "online rule: time of its memory traffic alone over its time"),
    ),
    ("rule", "implementation", "n_rec"),
)
MEMORY = Schema(
    "bench_memory",
    "one session in a process of its own",
    (
        _RULE,
        _N_REC,
        _N_STEPS,
        Column("megabytes", "number", "MB", "peak resident memory beyond that of a session of 8 units and 10 steps"),
        Column(
            "expected_megabytes", "number", "MB", "what is expected: 8 bytes a unit and step, and for 5 N^2 weights"
        ),
    ),
    ("rule", "n_rec", "n_steps"),
)
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


def time_per_step(rule: str, n_rec: int, n_steps: int = N_STEPS) -> float:
    """Microseconds a timestep of training takes through the public API, best of several runs."""
    net = Network.random(n_rec, 0, 1, np.random.default_rng(n_rec))
    task = PeriodicTask(n_steps)

    def seconds(n_trials: int) -> float:
        start = time.perf_counter()
        train(net, task, rule, 1e-3, n_trials, np.random.default_rng(0))
        return time.perf_counter() - start

    seconds(1)
    n_trials = max(1, round(SECONDS / seconds(1)))
    return min(seconds(n_trials) for _ in range(REPEATS)) / n_trials / n_steps * 1e6


def slope(frame: pd.DataFrame) -> float:
    """The exponent k of cost ~ N^k, fitted to the largest sizes of one rule's rows."""
    large = frame.sort_values("n_rec").tail(SHARE_FOR_SLOPE)
    return float(np.polyfit(np.log(large.n_rec), np.log(large.us_per_step), 1)[0])


def fig_cost(results: Path, figures: Path, console: Console) -> None:
    """Measure the cost of a timestep against N, write the table, draw it. Raises Refused for a folder it cannot use."""
    road.check_folder("results", results)
    road.check_folder("figures", figures)
    rows = []
    for rule, sizes in SIZES.items():
        for n_rec in sizes:
            n_steps = 50 if rule == "rtrl" else N_STEPS
            rows.append(
                {"rule": rule, "n_rec": n_rec, "n_steps": n_steps, "us_per_step": time_per_step(rule, n_rec, n_steps)}
            )
        part = pd.DataFrame(rows)
        console.print(f"  {rule:<6} cost ~ N^{slope(part[part.rule == rule]):.2f}", highlight=False)
    frame = pd.DataFrame(rows)
    files = [write(results, COST, frame, _page()), *draw(frame).save(figures / "cost")]
    console.print("\n".join(str(path) for path in files), highlight=False, soft_wrap=True)


def draw(frame: pd.DataFrame) -> style.Picture:
    """Cost of a timestep against N, on logarithmic axes, with the fitted exponents."""
    with style.style():
        figure = style.new_figure(4.6, 3.6)
        axes = figure.subplots()
        for rule in SIZES:
            part = frame[frame.rule == rule]
            k = slope(part)
            axes.plot(part.n_rec, part.us_per_step, "o", color=style.colour(rule), markersize=4)
            large = part.sort_values("n_rec").tail(SHARE_FOR_SLOPE)
            middle = np.exp(np.log(large.us_per_step).mean()), np.exp(np.log(large.n_rec).mean())
            at = np.array([large.n_rec.min(), large.n_rec.max()])
            axes.plot(
                at,
                middle[0] * (at / middle[1]) ** k,
                color=style.colour(rule),
                label=f"{style.name(rule)}  $N^{{{k:.1f}}}$  (paper: $N^{PAPER[rule]}$)",
            )
        axes.set_xscale("log")
        style.log_decades(axes, 10 ** np.floor(np.log10(frame.us_per_step.min())), None)
        axes.set_xlabel("number of units N")
        axes.set_ylabel("time of a timestep  (µs)")
        axes.legend(loc="lower right")
    return figure


def _page() -> dict[str, Any]:
    return {"runs": [provenance.record()]}


def harness() -> ModuleType:
    """`benchmarks/steps.py` of the source checkout. Raises Refused where there is none."""
    root = provenance.PACKAGE.parent
    if not (root / "benchmarks" / "steps.py").is_file():
        raise Refused(None, "bench compares with C, JAX and NumPy, which are in benchmarks/ of a source checkout")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    from benchmarks import steps

    return steps


def bench(sizes: Sequence[int], limit_c: str | None, parts: Sequence[str], results: Path, console: Console) -> None:
    """Run the parts of the benchmark, print and write their tables.

    Raises Refused for a folder that cannot be written, or where there is no source checkout.
    """
    road.check_folder("results", results)
    measure: dict[str, tuple[Schema, Callable[[], pd.DataFrame]]] = {
        "steps": (STEPS, lambda: pd.DataFrame(harness().run(sizes, N_STEPS, limit_c))),
        "cores": (CORES, cores),
        "memory": (MEMORY, memory),
    }
    for part in parts:
        schema, function = measure[part]
        frame = function()
        show(frame, schema, console)
        path = write(results, schema, frame, _page())
        console.print(f"table    {path}", highlight=False, soft_wrap=True)


def show(frame: pd.DataFrame, schema: Schema, console: Console) -> None:
    """Print a table of measurements."""
    table = Table(box=None, pad_edge=False)
    for column in schema.columns:
        table.add_column(column.name.replace("_", " "), justify="left" if column.kind == "text" else "right")
    for row in frame.itertuples(index=False):
        cells = (getattr(row, column.name) for column in schema.columns)
        table.add_row(*(_cell(value) for value in cells))
    console.print(table, highlight=False)


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def cores() -> pd.DataFrame:
    """Ten networks on one thread and on two, in turn, best of five."""
    nets = [Network.random(30, 0, 1, np.random.default_rng(i)) for i in range(10)]

    def one(net: Network) -> None:
        train(net, PeriodicTask(N_STEPS), "rflo", 1e-3, 2000, np.random.default_rng(0))

    def seconds(jobs: int) -> float:
        start = time.perf_counter()
        joblib.Parallel(n_jobs=jobs, backend="threading")(joblib.delayed(one)(net) for net in nets)
        return time.perf_counter() - start

    one(nets[0])
    rounds = [{jobs: seconds(jobs) for jobs in (1, 2)} for _ in range(5)]
    best = {jobs: min(times[jobs] for times in rounds) for jobs in (1, 2)}
    return pd.DataFrame([{"jobs": j, "seconds": s, "share": s / best[1]} for j, s in best.items()])


def memory() -> pd.DataFrame:
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
    code = f"from rflo_repro.studies.cost import one_trial; one_trial({rule!r}, {n_rec}, {n_steps})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def one_trial(rule: str, n_rec: int, n_steps: int) -> None:
    """Train one network for one trial and print this process's peak memory in bytes."""
    net = Network.random(n_rec, 0, 1, np.random.default_rng(0))
    train(net, PeriodicTask(n_steps), rule, 1e-3, 1, np.random.default_rng(0))
    print(_peak_of_this_process())


def _peak_of_this_process() -> int:
    """Peak resident memory in bytes. Raises Refused where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():
        # not getrusage, whose peak a new process on Linux inherits from the one that started it
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        raise Refused("part", "memory cannot be measured on this system") from None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
