"""Figure 4 in miniature: the loop learns the transitions, and the network's state goes on from movement to movement."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases import further
from click.testing import CliRunner

import rflo_repro as rr
from rflo_repro.cli import cli
from rflo_repro.learning import trial_source
from rflo_repro.paper.fig4 import experiment, plot, trial
from rflo_repro.paper.fig4.trial import Body, LoopSession
from rflo_repro.runs import tables
from rflo_repro.runs.initialisation import Initialisation
from rflo_repro.runs.request import Selection
from rflo_repro.tasks.reaching import DIRECTIONS

SMOKE = experiment.CHOICES["smoke"]
ORDER = (0, 1, 2, 3)


class Files:
    """Keeps a session as often as it can, each time in a file of its own."""

    def __init__(self, begun: bytes | None = None) -> None:
        self.begun, self.files = begun, []

    def read(self):
        return None if self.begun is None else np.load(io.BytesIO(self.begun), allow_pickle=False)

    def keep(self, done, now):
        file = io.BytesIO()
        np.savez(file, **now())
        self.files.append((done, file.getvalue()))


def in_miniature(**changes: object) -> LoopSession:
    session = LoopSession(
        reaching=rr.Reaching(50),
        sequence=ORDER,
        eta=0.02,
        eta_s=0.03,
        p_explore=0.1,
        read_at="movement",
        reset_state=False,
        n_trials_stage=800,
        init=Initialisation(50, tau=5.0),
        seed=1,
        network=0,
    )
    return dataclasses.replace(session, **changes)


def late(arrays: dict[str, np.ndarray]) -> float:
    """Share of right transitions in the last quarter, of choices that were not random and could be right."""
    counted = arrays["possible"][-200:] & ~arrays["explored"][-200:]
    return float(arrays["correct"][-200:][counted].mean())


@pytest.mark.parametrize("network", [0, *further(1, 2)])
def test_the_loop_learns_the_transitions_and_drives_the_sequence(network):
    arrays = in_miniature(network=network).run(lambda done: None)
    assert arrays["loss"][-50:].mean() < 0.2 * arrays["loss"][:20].mean()
    assert late(arrays) > 0.9
    assert tuple(arrays["chosen"]) == ORDER
    ends = rr.Reaching(50).position(arrays["y"])[99::100]
    np.testing.assert_allclose(ends, [[1, 0], [1, 1], [0, 1], [0, 0]], atol=0.35)


def test_without_plasticity_of_ws_it_does_not():
    arrays = in_miniature(eta_s=0.0).run(lambda done: None)
    assert late(arrays) < 0.7
    assert tuple(arrays["chosen"]) != ORDER


def test_another_sequence_is_learned_as_well():
    arrays = in_miniature(sequence=(2, 1, 0, 3)).run(lambda done: None)
    assert tuple(arrays["chosen"]) == (2, 1, 0, 3)


def test_the_state_goes_on_from_movement_to_movement():
    """Movements one after the other are one run over all their inputs, not runs from h0."""
    reaching = rr.Reaching(20)
    net = rr.Network.random(15, 4, 2, np.random.default_rng(0))
    body = Body(net, net.h0, reaching)
    pieces = np.concatenate([body.move(direction).y for direction in ORDER])
    whole = rr.run(net, np.concatenate([reaching.inputs(direction) for direction in ORDER]))
    np.testing.assert_allclose(pieces, whole.y, atol=1e-12)
    np.testing.assert_allclose(body.state, whole.h[-1], atol=1e-12)
    assert np.abs(pieces[40:80] - rr.run(net, reaching.inputs(1)).y).max() > 1e-3


def test_the_same_session_gives_the_same_numbers():
    first, second = (in_miniature(n_trials_stage=30).run(lambda done: None) for _ in range(2))
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def test_a_divergence_is_said_and_ends_nothing():
    arrays = in_miniature(eta=1e6, n_trials_stage=40).run(lambda done: None)
    assert arrays["diverged"]
    assert np.isnan(arrays["loss"][-1])
    assert len(arrays["correct"]) == 40
    assert arrays["y"].shape == (400, 2)


def test_states_that_are_no_numbers_end_nothing():
    """Weights that are just finite: drives of both signs are infinite, and their sum is none."""
    session = in_miniature(
        eta=1.7e308, n_trials_stage=10, init=Initialisation(100), seed=0, network=0, reaching=rr.Reaching(20)
    )
    arrays = session.run(lambda done: None)
    assert arrays["diverged"]
    assert not np.isfinite(arrays["y"]).all()
    assert len(arrays["correct"]) == 10
    with np.errstate(all="raise"):
        assert not np.isfinite(experiment._sequence_loss(arrays))
        assert not np.isfinite(experiment._after(dataclasses.replace(SMOKE, syllable_tau=2), arrays)["endpoint_error"])


def test_paths_too_far_to_be_drawn_go_their_own_way():
    x, y = np.array([0.5, 3e9, -1e300, np.inf]), np.array([0.25, 4e9, 2e300, 1.0])
    path = plot._from_origin(pd.DataFrame({"x": x, "y": y}))
    np.testing.assert_array_equal(path[:, :2], [[0.0, 0.5], [0.0, 0.25]])
    np.testing.assert_allclose(path[:, 2:4], [[0.75e6, -0.5e6], [1e6, 1e6]])
    assert np.isnan(path[0, 4])


def test_progress_counts_both_stages():
    seen: list[int] = []
    session = in_miniature(n_trials_stage=400)
    session.run(seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == session.n_trials == 800


@pytest.mark.parametrize("changes", [{}, {"eta": 1e100}], ids=["learns", "diverges"])
def test_it_goes_on_from_whatever_was_kept_of_either_stage(changes, monkeypatch):
    monkeypatch.setattr(trial_source, "BLOCK_SECONDS", 0.0)
    monkeypatch.setattr(trial, "REPORT_EVERY", 3)
    session = in_miniature(n_trials_stage=20, reaching=rr.Reaching(10), **changes)
    whole, seen = Files(), []
    arrays = session.run(seen.append, whole)
    assert arrays["diverged"] == bool(changes)
    kept = [done for done, _ in whole.files]
    assert kept[-6:] == [23, 26, 29, 32, 35, 38]
    assert len(kept) > 6
    for k, (_, file) in enumerate(whole.files, start=1):
        again = Files(file)
        found = session.run(lambda done: None, again)
        assert {n: a.tobytes() for n, a in found.items()} == {n: a.tobytes() for n, a in arrays.items()}
        assert again.files == whole.files[k:]


def test_conditions_share_the_sequence():
    found = experiment.conditions(experiment.CHOICES["paper"], Selection(rates=("tuned",)))
    assert [c.values["rule"] for c in found] == ["loop", "rflo", "bptt"]
    loop, rflo, bptt = (c.jobs[0] for c in found)
    assert loop.n_trials_stage == 10_000
    assert rflo.n_trials == bptt.n_trials == 20_000
    assert rflo.task.n_steps == 1600
    assert len(loop.reaching.velocity(loop.sequence)) == 1600
    assert all(len(c.jobs) >= 9 for c in found)


def test_transitions_are_counted_where_the_bounds_allow_the_right_one():
    arrays = {
        "possible": np.array([True, True, False, True]),
        "correct": np.array([True, False, False, False]),
        "explored": np.array([False, True, False, False]),
    }
    windows = experiment._windows(arrays)
    assert windows["trial"].tolist() == [4]
    assert windows["n_trials"] == [3]
    assert windows["correct"] == [pytest.approx(1 / 3)]
    assert windows["correct_greedy"] == [pytest.approx(1 / 2)]


def test_the_command_writes_tables_and_pictures(saved):
    run = CliRunner().invoke(cli, ["fig4", "--scale", "smoke", "--jobs", "1", "--results", "r", "--figures", "f"])
    assert run.exit_code == 0, run.output
    frames = {part: tables.read(Path("r"), schema)[0] for part, schema in experiment.SCHEMAS.items()}
    assert frames["final"].groupby("rule").size().to_dict() == {"loop": 2, "rflo": 2, "bptt": 2}
    assert set(frames["transitions"].rule) == {"loop"}
    sequence = frames["sequence"]
    assert {"right", "none"} <= set(sequence[sequence.rule == "loop"].input) <= {"none", *DIRECTIONS}
    assert set(sequence[sequence.rule != "loop"].input) == {"none"}
    assert sequence.time_tau.max() == 160.0
    assert Path("f/fig4.png").exists()
    assert Path("f/fig4.pdf").exists()
    assert plot.draw(frames, ("a", "b", "c", "d"))[1] == []


def test_a_part_without_the_loop_leaves_its_panels_out(saved):
    run = CliRunner().invoke(cli, ["fig4", "--scale", "smoke", "--rule", "rflo", "--results", "r", "--figures", "f"])
    assert run.exit_code == 0, run.output
    assert "panel a left out: needs the loop" in run.output
    assert Path("f/fig4-rflo.png").exists()


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("sequence=right right", "sequence"),
        ("sequence=right north", "sequence"),
        ("read_at=never", "read_at"),
        ("profile=square", "profile"),
        ("p_explore=1.5", "p_explore"),
        ("whole=0", "whole"),
        ("bound=0.1", "bound"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(setting, named):
    run = CliRunner().invoke(cli, ["fig4", "--scale", "smoke", "--set", setting])
    assert run.exit_code == 2
    assert named in run.output
