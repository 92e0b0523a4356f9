"""The rules are data: what they are called, what they may be."""

import math

import numpy as np
import pytest

import rflo_repro as rr


def test_every_rule_is_under_its_own_name():
    assert all(rule.name == name for name, rule in rr.RULES.items())
    assert {"bptt", "rflo", "local", "random-feedback", "readout-only", "recurrent-only", "rtrl"} <= set(rr.RULES)


def test_rflo_makes_both_approximations_and_the_hybrids_one_each():
    switches = {name: (rule.feedback, rule.carry) for name, rule in rr.RULES.items()}
    assert switches["bptt"] == switches["rtrl"] == ("symmetric", "full")
    assert switches["rflo"] == ("random", "leak")
    assert switches["local"] == ("symmetric", "leak")
    assert switches["random-feedback"] == ("random", "full")


def test_every_registered_rule_gives_updates_of_the_right_shapes(problem):
    p = problem()
    for rule in rr.RULES.values():
        dw = rr.weight_updates(p.net, p.inputs, p.targets, rule, rng=np.random.default_rng(0))
        by_name = rr.weight_updates(p.net, p.inputs, p.targets, rule.name, rng=np.random.default_rng(0))
        for name in ("w_in", "w_rec", "w_out"):
            assert getattr(dw, name).shape == getattr(p.net, name).shape
            assert getattr(dw, name).tobytes() == getattr(by_name, name).tobytes()
            assert bool(np.any(getattr(dw, name))) == (name in rule.trains)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name"),
        ({"name": 3}, "name"),
        ({"feedback": "aligned"}, "feedback"),
        ({"carry": "half"}, "carry"),
        ({"form": "sideways"}, "form"),
        ({"trains": ["w_out"]}, "trains"),
        ({"trains": "w_out"}, "trains"),
        ({"trains": ("w_outs",)}, "trains"),
        ({"form": "forward"}, "form 'forward' needs carry 'full', got 'leak'"),
        *(
            ({field: value}, f"^{field} must be ")
            for field in ("name", "feedback", "carry", "trains", "form")
            for value in (
                np.array(["random", "leak"]),
                np.ones(2),
                np.array("random"),
                ["random"],
                None,
                3,
                True,
                b"leak",
            )
        ),
        *(({field: math.nan}, f"^{field} must be .* got nan") for field in ("feedback", "carry", "trains", "form")),
        ({"trains": (["w_out"],)}, "^trains must be"),
        ({"trains": ("w_out", np.ones(2))}, "^trains must be"),
        ({"trains": (None,)}, "^trains must be"),
        ({"form": "forward", "carry": "full"}, "form 'forward' needs feedback 'symmetric', got 'random'"),
    ],
)
def test_rules_that_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        rr.LearningRule(**{"name": "mine", "feedback": "random", "carry": "leak", **changes})


@pytest.mark.parametrize("field", ["w_in", "w_rec", "w_out"])
@pytest.mark.parametrize(
    "value",
    [-0.1, math.nan, math.inf, -math.inf, "0.1", None, True, 1j, np.array(0.1), np.array([0.1, 0.2]), [0.1], 10**400],
)
def test_rates_that_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"^eta \({field}\) must be a finite number of at least 0, got "):
        rr.LearningRates(**{"w_in": 0.1, "w_rec": 0.1, "w_out": 0.1, field: value})


def test_rates_of_any_kind_of_number():
    rates = rr.LearningRates(w_in=0, w_rec=np.float32(0.5), w_out=np.int8(2))
    assert rates == rr.LearningRates(0.0, 0.5, 2.0)
    assert all(type(rate) is float for rate in vars(rates).values())


def test_words_of_numpy_are_words():
    rule = rr.LearningRule("mine", np.str_("random"), np.str_("leak"))  # type: ignore[arg-type]
    assert type(rule.feedback) is str
    assert rule == rr.LearningRule("mine", "random", "leak")


@pytest.mark.parametrize("rule", [np.ones(2), np.array("rflo"), "", "backprop", None, 3, ["rflo"]])
def test_unknown_rules_are_named_with_those_known(problem, rule):
    p = problem()
    with pytest.raises(ValueError, match=r"rule must be (a LearningRule or )?one of bptt, rflo"):
        rr.weight_updates(p.net, p.inputs, p.targets, rule)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"form": "uoro", "carry": "leak"}, "form 'uoro'.*carry 'full'"),
        ({"form": "kf", "carry": "diagonal"}, "form 'kf'.*carry 'full'"),
        ({"form": "uoro", "truncation": 5}, "truncation"),
        ({"form": "uoro", "draws": 0}, "draws"),
        ({"form": "uoro", "draws": 2.5}, "draws"),
        ({"draws": 2}, "draws needs form"),
        ({"form": "forward", "draws": 2}, "draws needs form"),
        ({"sigma": 0.1}, "sigma needs form 'perturbation', got 0.1 and 'filtered'"),
        ({"form": "perturbation"}, "sigma must be given with form 'perturbation'"),
        ({"form": "perturbation", "sigma": 0.0}, "sigma"),
        ({"form": "perturbation", "sigma": math.nan}, "sigma"),
        ({"form": "uoro", "alpha": 1.0}, "alpha needs form 'rls'"),
        ({"form": "rls"}, "alpha must be given with form 'rls'"),
        ({"form": "rls", "alpha": -1.0}, "alpha"),
        ({"form": "rls", "alpha": 1.0, "sigma": 1.0}, "sigma needs form"),
    ],
)
def test_what_makes_no_rule_is_refused_by_name(fields, named):
    with pytest.raises(ValueError, match=named):
        rr.LearningRule(**{"name": "mine", "feedback": "symmetric", "carry": "full", **fields})
