"""Choices of every figure: the paper's are allowed, and whatever is wrong is refused by the choice's name."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from rflo_repro.paper import pipeline, registry
from rflo_repro.paper.choices import LARGEST

FIGURES = {name: figure for name, figure in registry.figures().items() if figure.computed}
FIELDS = [
    (name, field.name)
    for name, figure in FIGURES.items()
    for field in dataclasses.fields(figure.experiment.CHOICES["smoke"])
]
NEVER = (None, object(), np.ones(2), np.array(1), [1], b"x", 1j, math.nan, math.inf, -math.inf, 10**400, -(10**400))


def written(value):
    """A choice as it is written on the command line."""
    if isinstance(value, tuple):
        return ",".join(map(json.dumps, value))
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_what_is_never_a_choice_is_named(name, field):
    choices = FIGURES[name].experiment.CHOICES["smoke"]
    for value in NEVER:
        with pytest.raises(ValueError, match=rf"^{field} must be .*, got "):
            dataclasses.replace(choices, **{field: value})
    if not isinstance(getattr(choices, field), bool):
        with pytest.raises(ValueError, match=rf"^{field} must be "):
            dataclasses.replace(choices, **{field: True})


@pytest.mark.parametrize("scale", ["paper", "quick", "smoke"])
@pytest.mark.parametrize("name", FIGURES)
def test_the_figures_own_choices_are_allowed_and_stay_as_they_are(name, scale):
    figure = FIGURES[name]
    chosen = figure.experiment.CHOICES[scale]
    for field, value in vars(chosen).items():
        asked = pipeline.Request(scale, sets=((field, written(value)),))
        found = pipeline.choices(figure, asked)
        assert found == chosen
        assert type(getattr(found, field)) is type(value)


@pytest.mark.parametrize(
    ("name", "field", "bad", "good"),
    [
        ("fig2", "tau", 0.9, 1.0),
        ("fig2", "tau", 1.1 * LARGEST, float(LARGEST)),
        ("fig2", "h0", "normal", "uniform"),
        ("fig2-size", "period_tau", 0.0, 0.1),
        ("fig2-size", "period_tau", 20.05, 20.1),
        ("fig2-size", "sizes", (), (1,)),
        ("fig2-size", "sizes", (10, 20.0), (10, 20)),
        ("fig2-size", "sizes", (10, 0), (10,)),
        ("fig2-size", "scales", (-0.1,), (0, 0.5)),
        ("fig3", "shortest_tau", 16, 15),
        ("fig3", "batch", 3, 4),
        ("fig3", "pulse_sd", 0.0, 1e-300),
        ("fig4", "h0", "normal", "uniform"),
        ("fig4", "bound", 0.9, 1.0),
        ("fig4", "whole", 0.0, 1e-300),
        ("fig4", "p_explore", 1.1, 1.0),
        ("fig4", "sequence", "right up", "down up left right"),
        ("fig4", "sequence", "right up left left", "down  up left right"),
    ],
)
def test_limits(name, field, bad, good):
    choices = FIGURES[name].experiment.CHOICES["smoke"]
    assert getattr(dataclasses.replace(choices, **{field: good}), field) == good
    with pytest.raises(ValueError, match=rf"\b{field}\b"):
        dataclasses.replace(choices, **{field: bad})
