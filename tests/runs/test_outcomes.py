"""How a session went, from curves drawn by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from rflo_repro.paper.fig2_size.experiment import larger_networks_help
from rflo_repro.runs.outcomes import outcome, zero_output_loss
from rflo_repro.tasks import PeriodicTask

SILENT = 0.328
FALL = np.geomspace(SILENT, 1e-3, 500)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (np.r_[FALL, np.full(500, 1e-3)], "learned"),
        (np.r_[FALL, np.full(500, 0.154)], "thrown out"),
        (np.r_[FALL, np.full(490, 1e-3), np.full(10, 0.3)], "thrown out"),
        (np.r_[FALL, np.full(496, 1e-3), np.full(4, 0.3)], "learned"),  # less than half of the last window
        (np.full(1000, 0.154), "plateau"),
        (np.r_[np.full(500, 0.3), [1e-3], np.full(499, 0.3)], "plateau"),  # one lucky trial
        (np.r_[np.full(950, 0.3), np.full(50, 0.02)], "learned"),  # late, but there
        (np.array([1e-3]), "learned"),
        (np.array([0.3]), "plateau"),
        (np.r_[np.full(500, 0.3), np.geomspace(0.3, 1e46, 500)], "ran away"),
        (np.r_[FALL, np.full(500, 3.4)], "ran away"),  # from wherever it came
        (np.r_[FALL, np.full(500, 3.2)], "thrown out"),
        (np.r_[np.full(990, 0.3), np.full(4, 1e50), np.full(6, 0.3)], "plateau"),
        (np.r_[[1e-9], np.full(999, 0.02)], "learned"),
    ],
)
def test_the_class_of_a_curve(loss, expected):
    assert outcome(loss, False, SILENT)[0] == expected


def test_how_far_one_ran_away_says_nothing():
    """A slope of losses of 1e46 would be 15 decades a decade."""
    final = pd.DataFrame({
        "network": [0, 0, 0, 1, 1, 1], "n_rec": [10, 100, 1000] * 2, "panel": "a",
        "final_loss": [0.01, 0.1, 1e46, 0.1, 0.01, np.nan],
        "outcome": ["learned", "plateau", "ran away", "plateau", "learned", "diverged"],
    })  # fmt: skip
    ran = pd.concat([final.assign(network=final.network + 2 * i) for i in range(3)])
    (part,) = larger_networks_help({"final": ran})
    assert part.interval.estimate == math.inf
    assert part.interval.low == math.inf
    further = ran.assign(final_loss=ran.final_loss.replace(1e46, 1e300))
    assert larger_networks_help({"final": further}) == [part]


def test_a_plateau_has_a_level():
    loss = np.r_[np.full(500, 0.327), np.full(500, 0.154)]
    assert outcome(loss, False, SILENT) == ("plateau", 0.154)
    assert outcome(np.full(7, 0.2), False, SILENT) == ("plateau", 0.2)
    assert math.isnan(outcome(np.full(7, 0.01), False, SILENT)[1])


def test_a_divergence_is_one_whatever_came_before():
    loss = np.r_[FALL, [math.nan] * 3]
    name, level = outcome(loss, True, SILENT)
    assert name == "diverged"
    assert math.isnan(level)


def test_the_zero_output_loss_is_the_targets_power():
    targets = PeriodicTask(800).trial(np.random.default_rng(0))[1]
    assert zero_output_loss(targets) == pytest.approx((1 + 1 / 4 + 1 / 16) / 4, rel=1e-9)
    assert zero_output_loss(np.array([[3.0, 4.0]])) == 12.5
