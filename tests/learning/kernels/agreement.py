"""Every kernel held against its twin in `naive`; as a program, all of them at small sizes.

As a program it says how compiled code and plain Python agree under another setting of numba's environment.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
import naive

import rflo_repro as rr
from rflo_repro.learning import exact_math, kernels, packing, trial_source


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
    phi: str = "tanh"
    density: float = 1.0
    bias: bool = False
    taus: bool = False
    noise: bool = False
    missing: bool = False

    def net(self) -> naive.Net:
        rng = np.random.default_rng([self.seed, self.n, self.n_in, self.n_out])
        w = rng.normal(size=(self.n, self.n)) * 1.5 / np.sqrt(self.n)
        signs = np.resize([1.0, -1.0, -1.0], self.n) if self.signs else np.zeros(0)
        others = np.random.default_rng([self.seed, self.n, 2])
        mask = others.random((self.n, self.n)) < self.density if self.density < 1.0 else None
        w = np.abs(w) * signs if self.signs else w
        return naive.Net(
            w=w if mask is None else np.where(mask, w, 0.0),
            w_in=rng.uniform(-1, 1, (self.n, self.n_in)),
            w_out=rng.uniform(-1, 1, (self.n_out, self.n)) / np.sqrt(self.n),
            feedback=rng.normal(size=(self.n, self.n_out)),
            h0=rng.uniform(-1, 1, self.n),
            tau=others.uniform(1.0, self.tau, self.n) if self.taus else self.tau,
            output_feedback=self.output_feedback,
            signs=signs,
            phi=self.phi,
            mask=mask,
            bias=others.normal(size=self.n) if self.bias else None,
        )

    def trials(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, 1])
        shape = (self.n_trials, self.n_steps)
        inputs, targets = rng.normal(size=(*shape, self.n_in)), rng.normal(size=(*shape, self.n_out))
        if self.missing:
            targets[rng.random(targets.shape) < 0.4] = np.nan
        return inputs, targets

    def fixed_noise(self, n_trials: int) -> np.ndarray | None:
        """Of each trial, in order."""
        rng = np.random.default_rng([self.seed, 3])
        return rng.normal(size=(n_trials, self.n_steps, self.n)) if self.noise else None


class Packed:
    """A network in the kernels' layout, as the library packs it."""

    def __init__(self, net: naive.Net, noisy: bool = False) -> None:
        self.packed = packing.PackedNetwork(
            rr.Network(
                w_in=net.w_in,
                w_rec=net.w,
                w_out=net.w_out,
                feedback=net.feedback,
                h0=net.h0,
                tau=net.tau,
                output_feedback=net.output_feedback,
                phi=net.phi,
                mask=net.mask,
                bias=net.bias,
            ),
            noisy,
        )
        # a network that breaks Dale's law, or other matrices than the library lets pass, are for tests alone
        self.weights = self.packed.weights._replace(signs=net.signs.copy())
        self.n, self.sizes = len(net.h0), self.packed.sizes
        self.m, self.w_out, self.h = self.weights.m, self.weights.w_out, self.weights.state

    def one_trial(self, inputs: np.ndarray, targets: np.ndarray) -> kernels.Trials:
        return one_trial(self.inputs(inputs), targets)

    def inputs(self, inputs: np.ndarray) -> np.ndarray:
        return np.stack([self.packed.inputs(trial) for trial in inputs])

    def parts(self, m: np.ndarray, w_out: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        n = self.n
        assert not m[:, n:].any(), "padding must stay zero"
        assert not w_out[:, n:].any(), "padding must stay zero"
        parts = self.packed.split(kernels.Updates(m, w_out))
        return parts["w_rec"], parts["w_in"], parts["w_out"], parts.get("bias", np.zeros(0))


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
        *matrices, bias = self.packed.parts(*self.updates)
        for found, part in zip(matrices, wanted[:3], strict=True):
            close(found, part)
        if len(bias):
            close(bias, wanted.bias)
        close(self.loss, wanted.loss)


def update(case: Case, kind: str, symmetric: bool, full: bool) -> Computed:
    packed, written = Packed(case.net()), record(1)
    # with something in them that must be overwritten
    updates = kernels.Updates(np.full_like(packed.m, 7.0), np.full_like(packed.w_out, 7.0))
    given = packed.weights, packed.one_trial(*case.trials()), switches(symmetric, full), written, updates
    if kind == "trace":
        kernels.trace_gradient(*given, kernels.trace_workspace(*packed.sizes))
    elif kind == "rtrl":
        kernels.rtrl_gradient(*given, kernels.exact_workspace(*packed.sizes))
    else:
        kernels.gradient(*given, packed.packed.workspace(case.n_steps))
    return Computed(packed, float(written.loss[0]), updates)


def check_forward(case: Case) -> None:
    net, (inputs, targets) = case.net(), case.trials()
    packed = Packed(net)
    work = packed.packed.workspace(case.n_steps)
    kernels.forward(packed.weights, packed.one_trial(inputs, np.zeros_like(targets)), record(1), work)
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
    optimizer: rr.Optimizer | None = None,
) -> Trained:
    packed = Packed(net or case.net(), case.noise)
    noise = case.fixed_noise(len(order))
    inputs, drawn = case.trials()
    targets = drawn if targets is None else targets
    written = record(len(order))
    given = (
        packed.weights,
        kernels.Trials(
            packed.inputs(inputs),
            targets,
            np.array(order),
            batch,
            reset_state,
            packing.NO_NOISE if noise is None else noise,
        ),
        switches(symmetric, full) if kind != "exact" else switches(True, True),
        packing.GradientState(optimizer or rr.Optimizer(), packed.packed).at(kernels.Rates(*rates)),
        written,
    )
    if kind == "online":
        n_good = kernels.train_online(*given, kernels.trace_workspace(*packed.sizes))
    elif kind == "exact":
        n_good = kernels.train_exact(*given, kernels.exact_workspace(*packed.sizes))
    else:
        n_good = kernels.train_trials(*given, packed.packed.workspace(case.n_steps, width))
    return Trained(packed, n_good, *written)


def same_session(trained: Trained, wanted: naive.Session) -> None:
    packed = trained.packed
    assert trained.n_good == len(wanted.loss)
    close(trained.loss, wanted.loss)
    close(trained.alignment, wanted.alignment)
    *matrices, bias = packed.parts(packed.m, packed.w_out)
    for found, part in zip(matrices, (wanted.net.w, wanted.net.w_in, wanted.net.w_out), strict=True):
        close(found, part)
    if wanted.net.bias is not None:
        close(bias, wanted.net.bias)
    if wanted.net.mask is not None:
        assert not matrices[0][~wanted.net.mask].any()
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
        naive.train_trials(
            case.net(),
            inputs,
            targets,
            ORDER,
            batch,
            RATES,
            symmetric,
            full,
            reset_state,
            None,
            case.fixed_noise(len(ORDER)),
        ),
    )


def check_train_online(case: Case, symmetric: bool = False, reset_state: bool = True) -> None:
    trained = train(case, "online", symmetric=symmetric, reset_state=reset_state)
    inputs, targets = case.trials()
    same_session(
        trained,
        naive.train_online(
            case.net(), inputs, targets, ORDER, RATES, symmetric, reset_state, case.fixed_noise(len(ORDER))
        ),
    )


def check_train_exact(case: Case, batch: int = 1, reset_state: bool = True) -> None:
    trained = train(case, "exact", batch=batch, reset_state=reset_state)
    inputs, targets = case.trials()
    noise = case.fixed_noise(len(ORDER))
    same_session(
        trained,
        naive.train_trials(case.net(), inputs, targets, ORDER, batch, RATES, True, True, reset_state, None, noise),
    )


def check_normal(n: int) -> None:
    """Here the twin is `exact_math.normal`, and every bit the same."""
    rng, twins = np.random.default_rng(n), np.random.default_rng(n)
    np.testing.assert_array_equal(trial_source.normal(rng, n), exact_math.normal(twins, (n,)))
    assert rng.bit_generator.state == twins.bit_generator.state


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


CHECKS = {"all": check_all, "forward": check_forward}

if __name__ == "__main__":
    for size in (
        Case(n=3, n_in=2, n_out=2, n_steps=4, tau=3.0),
        Case(n=9, n_steps=3, output_feedback=True),
        Case(n=3, n_steps=4, noise=True, missing=True),
        *(Case(9, 1, n_steps=3, phi=phi, density=0.5, bias=True, taus=True) for phi in kernels.PHIS),
    ):
        CHECKS[sys.argv[1]](size)
    check_normal(100)
    print("agreed")
