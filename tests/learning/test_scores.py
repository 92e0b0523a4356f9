"""What `evaluate` measures, what `evaluate_every` records of it in a training, and where `stop` ends one."""

import copy
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np
import pytest
from test_losses import Memory
from varied import Varied, same_history, same_network

import rflo_repro as rr
from rflo_repro.learning.train import EVALUATED

NET = rr.Network.random(8, 2, 1, np.random.default_rng(1))


@dataclass(frozen=True)
class Sized:
    """Trials of two lengths; the metric is a trial's largest error, and trials of five timesteps have none."""

    n_in: int = 2
    n_out: int = 1

    def trial(self, rng):
        n_steps = 5 if rng.random() < 0.5 else 8
        return rng.normal(size=(n_steps, 2)), rng.normal(size=(n_steps, 1))

    def metric(self, outputs, inputs, targets):
        assert outputs.shape == targets.shape == (len(inputs), 1)
        return np.nan if len(inputs) == 5 else np.abs(outputs - targets).max()


def test_it_is_the_mean_over_trials():
    found = rr.evaluate(NET, Sized(), 50, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    trials = [Sized().trial(rng) for _ in range(50)]
    outputs = [rr.run(NET, inputs).y for inputs, _ in trials]
    losses = [np.sum((t - y) ** 2) / 2 / len(y) for y, (_, t) in zip(outputs, trials, strict=True)]
    metrics = [np.abs(t - y).max() for y, (_, t) in zip(outputs, trials, strict=True) if len(y) == 8]
    np.testing.assert_allclose(found.losses, losses, rtol=1e-12)
    assert found.loss == pytest.approx(np.mean(losses))
    assert found.loss_sd == pytest.approx(np.std(losses))
    assert found.metric == pytest.approx(np.mean(metrics))
    assert found.metric_sd == pytest.approx(np.std(metrics))


def test_a_task_without_a_metric():
    assert np.isnan(rr.evaluate(NET, Varied(), 5, np.random.default_rng(0)).metric)


def test_class_numbers_reach_the_metric():
    net = rr.Network.random(20, 2, 3, np.random.default_rng(1))
    net = rr.train(net, Memory(), "bptt", 0.3, 2000, np.random.default_rng(2), loss="cross-entropy").network
    assert rr.evaluate(net, Memory(), 100, np.random.default_rng(3), loss="cross-entropy").metric > 0.9


def test_what_it_refuses():
    class Wordy(Varied):
        def metric(self, outputs, inputs, targets):
            return "good"

    with pytest.raises(ValueError, match=r"task\.metric must return a number, got 'good'"):
        rr.evaluate(NET, Wordy(), 2)
    with pytest.raises(ValueError, match="n_trials must be a whole number of at least 1"):
        rr.evaluate(NET, Varied(), 0)
    with pytest.raises(ValueError, match="task must be an instance"):
        rr.evaluate(NET, Varied, 1)


def trained(task=None, n_trials=60, **options):
    return rr.train(NET, task or Sized(), "rflo", 0.02, n_trials, np.random.default_rng(5), **options)


def test_a_training_is_the_same_with_evaluations():
    with_them, without = trained(evaluate_every=20), trained()
    same_history(with_them, without)
    assert with_them.evaluated.tolist() == [20, 40, 60]
    assert without.evaluated.size == without.metric.size == 0


def test_an_evaluation_is_of_the_network_at_that_trial():
    history = trained(evaluate_every=20, snapshots=[21, 41])
    rng = np.random.default_rng(5)
    from rflo_repro.learning.network import children

    own = children(copy.deepcopy(rng), 3)[2]
    nets = [*(net for _, net in history.snapshots), history.network]
    found = [rr.evaluate(net, Sized(), EVALUATED, copy.deepcopy(own)) for net in nets]
    assert history.evaluated_loss.tolist() == [one.loss for one in found]
    assert history.metric.tolist() == [one.metric for one in found]


def test_it_stops():
    seen = []

    def stop(history):
        seen.append((len(history.loss), history.metric.size))
        return len(history.loss) >= 40

    history = trained(evaluate_every=20, stop=stop)
    assert seen == [(20, 1), (40, 2)]
    same_network(history.network, trained(n_trials=40).network)
    assert len(history.loss) == 40
    assert history.resume(20).evaluated.tolist() == [20, 40, 60]


def test_resumed_it_has_the_same_evaluations():
    whole, parts = trained(evaluate_every=20), trained(n_trials=30, evaluate_every=20).resume(30)
    same_history(whole, parts)
    assert whole.metric.tobytes() == parts.metric.tobytes()
    assert whole.evaluated.tolist() == parts.evaluated.tolist()


class Saved:
    """A checkpoint in memory, which keeps everything."""

    arrays = None

    def read(self):
        return self.arrays

    def keep(self, done, now):
        self.arrays = now()


def test_a_checkpoint_has_them_and_stays_stopped():
    saved = Saved()
    first = trained(evaluate_every=20, stop=lambda history: len(history.loss) >= 40, checkpoint=saved)
    again = trained(evaluate_every=20, stop=lambda history: len(history.loss) >= 40, checkpoint=saved)
    same_history(first, again)
    assert first.metric.tobytes() == again.metric.tobytes()
    assert again.evaluated.tolist() == [20, 40]


def test_arguments_that_do_not_go_together():
    with pytest.raises(ValueError, match=r"evaluate_every must be a multiple of batch \(4\), got 10"):
        trained(evaluate_every=10, batch=4)
    with pytest.raises(ValueError, match="stop must be a function of the history, together with evaluate_every"):
        trained(stop=lambda history: True)
    with pytest.raises(ValueError, match="stop must be a function"):
        trained(evaluate_every=20, stop=0.9)

    class Endless(Varied):
        def __init__(self):
            super().__init__()
            self.numbers = (n for n in cycle([1]))

    with pytest.raises(ValueError, match="evaluate_every needs a task that can be copied"):
        trained(Endless(), evaluate_every=20)


def test_pre_activations():
    """With them and Eq. 1 the next states follow."""
    net = replace(NET, bias=np.linspace(-1, 1, 8), output_feedback=True, tau=np.linspace(2, 9, 8))
    rng = np.random.default_rng(0)
    inputs, noise = rng.normal(size=(3, 6, 2)), rng.normal(size=(3, 6, 8))
    found = rr.run(net, inputs, noise)
    before = np.concatenate([np.broadcast_to(net.h0, (3, 1, 8)), found.h[:, :-1]], axis=1)
    np.testing.assert_allclose(found.h, before + (np.tanh(found.u) - before) / net.tau, atol=1e-13)
    np.testing.assert_allclose(rr.run(net, inputs[1]).u.shape, (6, 8))
    with pytest.raises(AttributeError, match="`run`"):
        _ = rr.Run(found.h, found.y).u
