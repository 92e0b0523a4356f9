"""Training by a rule of the user's own, a function from a trial to its updates."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from rflo_repro.learning import kernels, losses
from rflo_repro.learning.evaluate import Rule, checked_updates, run
from rflo_repro.learning.packing import PackedNetwork
from rflo_repro.learning.validate import Array


class CustomTrainer:
    """Trains by a rule of the user's own, with the arguments and the result of `kernels.train_trials`."""

    def __init__(self, rule: Rule, packed: PackedNetwork, loss: str) -> None:
        self.rule, self.packed, self.loss = rule, packed, loss

    def __call__(
        self,
        weights: kernels.Weights,
        trials: kernels.Trials,
        _: None,
        rates: kernels.Rates | kernels.Optimizer,
        record: kernels.Record,
        work: None,
    ) -> int:
        n, n_in = weights.n_rec, self.packed.net.n_in
        for first in range(0, len(trials.order), trials.batch):
            net = self.packed.network()
            m, w_out = np.zeros_like(weights.m), np.zeros_like(weights.w_out)
            finite = True
            for k in range(first, first + trials.batch):
                which = trials.order[k]
                length = trials.inputs.shape[1] if isinstance(trials.lengths, float) else trials.lengths[which]
                inputs, targets = trials.inputs[which, :length, :n_in].copy(), trials.targets[which, :length].copy()
                begun = replace(net, h0=weights.state[:n])
                seen = run(begun, inputs, trials.noise[k, :length] if trials.noise.size else None)
                record.loss[k] = losses.of_outputs(self.loss, targets, seen.y)
                record.alignment[k] = net.alignment
                if not trials.reset_state:
                    weights.state[:n] = seen.h[-1]
                finite = finite and math.isfinite(record.loss[k])
                if finite:
                    # numbers that overflow are a divergence, however warnings are treated
                    with np.errstate(all="ignore"):
                        returned = self.rule(begun, inputs, targets, seen)
                    self.add(returned, m, w_out)
            updates = kernels.Updates(m, w_out)
            if not finite or not (
                kernels.optimize(rates, weights, updates, 1)
                if isinstance(rates, kernels.Optimizer)
                else kernels.apply_update(weights, updates, rates)
            ):
                return first
        return len(trials.order)

    def add(self, returned: Any, m: Array, w_out: Array) -> None:
        """Add what the rule returned. Raises ValueError unless it is the updates of this network."""
        net = self.packed.net
        n, n_in = net.n_rec, net.n_in
        updates = checked_updates(net, returned)
        sums = {"w_rec": m[:n, :n].T, "w_in": m[n : n + n_in, :n].T, "w_out": w_out[:, :n]}
        if updates.bias is not None:
            sums["bias"] = m[-1, :n]
        for name, summed in sums.items():
            summed += getattr(updates, name)
