"""Choices of every figure and study: the paper's are allowed, and whatever is wrong is refused by the choice's name."""

import dataclasses
import math

import numpy as np
import pytest

from rflo_repro.learning.optimizers import LearningRates, Optimizer
from rflo_repro.paper import registry
from rflo_repro.runs.choices import LARGEST, ChoiceError, declared, defaults, parsed, vary, written
from rflo_repro.runs.plan import choices
from rflo_repro.runs.request import Request, Selection
from rflo_repro.studies.registry import studies

EXPERIMENTS = {name: about for name, about in {**registry.figures(), **studies()}.items() if about.choices is not None}
FIELDS = [
    (name, field.name)
    for name, about in EXPERIMENTS.items()
    for field in dataclasses.fields(about.experiment.scales["smoke"])
]
NEVER = (None, object(), np.ones(2), np.array(1), [1], b"x", 1j, math.nan, math.inf, -math.inf, 10**400, -(10**400))


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_what_is_never_a_choice_is_named(name, field):
    choices = EXPERIMENTS[name].experiment.scales["smoke"]
    for value in NEVER:
        with pytest.raises(ValueError, match=rf"^{field} must be .*, got "):
            dataclasses.replace(choices, **{field: value})
    if not isinstance(getattr(choices, field), bool):
        with pytest.raises(ValueError, match=rf"^{field} must be "):
            dataclasses.replace(choices, **{field: True})


@pytest.mark.parametrize("scale", ["paper", "quick", "smoke"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_s_own_choices_are_allowed_and_stay_as_they_are(name, scale):
    about = EXPERIMENTS[name]
    chosen = about.experiment.scales[scale]
    for field, value in vars(chosen).items():
        asked = Request(scale, sets=((field, written(value)),))
        found = choices(about.experiment, asked)
        assert found == chosen
        assert type(getattr(found, field)) is type(value)


@pytest.mark.parametrize(
    ("name", "field", "bad", "good"),
    [
        ("fig2", "tau", 0.9, 1.0),
        ("fig2", "tau", 1.1 * LARGEST, float(LARGEST)),
        ("fig2", "h0", "gaussian", "normal"),
        ("fig2-size", "period_tau", 0.0, 0.1),
        ("fig2-size", "period_tau", 20.05, 20.1),
        ("fig2-size", "sizes", (), (1,)),
        ("fig2-size", "sizes", (10, 20.0), (10, 20)),
        ("fig2-size", "sizes", (10, 0), (10,)),
        ("fig2-size", "scales", (-0.1,), (0, 0.5)),
        ("fig3", "shortest_tau", 16, 15),
        ("fig3", "batch", 3, 4),
        ("fig3", "pulse_sd", 0.0, 1e-300),
        ("fig4", "h0", "gaussian", "normal"),
        ("fig4", "bound", 0.9, 1.0),
        ("fig4", "whole", 0.0, 1e-300),
        ("fig4", "p_explore", 1.1, 1.0),
        ("fig4", "sequence", "right up", "down up left right"),
        ("fig4", "sequence", "right up left left", "down  up left right"),
    ],
)
def test_limits(name, field, bad, good):
    choices = EXPERIMENTS[name].experiment.scales["smoke"]
    assert getattr(dataclasses.replace(choices, **{field: good}), field) == good
    with pytest.raises(ValueError, match=rf"\b{field}\b"):
        dataclasses.replace(choices, **{field: bad})


ALTERNATIVES = [
    (name, field, alternative)
    for name, about in EXPERIMENTS.items()
    for field, choice in declared(about.experiment.scales["paper"]).items()
    for alternative in choice.alternatives
]


@pytest.mark.parametrize(("name", "field", "alternative"), ALTERNATIVES, ids=lambda v: getattr(v, "label", v))
def test_an_alternative_can_be_set_and_is_another_run(name, field, alternative):
    about = EXPERIMENTS[name]
    chosen = about.experiment.scales["paper"]
    varied = vary(chosen, [(field, written(alternative.value))])
    assert getattr(varied, field) == alternative.value != getattr(chosen, field)
    assert vary(varied, [(field, written(getattr(chosen, field)))]) == chosen
    one, other = (about.experiment.conditions(c, Selection(rates=about.rates[:1])) for c in (chosen, varied))
    assert {c.jobs[0] for c in one} != {c.jobs[0] for c in other}


def test_alternatives_go_together():
    about = EXPERIMENTS["fig2"]
    firsts = {
        field: found[0].value
        for field, c in declared(about.experiment.scales["paper"]).items()
        if (found := [other for other in c.alternatives if not other.excluded])
    }
    assert len(firsts) > 5
    varied = vary(about.experiment.scales["paper"], [(field, written(value)) for field, value in firsts.items()])
    assert {field: getattr(varied, field) for field in firsts} == firsts


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_paper_s_choices_are_the_defaults(name):
    assert vars(EXPERIMENTS[name].experiment.scales["paper"]) == defaults(EXPERIMENTS[name].experiment.scales["smoke"])


def first(name, rule, **changes):
    chosen = dataclasses.replace(EXPERIMENTS[name].experiment.scales["paper"], **changes)
    found = EXPERIMENTS[name].experiment.conditions(chosen, Selection(rules=(rule,), periods_tau=(80.0,)))
    return found[0].jobs[0]


def test_a_trial_s_sum_and_a_scaled_feedback_are_other_rates():
    assert first("fig2", "rflo").eta == 0.001
    assert first("fig2", "rflo", per_trial_average=False).eta == 0.001 * 800
    assert first("fig2", "rflo", feedback_scale=3.0).eta == LearningRates(3 * 0.001, 3 * 0.001, 0.001)
    both = first("fig2", "random-feedback", feedback_scale=3.0, per_trial_average=False)
    assert both.eta == LearningRates(3.0 * (0.01 * 800), 3.0 * (0.01 * 800), 0.01 * 800)
    # these have no B
    for rule in ("bptt", "local"):
        assert first("fig2", rule, feedback_scale=3.0) == first("fig2", rule)


def test_only_rules_local_in_time_are_online():
    online = {rule: first("fig2", rule, online=True).online for rule in ("bptt", "rflo", "local", "random-feedback")}
    assert online == {"bptt": False, "rflo": True, "local": True, "random-feedback": False}


def test_what_varies_a_task_is_a_field_of_it():
    intervals = first("fig3", "rflo", input_height=2.0).session.task
    assert intervals == dataclasses.replace(first("fig3", "rflo").session.task, input_height=2.0)
    chosen = dataclasses.replace(EXPERIMENTS["fig4"].experiment.scales["paper"], amplitude=2.0, input_in_hold=True)
    assert (chosen.reaching.amplitude, chosen.reaching.input_in_hold) == (2.0, True)


@pytest.mark.parametrize(
    ("text", "several", "value"),
    [
        ("3", False, 3),
        ("3.0", False, 3.0),
        ("true", False, True),
        ("uniform", False, "uniform"),
        ("1,2.5", True, (1, 2.5)),
        ("1", True, (1,)),
        ("x y", True, "x y"),
        ("[" * 50_000, False, "[" * 50_000),
        ("9" * 5000, False, "9" * 5000),
    ],
)
def test_values_as_they_are_written(text, several, value):
    found = parsed(text, several)
    assert found == value
    assert type(found) is type(value)


def test_how_updates_are_made():
    session = first("fig2", "bptt", clip=0.3, optimizer="rmsprop", noise=0.1, readout_scale=0.1)
    assert (session.optimizer, session.noise) == (Optimizer("rmsprop", clip=0.3), 0.1)
    assert session.init.readout_scale == 0.1
    assert first("fig2-size", "rflo", readout_scale=0.1).init.readout_scale == pytest.approx(0.15)
    for name in ("fig2", "fig3"):
        plain = first(name, "bptt")
        plain = getattr(plain, "session", plain)
        assert (plain.optimizer, plain.noise, plain.online, plain.init.readout_scale) == ("sgd", 0.0, False, 1.0)
        with pytest.raises(ChoiceError, match=r"clip must be none with online=true, got 0\.3"):
            first(name, "rflo", clip=0.3, online=True)


def test_batches_of_figure_3():
    chosen = {rule: first("fig3", rule, per_batch_average=True).session for rule in ("rflo", "bptt")}
    assert {rule: session.eta for rule, session in chosen.items()} == pytest.approx({"rflo": 1e-4, "bptt": 3e-4})
    within = {rule: first("fig3", rule, per_batch_average=True, online=True).session for rule in ("rflo", "bptt")}
    assert (within["rflo"].batch, within["rflo"].eta, within["rflo"].online) == (1, 0.001, True)
    assert within["bptt"] == chosen["bptt"]


def test_a_wrong_choice_carries_its_name():
    fig3 = EXPERIMENTS["fig3"].experiment.scales["smoke"]
    with pytest.raises(ChoiceError) as error:
        dataclasses.replace(fig3, tau=0.1)
    assert (error.value.names, error.value.option) == (("tau",), None)
    for sets, options, option in (
        ([("n_trials", "7")], {}, "set"),
        ([("batch", "7")], {}, "set"),
        ([], {"trials": 7}, "trials"),
        ([("batch", "3")], {"trials": 7}, "trials"),
        ([("nothing", "7")], {}, "set"),
    ):
        with pytest.raises(ChoiceError) as error:
            vary(fig3, sets, options)
        assert error.value.option == option
