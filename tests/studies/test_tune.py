"""The search for learning rates: what is tried next, what is chosen, and what is as good."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.studies import tune
from rflo_repro.studies.rules.trial import GRID, HIGHEST, LOWEST, rate


def table(losses, n_networks=9, first=0.4):
    """A table of one condition: `losses` by place of the grid, the same for all networks or one for each."""
    frame = pd.DataFrame(
        {
            "figure": "fig2",
            "condition": "rule=rflo",
            "eta": rate(place),
            "network": range(n_networks),
            "first_loss": first,
            "final_loss": np.broadcast_to(loss, n_networks),
        }
        for place, loss in losses.items()
    )
    frame = frame.explode(["network", "final_loss"]).astype({"network": int, "final_loss": float})
    return tune._judged(frame.reset_index(drop=True))


def together(losses, n_networks):
    """A table of one condition with another number of networks at each rate."""
    tables = [table({place: losses[place]}, n) for place, n in n_networks.items()]
    return tune._judged(pd.concat(tables, ignore_index=True))


def only(plan):
    ((name, of),) = plan.items()
    assert name == "rule=rflo"
    return of


def test_the_paper_grid_is_tried_first():
    assert [rate(place) for place in GRID] == [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1]


@pytest.mark.parametrize(("best", "beyond"), [(GRID[0], GRID[0] - 1), (GRID[-1], GRID[-1] + 1)])
def test_the_grid_goes_on_beyond_an_edge_that_wins_and_nothing_else_is_tried_meanwhile(best, beyond):
    tried = {place: 0.1 if place == best else 0.2 for place in GRID}
    assert only(tune.following(table(tried), 27)) == {**dict.fromkeys(GRID, 9), beyond: 9}
    # and no further than this
    last = LOWEST if beyond < best else HIGHEST
    ends = {place: 0.1 if place == last else 0.2 for place in range(min(last, GRID[0]), max(last, GRID[-1]) + 1)}
    assert set(only(tune.following(table(ends), 27))) == set(ends)


def test_the_three_best_are_tried_on_more_networks_and_then_nothing():
    means = dict(zip(GRID, (0.3, 0.2, 0.05, 0.02, 0.04, 0.3, 0.4, np.nan), strict=True))
    found = tune.following(table(means), 27)
    assert only(found) == {place: 27 if means[place] < 0.1 else 9 for place in GRID}
    done = together(means, only(found))
    assert only(tune.tried(done)) == only(found)
    assert tune.following(done, 27) == tune.tried(done)
    # with no more networks than before there is nothing to do
    assert tune.following(table(means), 9) == tune.tried(table(means))


def test_the_grid_goes_on_where_the_smallest_or_the_largest_rate_is_chosen_in_the_end():
    # the largest was not the best of the first networks, or the grid would have gone on before
    means = dict(
        zip(GRID, (0.3, 0.3, 0.3, 0.3, 0.3, 0.05, 0.03, np.r_[np.full(9, 0.04), np.full(18, 0.01)]), strict=True)
    )
    done = together(means, {place: 27 if place >= GRID[-3] else 9 for place in GRID})
    assert done.eta[done.chosen].unique() == rate(GRID[-1])
    beyond = {**only(tune.tried(done)), GRID[-1] + 1: 27}
    assert only(tune.following(done, 27)) == beyond
    wider = together({**means, GRID[-1] + 1: 0.2}, beyond)
    assert tune.following(wider, 27) == tune.tried(wider)


def test_a_divergence_and_a_runaway_count_as_ten_times_the_first_loss():
    good = np.full(9, 0.1)
    spoilt = {np.nan: 1, 1e30: 1, 4.0: 1}
    scores = []
    for value, n in spoilt.items():
        losses = good.copy()
        losses[:n] = value
        frame = table({GRID[3]: losses, GRID[4]: 0.1})
        scores.append(tune.mean_loss(tune._losses(frame))[rate(GRID[3])])
        assert not frame[frame.eta == rate(GRID[3])].chosen.any()
    assert scores == pytest.approx([(8 * -1.0 + np.log10(4.0)) / 9] * 3)


def test_the_choice_is_the_smallest_mean_among_those_tried_on_most_networks_and_of_a_tie_the_smallest_rate():
    few, many = table({GRID[0]: 0.01}, 9), table({GRID[2]: 0.05, GRID[3]: 0.05, GRID[4]: 0.2}, 27)
    frame = tune._judged(pd.concat([few, many], ignore_index=True))
    assert set(frame[frame.chosen].eta) == {rate(GRID[2])}


def test_what_is_as_good_is_not_worse_in_most_networks():
    rng = np.random.default_rng(2)
    base = 10.0 ** rng.normal(-1.5, 0.3, 27)
    frame = table({GRID[2]: base, GRID[3]: base * 10 ** rng.normal(0.01, 0.2, 27), GRID[4]: base * 2.0}, 27)
    assert rate(GRID[4]) not in set(frame[frame.as_good].eta)
    assert set(frame[frame.as_good].eta) >= set(frame[frame.chosen].eta)
    assert len(set(frame[frame.as_good].eta)) == 2


def test_the_picture_of_a_search_is_redrawn_with_its_figures_from_the_table(tmp_path):
    scale, place = ("--scale", "smoke"), ("--results", str(tmp_path), "--figures", str(tmp_path))
    run = CliRunner().invoke(cli, ["tune", "fig2-dale", *scale, "--networks", "1", *place])
    assert run.exit_code == 0, run.output
    drawn = (tmp_path / "tune_fig2_dale.png").read_bytes()
    (tmp_path / "tune_fig2_dale.png").unlink()
    assert CliRunner().invoke(cli, ["plot", "fig2-dale", "--panel", "a", *scale, *place]).exit_code == 2
    assert not list(tmp_path.glob("*.png"))
    assert CliRunner().invoke(cli, ["plot", "fig2-dale", *scale, *place]).exit_code == 0
    assert [path.name for path in tmp_path.glob("*.png")] == ["tune_fig2_dale.png"]
    assert (tmp_path / "tune_fig2_dale.png").read_bytes() == drawn
