"""The auxiliary loop: winner take all, and the reward-modulated Hebbian rule."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rflo_repro as rr


def a_loop(seed: int = 0, n_in: int = 4, n_rec: int = 9) -> rr.Loop:
    rng = np.random.default_rng(seed)
    return rr.Loop.random(rr.Network.random(n_rec, n_in, 2, rng), rng)


def test_rows_have_unit_norm_and_cannot_be_written():
    loop = a_loop()
    assert loop.w_s.shape == (4, 9)
    np.testing.assert_allclose(np.linalg.norm(loop.w_s, axis=1), 1.0, rtol=1e-14)
    with pytest.raises(ValueError, match="read-only"):
        loop.w_s[0] = 1.0


@given(seed=st.integers(0, 1000))
def test_the_most_active_unit_wins_among_those_allowed(seed):
    loop, rng = a_loop(seed), np.random.default_rng(seed + 1)
    h = rng.normal(size=9)
    drive = [sum(w * x for w, x in zip(row, h, strict=True)) for row in loop.w_s]
    assert loop.choose(h) == int(np.argmax(drive))
    allowed = np.array([True, False, True, False])
    assert loop.choose(h, allowed) == max((0, 2), key=lambda i: drive[i])


def test_a_reward_moves_the_winner_s_row_towards_the_state_and_no_other():
    loop, h = a_loop(), np.random.default_rng(3).normal(size=9)
    after = loop.reinforced(h, 2, 0.1)
    expected = loop.w_s[2] + 0.1 * h
    np.testing.assert_allclose(after.w_s[2], expected / np.linalg.norm(expected), rtol=1e-13)
    np.testing.assert_allclose(after.w_s[[0, 1, 3]], loop.w_s[[0, 1, 3]], rtol=1e-14)
    cosine = [w.w_s[2] @ h / np.linalg.norm(h) for w in (loop, after)]
    assert cosine[1] > cosine[0]


def test_rewards_teach_a_mapping_that_chance_does_not_have():
    rng = np.random.default_rng(0)
    states, loop = rng.normal(size=(4, 30)), a_loop(n_rec=30)
    wanted = [2, 3, 1, 0]
    everything = np.ones(4, dtype=bool)
    assert [loop.choose(h) for h in states] != wanted
    for _ in range(2000):
        k = int(rng.integers(4))
        chosen, _ = loop.explore(states[k], everything, 0.3, rng)
        if chosen == wanted[k]:
            loop = loop.reinforced(states[k], chosen, 0.1)
    assert [loop.choose(h) for h in states] == wanted


def test_exploration_is_as_often_as_it_should_be_and_only_among_the_allowed():
    loop, h, rng = a_loop(), np.random.default_rng(1).normal(size=9), np.random.default_rng(2)
    allowed = np.array([True, True, False, True])
    draws = [loop.explore(h, allowed, 0.25, rng) for _ in range(4000)]
    assert np.mean([explored for _, explored in draws]) == pytest.approx(0.25, abs=0.03)
    assert {chosen for chosen, explored in draws if explored} == {0, 1, 3}
    assert {chosen for chosen, explored in draws if not explored} == {loop.choose(h, allowed)}


@pytest.mark.parametrize(
    "w_s", [np.zeros((2, 3)), np.ones(3), np.array([[1.0, math.nan]]), [[0, 0], [1, 1]], np.full((2, 4), 1e200), None]
)
def test_weights_that_are_none(w_s):
    with pytest.raises(ValueError, match="w_s"):
        rr.Loop(w_s)


H, ALLOWED = np.ones(9), np.ones(4, dtype=bool)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda loop: loop.choose([1.0, 2.0]), "h"),
        (lambda loop: loop.choose("h"), "h"),
        (lambda loop: loop.choose(np.full(9, math.nan)), "h"),
        (lambda loop: loop.choose(H, np.ones(3, dtype=bool)), "allowed"),
        (lambda loop: loop.choose(H, np.zeros(4, dtype=bool)), "allowed"),
        (lambda loop: loop.explore(H, np.zeros(4, dtype=bool), 0.5, np.random.default_rng(0)), "allowed"),
        (lambda loop: loop.explore(H, ALLOWED, 1.5, np.random.default_rng(0)), "p_explore"),
        (lambda loop: loop.explore(H, ALLOWED, 0.5, None), "rng"),
        (lambda loop: loop.reinforced(H, 4, 0.1), "chosen"),
        (lambda loop: loop.reinforced(H, -1, 0.1), "chosen"),
        (lambda loop: loop.reinforced(H, 0, math.nan), "eta"),
        (lambda loop: loop.reinforced(None, 0, 0.1), "h"),
        (lambda loop: type(loop).random(loop, np.random.default_rng(0)), "net"),
    ],
)
def test_what_a_loop_cannot_be_asked(call, named):
    with pytest.raises(ValueError, match=rf"^{named} must "):
        call(a_loop())
