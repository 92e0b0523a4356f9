"""What the figures run: the paper's conditions, and parts of them."""

import math
import sys

import pandas as pd
import pytest

import rflo_repro as rr
from rflo_repro.paper import periodic, registry
from rflo_repro.runs import tables
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.request import RequestError, Selection

COMPUTED = [figure for figure in registry.figures().values() if figure.computed]


@pytest.fixture(params=COMPUTED, ids=lambda figure: figure.command)
def figure(request):
    return request.param


def named(figure, conditions):
    schema = next(iter(figure.experiment.schemas.values()))
    return list(tables.conditions(pd.DataFrame([dict(c.values) for c in conditions]), schema))


def found(fig2, **selection):
    conditions = fig2.experiment.conditions(fig2.experiment.scales["paper"], Selection(**selection))
    return {(c.values["rule"], c.values["period_tau"]): c for c in conditions}


def test_every_figure_says_what_it_is(figure):
    assert figure.name == figure.command.replace("-", "_")
    assert figure.panels
    assert figure.title
    assert set(figure.selectors) <= {"period", "panel", "rule"}
    assert set(figure.experiment.scales) == {"smoke", "quick", "paper"}
    assert all(schema.name.startswith(figure.name) for schema in figure.experiment.schemas.values())


@pytest.mark.parametrize("scale", ["smoke", "quick", "paper"])
def test_conditions_have_names_of_their_own_and_jobs(figure, scale):
    choices = figure.experiment.scales[scale]
    conditions = figure.experiment.conditions(choices, Selection(rates=figure.rates))
    for names in (named(figure, conditions), [c.label for c in conditions]):
        assert len(set(names)) == len(names) > 0
    for condition in conditions:
        assert len(condition.jobs) == choices.n_networks
        assert len(set(condition.jobs)) == choices.n_networks
        assert set(condition.values) >= {"figure", "panel", "rates"}
        assert set(condition.values["panel"]) <= set(figure.panels)
        for job in condition.jobs:
            assert job.cost().trials >= 1
            assert job.cost().bytes >= 1


def test_every_panel_and_rule_selects_something(figure):
    choices = figure.experiment.scales["paper"]
    everything = named(figure, figure.experiment.conditions(choices, Selection(rates=figure.rates[:1])))
    if "panel" in figure.selectors:
        for panel in figure.panels:
            part = named(
                figure, figure.experiment.conditions(choices, Selection(panels=(panel,), rates=figure.rates[:1]))
            )
            assert 0 < len(part) <= len(everything)
            assert set(part) <= set(everything)
    if "rule" in figure.selectors:
        parts = [
            named(figure, figure.experiment.conditions(choices, Selection(rules=(rule,), rates=figure.rates[:1])))
            for rule in figure.rules
        ]
        assert sorted(name for part in parts for name in part) == sorted(everything)


def test_figure_2_at_paper_scale_is_the_papers(fig2):
    choices = fig2.experiment.scales["paper"]
    assert (choices.n_rec, choices.tau, choices.g) == (30, 10.0, 1.5)
    assert (choices.n_networks, choices.n_trials) == (9, 10_000)
    conditions = found(fig2)
    rates = {key: c.values["eta"] for key, c in conditions.items()}
    printed = {
        ("rflo", 20.0): 0.03, ("rflo", 40.0): 0.01, ("rflo", 80.0): 0.001, ("rflo", 160.0): 0.0003,
        ("bptt", 20.0): 0.03, ("bptt", 40.0): 0.03, ("bptt", 80.0): 0.01, ("bptt", 160.0): 0.03,
    }  # fmt: skip
    assert {key: rates[key] for key in printed} == printed
    # panel d: each hybrid at the rate of the rule whose credit assignment it shares
    assert rates["local", 80.0] == rates["rflo", 80.0]
    assert rates["random-feedback", 80.0] == rates["bptt", 80.0]
    assert set(rates) - set(printed) == {
        ("local", 80.0), ("random-feedback", 80.0), *(("untrained", period) for period in (20.0, 40.0, 80.0, 160.0)),
    }  # fmt: skip
    for (rule, period), condition in conditions.items():
        for network, session in enumerate(condition.jobs):
            assert session.task == rr.PeriodicTask(round(10 * period))
            assert (session.rule, session.init, session.network) == (rule, Initialisation(30, 10.0, 1.5, 0.1), network)
            assert session.n_trials == (1 if rule == "untrained" else 10_000)
            assert session.eta == rates[rule, period]


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        ({"panels": ("d",)}, {("bptt", 80.0), ("rflo", 80.0), ("local", 80.0), ("random-feedback", 80.0)}),
        ({"panels": ("a",)}, {("bptt", 20.0), ("rflo", 20.0), ("bptt", 160.0), ("rflo", 160.0)}),
        ({"panels": ("c",)}, {("rflo", period) for period in (20.0, 40.0, 80.0, 160.0)}),
        ({"panels": ("c", "d"), "rules": ("local",)}, {("local", 80.0)}),
        ({"periods_tau": (40.0,), "rules": ("rflo",)}, {("rflo", 40.0)}),
        ({"periods_tau": (40.0,)}, {("bptt", 40.0), ("rflo", 40.0), ("untrained", 40.0)}),
        ({"periods_tau": (33.3,), "rules": ("bptt", "rflo")}, {("bptt", 33.3), ("rflo", 33.3)}),
    ],
)
def test_parts_of_figure_2(fig2, selection, keys):
    part = found(fig2, **selection)
    assert set(part) == keys
    whole = found(fig2)
    for key in keys & set(whole):
        # what is computed does not depend on what else is, so that a part and the whole share their jobs
        assert part[key].jobs == whole[key].jobs
        assert part[key].values == whole[key].values


@pytest.mark.parametrize(
    "selection",
    [
        {"panels": ("d",), "periods_tau": (20.0,)},
        {"panels": ("c",), "rules": ("bptt",)},
        {"rules": ("local",), "periods_tau": (40.0,)},
    ],
)
def test_a_part_that_is_empty_is_refused(fig2, selection):
    with pytest.raises(RequestError, match="no part of Figure 2"):
        found(fig2, **selection)


def test_a_given_rate_is_called_so_and_an_untrained_network_has_none(fig2):
    conditions = found(fig2, eta=0.02)
    assert conditions["rflo", 80.0].values["eta"] == 0.02
    assert conditions["rflo", 80.0].values["rates"] == "given"
    assert conditions["untrained", 80.0].values["eta"] == 0.0
    assert conditions["untrained", 80.0].values["rates"] == "printed"


@pytest.mark.parametrize(
    ("period", "eta"), [(20.0, 0.03), (25.0, 0.03), (29.0, 0.01), (1.0, 0.03), (1000.0, 0.0003), (120.0, 0.0003)]
)
def test_between_the_papers_periods_the_nearest_one_has_the_rate(period, eta):
    called, found_eta = periodic.rate("rflo", period)
    assert found_eta == eta
    assert called == ("printed" if period == 20.0 else "nearest")


@pytest.mark.parametrize(("period", "said"), [(20.0, 0), (30.0, 1)])
def test_the_log_says_of_what_the_nearest_is(period, said, fig2, ask, tmp_path):
    ran = ask(fig2, Selection((period,), rules=("rflo",)), results=tmp_path, plot=False, trials=1)
    assert ran.log.count("  nearest: the learning rate of the nearest period") == said


@pytest.mark.parametrize(("period", "steps"), [(20.0, 200), (0.1, 1), (33.3, 333), (1e5, 10**6), (0.7, 7)])
def test_periods_in_timesteps(period, steps):
    assert periodic.timesteps(period, 10.0) == periodic.steps(period, 10.0, Selection()) == steps


@pytest.mark.parametrize("period", [0.05, 20.05, 33.33, math.pi, 1e-300, 5e-324])
def test_periods_that_are_not_whole_timesteps_are_refused(period):
    with pytest.raises(RequestError, match="whole number of timesteps") as refusal:
        periodic.steps(period, 10.0, Selection(periods_tau=(20.0, period)))
    assert refusal.value.option == "period"
    # one that nobody asked for is the choices'
    with pytest.raises(RequestError, match="whole number of timesteps") as refusal:
        periodic.steps(period, 10.0, Selection(periods_tau=(20.0,)))
    assert refusal.value.option == "set"


@pytest.mark.parametrize(("period", "tau"), [(1.7e308, 10.0), (1e300, 1e9), (sys.float_info.max, 2.0)])
def test_periods_beyond_all_numbers_are_refused(period, tau):
    with pytest.raises(RequestError, match=r"^1(\.\d+)?e\+30\d tau is more timesteps than can be counted") as refusal:
        periodic.steps(period, tau, Selection(periods_tau=(period,)))
    assert refusal.value.option == "period"
    with pytest.raises(ValueError, match="more timesteps than can be counted"):
        periodic.timesteps(period, tau)


def test_a_period_is_named_with_all_its_digits():
    with pytest.raises(ValueError, match=r"^20\.0000001 tau is not a whole number"):
        periodic.timesteps(20.0000001, 10.0)
