"""Masks of the input weights and the readout, beside that of the recurrent weights."""

from dataclasses import replace

import numpy as np
import pytest
from cases import further
from varied import Varied, same_network

import rflo_repro as rr


def two_layers(**options):
    """Four units with inputs, and four that are read out."""
    first = np.arange(8) < 4
    masks = {
        "mask_in": np.repeat(first[:, None], 2, axis=1),
        "mask_out": ~first[None],
        "mask": ~(first[:, None] & ~first),
    }
    return rr.Network.random(8, 2, 1, np.random.default_rng(1), tau=3.0, **masks, **options)


def test_masks_of_inputs_and_readout_stay():
    """With every kind of training, and of an update."""
    task = Varied(lengths=(9, 12))
    for options in (
        {},
        {"online": True},
        {"optimizer": rr.Optimizer("adam", clip=0.1, weight_decay=0.1)},
        {"optimizer": rr.Optimizer("momentum"), "online": True},
    ):
        net = two_layers(bias=0.2)
        trained = rr.train(net, task, "rflo", 0.1, 20, np.random.default_rng(0), **options).network
        for name, of in (("mask_in", "w_in"), ("mask", "w_rec"), ("mask_out", "w_out")):
            mask = getattr(net, name)
            assert not getattr(trained, of)[~mask].any()
            assert (getattr(trained, of) != getattr(net, of))[mask].all()
        assert (trained.bias != net.bias).all()


@pytest.mark.parametrize("rule", ["bptt", *further("rtrl", "rflo", "node-perturbation")])
def test_an_update_under_masks_is_that_without_them(rule):
    net, (inputs, targets) = two_layers(), Varied().trial(np.random.default_rng(0))
    free = replace(net, mask=None, mask_in=None, mask_out=None)
    masked, whole = (rr.weight_updates(n, inputs, targets, rule, rng=np.random.default_rng(1)) for n in (net, free))
    for name, of in (("mask_in", "w_in"), ("mask", "w_rec"), ("mask_out", "w_out")):
        np.testing.assert_allclose(
            getattr(masked, of), np.where(getattr(net, name), getattr(whole, of), 0.0), atol=1e-14
        )


def test_a_learner_under_masks_is_online_training():
    net, task = two_layers(bias=0.1), Varied()
    wanted = rr.train(net, task, "local", 0.2, 10, np.random.default_rng(3), online=True).network
    rng = np.random.default_rng(3)
    learner = rr.Learner(net, "local", 0.2 / 12)
    for _ in range(10):
        learner.reset()
        for x, target in zip(*task.trial(rng), strict=True):
            learner.step(x)
            learner.learn(target)
    same_network(learner.network, wanted)


def test_masks_that_are_not_kept():
    net = two_layers()
    with pytest.raises(ValueError, match="w_in has weights other than zero where mask_in is False"):
        replace(net, w_in=np.ones((8, 2)))
    with pytest.raises(ValueError, match="w_out has weights other than zero where mask_out is False"):
        replace(net, w_out=np.ones((1, 8)))
    with pytest.raises(ValueError, match="mask_out must be None with force"):
        rr.train(net, Varied(), "force", n_trials=1)
