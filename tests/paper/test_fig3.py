"""Figure 3 in miniature: the time of the output's peak moves with the delay, and the tables say how far it is off."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from cases import further
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.paper.fig3 import experiment, plot
from rflo_repro.paper.fig3.trial import IntervalSession
from rflo_repro.runs import tables
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.runs.session import Session

SMOKE = experiment.CHOICES["smoke"]


def in_miniature(rule: str, network: int) -> IntervalSession:
    task = rr.IntervalMatchingTask(longest=60, shortest=20, pulse_sd=6.0, first=20, tail=30)
    session = Session(task, rule, 0.01, 3000, Initialisation(50, 4.0, h0=0.0), seed=1, network=network, batch=10)
    return IntervalSession(session, tuple(range(20, 61, 5)))


@pytest.mark.parametrize("network", [0, *further(1)])
def test_the_peak_moves_with_the_delay_once_it_is_learned(network):
    trained, untrained = (in_miniature(rule, network).run(lambda done: None) for rule in ("bptt", "untrained"))
    assert np.corrcoef(trained["delay"], trained["peak"])[0, 1] > 0.95
    assert np.abs(trained["peak"] - trained["delay"]).max() <= 8
    assert np.abs(untrained["peak"] - untrained["delay"]).max() > 20


def test_peaks_are_timed_from_the_second_pulse():
    """By the same clock the target's peak comes after the delay, which makes an output like it free of error."""
    session = in_miniature("untrained", 0)
    arrays = session.run(lambda done: None)
    second = 20 + arrays["delay"][arrays["example"]]
    assert np.argmax(arrays["y"]) + 1 - second == arrays["peak"][arrays["example"]]
    assert np.argmax(arrays["targets"]) + 1 - second == arrays["delay"][arrays["example"]]


def test_conditions_are_both_rules_at_three_upper_bounds_at_the_printed_rates():
    found = experiment.conditions(SMOKE, Selection())
    named = [(c.values["rule"], c.values["longest_tau"], c.values["eta"]) for c in found]
    assert named == [("rflo", n, 0.001) for n in (15, 20, 25)] + [("bptt", n, 0.003) for n in (15, 20, 25)]
    session = found[0].jobs[0].session
    assert (session.batch, session.init.n_rec, session.task.longest, session.task.pulse_sd) == (10, 100, 150, 15.0)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(panels=("b",)), [("rflo", 15), ("rflo", 20)]),
        (Selection(panels=("c",)), [("bptt", 25)]),
        (Selection(panels=("a",), rules=("bptt",)), [("bptt", 15)]),
    ],
)
def test_a_part_of_the_figure(selection, expected):
    found = experiment.conditions(SMOKE, selection)
    assert [(c.values["rule"], c.values["longest_tau"]) for c in found] == expected


def test_no_part_is_refused():
    with pytest.raises(RequestError, match="Figure 3"):
        experiment.conditions(SMOKE, Selection(panels=("b",), rules=("bptt",)))


def test_tables_say_how_far_the_peaks_are_off():
    choices = dataclasses.replace(SMOKE, n_networks=3)
    found = experiment.conditions(choices, Selection(panels=("c",)))
    delays = np.array(choices.tests(25))
    results = [[fake(delays, delays + offset, loss) for offset, loss in ((0, 0.3), (-20, 0.2), (5, 0.1))]]
    frames = experiment.tabulate(choices, found, results)
    peaks, summary, final = frames["peaks"], frames["summary"], frames["final"]
    assert len(peaks) == 3 * 21
    assert peaks[peaks.network == 1].error_tau.unique().tolist() == pytest.approx([-2.0])
    assert summary.delay_tau.tolist() == list(range(5, 26))
    assert summary.error_50_tau.unique().tolist() == pytest.approx([0.5])
    assert summary.within_1_tau.unique().tolist() == pytest.approx([2 / 3])
    assert final.largest_error_tau.tolist() == pytest.approx([0.0, 2.0, 0.5])
    assert frames["example"].network.unique().tolist() == [1]


def fake(delays: np.ndarray, peaks: np.ndarray, loss: float) -> dict[str, np.ndarray]:
    return {
        "loss": np.full(20, loss),
        "alignment": np.zeros(20),
        "diverged": np.array(False),
        "delay": delays,
        "peak": peaks,
        "example": np.array(len(delays) // 2),
        "inputs": np.zeros((650, 2)),
        "y": np.zeros((650, 1)),
        "targets": np.zeros((650, 1)),
    }


def test_the_command_writes_tables_and_pictures(saved):
    run = CliRunner().invoke(cli, ["fig3", "--scale", "smoke", "--jobs", "1", "--results", "r", "--figures", "f"])
    assert run.exit_code == 0, run.output
    frames = {part: tables.read(Path("r"), schema)[0] for part, schema in experiment.SCHEMAS.items()}
    assert len(frames["final"]) == 6 * SMOKE.n_networks
    assert len(frames["peaks"]) == 2 * SMOKE.n_networks * (11 + 16 + 21)
    assert len(frames["summary"]) == 2 * (11 + 16 + 21)
    assert Path("f/fig3.png").exists()
    assert Path("f/fig3.pdf").exists()
    figure, notes = plot.draw(frames, ("a", "b", "c"))
    assert notes == []
    assert [ax.get_title("left") for ax in figure.axes] == ["a", "b", "c"]
    far = {**frames, "peaks": frames["peaks"].assign(peak_tau=-40.0)}
    figure, _ = plot.draw(far, ("b", "c"))
    for ax in figure.axes:
        low, high = ax.get_ylim()
        assert low < -40.0, "the median is on the axis"
        assert high > far["peaks"].delay_tau.min(), "the identity as well"
    none = {**frames, "peaks": frames["peaks"].assign(peak_tau=np.nan)}
    figure, _ = plot.draw(none, ("b", "c"))
    assert all(np.isfinite(ax.get_ylim()).all() for ax in figure.axes), "where every network diverged"
    _, notes = plot.draw({part: frame[frame.rule == "bptt"] for part, frame in frames.items()}, ("a", "b", "c"))
    assert notes == ["panel b left out: needs RFLO"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--trials", "15"], "multiple"),
        (["--set", "shortest_tau=0"], "shortest_tau"),
        (["--set", "channels=3"], "channels"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments, named):
    run = CliRunner().invoke(cli, ["fig3", "--scale", "smoke", *arguments])
    assert run.exit_code == 2
    assert named in run.output
