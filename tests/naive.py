"""The equations of the paper in plain NumPy: what every kernel is held against.

Weights as in the paper: w (N, N), w_in (N, Nx), w_out (Ny, N), feedback (N, Ny); inputs (T, Nx), targets (T, Ny), row
k is time k+1. Updates are at learning rate 1 with the 1/T of Eq. 15.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Net:
    """A network and the state in which its trials start."""

    w: Array
    w_in: Array
    w_out: Array
    feedback: Array
    h0: Array
    tau: float | Array
    output_feedback: bool = False
    signs: Array = field(default_factory=lambda: np.zeros(0))
    phi: str = "tanh"
    mask: Array | None = None
    bias: Array | None = None

    @classmethod
    def of(cls, net: Any) -> Net:
        """What is written plainly of the library's network: all but the signs of Dale's law."""
        return cls(
            w=net.w_rec, w_in=net.w_in, w_out=net.w_out, feedback=net.feedback, h0=net.h0, tau=net.tau,
            output_feedback=net.output_feedback, phi=net.phi, mask=net.mask, bias=net.bias,
        )  # fmt: skip


class Forward(NamedTuple):
    """h (T+1, N) from time 0 on; u (T, N), y and eps (T, Ny) from time 1 on; the loss, Eq. 2."""

    h: Array
    u: Array
    y: Array
    eps: Array
    loss: float


class Update(NamedTuple):
    """The changes of w, w_in and w_out, the loss, and the change of the bias if there is one."""

    w: Array
    w_in: Array
    w_out: Array
    loss: float
    bias: Array


def phi(net: Net, u: Array) -> Array:
    """The activation function."""
    if net.phi == "tanh":
        return np.tanh(u)
    if net.phi == "relu":
        return np.where(u > 0.0, u, 0.0)
    if net.phi == "softplus":
        return np.logaddexp(0.0, u)
    if net.phi == "sigmoid":
        return 1.0 / (1.0 + np.exp(-u))
    assert net.phi == "identity"
    return u


def slope(net: Net, u: Array) -> Array:
    """phi'(u)."""
    if net.phi == "tanh":
        return 1 - np.tanh(u) ** 2
    if net.phi == "relu":
        return np.where(u > 0.0, 1.0, 0.0)
    if net.phi == "softplus":
        return 1.0 / (1.0 + np.exp(-u))
    if net.phi == "sigmoid":
        return np.exp(-u) / (1.0 + np.exp(-u)) ** 2
    assert net.phi == "identity"
    return np.ones_like(u)


def rates(net: Net) -> Array:
    """1/tau of every unit."""
    return np.broadcast_to(1.0 / np.asarray(net.tau), net.h0.shape)


def drive(net: Net, w: Array, w_in: Array, bias: Array | None, h: Array, x: Array) -> Array:
    """u(t) without a fed-back output."""
    return w @ h + w_in @ x + (0.0 if bias is None else bias)


def masked(net: Net, dw: Array) -> Array:
    """No change where there is no synapse."""
    return dw if net.mask is None else np.where(net.mask, dw, 0.0)


def forward(net: Net, inputs: Array, targets: Array, noise: Array | None = None) -> Forward:
    """Eq. 1, 2 and 13; with output feedback ``u(t) += B y(t-1)``. No error where the target is NaN."""
    h, u, y = [net.h0], [], []
    fed_back = net.w_out @ net.h0
    for t, x in enumerate(inputs):
        u.append(drive(net, net.w, net.w_in, net.bias, h[-1], x))
        if net.output_feedback:
            u[-1] = u[-1] + net.feedback @ fed_back
        if noise is not None:
            u[-1] = u[-1] + noise[t]
        h.append(h[-1] + (phi(net, u[-1]) - h[-1]) / net.tau)
        fed_back = net.w_out @ h[-1]
        y.append(fed_back)
    eps = np.where(np.isnan(targets), 0.0, targets - np.array(y))
    return Forward(np.array(h), np.array(u), np.array(y), eps, float(np.sum(eps**2) / (2 * len(inputs))))


def differences(
    net: Any, inputs: Array, targets: Array, noise: Array | None = None, step: float = 1e-5
) -> dict[str, Array]:
    """Central finite differences of the loss of the library's network, Eq. 2: minus the gradient, by matrix."""
    plain, found = Net.of(net), {}
    for name, here in (("w_in", "w_in"), ("w_rec", "w"), ("w_out", "w_out"), ("bias", "bias")):
        if (weights := getattr(plain, here)) is None:
            continue
        found[name] = np.zeros_like(weights)
        for index in np.ndindex(*weights.shape):
            losses = []
            for changed in (weights[index] - step, weights[index] + step):
                moved = weights.copy()
                moved[index] = changed
                losses.append(forward(replace(plain, **{here: moved}), inputs, targets, noise).loss)
            found[name][index] = (losses[0] - losses[1]) / (2 * step)
    found["w_rec"] = masked(plain, found["w_rec"])
    return found


def effective(net: Net) -> Array:
    """The recurrent weights with the path through the fed-back output."""
    return net.w + net.feedback @ net.w_out if net.output_feedback else net.w


def own_effect(net: Net, u: Array, carry: str, trace_tau: float | None) -> Array:
    """What carries a unit's own past on from step to step: ``C_ii(t)``, or for the full carry its leak."""
    if carry == "none":
        return 0.0 * u
    leak = 1 - rates(net)
    if carry == "diagonal":
        return leak + slope(net, u) / net.tau * np.diag(effective(net))
    return leak if trace_tau is None else 0.0 * u + 1 - 1 / trace_tau


def gradient(
    net: Net,
    inputs: Array,
    targets: Array,
    symmetric: bool,
    full: bool,
    noise: Array | None = None,
    carry: str | None = None,
    trace_tau: float | None = None,
    truncation: int | None = None,
    next_error: bool = False,
    traced: Array | None = None,
) -> Update:
    """Eq. 28-29 for the full carry; for the leak alone, Eq. 5-6 with the sums swapped. `carry` names any.

    traced: what stands for the inputs in the update of w_in, if it is not they.
    """
    traced = inputs if traced is None else traced
    carry = carry or ("full" if full else "leak")
    full = carry == "full"
    run = forward(net, inputs, targets, noise)
    n_steps = len(inputs)
    back = net.w_out.T if symmetric else net.feedback
    z = np.zeros(len(net.h0))
    dw, dw_in, dbias = np.zeros_like(net.w), np.zeros_like(net.w_in), np.zeros_like(net.h0)
    for t in reversed(range(n_steps)):
        z = z + back @ run.eps[min(t + 1, n_steps - 1) if next_error else t]
        credit = z * slope(net, run.u[t]) / net.tau
        dbias += credit / n_steps
        dw += np.outer(credit, run.h[t]) / n_steps
        dw_in += np.outer(credit, traced[t]) / n_steps
        z = own_effect(net, run.u[t], carry, trace_tau) * z
        if full:
            z = z + effective(net).T @ credit
        if truncation is not None and t % truncation == 0:
            z = 0.0 * z
    dw_out = run.eps.T @ run.h[1:] / n_steps
    if full and net.output_feedback:
        dw_out = dw_out + net.feedback.T @ dw
    return Update(masked(net, dw), dw_in, dw_out, run.loss, dbias)


def trace_gradient(
    net: Net,
    inputs: Array,
    targets: Array,
    symmetric: bool,
    carry: str = "leak",
    trace_tau: float | None = None,
    traced: Array | None = None,
) -> Update:
    """Eq. 5-6, with x(t) in the input trace, or what is `traced` in its place; the weights held still."""
    traced = inputs if traced is None else traced
    run = forward(net, inputs, targets)
    n_steps = len(inputs)
    back = net.w_out.T if symmetric else net.feedback
    p, q, r = np.zeros_like(net.w), np.zeros_like(net.w_in), np.zeros_like(net.h0)
    dw, dw_in, dw_out = np.zeros_like(net.w), np.zeros_like(net.w_in), np.zeros_like(net.w_out)
    dbias = np.zeros_like(net.h0)
    for t in range(n_steps):
        gain = slope(net, run.u[t]) / net.tau
        leak = own_effect(net, run.u[t], carry, trace_tau)[:, None]
        p = leak * p + np.outer(gain, run.h[t])
        q = leak * q + np.outer(gain, traced[t])
        r = leak[:, 0] * r + gain
        dbias += (back @ run.eps[t]) * r / n_steps
        dw += (back @ run.eps[t])[:, None] * p / n_steps
        dw_in += (back @ run.eps[t])[:, None] * q / n_steps
        dw_out += np.outer(run.eps[t], run.h[t + 1]) / n_steps
    return Update(masked(net, dw), dw_in, dw_out, run.loss, dbias)


def rtrl_gradient(net: Net, inputs: Array, targets: Array, diagonal: bool = False) -> Update:
    """Eq. 3-4 and 11, with x(t) in the input sensitivity.

    diagonal: at every step only the effect of a weight on the unit that it drives is kept (SnAp-1).
    """
    run = forward(net, inputs, targets)
    n_steps, n, n_in = len(inputs), len(net.h0), inputs.shape[1]
    one = np.eye(n)
    p, q, r = np.zeros((n, n, n)), np.zeros((n, n, n_in)), np.zeros((n, n))  # dh_i / dW_ab
    dbias = np.zeros(n)
    dw, dw_in, dw_out = np.zeros_like(net.w), np.zeros_like(net.w_in), np.zeros_like(net.w_out)
    for t in range(n_steps):
        gain = slope(net, run.u[t]) / net.tau
        jacobian = (1 - rates(net)) * one + gain[:, None] * effective(net)
        r = jacobian @ r + np.diag(gain)
        p = np.einsum("ij,jab->iab", jacobian, p) + np.einsum("ia,a,b->iab", one, gain, run.h[t])
        q = np.einsum("ij,jab->iab", jacobian, q) + np.einsum("ia,a,b->iab", one, gain, inputs[t])
        if diagonal:
            p, q, r = p * one[:, :, None], q * one[:, :, None], r * one
        dw += np.einsum("i,iab->ab", net.w_out.T @ run.eps[t], p) / n_steps
        dw_in += np.einsum("i,iab->ab", net.w_out.T @ run.eps[t], q) / n_steps
        dbias += r.T @ (net.w_out.T @ run.eps[t]) / n_steps
        dw_out += np.outer(run.eps[t], run.h[t + 1]) / n_steps
    if net.output_feedback and not diagonal:
        dw_out = dw_out + net.feedback.T @ dw
    return Update(masked(net, dw), dw_in, dw_out, run.loss, dbias)


def alignment(net: Net) -> float:
    """``Tr(Wout B) / (|Wout| |B|)``."""
    norms = np.linalg.norm(net.w_out) * np.linalg.norm(net.feedback)
    return float(np.trace(net.w_out @ net.feedback) / norms) if norms else float("nan")


def dale(w: Array, signs: Array) -> Array:
    """Columns of w clipped at zero, so that the weights of unit j never have the sign opposite to ``signs[j]``."""
    return np.where(w * signs < 0, 0.0, w) if len(signs) else w


class Session(NamedTuple):
    """What a training session makes: loss and alignment of each trial, the network and the state at the end."""

    loss: Array
    alignment: Array
    net: Net
    state: Array


class Stepper:
    """The optimiser of a session in plain NumPy: from updates by matrix to new weights."""

    def __init__(
        self,
        method: str = "sgd",
        clip: float | None = None,
        weight_decay: float = 0.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.method, self.clip, self.weight_decay = method, clip, weight_decay
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.first: dict[str, Array] = {}
        self.second: dict[str, Array] = {}
        self.n = 0

    def __call__(self, weights: dict[str, Array], updates: dict[str, Array], eta: dict[str, float]) -> dict[str, Array]:
        """The new weights. A matrix with a rate of zero stays and does not count in the norm."""
        norm = np.sqrt(sum(np.sum(g**2) for name, g in updates.items() if eta[name]))
        if self.clip is not None and norm > self.clip:
            updates = {name: g * (self.clip / norm) for name, g in updates.items()}
        self.n += 1
        return {
            name: w + eta[name] * (self.direction(name, updates[name]) - self.weight_decay * w) if eta[name] else w
            for name, w in weights.items()
        }

    def direction(self, name: str, g: Array) -> Array:
        v, s = self.first.get(name, 0.0 * g), self.second.get(name, 0.0 * g)
        if self.method == "momentum":
            self.first[name] = self.beta1 * v + g
            return self.first[name]
        if self.method in ("rmsprop", "adam"):
            self.second[name] = self.beta2 * s + (1 - self.beta2) * g**2
        if self.method == "rmsprop":
            return g / (np.sqrt(self.second[name]) + self.epsilon)
        if self.method == "adam":
            self.first[name] = self.beta1 * v + (1 - self.beta1) * g
            mean = self.first[name] / (1 - self.beta1**self.n)
            return mean / (np.sqrt(self.second[name] / (1 - self.beta2**self.n)) + self.epsilon)
        assert self.method == "sgd"
        return g


def train_trials(
    net: Net,
    inputs: Array,
    targets: Array,
    order: list[int],
    batch: int,
    eta: tuple[float, float, float],
    symmetric: bool,
    full: bool,
    reset_state: bool,
    step: Stepper | None = None,
    noise: Array | None = None,
) -> Session:
    """Updates at the end of every `batch` trials; `eta` for w_in, w and w_out; `noise` for every trial in order."""
    step = step or Stepper()
    rate = {"w_in": eta[0], "bias": eta[0], "w": eta[1], "w_out": eta[2]}
    names = [name for name in rate if getattr(net, name) is not None]
    loss, aligned, state = [], [], net.h0
    for first in range(0, len(order), batch):
        updates = []
        for place, k in enumerate(order[first : first + batch], first):
            fixed = None if noise is None else noise[place]
            begun = replace(net, h0=net.h0 if reset_state else state)
            updates.append(gradient(begun, inputs[k], targets[k], symmetric, full, fixed))
            state = forward(begun, inputs[k], targets[k], fixed).h[-1]
            loss.append(updates[-1].loss)
            aligned.append(alignment(net))
        summed = {name: sum(getattr(u, name) for u in updates) for name in names}
        new = step({name: getattr(net, name) for name in names}, summed, rate)
        net = replace(net, **{**new, "w": dale(new["w"], net.signs) if eta[1] else net.w})
    return Session(np.array(loss), np.array(aligned), net, net.h0 if reset_state else state)


def train_online(
    net: Net,
    inputs: Array,
    targets: Array,
    order: list[int],
    eta: tuple[float, float, float],
    symmetric: bool,
    reset_state: bool,
    noise: Array | None = None,
) -> Session:
    """Eq. 5-6 with an update of eta/T at every step; `eta` for w_in, w and w_out."""
    loss, aligned, state = [], [], net.h0
    for place, k in enumerate(order):
        w, w_in, w_out, bias = net.w, net.w_in, net.w_out, net.bias
        aligned.append(alignment(net))
        h = net.h0 if reset_state else state
        p, q, r = np.zeros_like(w), np.zeros_like(w_in), np.zeros_like(h)
        leak = 1 - rates(net)[:, None]
        n_steps = len(inputs[k])
        y, total = w_out @ h, 0.0
        for t, (x, target) in enumerate(zip(inputs[k], targets[k], strict=True)):
            u = drive(net, w, w_in, bias, h, x) + (net.feedback @ y if net.output_feedback else 0.0)
            u = u if noise is None else u + noise[place][t]
            gain = slope(net, u) / net.tau
            p = leak * p + np.outer(gain, h)
            q = leak * q + np.outer(gain, x)
            r = leak[:, 0] * r + gain
            h = h + (phi(net, u) - h) / net.tau
            y = w_out @ h
            eps = np.where(np.isnan(target), 0.0, target - y)
            total += float(eps @ eps) / (2 * n_steps)
            back = (w_out.T if symmetric else net.feedback) @ eps
            if eta[1]:
                w = dale(w + eta[1] / n_steps * masked(net, back[:, None] * p), net.signs)
            w_in = w_in + eta[0] / n_steps * back[:, None] * q
            w_out = w_out + eta[2] / n_steps * np.outer(eps, h)
            bias = None if bias is None else bias + eta[0] / n_steps * back * r
        net, state = replace(net, w=w, w_in=w_in, w_out=w_out, bias=bias), h
        loss.append(total)
    return Session(np.array(loss), np.array(aligned), net, net.h0 if reset_state else state)


def force(
    net: Net,
    inputs: Array,
    targets: Array,
    order: list[int],
    alpha: float,
    reset_state: bool,
    noise: Array | None = None,
) -> tuple[Session, Array]:
    """Recursive least squares for the readout at every step, from P = I / alpha on; the session and P at its end."""
    loss, aligned, state, inverse = [], [], net.h0, np.eye(len(net.h0)) / alpha
    for place, k in enumerate(order):
        w_out, h = net.w_out, net.h0 if reset_state else state
        aligned.append(alignment(net))
        y, total = w_out @ h, 0.0
        for t, (x, target) in enumerate(zip(inputs[k], targets[k], strict=True)):
            u = drive(net, net.w, net.w_in, net.bias, h, x) + (net.feedback @ y if net.output_feedback else 0.0)
            u = u if noise is None else u + noise[place][t]
            h = h + (phi(net, u) - h) / net.tau
            y = w_out @ h
            eps = np.where(np.isnan(target), 0.0, target - y)
            total += float(eps @ eps) / (2 * len(inputs[k]))
            if not np.isnan(target).all():
                gain = inverse @ h / (1 + h @ inverse @ h)
                w_out = w_out + np.outer(eps, gain)
                inverse = inverse - np.outer(gain, h @ inverse)
        net, state = replace(net, w_out=w_out), h
        loss.append(total)
    return Session(np.array(loss), np.array(aligned), net, net.h0 if reset_state else state), inverse


def jacobian(net: Net, u: Array) -> Array:
    """J(t): how the state depends on the one before."""
    return np.diag(1 - rates(net)) + (slope(net, u) / net.tau)[:, None] * effective(net)


def split_up(net: Net, dm: Array, run: Forward) -> Update:
    """The updates, from those of all that drives a unit: [W | Win | bias], without the 1/T."""
    n, n_in, n_steps = len(net.h0), net.w_in.shape[1], len(run.y)
    dm = dm / n_steps
    dw_out = run.eps.T @ run.h[1:] / n_steps
    if net.output_feedback:
        dw_out = dw_out + net.feedback.T @ dm[:, :n]
    return Update(masked(net, dm[:, :n]), dm[:, n : n + n_in], dw_out, run.loss, dm[:, -1])


def sources(net: Net, run: Forward, inputs: Array) -> Array:
    """(T, N + Nx + 1): what drives the units at each step."""
    return np.column_stack([run.h[:-1], inputs] + ([np.ones(len(inputs))] if net.bias is not None else []))


def uoro_gradient(
    net: Net, inputs: Array, targets: Array, signs: Array, symmetric: bool = True, noise: Array | None = None
) -> Update:
    """Unbiased online recurrent optimisation with its trace, B (N, N + Nx); signs (T, draws, N)."""
    run = forward(net, inputs, targets, noise)
    back = net.w_out.T if symmetric else net.feedback
    s = sources(net, run, inputs)
    n_draws, n = signs.shape[1:]
    dm = np.zeros((n, s.shape[1]))
    for r in range(n_draws):
        a, b, b_squared = np.zeros(n), np.zeros_like(dm), 0.0
        for t in range(len(inputs)):
            nu, d = signs[t, r], slope(net, run.u[t]) / net.tau
            a = jacobian(net, run.u[t]) @ a
            sizes = np.sqrt(b_squared), np.linalg.norm(a)
            r0 = np.sqrt(sizes[0] / sizes[1]) if min(sizes) > 0 else 1.0
            size = np.linalg.norm(d) * np.linalg.norm(s[t])
            r1 = np.sqrt(size / np.sqrt(n)) if size > 0 else 1.0
            a = r0 * a + r1 * nu
            b = b / r0 + np.outer(nu * d, s[t]) / r1
            b_squared = b_squared / r0**2 + (size / r1) ** 2  # its mean over the signs
            dm += back @ run.eps[t] @ a * b / n_draws
    return split_up(net, dm, run)


def reward_gradient(
    net: Net,
    inputs: Array,
    targets: Array,
    signs: Array,
    sigma: float,
    decay: float | Array,
    each_step: bool,
    exact: bool,
    noise: Array | None = None,
) -> Update:
    """Eq. 8 with its eligibility, E(t) = decay E(t-1) + xi(t) s(t)^T; signs (T, draws, N); exact: decay is 1."""
    n_steps, n_draws, n = signs.shape
    clean = forward(net, inputs, targets, noise)
    expected = -np.sum(clean.eps**2, axis=1) / 2
    dm = 0.0
    for r in range(n_draws):
        run = forward(net, inputs, targets, sigma * signs[:, r] + (0.0 if noise is None else noise))
        gained = -np.sum(run.eps**2, axis=1) / 2 - expected
        eligible = 0.0
        for t in range(n_steps):
            s = np.concatenate([run.h[t], inputs[t], [1.0]])
            eligible = np.reshape(decay, (-1, 1)) * eligible + np.outer(signs[t, r], s)
            if each_step:
                dm = dm + gained[t] * eligible / (sigma * n_draws * n_steps)
        if not each_step:
            dm = dm + np.sum(gained) * eligible / (sigma * n_draws * n_steps)
    dw_out = clean.eps.T @ clean.h[1:] / n_steps
    if exact and net.output_feedback:
        dw_out = dw_out + net.feedback.T @ dm[:, :n]
    return Update(masked(net, dm[:, :n]), dm[:, n:-1], dw_out, clean.loss, dm[:, -1])


def kf_gradient(
    net: Net, inputs: Array, targets: Array, signs: Array, symmetric: bool = True, noise: Array | None = None
) -> Update:
    """Kronecker-factored RTRL with its factors A (N + Nx) and B (N, N); signs (T, draws, 2)."""
    run = forward(net, inputs, targets, noise)
    back = net.w_out.T if symmetric else net.feedback
    s = sources(net, run, inputs)
    n_draws, n = signs.shape[1], len(net.h0)
    dm = np.zeros((n, s.shape[1]))
    for r in range(n_draws):
        a, b = np.zeros(s.shape[1]), np.zeros((n, n))
        for t in range(len(inputs)):
            (nu0, nu1), d = signs[t, r], slope(net, run.u[t]) / net.tau
            b = jacobian(net, run.u[t]) @ b
            sizes = np.linalg.norm(b), np.linalg.norm(a)
            r0 = np.sqrt(sizes[0] / sizes[1]) if min(sizes) > 0 else 1.0
            sizes = np.linalg.norm(d), np.linalg.norm(s[t])
            r1 = np.sqrt(sizes[0] / sizes[1]) if min(sizes) > 0 else 1.0
            a = nu0 * r0 * a + nu1 * r1 * s[t]
            b = nu0 / r0 * b + nu1 / r1 * np.diag(d)
            dm += np.outer(b.T @ back @ run.eps[t], a) / n_draws
    return split_up(net, dm, run)
