"""The claims of no figure hold in tables made for them, and their verdicts turn when a table is broken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rflo_repro.studies.cost import claims as of_cost
from rflo_repro.studies.registry import studies

PERIODS = (20.0, 40.0, 80.0, 160.0)


def between(period, ends):
    return np.interp(np.log10(period), np.log10([20, 160]), ends)


def tables():
    """Every study's table, such that its claims hold."""
    rng = np.random.default_rng(0)
    n = 200
    overlap = rng.uniform(-0.5, 0.5, n)
    appendix = pd.concat(
        pd.DataFrame({
            "units": units, "period_tau": period, "network": range(n), "overlap": overlap, "loss_change": -overlap,
            "loss_change_cosine": -0.3 * overlap + rng.normal(0, 0.1, n), "alignment_growth": rng.normal(1, 1, n),
        }) for units in ("linear", "tanh") for period in PERIODS
    )  # fmt: skip
    aligned = pd.concat(
        pd.DataFrame({
            "rates": "printed", "period_tau": period, "recurrent": recurrent, "network": range(9),
            "final_alignment": level + 0.01 * np.arange(9),
        }) for period in PERIODS for recurrent, level in (("trained", 0.6), ("frozen", 0.1))
    )  # fmt: skip
    cosine = {"local": (0.9, 0.5), "rflo": (0.6, 0.2), "random-feedback": (0.7, 0.3)}
    along = pd.concat(
        pd.DataFrame({
            "rule": rule, "rates": "tuned", "period_tau": period, "network": network, "trial": [1, 10],
            "matrix": matrix, "cosine": between(period, ends) if matrix == "w_rec" else 1.0,
        })
        for rule, ends in cosine.items() for period in PERIODS for network in range(9)
        for matrix in ("w_rec", "w_out")
    )  # fmt: skip
    costs = pd.concat(
        pd.DataFrame({"rule": rule, "n_rec": sizes, "us_per_step": 1.0 + 1e-3 * np.array(sizes, float) ** power})
        for rule, power, sizes in (
            ("rtrl", 4, (8, 16, 24, 32, 48, 64)), ("rflo", 2, (64, 200, 400, 600, 1000)),
            ("bptt", 2, (64, 200, 400, 600, 1000)))
    )  # fmt: skip
    exact = pd.concat(pd.DataFrame({"task": t, "network": range(9), "rtrl": 1e-14, "rflo": 0.5}) for t in "ab")
    made = {"exact": exact, "appendix": appendix, "alignment": aligned, "gradient": along, "cost": costs}
    return {name: frame.reset_index(drop=True) for name, frame in made.items()}


def times(table, column, factor):
    def change(made):
        made[table][column] *= factor

    return change


def as_rflo(made):
    made["exact"]["rtrl"] = made["exact"]["rflo"]


def cubic(made):
    made["cost"]["us_per_step"] = made["cost"].n_rec ** 3.0


def swapped(made):
    made["alignment"]["recurrent"] = made["alignment"].recurrent.map({"trained": "frozen", "frozen": "trained"})


BROKEN = {
    "RTRL equals batch BPTT": as_rflo,
    "Appendix 2: the loss falls": times("appendix", ["loss_change", "loss_change_cosine"], -1.0),
    "Appendix 2: alignment grows": times("appendix", "alignment_growth", -1.0),
    "alignment needs both": swapped,
    "cost of a timestep": cubic,
    "approximations worsen with the period": times("gradient", "cosine", -1.0),
}
EXPERIMENTS = [about.experiment for about in studies().values()]
CLAIMS = [claim for experiment in EXPERIMENTS for claim in experiment.claims]
SCHEMAS = {part: schema for experiment in EXPERIMENTS for part, schema in experiment.schemas.items()}


def test_every_claim_has_a_broken_table():
    assert {claim.name for claim in CLAIMS} == set(BROKEN)


def test_the_tables_here_have_the_studies_columns():
    for name, frame in tables().items():
        assert set(frame.columns) <= {column.name for column in SCHEMAS[name].columns}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_verdict_turns_with_the_table(claim):
    made = tables()
    read = next(set(e.schemas) for e in EXPERIMENTS if claim in e.claims)

    def verdicts():
        return {finding.verdict for finding in claim.findings({name: made[name] for name in read})}

    assert verdicts() == {"holds"}
    BROKEN[claim.name](made)
    assert verdicts() == {"does not hold"}


def test_an_exponent_is_that_of_the_largest_sizes():
    rows = tables()["cost"].query("rule == 'rflo'")
    found, without = of_cost.exponents(rows)
    assert min(without) < found < max(without)
    assert found == pytest.approx(2.0, abs=0.05)
    assert len(without) == 4


def test_too_few_sizes_cannot_be_tested():
    made = {"cost": tables()["cost"].groupby("rule").head(3)}
    assert {f.verdict for f in of_cost.CLAIMS[0].findings(made)} == {"cannot be tested"}
