"""The table of algorithms."""

from typing import get_args

from rflo_repro.learning import kernels
from rflo_repro.learning.algorithms import ALGORITHMS
from rflo_repro.learning.rules import Form


def test_every_algorithm_has_its_kernels():
    assert {*ALGORITHMS} == {*get_args(Form), "traces"}
    for algorithm in ALGORITHMS.values():
        assert callable(getattr(kernels, algorithm.train))
        assert callable(getattr(kernels, algorithm.update))
