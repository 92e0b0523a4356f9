"""What Figure 3 runs: RFLO and BPTT on interval matching, with delays up to 15, 20 and 25 tau."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from rflo_repro.paper.fig3 import ABOUT
from rflo_repro.paper.fig3.choices import LONGEST_TAU, Choices
from rflo_repro.paper.fig3.claims import CLAIMS
from rflo_repro.paper.fig3.trial import IntervalSession
from rflo_repro.paper.rates import learning_rate
from rflo_repro.runs import learning_curves
from rflo_repro.runs.experiment import Experiment, plot_of
from rflo_repro.runs.job import Arrays, Condition, Results, by_network
from rflo_repro.runs.learning_curves import CURVE, FINAL, NETWORK, ROWS, condition_columns
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.session import Session
from rflo_repro.runs.tables import Column, Schema
from rflo_repro.stats.statistics import quartiles

# Methods, Figure 3
PRINTED = {"rflo": 0.001, "bptt": 0.003}
PANELS = {("rflo", 15): "ab", ("rflo", 20): "b", ("bptt", 15): "a", ("bptt", 25): "c"}
EXAMPLE_POINTS = 250


CHOICES = {
    "paper": Choices(),
    "quick": Choices(n_trials=2400, n_networks=2),
    "smoke": Choices(n_trials=20, n_networks=2),
}

_LONGEST = Column("longest_tau", "integer", "tau", "longest delay in training and in test trials")
_DELAY = Column("delay_tau", "number", "tau", "delay between the two input pulses of a test trial")
_CONDITION = condition_columns("figure", "panel", "rule", "rates", "eta")


def _schema(part: str, row: str, *columns: Column) -> Schema:
    return Schema(f"fig3_{part}", row, (*_CONDITION, _LONGEST, *columns), ("rule", "rates", "longest_tau"))


SCHEMAS = {
    "peaks": _schema(
        "peaks",
        "a test trial of one network",
        NETWORK,
        _DELAY,
        Column("peak_tau", "number", "tau", "time of the output's maximum, from the second pulse's peak"),
        Column("error_tau", "number", "tau", "time of the output's maximum less that of the target's"),
    ),
    "summary": _schema(
        "summary",
        "one delay, over networks",
        _DELAY,
        Column("n_networks", "integer", "", "number of networks"),
        Column("error_25_tau", "number", "tau", "25th percentile over networks of the size of the error"),
        Column("error_50_tau", "number", "tau", "median over networks of the size of the error"),
        Column("error_75_tau", "number", "tau", "75th percentile over networks of the size of the error"),
        Column("within_1_tau", "number", "", "share of networks whose error is at most 1 tau"),
    ),
    "final": _schema(
        "final",
        ROWS["final"],
        *FINAL,
        Column("median_error_tau", "number", "tau", "median over delays of the size of the error"),
        Column("largest_error_tau", "number", "tau", "largest size of the error at any delay"),
    ),
    "example": _schema(
        "example",
        f"a time step of a test trial of the network of median final loss, at most {EXAMPLE_POINTS}",
        NETWORK,
        _DELAY,
        Column("time_tau", "number", "tau", "time in the trial"),
        Column("input_1", "number", "", "first input"),
        Column("input_2", "number", "", "second input; empty if both pulses are on the first"),
        Column("y", "number", "", "output of the trained network"),
        Column("target", "number", "", "target y*"),
    ),
    "curves": _schema("curves", ROWS["curves"], *CURVE),
}


def conditions(choices: Choices, selection: Selection) -> list[Condition]:
    """The selected conditions. Raises RequestError if there are none."""
    found = []
    for rule in ABOUT.rules:
        for longest in LONGEST_TAU:
            panels = PANELS.get((rule, longest), "")
            if selection.panels and not set(panels) & set(selection.panels):
                continue
            if selection.rules and rule not in selection.rules:
                continue
            found += [_condition(choices, selection, rates, rule, longest, panels) for rates in selection.rates]
    if not found:
        raise RequestError(None, "no part of Figure 3 has this combination of --panel and --rule")
    return found


def _condition(choices: Choices, selection: Selection, rates: str, rule: str, longest: int, panels: str) -> Condition:
    values = {"rule": rule, "longest_tau": longest}
    called, eta = learning_rate(selection, "fig3", rates, values, lambda: ("printed", PRINTED[rule]))
    training = choices.training(rule)
    batch = 1 if training["online"] else choices.batch
    first = Session(
        task=choices.task(longest),
        rule=rule,
        eta=eta / batch if choices.per_batch_average else eta,
        n_trials=choices.n_trials,
        init=choices.init,
        seed=choices.seed,
        network=0,
        batch=batch,
        **training,
    )
    return Condition(
        label=f"{rule} to {longest} tau" + ("" if called == "printed" else f" {called}"),
        values={"figure": "fig3", "panel": panels, **values, "rates": called, "eta": eta},
        jobs=tuple(
            IntervalSession(replace(first, network=network), choices.tests(longest))
            for network in range(choices.n_networks)
        ),
    )


def tabulate(choices: Choices, found: Sequence[Condition], results: Results) -> dict[str, pd.DataFrame]:
    """The tables of SCHEMAS."""
    shared = learning_curves.tabulate(found, results, choices.tau)
    peaks = pd.concat([_peaks(choices, *each) for each in by_network(found, results)], ignore_index=True)
    keys = [c.name for c in (*_CONDITION, _LONGEST)]
    size = peaks.assign(size=peaks.error_tau.abs())
    errors = size.groupby([*keys, "network"], sort=False)["size"].agg(["median", "max"]).round(9).reset_index()
    errors = errors.rename(columns={"median": "median_error_tau", "max": "largest_error_tau"})
    return {
        "peaks": peaks,
        "summary": pd.DataFrame(
            [
                dict(zip([*keys, "delay_tau"], name, strict=True)) | _spread(group["size"])
                for name, group in size.groupby([*keys, "delay_tau"], sort=False)
            ]
        ),
        "final": shared["final"].merge(errors, on=[*keys, "network"], validate="one_to_one"),
        "example": pd.concat(
            [_example(choices, c, networks) for c, networks in zip(found, results, strict=True)], ignore_index=True
        ),
        "curves": shared["curves"],
    }


def _peaks(choices: Choices, condition: Condition, network: int, arrays: Arrays) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **condition.values,
            "network": network,
            "delay_tau": arrays["delay"] / choices.tau,
            "peak_tau": arrays["peak"] / choices.tau,
            "error_tau": (arrays["peak"] - arrays["delay"]) / choices.tau,
        }
    )


def _spread(sizes: pd.Series) -> dict[str, float]:
    low, middle, high = quartiles(sizes.to_numpy())
    return {
        "n_networks": len(sizes),
        "error_25_tau": low,
        "error_50_tau": middle,
        "error_75_tau": high,
        "within_1_tau": float((sizes <= 1.0).mean()),
    }


@np.errstate(over="ignore")
def _example(choices: Choices, condition: Condition, networks: Sequence[Arrays]) -> pd.DataFrame:
    network = learning_curves.median_network(networks)
    arrays = networks[network]
    step = learning_curves.sampled(len(arrays["y"]), EXAMPLE_POINTS)
    return pd.DataFrame(
        {
            **condition.values,
            "network": network,
            "delay_tau": arrays["delay"][arrays["example"]] / choices.tau,
            "time_tau": (step + 1) / choices.tau,
            "input_1": arrays["inputs"][step, 0].round(6),
            "input_2": arrays["inputs"][step, 1].round(6) if choices.channels == 2 else np.nan,
            "y": arrays["y"][step, 0].round(6),
            "target": arrays["targets"][step, 0].round(6),
        }
    )


def summary(sessions: Sequence[Arrays]) -> str:
    """What a progress line says of a finished condition: final loss, and size of the peak-time error."""
    errors = [float(np.median(np.abs(arrays["peak"] - arrays["delay"]))) for arrays in sessions]
    low, middle, high = quartiles(errors)
    return f"{learning_curves.summary(sessions)}  median error {middle:.3g} steps  (quartiles {low:.3g}, {high:.3g})"


EXPERIMENT = Experiment(ABOUT, plot_of(ABOUT), CHOICES, SCHEMAS, conditions, tabulate, summary, CLAIMS)
