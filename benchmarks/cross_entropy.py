"""Training on classes, here and in JAX: N = 100 units, T = 200, seven inputs, and the cross-entropy of seven outputs.

`python -m benchmarks.cross_entropy` times both in one run on one core; JAX comes with the extra `bench`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np

from rflo_repro.learning.network import Network
from rflo_repro.learning.train import train
from rflo_repro.runs.system import one_core

N_REC, N_STEPS, N_CLASSES, TAU, ETA = 100, 200, 7, 10.0, 0.01
REPEATS = 7


class OneTrial:
    """The same trial again and again: random symbols, each of which is asked for one timestep later."""

    n_in = n_out = N_CLASSES

    def __init__(self) -> None:
        symbols = np.random.default_rng(0).integers(0, N_CLASSES, N_STEPS + 1)
        self.inputs, self.classes = np.eye(N_CLASSES)[symbols[1:]], symbols[:-1].astype(np.float64)

    def trial(self, rng: np.random.Generator) -> tuple[Any, Any]:
        """Inputs (T, 7) and class numbers (T,)."""
        return self.inputs, self.classes


def network() -> Network:
    """A random one."""
    return Network.random(N_REC, N_CLASSES, N_CLASSES, np.random.default_rng(1), tau=TAU)


def ours(rule: str, n_trials: int) -> float:
    """Train by the library; the loss of the last trial."""
    history = train(network(), OneTrial(), rule, ETA, n_trials, np.random.default_rng(0), loss="cross-entropy")
    return float(history.loss[-1])


def in_jax(rule: str) -> Callable[[int], float]:
    """The same training in JAX: one jitted function a trial, a scan over time, float64."""
    from benchmarks import jax_scan  # sets JAX's threads and precision

    jax: Any = vars(jax_scan)["jax"]
    jnp: Any = jax.numpy
    net, task = network(), OneTrial()
    feedback, h0 = jnp.asarray(net.feedback), jnp.asarray(net.h0)
    given = jnp.asarray(task.inputs), jnp.asarray(np.eye(N_CLASSES)[task.classes.astype(int)])
    first = tuple(jnp.asarray(w) for w in (net.w_in, net.w_rec, net.w_out))

    def loss(weights: Any) -> Any:
        w_in, w, w_out = weights

        def step(h: Any, at: Any) -> tuple[Any, Any]:
            new = h + (jnp.tanh(w @ h + w_in @ at[0]) - h) / TAU
            return new, -jnp.sum(at[1] * jax.nn.log_softmax(w_out @ new))

        return jnp.mean(jax.lax.scan(step, h0, given)[1])

    def rflo(weights: Any) -> Any:
        w_in, w, w_out = weights

        def step(carry: Any, at: Any) -> tuple[Any, Any]:
            h, p, q, sums = carry
            f = jnp.tanh(w @ h + w_in @ at[0])
            new, gain = h + (f - h) / TAU, (1 - f**2) / TAU
            p, q = ((1 - 1 / TAU) * trace + jnp.outer(gain, by) for trace, by in ((p, h), (q, at[0])))
            y = w_out @ new
            eps = at[1] - jax.nn.softmax(y)
            credit = (feedback @ eps)[:, None]
            dws = (credit * q, credit * p, jnp.outer(eps, new))
            own = -jnp.sum(at[1] * jax.nn.log_softmax(y))
            return (new, p, q, tuple(s + dw for s, dw in zip(sums, dws, strict=True))), own

        zeros = tuple(jnp.zeros_like(part) for part in weights)
        (*_, sums), losses = jax.lax.scan(step, (h0, zeros[1], zeros[0], zeros), given)
        return jnp.mean(losses), tuple(-s / N_STEPS for s in sums)

    value_and_gradient = rflo if rule == "rflo" else jax.value_and_grad(loss)

    @jax.jit
    def trial(weights: Any) -> Any:
        value, gradient = value_and_gradient(weights)
        return value, tuple(w - ETA * g for w, g in zip(weights, gradient, strict=True))

    def run(n_trials: int) -> float:
        weights, value = first, None
        for _ in range(n_trials):
            value, weights = trial(weights)
        return float(jax.block_until_ready(value))

    run(1)
    return run


@click.command()
@click.option("--trials", default=200, show_default=True, help="Trials a measurement.")
def main(trials: int) -> None:
    """Print microseconds a timestep, the least of several measurements that take turns, and the loss both end at."""
    with one_core():
        for rule in ("rflo", "bptt"):
            programs: dict[str, Callable[[], float]] = {"here": lambda rule=rule: ours(rule, trials)}  # type: ignore[misc]
            try:
                theirs = in_jax(rule)
                programs["JAX"] = lambda theirs=theirs: theirs(trials)  # type: ignore[misc]
            except ModuleNotFoundError:
                click.echo("JAX is not installed: pip install 'rflo-repro[bench]'")
            ours(rule, 1)
            least = dict.fromkeys(programs, np.inf)
            losses = {}
            for _ in range(REPEATS):
                for name, program in programs.items():
                    began = time.perf_counter()
                    losses[name] = program()
                    least[name] = min(least[name], 1e6 * (time.perf_counter() - began) / (trials * N_STEPS))
            share = f"  {least['here'] / least['JAX']:.2f} of JAX's time" if "JAX" in least else ""
            for name, us in least.items():
                click.echo(f"{rule}  {name}  {us:.3g} us a timestep  loss {losses[name]:.6f}")
            click.echo(f"{rule}{share}")


if __name__ == "__main__":
    main()
