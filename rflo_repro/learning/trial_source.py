"""Samples a task's trials, their noise and their random signs, in blocks of a kernel call's length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rflo_repro.learning import algorithms, exact_math, kernels, losses, validate
from rflo_repro.learning.evaluate import checked_trial
from rflo_repro.learning.packing import NO_NOISE, NO_SIGNS, PackedNetwork, Signs, random_signs
from rflo_repro.learning.settings import Settings
from rflo_repro.learning.validate import Array

# A block of trials is one call into a kernel, which Ctrl-C must wait for.
BLOCK_SECONDS = 0.2
BLOCK_FLOATS = 4_000_000

Trial = tuple[Array, Array]
"""Inputs (T, Nx), with that of the bias, and targets (T, Ny)."""


@dataclass
class Rngs:
    """The generators of a training: the task's trials, the noise, and the Rademacher signs have one each.

    evaluation: that of the trials on which the network is evaluated; each evaluation begins with a copy of it.
    """

    trials: np.random.Generator
    noise: np.random.Generator | None = None
    signs: np.random.Generator | None = None
    evaluation: np.random.Generator | None = None


@dataclass(frozen=True)
class Block:
    """Consecutive trials, as arrays of `kernels.Trials`: the distinct ones stacked, and which of them each trial is."""

    inputs: Array
    targets: Array
    order: npt.NDArray[np.int64]
    noise: Array
    signs: Signs
    lengths: npt.NDArray[np.int64] | float = 0.0

    def trials(self, settings: Settings) -> kernels.Trials:
        """As the kernels take them."""
        return kernels.Trials(
            self.inputs,
            self.targets,
            self.order,
            settings.batch,
            settings.reset_state,
            self.noise,
            self.lengths,
            self.signs,
            losses.switch(settings.loss),
        )


class TrialSource:
    """Samples a task's trials, in order.

    lookahead: trials that were sampled from the task and are not in a block yet.
    seconds_per_step: what a timestep takes, from which the length of the next block follows.
    """

    def __init__(
        self, settings: Settings, packed: PackedNetwork, rngs: Rngs, lookahead: tuple[Trial, ...] = ()
    ) -> None:
        self.settings, self.packed, self.rngs, self.lookahead = settings, packed, rngs, lookahead
        self.given: tuple[Any, Any] | None = None
        self.checked: Trial | None = None
        n, n_in = packed.net.n_rec, packed.net.n_in
        rule = settings.known
        cost = 1.0 if rule is None else algorithms.multiply_adds(rule, *packed.sizes, settings.online)
        # a guess, until the first block has been timed
        self.seconds_per_step = 5e-8 + 1e-10 * n * (n + n_in) * cost

    def next_trial(self) -> Trial:
        """The task's next trial, checked. The same object as the last one where it has the same bits."""
        given = self.settings.task.trial(self.rngs.trials)
        try:
            inputs, targets = given
        except (TypeError, ValueError):
            got = validate.short_repr(given)
            raise ValueError(f"task.trial must return inputs and targets, got {got}") from None
        same_objects = self.given is not None and inputs is self.given[0] and targets is self.given[1]
        if same_objects and self.checked is not None:
            return self.checked
        # A read-only array may be a view of one that is refilled: identity counts for arrays that can never change
        self.given = (inputs, targets) if validate.immutable(inputs) and validate.immutable(targets) else None
        inputs, targets = checked_trial(inputs, targets, self.packed.net, self.settings.loss)
        trial = self.packed.inputs(inputs), targets
        if self.checked is None or not all(map(_same_bits, trial, self.checked)):
            self.checked = trial
        return self.checked

    def block(self, n_most: int) -> Block:
        """The next block: whole batches, at most `n_most` trials.

        A batch of trials that differ in length is a block of its own: its numbers do not depend on its neighbours.
        """
        net, batch = self.packed.net, self.settings.batch
        begun, self.lookahead = [*self.lookahead] or [self.next_trial()], ()
        n_steps = len(begun[0][0])
        if any(len(inputs) != n_steps for inputs, _ in begun):
            return self.padded_batch(begun)
        distinct, order = [begun[0]], [0]

        def add(trial: Trial) -> None:
            if trial is not distinct[-1]:
                distinct.append(trial)
            order.append(len(distinct) - 1)

        for trial in begun[1:]:
            add(trial)
        n_trials = min(n_most, max(1, int(BLOCK_SECONDS / (n_steps * self.seconds_per_step)) // batch) * batch)
        floats = n_steps * sum(self.packed.sizes[1:])
        sampled = (net.n_rec if self.settings.noise > 0.0 else 0) + self.settings.sign_bytes(net.n_rec) / 8
        while len(order) < n_trials:
            whole = len(order) % batch == 0
            if whole and len(distinct) * floats + len(order) * n_steps * sampled > BLOCK_FLOATS:
                break
            trial = self.next_trial()
            if len(trial[0]) != n_steps:
                n_whole = len(order) // batch * batch
                last = [*(distinct[i] for i in order[n_whole:]), trial]
                last += [self.next_trial() for _ in range(batch - len(last))]
                if n_whole == 0:
                    return self.padded_batch(last)
                self.lookahead, order = tuple(last), order[:n_whole]
                break
            add(trial)
        return Block(
            inputs=np.stack([inputs for inputs, _ in distinct]),
            targets=np.stack([targets for _, targets in distinct]),
            order=np.array(order, dtype=np.int64),
            noise=self.noise([n_steps] * len(order), n_steps),
            signs=self.signs([n_steps] * len(order), n_steps),
        )

    def padded_batch(self, trials: list[Trial]) -> Block:
        """A batch of trials that differ in length: shorter ones end in inputs of zero and targets of NaN."""
        lengths = [len(inputs) for inputs, _ in trials]
        if self.settings.known is not None and self.settings.known.next_error:
            got = validate.short_repr(lengths)
            raise ValueError(f"next_error needs trials of one length in a batch, got {got}")
        n_steps = max(lengths)
        inputs = _padded([given for given, _ in trials], np.zeros((len(trials), n_steps, self.packed.sizes[1])))
        targets = np.full((len(trials), n_steps, self.packed.sizes[2]), math.nan)
        _padded([wanted for _, wanted in trials], targets)
        noise, signs = self.noise(lengths, n_steps), self.signs(lengths, n_steps)
        return Block(inputs, targets, np.arange(len(trials)), noise, signs, np.array(lengths))

    def noise(self, lengths: Sequence[int], n_steps: int) -> Array:
        """(K, n_steps, N): sampled trial after trial, each as long as it is."""
        rng, n = self.rngs.noise, self.packed.net.n_rec
        if rng is None:
            return NO_NOISE
        sampled = (normal(rng, length * n).reshape(length, n) for length in lengths)
        return _padded(sampled, np.zeros((len(lengths), n_steps, n))) * self.settings.noise

    def signs(self, lengths: Sequence[int], n_steps: int) -> Signs:
        """(K, n_steps, draws, bytes): sampled trial after trial, each as long as it is."""
        rule, rng, n = self.settings.known, self.rngs.signs, self.packed.net.n_rec
        if rng is None or rule is None:
            return NO_SIGNS
        sampled = [random_signs(rule, n, length, rng) for length in lengths]
        return _padded(sampled, np.zeros((len(lengths), n_steps, *sampled[0].shape[1:]), dtype=np.uint8))


def _padded(parts: Iterable[npt.NDArray[Any]], rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`rows`, each of which begins with a part; its end stays as it is."""
    for row, part in zip(rows, parts, strict=True):
        row[: len(part)] = part
    return rows


def _same_bits(a: Array, b: Array) -> bool:
    return np.array_equal(a.view(np.int64), b.view(np.int64))


def normal(rng: np.random.Generator, n: int) -> Array:
    """(n,): the numbers of `exact_math.normal`, to the bit and in a thirtieth of its time."""
    uniform = np.zeros((2, kernels.padded(n)))
    for first in range(0, n, exact_math.BLOCK):
        part = uniform[:, first : min(first + exact_math.BLOCK, n)]
        part[:] = rng.random((part.shape[1], 2)).T
    kernels.box_muller(uniform)
    return uniform[0, :n]
