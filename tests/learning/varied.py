"""A task of random numbers, and what is compared of two trainings."""

import math
from dataclasses import replace

import numpy as np

MATRICES = ("w_in", "w_rec", "w_out")


def same_history(one, other):
    assert one.loss.tobytes() == other.loss.tobytes()
    assert one.alignment.tobytes() == other.alignment.tobytes()
    assert one.state.tobytes() == other.state.tobytes()
    assert one.diverged == other.diverged
    same_network(one.network, other.network)
    assert [trial for trial, _ in one.snapshots] == [trial for trial, _ in other.snapshots]
    for (_, a), (_, b) in zip(one.snapshots, other.snapshots, strict=True):
        same_network(a, b)


def same_network(one, other):
    for name in (*MATRICES, "bias", "h0"):
        assert np.asarray(getattr(one, name)).tobytes() == np.asarray(getattr(other, name)).tobytes()


def stepped(net, updates, eta):
    return replace(net, **{k: getattr(net, k) + eta * sum(getattr(dw, k) for dw in updates) for k in MATRICES})


def close(one, other):
    for name in MATRICES:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-10, atol=1e-12)


class Varied:
    """Trials of random numbers, a few of different lengths, with targets missing."""

    n_in, n_out = 2, 1

    def __init__(self, lengths=(12,), missing=0.0):
        self.lengths, self.missing = lengths, missing

    def trial(self, rng):
        n_steps = int(rng.choice(self.lengths))
        targets = rng.normal(size=(n_steps, 1))
        targets[rng.random(n_steps) < self.missing] = math.nan
        return rng.normal(size=(n_steps, 2)), targets
