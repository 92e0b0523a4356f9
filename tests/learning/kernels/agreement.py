"""Every kernel held against its twin in `naive`; as a program, all of them at small sizes.

As a program it says how compiled code and plain Python agree under another setting of numba's environment.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
import naive

from rflo_repro.learning import kernels


@dataclass(frozen=True)
class Case:
    """A size of network and what there is to choose."""

    n: int
    n_in: int = 0
    n_out: int = 1
    n_steps: int = 50
    tau: float = 10.0
    output_feedback: bool = False
    signs: bool = False
    n_trials: int = 3
    seed: int = 0

    def net(self) -> naive.Net:
        rng = np.random.default_rng([self.seed, self.n, self.n_in, self.n_out])
        w = rng.normal(size=(self.n, self.n)) * 1.5 / np.sqrt(self.n)
        signs = np.resize([1.0, -1.0, -1.0], self.n) if self.signs else np.zeros(0)
        return naive.Net(
            w=np.abs(w) * signs if self.signs else w,
            w_in=rng.uniform(-1, 1, (self.n, self.n_in)),
            w_out=rng.uniform(-1, 1, (self.n_out, self.n)) / np.sqrt(self.n),
            feedback=rng.normal(size=(self.n, self.n_out)),
            h0=rng.uniform(-1, 1, self.n),
            tau=self.tau,
            output_feedback=self.output_feedback,
            signs=signs,
        )

    def trials(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, 1])
        shape = (self.n_trials, self.n_steps)
        return rng.normal(size=(*shape, self.n_in)), rng.normal(size=(*shape, self.n_out))


class Packed:
    """A network in the kernels' layout."""

    def __init__(self, net: naive.Net) -> None:
        n, n_in = net.w_in.shape
        n_out = net.w_out.shape[0]
        self.n, self.sizes = n, (n, n_in, n_out)
        self.weights = kernels.weights(*self.sizes, net.signs.copy(), net.tau, net.output_feedback)
        self.m, self.w_out, self.h = self.weights.m, self.weights.w_out, self.weights.state
        self.m[:n, :n], self.m[n:, :n] = net.w.T, net.w_in.T
        self.w_out[:, :n], self.weights.b[:, :n], self.h[:n] = net.w_out, net.feedback.T, net.h0

    def parts(self, m: np.ndarray, w_out: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = self.n
        assert not m[:, n:].any(), "padding must stay zero"
        assert not w_out[:, n:].any(), "padding must stay zero"
        return m[:n, :n].T, m[n:, :n].T, w_out[:, :n]


def one_trial(inputs: np.ndarray, targets: np.ndarray) -> kernels.Trials:
    return kernels.Trials(inputs[:1], targets[:1], np.zeros(1, dtype=np.int64), 1, True)


def record(n_trials: int) -> kernels.Record:
    return kernels.Record(np.full(n_trials, np.nan), np.full(n_trials, np.nan))


def switches(symmetric: bool, full: bool) -> kernels.Rule:
    return kernels.Rule(symmetric, kernels.CARRIES["full" if full else "leak"])


def close(found: object, wanted: object, tolerance: float = 1e-10) -> None:
    """Equal to `tolerance` of the largest element; arrays may be empty."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    scale = max(1e-3, np.max(np.abs(wanted), initial=0.0))
    error = np.max(np.abs(found - wanted), initial=0.0)
    assert error <= tolerance * scale, f"off by {error} of {scale}"


@dataclass(frozen=True)
class Computed:
    """What a kernel that computes one trial's update makes."""

    packed: Packed
    loss: float
    updates: kernels.Updates

    def same_as(self, wanted: naive.Update) -> None:
        for found, part in zip(self.packed.parts(*self.updates), wanted[:3], strict=True):
            close(found, part)
        close(self.loss, wanted.loss)


def update(case: Case, kind: str, symmetric: bool, full: bool) -> Computed:
    packed, written = Packed(case.net()), record(1)
    # with something in them that must be overwritten
    updates = kernels.Updates(np.full_like(packed.m, 7.0), np.full_like(packed.w_out, 7.0))
    given = packed.weights, one_trial(*case.trials()), switches(symmetric, full), written, updates
    if kind == "trace":
        kernels.trace_gradient(*given, kernels.trace_workspace(*packed.sizes))
    elif kind == "rtrl":
        kernels.rtrl_gradient(*given, kernels.exact_workspace(*packed.sizes))
    else:
        kernels.gradient(*given, kernels.workspace(*packed.sizes, case.n_steps))
    return Computed(packed, float(written.loss[0]), updates)


def check_forward(case: Case) -> None:
    net, (inputs, targets) = case.net(), case.trials()
    packed = Packed(net)
    work = kernels.workspace(*packed.sizes, case.n_steps)
    kernels.forward(packed.weights, one_trial(inputs, 0.0 * targets), record(1), work)
    wanted = naive.forward(net, inputs[0], targets[0])
    close(work.sources.reshape(-1, work.source_row)[1:, : case.n], wanted.h[1:])
    close(-work.errors.reshape(case.n_steps, case.n_out), wanted.y)


def check_gradient(case: Case, symmetric: bool, full: bool) -> None:
    net, (inputs, targets) = case.net(), case.trials()
    update(case, "filtered", symmetric, full).same_as(naive.gradient(net, inputs[0], targets[0], symmetric, full))


def check_trace_gradient(case: Case, symmetric: bool) -> None:
    net, (inputs, targets) = case.net(), case.trials()
    found = update(case, "trace", symmetric, False)
    found.same_as(naive.trace_gradient(net, inputs[0], targets[0], symmetric))
    found.same_as(naive.gradient(net, inputs[0], targets[0], symmetric, False))


def check_rtrl_gradient(case: Case) -> None:
    net, (inputs, targets) = case.net(), case.trials()
    found = update(case, "rtrl", True, True)
    found.same_as(naive.rtrl_gradient(net, inputs[0], targets[0]))
    found.same_as(naive.gradient(net, inputs[0], targets[0], True, True))


ORDER = [2, 0, 1, 1, 0, 2]
RATES = (0.03, 0.02, 0.01)


@dataclass(frozen=True)
class Trained:
    """What a kernel that trains leaves behind."""

    packed: Packed
    n_good: int
    loss: np.ndarray
    alignment: np.ndarray


def train(
    case: Case,
    kind: str = "trials",
    order: list[int] = ORDER,
    batch: int = 1,
    width: int = 1,
    rates: tuple[float, float, float] = RATES,
    symmetric: bool = False,
    full: bool = False,
    reset_state: bool = True,
    net: naive.Net | None = None,
    targets: np.ndarray | None = None,
) -> Trained:
    packed = Packed(net or case.net())
    inputs, drawn = case.trials()
    targets = drawn if targets is None else targets
    written = record(len(order))
    given = (
        packed.weights,
        kernels.Trials(inputs, targets, np.array(order), batch, reset_state),
        switches(symmetric, full) if kind != "exact" else switches(True, True),
        kernels.Rates(*rates),
        written,
    )
    if kind == "online":
        n_good = kernels.train_online(*given, kernels.trace_workspace(*packed.sizes))
    elif kind == "exact":
        n_good = kernels.train_exact(*given, kernels.exact_workspace(*packed.sizes))
    else:
        n_good = kernels.train_trials(*given, kernels.workspace(*packed.sizes, case.n_steps, width))
    return Trained(packed, n_good, *written)


def same_session(trained: Trained, wanted: naive.Session) -> None:
    packed = trained.packed
    assert trained.n_good == len(wanted.loss)
    close(trained.loss, wanted.loss)
    close(trained.alignment, wanted.alignment)
    for found, part in zip(
        packed.parts(packed.m, packed.w_out), (wanted.net.w, wanted.net.w_in, wanted.net.w_out), strict=True
    ):
        close(found, part)
    close(packed.h[: packed.n], wanted.state)
    assert not packed.h[packed.n :].any()


def check_train_trials(
    case: Case,
    batch: int = 1,
    width: int = 1,
    symmetric: bool = False,
    full: bool = False,
    reset_state: bool = True,
) -> None:
    trained = train(case, "trials", ORDER, batch, width, RATES, symmetric, full, reset_state)
    inputs, targets = case.trials()
    same_session(
        trained,
        naive.train_trials(case.net(), inputs, targets, ORDER, batch, RATES, symmetric, full, reset_state),
    )


def check_train_online(case: Case, symmetric: bool = False, reset_state: bool = True) -> None:
    trained = train(case, "online", symmetric=symmetric, reset_state=reset_state)
    inputs, targets = case.trials()
    same_session(trained, naive.train_online(case.net(), inputs, targets, ORDER, RATES, symmetric, reset_state))


def check_train_exact(case: Case, batch: int = 1, reset_state: bool = True) -> None:
    trained = train(case, "exact", batch=batch, reset_state=reset_state)
    inputs, targets = case.trials()
    same_session(trained, naive.train_trials(case.net(), inputs, targets, ORDER, batch, RATES, True, True, reset_state))


def check_all(case: Case) -> None:
    """Every kernel, at one size."""
    check_forward(case)
    for symmetric in (False, True):
        for full in (False, True):
            check_gradient(case, symmetric, full)
        check_trace_gradient(case, symmetric)
    check_rtrl_gradient(case)
    for reset_state in (False, True):
        check_train_trials(case, batch=3, width=3, full=reset_state, reset_state=reset_state)
        check_train_online(replace(case, signs=True), reset_state=reset_state)
    check_train_exact(case, batch=2)


if __name__ == "__main__":
    for size in (Case(n=3, n_in=2, n_out=2, n_steps=4, tau=3.0), Case(n=9, n_steps=3, output_feedback=True)):
        check_all(size)
    print("agreed")
