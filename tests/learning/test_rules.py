"""The rules are data: what they are called, what they may be."""

from __future__ import annotations

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
        dw = rr.weight_updates(p.net, p.inputs, p.targets, rule)
        by_name = rr.weight_updates(p.net, p.inputs, p.targets, rule.name)
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
        ({"carry": "none"}, "carry"),
        ({"form": "sideways"}, "form"),
        ({"trains": ["w_out"]}, "trains"),
        ({"trains": "w_out"}, "trains"),
        ({"trains": ("w_outs",)}, "trains"),
        ({"form": "forward"}, "RTRL"),
        ({"feedback": ["random"]}, "feedback"),
    ],
)
def test_rules_that_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        rr.LearningRule(**{"name": "mine", "feedback": "random", "carry": "leak", **changes})


@pytest.mark.parametrize("rule", ["", "RFLO", "backprop", None, 3, ["rflo"]])
def test_unknown_rules_are_named_with_those_known(problem, rule):
    p = problem()
    with pytest.raises(ValueError, match="rule must be one of bptt, rflo"):
        rr.weight_updates(p.net, p.inputs, p.targets, rule)
