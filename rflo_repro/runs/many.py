"""Many trainings at once, from Python."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import numpy as np

from rflo_repro.learning import validate
from rflo_repro.runs import system
from rflo_repro.runs.progress import Stopped

if TYPE_CHECKING:
    from rflo_repro.learning.history import History
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.task import Task


def train_many(
    nets: Sequence[Network],
    task: Task,
    *given: Any,
    rngs: Sequence[np.random.Generator] | None = None,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> list[History]:
    """Train networks beside each other, on threads: each as by `train`, to the same bits.

    Parameters
    ----------
    nets : sequence of Network
        The networks to begin with, such as one for each seed.
    task : Task
        Each training has a copy of it.
    *given
        Arguments of `train` from `rule` on, the same for all.
    rngs : sequence of numpy.random.Generator, optional
        One for each network; new ones by default.
    jobs : int, optional
        How many are trained at a time; as many as there are cores by default.
    progress : callable, optional
        Called with the number of trials done, of all networks together.
    **options
        Further arguments of `train` by name, but for `checkpoint`.

    Returns
    -------
    list of History
        One a network, in order.

    Raises
    ------
    ValueError
        For an argument that is not as said here or in `train`.
    """
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.train import train

    try:
        nets = [validate.instance(f"nets[{i}]", net, Network) for i, net in enumerate(nets)]
    except TypeError:
        raise ValueError(f"nets must be networks, got {validate.short_repr(nets)}") from None
    try:
        own = [np.random.default_rng() for _ in nets] if rngs is None else list(rngs)
    except TypeError:
        raise ValueError(f"rngs must be a generator for each network, got {validate.short_repr(rngs)}") from None
    if len(own) != len(nets) or len({id(rng) for rng in own}) != len(own):
        raise ValueError(f"rngs must be one generator of its own for each of the {len(nets)} nets, got {len(own)}")
    for name in ("rng", "checkpoint"):
        if name in options:
            raise ValueError(f"{name} is one training's: train_many takes " + ("rngs" if name == "rng" else "none"))
    n_threads = system.cores() if jobs is None else validate.integer("jobs", jobs, 1)
    stop, lock, done = threading.Event(), threading.Lock(), [0] * len(nets)

    def one(i: int) -> History:
        def reached(trials: int) -> None:
            if stop.is_set():
                raise Stopped
            with lock:
                done[i] = trials
                if progress is not None:
                    progress(sum(done))

        return train(nets[i], copy.deepcopy(task), *given, **{**options, "rng": own[i], "progress": reached})

    with ThreadPoolExecutor(n_threads) as pool:
        futures = [pool.submit(one, i) for i in range(len(nets))]
        try:
            # the first that fails ends the others, as Ctrl-C does
            for future in wait(futures, return_when="FIRST_EXCEPTION").done:
                future.result()
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
