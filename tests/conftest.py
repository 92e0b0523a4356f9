"""What several test modules share: a clean place to write, random problems, and plain NumPy oracles."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock, Timeout
from hypothesis import settings

import rflo_repro as rr

# The same examples every time, and no deadline: the first call of a kernel compiles it.
settings.register_profile("everyday", deadline=None, derandomize=True, database=None, max_examples=30)
settings.load_profile("everyday")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in an empty directory of its own, so that none writes into the checkout."""
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(autouse=True, scope="session")
def compiled_once() -> Iterator[None]:
    """Of two test processes that need a kernel at once, one compiles it and the other waits for its file."""
    from rflo_repro.learning.kernels._cache import _Cache

    load, save = _Cache.load_overload, _Cache.save_overload
    held: dict[str, FileLock] = {}

    def lock_of(cache: Any, signature: object) -> str:
        name = hashlib.sha256(f"{cache._impl.filename_base} {signature}".encode()).hexdigest()[:16]
        return f"{cache._cache_path}-{name}.lock"

    def loaded(cache: Any, signature: object, target: object) -> Any:
        found = load(cache, signature, target)
        if found is None:
            lock = held[lock_of(cache, signature)] = FileLock(lock_of(cache, signature))
            with suppress(OSError, Timeout):  # without it both compile
                lock.acquire(timeout=120.0)
                found = load(cache, signature, target)
            if found is not None:
                lock.release()
        return found

    def saved(cache: Any, signature: object, data: object) -> None:
        save(cache, signature, data)
        if lock := held.pop(lock_of(cache, signature), None):
            lock.release()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Cache, "load_overload", loaded)
        patch.setattr(_Cache, "save_overload", saved)
        yield


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


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The pictures that this process saves, by file name without its ending: laid out, but not encoded."""
    import sketch

    from rflo_repro.report.style import Picture, style

    found = {}

    def save(picture: Picture, stem: Path) -> list[Path]:
        found[stem.name] = picture
        with style():
            picture.draw_without_rendering()
        return sketch.save(picture, stem)

    monkeypatch.setattr(Picture, "save", save)
    return found


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
