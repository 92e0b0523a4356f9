"""The same training in JAX: a jitted scan over time, float64, on one thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

# read when JAX is imported
os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"]
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)

Weights = tuple[Any, Any]


def _step(w: Any, h: Any, tau: float) -> tuple[Any, Any]:
    f = jnp.tanh(w @ h)
    return h + (f - h) / tau, (1 - f**2) / tau


@partial(jax.jit, static_argnames=("tau", "eta"))
def rflo(weights: Weights, feedback: Any, h0: Any, targets: Any, tau: float, eta: float) -> Weights:
    """Eq. 5-6, the updates summed over the trial."""
    w, w_out = weights

    def step(carry: Any, target: Any) -> tuple[Any, None]:
        h, p, dw, dw_out = carry
        new, gain = _step(w, h, tau)
        p = (1 - 1 / tau) * p + jnp.outer(gain, h)
        eps = target - w_out @ new
        return (new, p, dw + (feedback @ eps)[:, None] * p, dw_out + jnp.outer(eps, new)), None

    start = (h0, jnp.zeros_like(w), jnp.zeros_like(w), jnp.zeros_like(w_out))
    (_, _, dw, dw_out), _ = jax.lax.scan(step, start, targets)
    rate = eta / len(targets)
    return w + rate * dw, w_out + rate * dw_out


@partial(jax.jit, static_argnames=("tau", "eta"))
def bptt(weights: Weights, feedback: Any, h0: Any, targets: Any, tau: float, eta: float) -> Weights:
    """The gradient of Eq. 2 by automatic differentiation; `feedback` plays no part."""

    def loss(weights: Weights) -> Any:
        w, w_out = weights

        def step(h: Any, target: Any) -> tuple[Any, Any]:
            new, _ = _step(w, h, tau)
            return new, jnp.sum((target - w_out @ new) ** 2)

        return jnp.mean(jax.lax.scan(step, h0, targets)[1]) / 2

    gradient = jax.grad(loss)(weights)
    return weights[0] - eta * gradient[0], weights[1] - eta * gradient[1]


def session(
    rule: str, w: Any, w_out: Any, feedback: Any, h0: Any, targets: Any, tau: float, eta: float
) -> Callable[[int], None]:
    """A function that trains for a number of trials, compiled already."""
    update = {"rflo": rflo, "bptt": bptt}[rule]
    fixed = (jnp.asarray(feedback), jnp.asarray(h0), jnp.asarray(targets))
    first = (jnp.asarray(w), jnp.asarray(w_out))
    jax.block_until_ready(update(first, *fixed, tau, eta))

    def train(n_trials: int) -> None:
        weights = first
        for _ in range(n_trials):
            weights = update(weights, *fixed, tau, eta)
        jax.block_until_ready(weights)

    return train
