"""The networks on which claims are judged are none of those that anything else is computed or tuned on."""

from __future__ import annotations

import pytest

from rflo_repro import cli
from rflo_repro.runs import sample
from rflo_repro.runs.request import Selection
from rflo_repro.studies import tune

SAMPLED = [cli.EXPERIMENTS[name] for name in cli.SAMPLED]


@pytest.fixture(autouse=True)
def rates(tuned):
    """The tests here do not depend on the tuned rates of the day."""


def realisations(experiment, scale):
    found = experiment.conditions(experiment.scales[scale], Selection(rates=experiment.about.rates))
    return {r for condition in found for r in condition.realisations}


def seeds(found):
    return {getattr(r, "session", r).seed for r in found}


def test_every_figure_that_judges_has_one_of_the_size_that_was_fixed():
    judged = [about for about in cli.EXPERIMENTS.values() if about.computed and about.rates and about.experiment.claims]
    sizes = {about.command: sample.of(about.experiment).scales["paper"].n_networks for about in SAMPLED}
    assert {about.command for about in judged if about.home.startswith("rflo_repro.paper")} == set(sizes)
    assert {sizes.pop("fig4"), *sizes.values()} == {27, 90}
    assert sample.SEED == 90210


@pytest.mark.parametrize("about", SAMPLED, ids=lambda about: about.command)
def test_it_is_the_figure_on_other_networks(about):
    of_figure, on_sample = about.experiment, sample.of(about.experiment)
    own, more = realisations(of_figure, "smoke"), realisations(on_sample, "smoke")
    assert len(more) == about.sample * len(own)
    assert seeds(more) == {sample.SEED}
    assert not seeds(own) & {sample.SEED}
    assert not seeds(realisations(tune.experiment(about), "smoke")) & {sample.SEED}
    assert on_sample.schemas == {"final": of_figure.schemas["final"]}


@pytest.mark.parametrize("about", SAMPLED, ids=lambda about: about.command)
def test_its_claims_need_no_other_table(about):
    """Curves stand beside an effect, if there are any."""
    for claim in about.experiment.claims:
        assert set(claim.reads) <= {"final", "curves"}
        assert "final" in claim.reads
