"""The kernel's normal numbers are those of `exact_math.normal`, bit for bit, wherever the uniform ones lie."""

import itertools

import numpy as np
import pytest
from agreement import check_normal

from rflo_repro.learning import exact_math, trial_source


class Given:
    """A generator of uniform numbers that are known."""

    def __init__(self, pairs):
        self.pairs = np.array(pairs)

    def random(self, shape):
        taken, self.pairs = self.pairs[: shape[0]], self.pairs[shape[0] :]
        return taken


@pytest.mark.parametrize("n", [1, 7, 8, 1000, exact_math.BLOCK + 3])
def test_normal_numbers_of_any_number(n):
    check_normal(n)


def test_at_every_edge():
    """Of the logarithm's powers of two, and of the sine's quarters and their halves."""
    last, step = 1.0 - 2.0**-53, 2.0**-53
    first = [0.0, step, 0.25, 0.5 - step, 0.5, 0.5 + step, 1 - exact_math.SQRT_HALF, 0.75, 1 - 2.0**-30, last]
    second = sorted(
        {abs(k / 8 + away) % 1.0 for k in range(9) for away in (-step, 0.0, step)} | {round(0.3 / step) * step, last}
    )
    pairs = list(itertools.product(first, second))
    expected = exact_math.normal(Given(pairs), (len(pairs),))
    found = trial_source.normal(Given(pairs), len(pairs))
    np.testing.assert_array_equal(found.view(np.int64), expected.view(np.int64))
    assert np.abs(expected).max() > 8.0
    np.testing.assert_array_equal(found[: len(second)], 0.0)
