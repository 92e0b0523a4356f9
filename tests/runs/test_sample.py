"""The networks on which claims are judged are none of those that anything else is computed or tuned on."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from rflo_repro import cli
from rflo_repro.runs import tables
from rflo_repro.runs.request import Selection
from rflo_repro.runs.sample import CONFIRMATION, FINAL, FIRST, SAMPLES
from rflo_repro.studies import tune

RESULTS = Path(__file__).parents[2] / "results"
PLACES = {RESULTS: None, **{sample.folder_in(RESULTS): sample for sample in SAMPLES}}
COMMITTED = [place for place in PLACES if (place / "fig2_final.csv").exists()]
N_COMPARED = 2
SAMPLED = [cli.EXPERIMENTS[name] for name in cli.SAMPLED]


@pytest.fixture(autouse=True)
def rates(tuned):
    """The tests here do not depend on the tuned rates of the day."""


def jobs(experiment, scale):
    found = experiment.conditions(experiment.scales[scale], Selection(rates=experiment.about.rates))
    return {r for condition in found for r in condition.jobs}


def seeds(found):
    return {getattr(r, "session", r).seed for r in found}


def test_every_figure_that_judges_has_one_of_the_size_that_was_fixed():
    judged = [about for about in cli.EXPERIMENTS.values() if about.computed and about.rates and about.experiment.claims]
    sizes = {about.command: FIRST.of(about.experiment).scales["paper"].n_networks for about in SAMPLED}
    assert {about.command for about in judged if about.home.startswith("rflo_repro.paper")} == set(sizes)
    assert {sizes.pop("fig4"), *sizes.values()} == {27, 90}
    assert (FIRST.seed, CONFIRMATION.seed) == (90210, 90213)


def test_there_are_three_times_as_many_networks_where_sameness_is_claimed():
    larger = {"fig2", "fig2-locality", "fig2-dale"}
    for about in SAMPLED:
        experiment = CONFIRMATION.of(about.experiment)
        for c in experiment.conditions(experiment.scales["paper"], Selection(rates=about.rates)):
            same = about.command in larger and c.values["period_tau"] <= 80.0
            assert len(c.jobs) == (27 if about.command == "fig4" else 270 if same else 90)
            assert [getattr(r, "session", r).network for r in c.jobs] == [*range(len(c.jobs))]


@pytest.mark.parametrize("about", SAMPLED, ids=lambda about: about.command)
def test_it_is_the_figure_on_other_networks(about):
    of_figure, on_sample = about.experiment, CONFIRMATION.of(about.experiment)
    own, more = jobs(of_figure, "smoke"), jobs(on_sample, "smoke")
    assert len(jobs(FIRST.of(of_figure), "smoke")) == about.sample * len(own)
    assert len(more) >= about.sample * len(own)
    assert seeds(more) == {CONFIRMATION.seed}
    assert not seeds(own) & {CONFIRMATION.seed, FIRST.seed}
    assert not seeds(jobs(tune.experiment(about), "smoke")) & {CONFIRMATION.seed, FIRST.seed}
    assert on_sample.schemas == {"final": of_figure.schemas["final"]}


@pytest.mark.parametrize("about", SAMPLED, ids=lambda about: about.command)
def test_its_claims_need_no_other_table(about):
    for claim in about.experiment.claims:
        assert set(claim.reads) == {"final"}


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda folder: folder.name)
def test_a_committed_table_is_what_is_computed(folder):
    """Of the figure's own networks, and of the sample once it is there: in every column and to the byte."""
    of_figure = cli.EXPERIMENTS["fig2"].experiment
    experiment = of_figure if folder == RESULTS else PLACES[folder].of(of_figure)
    few = dataclasses.replace(experiment.scales["paper"], n_networks=N_COMPARED)
    known = experiment.conditions(few, Selection(periods_tau=(20.0,), rules=("bptt", "rflo")))
    results = [[r.run(lambda done: None) for r in c.jobs] for c in known]
    frame = experiment.tabulate(few, known, results)[FINAL]
    schema = experiment.schemas[FINAL]
    committed, page = tables.read(folder, schema)
    assert page["settings"]["scale"] == "paper"
    keys = [*schema.condition, "network"]
    both = frame[keys].merge(committed, on=keys, validate="one_to_one")
    assert len(both) == len(known) * N_COMPARED > 0
    columns = [column.name for column in schema.columns if column.name != "panel"]
    pd.testing.assert_frame_equal(both[columns], frame[columns], check_exact=True)
