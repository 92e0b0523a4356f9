"""Memory is that of the measured process, and the fitted exponent is the exponent."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks import bench, memory
from rflo_repro.runs import tables
from rflo_repro.studies.cost.claims import EXPONENTS, exponents
from rflo_repro.studies.cost.plot import draw


def test_the_peak_is_the_childs_own_and_grows_with_the_history():
    ballast = np.ones(60_000_000)  # half a gigabyte here must not count as the child's
    small, large = memory._peak("rflo", 8, 10), memory._peak("rflo", 100, 20_000)
    assert small < ballast.nbytes
    assert 10e6 < large - small < 120e6


@pytest.mark.parametrize("exponent", [2.0, 4.0])
def test_the_slope_is_the_exponent(exponent):
    n_rec = np.array([8, 16, 32, 64, 128])
    found, without = exponents(pd.DataFrame({"n_rec": n_rec, "us_per_step": 0.1 * n_rec**exponent}))
    assert [found, *without] == pytest.approx([exponent] * 5)


@pytest.mark.parametrize(
    ("sizes", "place", "scale"), [(bench.SIZES, "results", "paper"), ((30, 50), "results/custom/bench-30_50", "custom")]
)
def test_the_bench_of_other_sizes_has_a_place_of_its_own(monkeypatch, sizes, place, scale):
    monkeypatch.setattr(bench, "cores", lambda: pd.DataFrame([{"jobs": 1, "seconds": 2.0, "share": 1.0}]))
    bench.bench(sizes, None, ("cores",), None, Console(quiet=True))
    assert [path.parent for path in Path().rglob("*.csv")] == [Path(place)]
    frame, page = tables.read(Path(place), bench.CORES)
    assert frame.seconds.tolist() == [2.0]
    assert page["settings"] == {"scale": scale, "choices": {"n_rec": list(sizes)}, "eta": None}


def test_the_bench_measures_every_rule_of_the_family_beside_its_own(monkeypatch):
    monkeypatch.setattr(bench, "ROUNDS", 1)
    monkeypatch.setattr(bench, "TIMED_STEPS", 20)
    monkeypatch.setattr(bench, "SECONDS", 1e-4)
    monkeypatch.setattr(bench, "LARGEST_KF", 8)
    frame = bench.rules((8, 9))
    assert list(frame.rule[frame.n_rec == 8]) == [rule.name for rule in bench.MEMBERS]
    assert "kf-rtrl" not in set(frame.rule[frame.n_rec == 9])
    for _, row in frame.iterrows():
        (other,) = frame.us_per_step[(frame.rule == row.beside) & (frame.n_rec == row.n_rec)]
        assert row.ratio == pytest.approx(row.us_per_step / other)
    assert set(frame.rule[frame.beside == "rflo"]) == {"rflo", "snap-0", "snap-1", "trace of 4 tau"}
    expected = dict(zip(frame.rule, frame.expected_ratio, strict=True))
    assert [expected[name] for name in ("uoro", "uoro, 3 draws", "uoro, 10 draws")] == [1.0, 5 / 3, 4.0]


def test_the_fitted_line_lies_on_a_power_law():
    n_rec = np.array([8, 16, 32, 64, 128])
    rows = [(rule, n, 0.1 * n**2.0) for rule in EXPONENTS for n in n_rec]
    (axes,) = draw({"cost": pd.DataFrame(rows, columns=["rule", "n_rec", "us_per_step"])}, ["a"])[0].axes
    dots, lines = axes.lines[::2], axes.lines[1::2]
    for drawn, most in ((dots, len(n_rec)), (lines, 2)):
        assert len(drawn) == len(EXPONENTS)
        for x, y in (line.get_data() for line in drawn):
            assert len(x) == most
            np.testing.assert_allclose(y, 0.1 * x**2.0)
    assert all("$N^{2.0}$" in line.get_label() for line in lines)
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylim()[0]) == ("log", "log", 1.0)
