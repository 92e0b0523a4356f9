"""What several test modules share: a clean place to write, random problems, and plain NumPy oracles."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import rflo_repro as rr

# The same examples every time, and no deadline: the first call of a kernel compiles it.
settings.register_profile("everyday", deadline=None, derandomize=True, database=None, max_examples=30)
settings.load_profile("everyday")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in an empty directory of its own, so that none writes into the checkout."""
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@dataclass(frozen=True)
class Problem:
    """A network and one trial for it."""

    net: rr.Network
    inputs: np.ndarray
    targets: np.ndarray


@pytest.fixture(scope="session")
def problem() -> Callable[..., Problem]:
    """Makes random problems: by default 3 inputs that vary in time, 2 outputs and tau = 7."""

    def make(
        seed: int = 0,
        n_rec: int = 7,
        n_in: int = 3,
        n_out: int = 2,
        n_steps: int = 25,
        tau: float = 7.0,
        **network: Any,
    ) -> Problem:
        rng = np.random.default_rng(seed)
        net = rr.Network.random(n_rec, n_in, n_out, rng, tau=tau, **{"h0": rng.uniform(-1.0, 1.0, n_rec), **network})
        return Problem(net, rng.normal(size=(n_steps, n_in)), rng.normal(size=(n_steps, n_out)))

    return make


class Repeat:
    """A task whose trials are the given ones, round and round; fresh arrays unless `shared`."""

    def __init__(self, *trials: tuple[np.ndarray, np.ndarray], shared: bool = False) -> None:
        self.n_in, self.n_out = trials[0][0].shape[1], trials[0][1].shape[1]
        self.shared = shared
        self._trials = [(inputs.copy(), targets.copy()) for inputs, targets in trials]
        self._following = itertools.cycle(self._trials)
        for array in itertools.chain(*self._trials):
            array.setflags(write=False)

    def trial(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        inputs, targets = next(self._following)
        return (inputs, targets) if self.shared else (inputs.copy(), targets.copy())


@pytest.fixture(scope="session")
def repeat() -> Callable[..., Repeat]:
    """Makes a task of the given (inputs, targets) pairs."""
    return Repeat


@dataclass(frozen=True)
class Noise:
    """A task that uses the random generator it is given: every trial is drawn anew."""

    n_in: int = 2
    n_out: int = 1
    n_steps: int = 12

    def trial(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=(self.n_steps, self.n_in)), rng.normal(size=(self.n_steps, self.n_out))


@pytest.fixture(scope="session")
def noise() -> Callable[..., Noise]:
    """Makes a task whose trials are white noise."""
    return Noise


PHI = {
    "tanh": np.tanh,
    "relu": lambda u: np.maximum(u, 0.0),
    "softplus": lambda u: np.log1p(np.exp(u)),
    "sigmoid": lambda u: np.exp(u) / (1.0 + np.exp(u)),
    "identity": lambda u: u,
}


def plain_run(
    w_in: np.ndarray,
    w_rec: np.ndarray,
    w_out: np.ndarray,
    net: rr.Network,
    inputs: np.ndarray,
    bias: np.ndarray | None = None,
    noise: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eq. 1 and 13 as they are printed: u (T, N), h (T+1, N) from h0 on, y (T, Ny)."""
    h, us, ys = [net.h0], [], []
    for t, x in enumerate(inputs):
        u = w_rec @ h[-1] + w_in @ x
        if bias is not None:
            u = u + bias
        if noise is not None:
            u = u + noise[t]
        if net.output_feedback:
            u = u + net.feedback @ (w_out @ h[-1])
        us.append(u)
        h.append(h[-1] + (-h[-1] + PHI[net.phi](u)) / net.tau)
        ys.append(w_out @ h[-1])
    return np.array(us), np.array(h), np.array(ys)


def plain_loss(
    w_in: np.ndarray,
    w_rec: np.ndarray,
    w_out: np.ndarray,
    net: rr.Network,
    inputs: np.ndarray,
    targets: np.ndarray,
    bias: np.ndarray | None = None,
    noise: np.ndarray | None = None,
) -> float:
    """Eq. 2, over the targets that are numbers."""
    y = plain_run(w_in, w_rec, w_out, net, inputs, bias, noise)[2]
    return float(np.nansum((targets - y) ** 2) / (2 * len(targets)))


@pytest.fixture(scope="session")
def oracle() -> Callable[..., dict[str, np.ndarray]]:
    """Central finite differences of Eq. 2 on a plain forward pass: minus the gradient, by matrix."""

    def differences(
        net: rr.Network, inputs: np.ndarray, targets: np.ndarray, step: float = 1e-5, noise: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        found = {}
        names = ("w_in", "w_rec", "w_out") if net.bias is None else ("w_in", "w_rec", "w_out", "bias")
        for name in names:
            gradient = np.zeros_like(getattr(net, name))
            for index in np.ndindex(*gradient.shape):
                losses = []
                for sign in (1.0, -1.0):
                    weights = {k: getattr(net, k).copy() for k in names}
                    weights[name][index] += sign * step
                    losses.append(plain_loss(**weights, net=net, inputs=inputs, targets=targets, noise=noise))
                gradient[index] = (losses[0] - losses[1]) / (2 * step)
            found[name] = -gradient
        if net.mask is not None:
            found["w_rec"] = np.where(net.mask, found["w_rec"], 0.0)
        return found

    return differences


@pytest.fixture(scope="session")
def plain() -> Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The forward pass in plain NumPy: u, h (with h0), y."""

    def forward(net: rr.Network, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return plain_run(net.w_in, net.w_rec, net.w_out, net, inputs, net.bias)

    return forward


class _EveryRate(dict[Any, float]):
    """A tuned learning rate for whatever is asked."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: Any) -> float:
        return 0.01


@pytest.fixture
def tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tuned rates that do not depend on which ones the package has."""
    from rflo_repro.paper import rates

    monkeypatch.setattr(rates, "tuned_rates", _EveryRate)
