"""Figure 1 computes nothing."""

from __future__ import annotations

from rflo_repro.paper.fig1 import ABOUT
from rflo_repro.runs.choices import Choices
from rflo_repro.runs.experiment import Experiment, plot_of

EXPERIMENT: Experiment[Choices] = Experiment(ABOUT, plot_of(ABOUT))
