"""Numbers of studies for texts: times of a timestep, losses by rule, how a cost grows."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from rflo_repro.runs import tables
from rflo_repro.stats import statistics
from rflo_repro.stats.answers import Answered
from rflo_repro.stats.claims import Finding, judge
from rflo_repro.studies.registry import studies
from rflo_repro.studies.rules.claims import rank_correlations
from rflo_repro.studies.structure import claims as of_structure
from rflo_repro.studies.tasks import claims as of_tasks


class Bench:
    """Times of a timestep, as `rflo-repro bench` measured them."""

    def __init__(self, results: Path) -> None:
        self.results = results
        frame = pd.read_csv(results / "bench_steps.csv")
        self.steps = frame.set_index(["rule", "implementation", "n_rec", "register_bits"])
        self.memory_table = pd.read_csv(results / "bench_memory.csv").set_index(["rule", "n_rec", "n_steps"])
        self.spills = pd.read_csv(Path(__file__).parents[1] / "benchmarks" / "spills.csv")
        self.cores_table = pd.read_csv(results / "bench_cores.csv").set_index("jobs")

    def processor(self) -> str:
        """What LLVM calls the processor on which the steps were measured."""
        return str(
            json.loads((self.results / "bench_steps.json").read_text(encoding="utf-8"))["runs"][-1]["machine"]["cpu"]
        )

    def tiles(self) -> list[dict[str, str]]:
        """What each kind of registers has of each tile, its processors, and what a vector more would put on the stack:
        text by column."""
        found = []
        for (bits, number), rows in self.spills.groupby(["register_bits", "registers"], sort=False):
            line = {"registers": f"{bits} bits × {number}", "processors": ", ".join(rows.processor.unique())}
            rows = rows[rows.processor == rows.processor.iloc[0]]
            for name, tile in rows.groupby("name", sort=False):
                chosen, larger = tile[tile.chosen == "yes"], tile[tile.chosen == "no"]
                sizes = " or ".join(f"{r * c} × {v}" for r, v, c in chosen[["rows", "vectors", "chains"]].to_numpy())
                spilled = [" or ".join(map(str, some.on_the_stack.unique())) for some in (chosen, larger)]
                line[str(name)] = f"{sizes}: {spilled[0]}, then {spilled[1]}"
            found.append(line)
        return found

    def us(self, rule: str, n_rec: int, bits: int = 256, implementation: str = "rflo_repro") -> str:
        """Microseconds a timestep; of trials in lockstep, of one of them."""
        value = float(self.steps.us_per_step[rule, implementation, n_rec, bits])
        return (
            f"{value:.0f}"
            if value >= 99.5
            else f"{value:#.3g}".rstrip(".")
            if value < 1
            else f"{value:#.2g}".rstrip(".")
        )

    def times(self, rule: str, n_rec: int, implementation: str, bits: int = 256) -> float:
        """How many times our time another implementation takes."""
        column = self.steps.us_per_step
        return float(column[rule, implementation, n_rec, bits] / column[rule, "rflo_repro", n_rec, bits])

    def range(self, implementation: str) -> str:
        """The least and the most of these, over rules, sizes and registers."""
        keys = [key for key in self.steps.index if key[1] == implementation]
        found = [self.times(rule, n_rec, implementation, bits) for rule, _, n_rec, bits in keys]
        return f"{min(found):.1f} to {max(found):.{0 if max(found) >= 10 else 1}f}"

    def megabytes(self, rule: str, n_rec: int, n_steps: int) -> str:
        """Memory of a training."""
        return f"{float(self.memory_table.megabytes[rule, n_rec, n_steps]):.0f}"

    def share(self, jobs: int) -> str:
        """Time of ten networks on so many cores, as a share of that on one."""
        return f"{float(self.cores_table.share[jobs]):.2f}"


class Rules:
    """The comparison of rules, `rflo-repro fig-rules`."""

    def __init__(self, results: Path) -> None:
        self.final = pd.read_csv(results / "rules_final.csv")
        self.gradient = pd.read_csv(results / "gradient.csv")

    def loss(self, rule: str, period: int) -> str:
        """Median final loss on a period in tau."""
        return _loss(float(self._of(rule, period).final_loss.median()))

    def learned(self, rule: str, period: int) -> str:
        """How many networks learned."""
        mine = self._of(rule, period)
        return f"{(mine.outcome == 'learned').sum()} of {len(mine)}"

    def cosines(self) -> str:
        """Least and largest mean cosine of RFLO's update of W and minus the gradient, over periods."""
        mine = self.final[(self.final.rule == "rflo") & (self.final.optimizer == "sgd")]
        return _range(mine.groupby("period_tau").cosine.mean())

    def cosines_of_figure_2(self) -> str:
        """The same in the networks of Figure 2 at the paper's learning rates."""
        frame = self.gradient
        mine = frame[(frame.rule == "rflo") & (frame.matrix == "w_rec") & (frame.rates == "printed")]
        return _range(mine.groupby("period_tau").cosine.mean())

    def correlation(self, period: int) -> str:
        """The median over networks of the rank correlation, over rules, of the cosine and the final loss."""
        mine = self.final[(self.final.task == "periodic") & (self.final.period_tau == period)]
        return f"{statistics.median(rank_correlations(mine)):.2f}".replace("-", "−")

    def _of(self, rule: str, period: int) -> pd.DataFrame:
        frame = self.final
        return frame[(frame.task == "periodic") & (frame.rule == rule) & (frame.period_tau == period)]


class Tasks:
    """The tasks of the field, `rflo-repro fig-tasks`."""

    def __init__(self, results: Path) -> None:
        self.final = pd.read_csv(results / "tasks_final.csv")
        self.n_networks = int(self.final.network.nunique())
        self.n_trials = f"{int(self.final.n_trials.max()):,}"

    def n_rec(self, task: str) -> int:
        """Units of its networks."""
        return int(self.final[self.final.task == task].n_rec.iloc[0])

    def cell(self, task: str, rule: str) -> str:
        """The median metric, and how many networks are above 95%."""
        metric = self._of(task, rule)
        return f"{metric.median():.1%}, {(metric > 0.95).sum()}"

    def answer(self, task: str) -> str:
        """Whether RFLO ends as low as BPTT, and at how many times its loss."""
        found = self._part(task)
        return f"{found.answer}: {_times(found)}"

    def times(self, task: str) -> str:
        """At how many times the loss of BPTT RFLO ends."""
        return _times(self._part(task)).split(" times")[0]

    def _part(self, task: str) -> Answered:
        (finding,) = of_tasks.CLAIMS[0].findings({"final": self.final})
        return _answered(finding, task)

    def points(self, task: str) -> str:
        """By how many percentage points RFLO's median is below that of BPTT."""
        below = 100.0 * (self._of(task, "bptt").median() - self._of(task, "rflo").median())
        return f"{below:.1f}".replace("-", "−")

    def _of(self, task: str, rule: str) -> pd.Series[float]:
        return self.final[(self.final.task == task) & (self.final.rule == rule)].metric


class Field:
    """Rules on tasks of the field, `rflo-repro fig-rules`."""

    def __init__(self, results: Path) -> None:
        self.final = pd.read_csv(results / "rules_tasks.csv")

    def right(self, task: str, rule: str) -> str:
        """The median metric."""
        return f"{self.final[(self.final.field_task == task) & (self.final.rule == rule)].metric.median():.0%}"


class Structure:
    """What learning changes of W, and two layers, `rflo-repro fig-structure`."""

    def __init__(self, results: Path) -> None:
        self.final = pd.read_csv(results / "structure_final.csv")
        self.n_networks = int(self.final.network.nunique())

    def loss(self, rule: str, period: int, layers: int) -> str:
        """Median final loss on a period in tau."""
        return _loss(float(self._of(rule, period, layers).final_loss.median()))

    def answer(self, rule: str, period: int) -> str:
        """Whether two layers end as low as one, and at how many times the loss."""
        found = _answered(self._finding(), f"{rule}, {period} τ")
        return f"{found.answer}: {_times(found)}"

    def nowhere_better(self) -> bool:
        """Whether no interval leaves two layers below one."""
        return all(part.answered is not None and part.answered.high > 0.0 for part in self._finding().parts)

    def _finding(self) -> Finding:
        (finding,) = of_structure.CLAIMS[0].findings({"final": self.final})
        return finding

    def share(self, rule: str, period: int, k: int) -> str:
        """Median share of the squared change of W in its largest singular values, of one layer."""
        return f"{self._of(rule, period, 1)[f'share_{k}'].median():.0%}"

    def _of(self, rule: str, period: int, layers: int) -> pd.DataFrame:
        frame = self.final
        return frame[(frame.rule == rule) & (frame.period_tau == period) & (frame.layers == layers)]


def _answered(finding: Finding, part: str) -> Answered:
    (found,) = (of.answered for of in finding.parts if of.what == part)
    assert found is not None
    return found


def _times(found: Answered) -> str:
    median, low, high = (
        f"{10.0**x:,.0f}" if x > 2.0 else f"{10.0**x:.2g}" for x in (found.median, found.low, found.high)
    )
    return f"{median} times ({low} to {high})"


class Cost:
    """How the cost of a timestep grows with N, `rflo-repro fig-cost`."""

    def __init__(self, results: Path) -> None:
        experiment = studies()["fig-cost"].experiment
        frames = {part: tables.read(results, schema)[0] for part, schema in experiment.schemas.items()}
        parts = [part for findings in judge(experiment.claims, frames) for found in findings for part in found.parts]
        self.exponents = {part.what.split(":")[0]: part.answered.median for part in parts if part.answered}

    def grows(self, rule: str) -> str:
        """The exponent of N."""
        return f"{self.exponents[rule]:.1f}"


def _range(means: pd.Series[float]) -> str:
    return f"{means.min():.3f} to {means.max():.3f}".replace("-", "−")


def _loss(value: float) -> str:
    """A loss, in two digits."""
    return f"{value:#.2g}" if value >= 1e-3 else f"{value:.1e}".replace("e-0", "e-")
