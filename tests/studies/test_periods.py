"""Where RFLO stops being as good as BPTT: what is run at which rates, its table and its picture."""

import itertools

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.paper import rates as package
from rflo_repro.paper.fig2.experiment import EXPERIMENT as FIG2
from rflo_repro.paper.fig2_locality.experiment import EXPERIMENT as LOCALITY
from rflo_repro.runs import tables
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.variants import under
from rflo_repro.studies.periods import ABOUT
from rflo_repro.studies.periods.choices import Choices
from rflo_repro.studies.periods.experiment import EXPERIMENT, SCHEMA, conditions, rate, tuned
from rflo_repro.studies.periods.plot import log_ratios

ONE = Choices(n_networks=1)
PAPER = (20.0, 40.0, 80.0, 160.0)


def jobs(found):
    return {
        (c.values["rule"], c.values["rates"], c.values["period_tau"]): [
            (job.task, job.rule, job.eta, job.n_trials, job.optimizer, job.init, job.online, job.reset_state)
            for job in c.jobs
        ]
        for c in found
        if c.values.get("n_rec", 30) == 30
    }


def test_at_the_printed_periods_it_trains_as_figure_2_does():
    """By all four rules, and under the figure's variant with gradient clipping."""
    own = jobs(conditions(ONE, Selection(periods_tau=PAPER, rates=ABOUT.rates)))
    few = LOCALITY.scales["paper"].__class__(n_networks=1)
    clipped = under(LOCALITY, "clipped")
    figure = jobs(LOCALITY.conditions(few, Selection(rates=("printed", "tuned"))))
    figure |= jobs(clipped.conditions(few.__class__(n_networks=1, clip=0.3), Selection()))
    assert own == figure
    assert len(own) == 4 * 4 * 3


def test_the_networks_are_its_own():
    mine, figure = (
        experiment.conditions(experiment.scales["paper"], Selection(rules=("rflo",), periods_tau=(20.0,)))
        for experiment in (EXPERIMENT, FIG2)
    )
    assert [len(c.jobs) for c in mine] == [45, 45]
    assert {job.seed for c in mine for job in c.jobs} == {90214}
    assert {job.seed for c in figure for job in c.jobs} == {2019}
    assert [c.jobs[0].init.n_rec for c in mine] == [30, 50]


def test_a_part_is_what_is_selected():
    every = conditions(ONE, Selection(rates=ABOUT.rates))
    assert len(every) == 10 * 2 * 4 * 3
    part = conditions(ONE, Selection(periods_tau=(15.0,), rules=("rflo", "bptt"), rates=("tuned",)))
    assert [c.values for c in part] == [
        {"rule": rule, "rates": "tuned", "period_tau": 15.0, "n_rec": n_rec, "eta": eta}
        for n_rec in (30, 50)
        for rule, eta in (("rflo", 0.03), ("bptt", 0.1))
    ]
    names = [tuple(c.values[column] for column in SCHEMA.condition) for c in every]
    assert len(set(names)) == len(names)
    with pytest.raises(RequestError, match="not a whole number of timesteps"):
        conditions(ONE, Selection(periods_tau=(5.05,)))


def test_the_paper_s_rates_are_those_of_the_nearest_printed_period():
    nearest = {5.0: 20.0, 10.0: 20.0, 15.0: 20.0, 30.0: 40.0, 60.0: 80.0, 120.0: 160.0}
    for rule, (period, printed), kind in itertools.product(ABOUT.rules, nearest.items(), ("printed", "clipped")):
        assert rate(kind, rule, period) == rate(kind, rule, printed)
    assert [rate("printed", "rflo", period) for period in PAPER] == [0.03, 0.01, 0.001, 0.0003]
    assert [rate("printed", "local", period) for period in PAPER] == [0.03, 0.01, 0.001, 0.0003]
    assert [rate("printed", "random-feedback", period) for period in PAPER] == [0.03, 0.03, 0.01, 0.03]


def test_tuned_rates_are_interpolated_on_logarithmic_axes(monkeypatch):
    known = {20.0: 0.1, 40.0: 0.1, 80.0: 0.001, 160.0: 0.004}
    by_condition = {("fig2_locality", f"rule=rflo period_tau={period:g}"): eta for period, eta in known.items()}
    monkeypatch.setattr(package, "tuned_rates", lambda: by_condition)
    for period, eta in known.items():
        assert tuned("rflo", period) == eta
    assert [tuned("rflo", period) for period in (5.0, 19.9, 30.0, 161.0)] == [0.1, 0.1, 0.1, 0.004]
    # at the geometric middle of two periods, the geometric middle of their rates
    assert tuned("rflo", 80.0 * 2**0.5) == 0.002
    assert tuned("rflo", 60.0) == float(f"{np.exp(np.interp(*map(np.log, (60, [40, 80], [0.1, 0.001])))):.3g}")
    with pytest.raises(RequestError, match="no tuned rate is known for rule=bptt"):
        tuned("bptt", 30.0)


def test_one_rate_goes_with_one_kind():
    (found,) = conditions(Choices(sizes=(30,), n_networks=1), Selection((5.0,), rules=("rflo",), eta=0.5))
    assert (found.values["rates"], found.values["eta"], found.jobs[0].eta) == ("given", 0.5, 0.5)
    with pytest.raises(RequestError, match="one rate goes with one kind"):
        conditions(ONE, Selection(rates=("printed", "clipped"), eta=0.5))


def rows(losses, **values):
    """Rows of a condition, a loss a network; None if it exploded, NaN if it diverged."""
    return [
        {
            "rates": "printed", "n_rec": 30, "period_tau": 5.0, **values, "network": i,
            "final_loss": 1e9 if loss is None else loss,
            "outcome": "ran away" if loss is None else "learned" if loss < 0.03 else "plateau",
        }
        for i, loss in enumerate(losses)
    ]  # fmt: skip


def test_what_exploded_counts_as_infinite():
    frame = pd.DataFrame([*rows([0.1, None, 0.1, None], rule="rflo"), *rows([0.01, 0.01, np.nan, np.nan], rule="bptt")])
    np.testing.assert_allclose(log_ratios(frame, "rflo"), [1.0, np.inf, -np.inf, 0.0])


def table():
    """RFLO ten times BPTT's loss at 5 tau and a hundred times at 20 tau, for two sizes and two kinds of rates."""
    found = []
    for rates, n_rec, (period, factor) in itertools.product(
        ("printed", "clipped"), (30, 50), ((5.0, 10.0), (20.0, 100.0))
    ):
        where = {"rates": rates, "n_rec": n_rec, "period_tau": period}
        base = np.array([1e-3] * 20)
        found += rows(base, rule="bptt", **where) + rows(factor * base, rule="rflo", **where)
    return pd.DataFrame(found)


def test_the_picture_shows_ratio_and_share():
    picture, notes = EXPERIMENT.draw({"final": table()}, ("a", "b"))
    assert notes == []
    axes = np.array(picture.get_axes()).reshape(2, 2)
    assert [ax.get_title() for ax in axes[0]] == ["the paper's learning rates", "the paper's, with gradient clipping"]
    for ax in axes[0]:
        solid, dashed = (line for line in ax.lines if line.get_marker() == "o")
        assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
        for line in (solid, dashed):
            np.testing.assert_allclose(line.get_ydata(), [10.0, 100.0])
        low, high = sorted({y for x, y in ax.patches[0].get_corners()})
        assert (low, high) == pytest.approx((10**-0.5, 10**0.5))
    for ax in axes[1]:
        shares = {tuple(line.get_ydata()) for line in ax.lines}
        assert shares == {(100.0, 100.0), (100.0, 0.0)}
    assert axes[0, 0].get_ylabel() == "final loss over BPTT's  (factor)"
    assert axes[1, 0].get_ylabel() == "networks that learned  (%)"
    assert axes[1, 0].get_xlabel() == "period  (τ)"
    (legend,) = picture.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "BPTT", "RFLO", "N = 30", "N = 50", "within a factor of 3.2"
    ]  # fmt: skip


def test_without_bptt_there_is_no_ratio():
    frame = table()
    picture, notes = EXPERIMENT.draw({"final": frame[frame.rule == "rflo"]}, ("a", "b"))
    assert notes == ["panel a left out: needs BPTT and another rule"]
    assert {ax.get_title(loc="left") for ax in picture.get_axes()} - {""} == {"b"}


def test_parts_are_put_together_in_one_table(tuned, tmp_path):
    """The same rows as of a run of everything at once."""
    options = ["--scale", "smoke", "--jobs", "1", "--set", "sizes=8", "--no-plot"]

    def run(folder, *selected):
        done = CliRunner().invoke(cli, ["fig2-periods", *options, "--results", str(tmp_path / folder), *selected])
        assert done.exit_code == 0, done.output
        key = ["rule", "rates", "period_tau", "network"]
        return tables.read(tmp_path / folder, SCHEMA)[0].sort_values(key, ignore_index=True)

    every = [word for kind in ABOUT.rates for word in ("--rates", kind)]
    whole = run("whole", *every)
    assert len(whole) == 2 * 4 * 3 * 2
    sizes = [
        len(run("parts", *part))
        for part in (
            ["--rates", "tuned", "--period", "30"],
            ["--rates", "clipped"],
            ["--period", "5", "--rule", "rflo"],
            [*every, "--period", "30"],
        )
    ]
    assert sizes == [8, 24, 26, 34]
    together = run("parts", "--rates", "printed", "--rates", "tuned", "--period", "5")
    pd.testing.assert_frame_equal(together, whole)
