"""How a session went, from curves drawn by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rflo_repro.runs.outcomes import outcome, silent_loss
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
    ],
)
def test_the_class_of_a_curve(loss, expected):
    assert outcome(loss, False, SILENT)[0] == expected


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


def test_the_silent_networks_loss_is_the_targets_power():
    targets = PeriodicTask(800).trial(np.random.default_rng(0))[1]
    assert silent_loss(targets) == pytest.approx((1 + 1 / 4 + 1 / 16) / 4, rel=1e-9)
    assert silent_loss(np.array([[3.0, 4.0]])) == 12.5
