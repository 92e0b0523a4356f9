"""The jobs of the study: RTRL against BPTT, and Appendix 2, in random networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from rflo_repro.learning import exact_math
from rflo_repro.runs.initialisation import Initialisation, generator
from rflo_repro.runs.job import Arrays, Cost, Progress
from rflo_repro.tasks import IntervalMatchingTask, PeriodicTask

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint
    from rflo_repro.learning.network import Network

# A tanh network whose states are this small is linear to about the square of it.
SMALL = 1e-5
# Change of w_rec in the difference quotient of the alignment's growth, relative to the size of w_rec.
STEP = 1e-4


@dataclass(frozen=True)
class Exact:
    """How far the updates of RTRL and of RFLO are from BPTT's in one random network."""

    stored_as = "Exact"
    stored_fields: ClassVar = {"init": "recipe"}

    task: PeriodicTask | IntervalMatchingTask
    init: Initialisation
    seed: int
    network: int
    n_trials: int = 1
    n_bytes: int = 1 << 20

    def cost(self) -> Cost:
        """An estimate: a trial by each of three rules."""
        return Cost(self.n_trials, self.n_bytes, 16, 1e-4)

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """rtrl, rflo: (1,) the largest over the matrices of max|update - BPTT's| / max|BPTT's|."""
        from rflo_repro.learning.evaluate import weight_updates
        from rflo_repro.learning.rules import MATRICES

        net = self.init.draw(self.task, self.seed, self.network)
        trial = self.task.trial(generator(self.seed, self.network, "task"))
        updates = {rule: weight_updates(net, *trial, rule=rule) for rule in ("bptt", "rtrl", "rflo")}

        def apart(rule: str) -> float:
            pairs = [(getattr(updates[rule], m), getattr(updates["bptt"], m)) for m in MATRICES]
            return max(float(np.abs(one - exact).max() / np.abs(exact).max()) for one, exact in pairs if exact.size)

        return {rule: np.array([apart(rule)]) for rule in ("rtrl", "rflo")}


@dataclass(frozen=True)
class Appendix:
    """The loss change and the growth of alignment that Appendix 2 derives, in untrained random networks.

    linear: whether the units are linear. first, count: the networks' indices are first, ..., first + count - 1.
    """

    stored_as = "Appendix"
    stored_fields: ClassVar = {"init": "recipe"}

    linear: bool
    period_steps: int
    init: Initialisation
    seed: int
    first: int
    count: int
    n_bytes: int = 1 << 22

    def cost(self) -> Cost:
        """An estimate: a trial of each network."""
        return Cost(self.count, self.n_bytes, 1 << 16, 1e-4)

    def initial(self, network: int) -> Network:
        """The network of this index.

        A linear one is a tanh network in which tanh is the identity, since its random initial state is scaled by SMALL;
        the readout is divided by SMALL, so that output and error are of ordinary size.
        """
        net = self.init.draw(PeriodicTask(self.period_steps), self.seed, network)
        if not self.linear:
            return net
        h0 = SMALL * exact_math.normal(generator(self.seed, network, "initial state"), (net.n_rec,))
        return replace(net, h0=h0, w_out=net.w_out / SMALL)

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """overlap, loss_change, loss_change_cosine, alignment_growth: (count,) each, as in the table."""
        found = []
        for i in range(self.count):
            found.append(self._measure(self.initial(self.first + i)))
            progress(i + 1)
        return {name: np.array([one[name] for one in found]) for name in found[0]}

    def _measure(self, net: Network) -> dict[str, float]:
        from rflo_repro.learning.evaluate import weight_updates

        inputs, targets = PeriodicTask(self.period_steps).trial(np.random.default_rng(0))
        local, exact = (weight_updates(net, inputs, targets, rule) for rule in ("rflo", "bptt"))
        sizes = exact_math.frobenius_norm(exact.w_rec), exact_math.frobenius_norm(local.w_rec)
        # minus the gradient times the update: the change of the loss to first order in the rate (Eq. 32, second term)
        change = -exact_math.inner(exact.w_rec, local.w_rec)
        step = STEP * exact_math.frobenius_norm(net.w_rec) / sizes[1]
        ahead, behind = (
            exact_math.inner(
                weight_updates(replace(net, w_rec=net.w_rec + sign * step * local.w_rec), inputs, targets).w_out,
                net.feedback.T,
            )
            for sign in (1.0, -1.0)
        )
        # what the small state took from update and readout is put back
        scale = SMALL if self.linear else 1.0
        return {
            "overlap": net.alignment,
            "loss_change": change / scale,
            "loss_change_cosine": change / (sizes[0] * sizes[1]),
            "alignment_growth": (ahead - behind) / (2.0 * step) / (scale * scale),
        }
