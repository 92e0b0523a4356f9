"""Arithmetic for tables: as exact as it says, in an order that follows from the length, from IEEE operations alone."""

import ast
import inspect
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rflo_repro.learning import exact_math

mpmath.mp.prec = 160


def ulps(values, exact):
    """The largest distance from the exact values, in units in the last place of a double there."""
    return max(
        (float(abs(mpmath.mpf(float(v)) - e) / math.ulp(abs(float(e)))) for v, e in zip(values, exact, strict=True)),
        default=0.0,
    )


@pytest.mark.parametrize("denominator", [1, 2, 3, 7, 8, 200, 800, 1600, 12_345, 999_983, 10**9 + 7, 1 << 53])
def test_sines_of_fractions_of_a_turn(denominator):
    """Within the two units that the docstring states, zeros and ones included."""
    rng = np.random.default_rng(0)
    numerators = np.unique(np.append(rng.integers(-denominator, 2 * denominator, 1500), np.arange(-4, 5)))
    exact = [mpmath.sinpi(2 * mpmath.mpf(int(k)) / denominator) for k in numerators]
    assert ulps(exact_math.sin_of_turn(numerators, denominator), exact) < 2.0


def test_sines_have_every_symmetry_of_a_turn():
    n = 1600
    k = np.arange(n)
    s = exact_math.sin_of_turn(k, n)
    assert s[[0, n // 4, n // 2, 3 * n // 4]].tolist() == [0.0, 1.0, 0.0, -1.0]
    np.testing.assert_array_equal(s, -exact_math.sin_of_turn(-k, n))
    np.testing.assert_array_equal(s, exact_math.sin_of_turn(k - 7 * n, n))
    np.testing.assert_array_equal(s, exact_math.sin_of_turn(n // 2 - k, n))
    np.testing.assert_array_equal(s, exact_math.sin_of_turn(3 * k, 3 * n))
    assert not np.signbit(s[[0, n // 2]]).any()


def test_exponentials():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(-744, 709, 3000), rng.uniform(-1, 1, 3000), -rng.exponential(1e-3, 500)])
    assert ulps(exact_math.exp(x), [mpmath.exp(float(v)) for v in x]) < 1.0
    edges = exact_math.exp([0.0, -0.0, math.inf, -math.inf, 709.9, -745.2, -1e308, 1e308])
    assert edges.tolist() == [1.0, 1.0, math.inf, 0.0, math.inf, 0.0, 0.0, math.inf]
    assert math.isnan(float(exact_math.exp(math.nan)))


def test_logarithms():
    rng = np.random.default_rng(2)
    x = np.concatenate([
        [5e-324, 1e-310, 1.7e308], 2.0 ** rng.uniform(-1020, 1020, 3000), rng.uniform(0.5, 2, 3000),
        1 + 1e-3 * rng.normal(size=1000), 1 - 2.0**-53 * rng.integers(1, 100, 500),
    ])  # fmt: skip
    assert ulps(exact_math.log(x), [mpmath.log(float(v)) for v in x]) < 1.0
    assert ulps(exact_math.log10(x), [mpmath.log10(float(v)) for v in x]) < 2.0
    for log in (exact_math.log, exact_math.log10):
        assert log([1.0, 0.0, math.inf]).tolist() == [0.0, -math.inf, math.inf]
        assert np.isnan(log([-1.0, -math.inf, math.nan])).all()


@pytest.mark.parametrize(
    ("first", "last", "n"), [(1, 10_000, 100), (20, 10_000, 30), (1, 5000, 30), (3, 3, 5), (1, 7, 1)]
)
def test_geometric_series(first, last, n):
    found = exact_math.geomspace(first, last, n)
    np.testing.assert_allclose(found, np.geomspace(first, last, n), rtol=1e-14)
    assert found[0] == first
    assert len(found) == n
    if n > 1:
        assert found[-1] == last


@given(n=st.integers(0, 70), m=st.integers(1, 3))
def test_sums_are_sums_of_halves(n, m):
    """The order written out: the first half plus the second, an odd one carried along at the end."""
    values = 10.0 ** np.random.default_rng(n).uniform(-8, 8, (m, n))

    def in_halves(x):
        while len(x) > 1:
            half = len(x) // 2
            x = [a + b for a, b in zip(x[:half], x[half : 2 * half], strict=True)] + x[2 * half :]
        return x[0] if x else 0.0

    expected = [in_halves(row) for row in values.tolist()]
    assert exact_math.sum(values).tolist() == expected
    assert float(exact_math.sum(values[0])) == expected[0]
    # however the array lies in memory
    assert exact_math.sum(np.asfortranarray(values)).tolist() == expected


def test_products_norms_and_means():
    rng = np.random.default_rng(4)
    matrix, vector = rng.normal(size=(5, 33)), rng.normal(size=33)
    np.testing.assert_allclose(exact_math.dot(matrix, vector), matrix @ vector, rtol=1e-13)
    np.testing.assert_allclose(exact_math.norm(matrix), np.linalg.norm(matrix, axis=1), rtol=1e-14)
    np.testing.assert_allclose(exact_math.mean(matrix), matrix.mean(axis=1), rtol=1e-12)
    assert exact_math.frobenius_norm(matrix) == pytest.approx(np.linalg.norm(matrix), rel=1e-14)
    assert exact_math.inner(matrix, 2 * matrix) == pytest.approx(2 * np.sum(matrix**2), rel=1e-14)


def test_normal_numbers_are_normal():
    drawn = exact_math.normal(np.random.default_rng(5), (1000, 1000))
    assert drawn.shape == (1000, 1000)
    for moment, expected, spread in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert np.mean(drawn**moment) == pytest.approx(expected, abs=4 * math.sqrt(spread / drawn.size)), moment
    # the distribution function at some places, tails included
    for place in (-4.0, -2.0, -0.5, 0.0, 1.0, 3.0, 4.5):
        share = 0.5 * math.erfc(-place / math.sqrt(2))
        assert np.mean(drawn < place) == pytest.approx(share, abs=4 * math.sqrt(share / drawn.size)), place
    flat = drawn.ravel()
    assert abs(np.mean(flat[1:] * flat[:-1])) < 4e-3


def test_normal_numbers_do_not_depend_on_the_block_in_which_they_are_drawn(monkeypatch):
    whole = exact_math.normal(np.random.default_rng(6), (7, 30))
    monkeypatch.setattr(exact_math, "BLOCK", 11)
    np.testing.assert_array_equal(whole, exact_math.normal(np.random.default_rng(6), (7, 30)))
    np.testing.assert_array_equal(whole.ravel()[:90], exact_math.normal(np.random.default_rng(6), (3, 30)).ravel())


# What NumPy may be asked for: IEEE operations, exact ones on the representation, and moving numbers about.
ALLOWED = {
    "arange", "array", "asarray", "clip", "concatenate", "empty", "errstate", "float64", "frexp", "full_like", "inf",
    "int32", "int64", "isfinite", "ldexp", "nan", "ravel", "rint", "sqrt", "where", "zeros", "random", "ndarray",
}  # fmt: skip


def test_nothing_else_of_numpy_is_used():
    tree = ast.parse(inspect.getsource(exact_math))
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "np"}
    assert used <= ALLOWED
    assert not any(isinstance(node, ast.MatMult) for node in ast.walk(tree))
    powers = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)]
    assert {ast.unparse(node) for node in powers} <= {"(-1) ** k", "2.0 ** 53"}
