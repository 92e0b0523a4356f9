"""The tasks of other papers: what a trial has, and what each metric counts."""

import numpy as np
import pytest

import rflo_repro as rr
from rflo_repro.tasks.reber import INNER, LAST


def trials(task, n=200):
    rng = np.random.default_rng(0)
    return [task.trial(rng) for _ in range(n)]


TASKS = [rr.MatchToSampleTask(), rr.EvidenceTask(), rr.ContextTask(), rr.FlipFlopTask(), rr.EmbeddedReberTask()]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_shapes_and_what_the_targets_themselves_score(task):
    """An output that is the target, and that is its opposite."""
    for inputs, targets in trials(task, 50):
        assert inputs.shape == (len(targets), task.n_in)
        assert len(targets) <= task.n_steps
        outputs = np.eye(7)[targets.astype(int)] if targets.ndim == 1 else np.nan_to_num(targets, nan=0.3)
        assert task.metric(outputs, inputs, targets) == 1.0
        assert task.metric(-outputs, inputs, targets) == 0.0


def test_match_to_sample():
    task = rr.MatchToSampleTask(stimulus=3, delay=2, response=4)
    seen = set()
    for inputs, targets in trials(task):
        first, second = np.argmax(inputs[0]), np.argmax(inputs[5])
        assert inputs.sum() == 6.0
        assert inputs[:3, first].all()
        assert inputs[5:8, second].all()
        assert np.isnan(targets[:10]).all()
        assert (targets[10:] == (1.0 if first != second else -1.0)).all()
        seen.add((first, second))
    assert len(seen) == 4


def test_the_evidence_and_how_long_it_lasts():
    task = rr.EvidenceTask(input_sd=0.0)
    lengths, coherences = [], set()
    for inputs, targets in trials(task, 3000):
        duration = len(inputs) - task.fixation - task.decision
        lengths.append(duration)
        during = inputs[task.fixation : task.fixation + duration]
        assert (during[:, :2] == during[0, :2]).all()
        assert during[:, 2].all()
        assert np.argmax(during[0, :2]) == np.argmax(targets[-1])
        assert np.isnan(targets[task.fixation : -task.decision]).all()
        coherences.add(round(100 * abs(during[0, 0] - during[0, 1]) / 3.2))
    assert coherences == {1, 2, 4, 8, 16}
    assert min(lengths) >= 8
    assert max(lengths) <= 150
    # an exponential distribution from the shortest on has its mean that much later, but for what is cut off
    a, b, m = 8.0, 150.0, 33.0
    cut = np.exp(-(b - a) / m)
    assert np.mean(lengths) == pytest.approx(m + a - (b - a) * cut / (1 - cut), abs=2.0)


def test_the_noise_is_that_of_the_stimulus_alone():
    inputs, _ = rr.EvidenceTask(
        coherences=(1e-9,), input_sd=0.3, shortest=4000, longest=4000, mean_stimulus=9000
    ).trial(np.random.default_rng(1))
    assert inputs[10:-30, :2].std(axis=0) == pytest.approx([0.3, 0.3], rel=0.05)
    assert not inputs[-30:, :2].any()


def test_the_context_says_which_pair_counts():
    task = rr.ContextTask(input_sd=0.0)
    contexts = set()
    for inputs, targets in trials(task):
        stimulus = inputs[task.fixation]
        context = int(np.argmax(stimulus[:2]))
        pair = stimulus[2 + 2 * context : 4 + 2 * context]
        assert np.argmax(pair) == np.argmax(targets[-1])
        contexts.add((context, np.argmax(stimulus[2:4]), np.argmax(stimulus[4:6])))
    assert len(contexts) == 8


def test_a_bit_keeps_the_sign_of_the_last_pulse():
    for inputs, targets in trials(rr.FlipFlopTask(), 20):
        for pulses, wanted in zip(inputs.T, targets.T, strict=True):
            last = np.nan
            for x, y in zip(pulses, wanted, strict=True):
                if x != 0.0:
                    last = x
                    assert np.isnan(y)
                else:
                    assert y == last or (np.isnan(y) and np.isnan(last))


def test_strings_of_the_grammar():
    task, rng = rr.EmbeddedReberTask(), np.random.default_rng(2)
    for _ in range(300):
        string = task.string(rng)
        assert string[0] == "B"
        assert string[1] == string[-2]
        assert string[1] in "TP"
        assert string[-1] == "E"
        inner, state = string[2:-2], 0
        assert (inner[0], inner[-1]) == ("B", "E")
        for symbol in inner[1:-1]:
            state = dict(INNER[state])[symbol]
        assert state == LAST
        assert 9 <= len(string) <= 40


def test_the_published_strings_are_of_the_grammar():
    """Those of Schraudolph's page on the Reber grammar, and those that are not."""

    def legal(string):
        state = 0
        for symbol in string[1:-1]:
            if state == LAST or symbol not in dict(INNER[state]):
                return False
            state = dict(INNER[state])[symbol]
        return state == LAST and string[-1] == "E"

    assert all(map(legal, ["BTSSXXTVVE", "BPVVE", "BTXXVPSE", "BPVPXVPXVPXVVE", "BTSXXVPSE"]))
    assert not any(map(legal, ["BTSSPXSE", "BPTVVB", "BTXXVVSE", "BPVSPSE", "BTSSSE"]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: rr.EvidenceTask(coherences=()), "coherences"),
        (lambda: rr.EvidenceTask(coherences=(-1.0,)), "coherences"),
        (lambda: rr.EvidenceTask(longest=3), "longest"),
        (lambda: rr.ContextTask(input_sd=-0.1), "input_sd"),
        (lambda: rr.FlipFlopTask(longest=3), "longest"),
        (lambda: rr.MatchToSampleTask(response=0), "response"),
        (lambda: rr.EmbeddedReberTask(longest=8), "longest"),
    ],
)
def test_values_out_of_range(make, said):
    with pytest.raises(ValueError, match=said):
        make()
