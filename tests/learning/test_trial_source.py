"""The source of trials: the Rademacher signs that it samples, and its blocks."""

import numpy as np

import rflo_repro as rr
from rflo_repro.learning import trial_source
from rflo_repro.learning.packing import PackedNetwork
from rflo_repro.learning.settings import Settings

UORO = rr.LearningRule("uoro", "symmetric", "full", form="uoro", draws=3)


class Mixed:
    """Trials of 12 steps, or of 12 and 7 in turn."""

    n_in, n_out = 1, 1

    def __init__(self, lengths=(12,)):
        self.lengths, self.n = lengths, 0

    def trial(self, rng):
        n_steps = self.lengths[self.n % len(self.lengths)]
        self.n += 1
        return rng.normal(size=(n_steps, 1)), np.zeros((n_steps, 1))


def source(task, rule=UORO, batch=1, seed=1):
    net = rr.Network.random(19, 1, 1, np.random.default_rng(0))
    return trial_source.TrialSource(
        Settings(task, rule, 0.1, False, batch, True, rr.Optimizer(), 0.0, (), "squared", 0, None),
        PackedNetwork(net),
        trial_source.Rngs(np.random.default_rng(0), None, np.random.default_rng(seed)),
    )


def test_signs_are_bits_of_chance():
    """As many of each, independent over steps, draws, units and trials."""
    blocks = source(Mixed())
    signs = np.concatenate([blocks.block(200).signs for _ in range(3)])
    assert signs.shape == (600, 12, 3, 3)
    assert signs.dtype == np.uint8
    bits = 1.0 - 2.0 * np.unpackbits(signs, axis=-1, bitorder="little")[..., :19]
    assert abs(bits.mean()) < 0.005
    for axis in range(4):
        assert abs(np.mean(bits * np.roll(bits, 1, axis=axis))) < 0.005


def test_signs_do_not_depend_on_the_blocks():
    one, many = source(Mixed()), source(Mixed())
    signs = one.block(6).signs
    np.testing.assert_array_equal(signs, np.concatenate([many.block(n).signs for n in (1, 2, 3)]))


def test_a_shorter_trial_draws_as_much_as_it_is_long():
    block = source(Mixed((12, 7)), batch=2).block(2)
    assert block.signs.shape == (2, 12, 3, 3)
    assert not block.signs[1, 7:].any()
    short = source(Mixed((7,)), seed=1).block(1).signs
    long = source(Mixed((12,)), seed=1).block(1).signs
    np.testing.assert_array_equal(short[0].ravel(), long[0].ravel()[: short.size])
    np.testing.assert_array_equal(block.signs[0], long[0])


def test_signs_are_bounded_in_memory():
    many = rr.LearningRule("many", "symmetric", "full", form="uoro", draws=100_000)
    blocks = source(Mixed(), many)
    blocks.seconds_per_step = 1e-12  # time would let it draw more
    block = blocks.block(1000)
    assert len(block.order) < 50
    assert block.signs.nbytes <= 8 * trial_source.BLOCK_FLOATS + block.signs[0].nbytes
