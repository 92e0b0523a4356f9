"""A model that is not the paper's, here and in JAX: sparse softplus units with noise, trained by Adam.

`python -m benchmarks.other_models` times both in one run on one core; JAX comes with the extra `bench`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import numpy as np

from rflo_repro.learning.network import Network
from rflo_repro.learning.optimizers import Optimizer
from rflo_repro.learning.train import train
from rflo_repro.runs.system import one_core
from rflo_repro.tasks import PeriodicTask

N_REC, N_STEPS, TAU, NOISE, ETA = 100, 800, 10.0, 0.05, 1e-3
REPEATS = 5


def ours(n_trials: int, rule: str) -> None:
    """Train by a rule of the library."""
    net, task = problem()
    optimizer = Optimizer("adam")
    train(net, task, rule, ETA, n_trials, np.random.default_rng(0), optimizer=optimizer, noise=NOISE)


def problem() -> tuple[Any, Any]:
    """The network and the task."""
    rng = np.random.default_rng(0)
    net = Network.random(N_REC, 0, 1, rng, tau=TAU, phi="softplus", density=0.2, bias=0.0)
    return net, PeriodicTask(N_STEPS)


def in_jax(rule: str) -> Callable[[int], None]:
    """The same training in JAX: one jitted function a trial, a scan over time, float64."""
    from benchmarks import jax_scan  # sets JAX's threads and precision

    jax: Any = vars(jax_scan)["jax"]
    jnp: Any = jax.numpy
    net, task = problem()
    mask, feedback, h0 = jnp.asarray(net.mask, dtype=float), jnp.asarray(net.feedback), jnp.asarray(net.h0)
    targets = jnp.asarray(task.trial(np.random.default_rng(0))[1])
    first = tuple(jnp.asarray(getattr(net, name)) for name in ("w_rec", "w_out", "bias"))

    def loss(weights: Any, noise: Any) -> Any:
        w, w_out, bias = weights[0] * mask, weights[1], weights[2]

        def step(h: Any, given: Any) -> tuple[Any, Any]:
            xi, target = given
            new = h + (jax.nn.softplus(w @ h + bias + xi) - h) / TAU
            return new, jnp.sum((target - w_out @ new) ** 2)

        return jnp.mean(jax.lax.scan(step, h0, (noise, targets))[1]) / 2

    def rflo(weights: Any, noise: Any) -> Any:
        w, w_out, bias = weights[0] * mask, weights[1], weights[2]

        def step(carry: Any, given: Any) -> tuple[Any, None]:
            h, p, r, dw, dw_out, db = carry
            xi, target = given
            u = w @ h + bias + xi
            new, gain = h + (jax.nn.softplus(u) - h) / TAU, jax.nn.sigmoid(u) / TAU
            p, r = (1 - 1 / TAU) * p + jnp.outer(gain, h), (1 - 1 / TAU) * r + gain
            eps = target - w_out @ new
            credit = feedback @ eps
            return (new, p, r, dw + credit[:, None] * p, dw_out + jnp.outer(eps, new), db + credit * r), None

        zeros = jnp.zeros_like
        start = (h0, zeros(w), zeros(bias), zeros(w), zeros(w_out), zeros(bias))
        *_, dw, dw_out, db = jax.lax.scan(step, start, (noise, targets))[0]
        return tuple(-g / len(targets) for g in (dw * mask, dw_out, db))

    gradient = rflo if rule == "rflo" else jax.grad(loss)

    @jax.jit
    def trial(state: Any) -> Any:
        weights, first_moment, second, n, key = state
        key, own = jax.random.split(key)
        g = gradient(weights, NOISE * jax.random.normal(own, (N_STEPS, N_REC)))
        first_moment = jax.tree.map(lambda v, x: 0.9 * v + 0.1 * x, first_moment, g)
        second = jax.tree.map(lambda s, x: 0.999 * s + 0.001 * x * x, second, g)
        n = n + 1

        def moved(w: Any, v: Any, s: Any) -> Any:
            return w - ETA * (v / (1 - 0.9**n)) / (jnp.sqrt(s / (1 - 0.999**n)) + 1e-8)

        return jax.tree.map(moved, weights, first_moment, second), first_moment, second, n, key

    still = jax.tree.map(jnp.zeros_like, first)
    start = (first, still, still, jnp.asarray(0.0), jax.random.PRNGKey(0))

    def trained(n_trials: int) -> None:
        state = start
        for _ in range(n_trials):
            state = trial(state)
        jax.block_until_ready(state)

    return trained


def seconds(way: Callable[[int], None], n_trials: int) -> float:
    """Time of one trial."""
    start = time.perf_counter()
    way(n_trials)
    return (time.perf_counter() - start) / n_trials


@click.command(help=__doc__)
@click.option("--trials", default=40, type=click.IntRange(1), show_default=True, help="Trials that are timed at once.")
def main(trials: int) -> None:
    with one_core():
        for rule in ("bptt", "rflo"):
            ways: dict[str, Callable[[int], None]] = {"ours": partial(ours, rule=rule), "jax": in_jax(rule)}
            for way in ways.values():
                way(1)  # the compiler's time
            # in turns, so that what slows the machine slows both
            taken = [{name: seconds(way, trials) for name, way in ways.items()} for _ in range(REPEATS)]
            best = {name: min(times[name] for times in taken) for name in ways}
            click.echo(
                f"{rule}: {best['ours'] * 1e6:.0f} us a trial, JAX {best['jax'] * 1e6:.0f}, "
                f"ratio {best['ours'] / best['jax']:.2f}"
            )


if __name__ == "__main__":
    main()
