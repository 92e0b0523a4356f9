"""The job of Figure 4 with the loop: single movements by RFLO, then their order by the loop's own learning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from rflo_repro.runs.initialisation import Initialisation, generator
from rflo_repro.runs.job import Arrays, Cost, Progress
from rflo_repro.runs.session import weights, with_weights

if TYPE_CHECKING:
    from rflo_repro.learning.checkpoint import Checkpoint, Saved
    from rflo_repro.learning.evaluate import Run
    from rflo_repro.learning.loop import Loop
    from rflo_repro.learning.network import Network
    from rflo_repro.learning.optimizers import Optimizer
    from rflo_repro.learning.validate import Array
    from rflo_repro.tasks import Reaching

REPORT_EVERY = 200


class Body:
    """A network that moves a cursor, and whose state goes on from one movement to the next.

    net: its weights. state: (N,) where it is now. reaching: the movements.
    """

    def __init__(self, net: Network, state: Array, reaching: Reaching) -> None:
        self.net, self.state, self.reaching = net, state, reaching

    def move(self, direction: int) -> Run:
        """A movement and its hold: states (2 n_steps, N) and velocity (2 n_steps, 2)."""
        from rflo_repro.learning.evaluate import run

        done = run(replace(self.net, h0=self.state), self.reaching.inputs(direction))
        # weights just short of infinite give drives that are not, and states that are no numbers: they count as silent
        if not np.isfinite(done.h[-1]).all():
            done = replace(done, h=np.nan_to_num(done.h, nan=0.0))
        self.state = done.h[-1]
        return done


@dataclass(frozen=True)
class LoopSession:
    """A network that learns single movements by RFLO (stage 1) and then a sequence by its loop (stage 2).

    reaching: the movements. sequence: indices of the directions, in the order wanted, from the last on to the first.
    eta: learning rate of stage 1; eta_s: of Ws. p_explore: chance that a choice is random in stage 2.
    read_at: whether the loop reads the state at the end of a `movement` or of the `hold` after it.
    reset_state: whether in stage 1 each trial starts anew; in stage 2 it always goes on where the last one ended.
    n_trials_stage: trials in each stage. moves: movements, with a choice after each, in a trial of stage 2.
    run_from: whether the free run begins at the state where stage 2 ended, `stage2`, or at h(0), `h0`.
    The others are as in `Session`, of stage 1 alone.
    """

    stored_as = "LoopSession"
    stored_fields: ClassVar = {"init": "recipe"}

    reaching: Reaching
    sequence: tuple[int, ...]
    eta: float
    eta_s: float
    p_explore: float
    read_at: str
    reset_state: bool
    n_trials_stage: int
    init: Initialisation
    seed: int
    network: int
    online: bool = False
    optimizer: str | Optimizer = "sgd"
    noise: float = 0.0
    moves: int = 1
    run_from: str = "stage2"

    @property
    def n_trials(self) -> int:
        """Movements of both stages."""
        return self.n_trials_stage + self.n_moves

    @property
    def n_moves(self) -> int:
        """Movements of stage 2."""
        return self.moves * self.n_trials_stage

    def cost(self) -> Cost:
        """Saved are two curves of stage 1, three flags a movement of stage 2, outputs in the tests, and the trained
        weights; in memory two histories of a trial and the weights besides. Two multiply-adds a weight and timestep
        take their time, at 64 in a nanosecond."""
        n, n_steps = self.init.n_rec, self.reaching.n_steps
        width, tests = n + 12, 64 * n_steps * (len(self.sequence) + 2)
        saved = 16 * self.n_trials_stage + 3 * self.n_moves + 8 * n * (n + 8) + tests
        memory = 8 * (4 * n_steps * width + 6 * width * width) + saved
        return Cost(self.n_trials, memory, saved, self.n_trials * 2 * n_steps * (1e-8 + 2.0 * n**2 / 64e9))

    def trained(self, arrays: Arrays) -> Network:
        """The network after stage 1, from what `run` returned."""
        from rflo_repro.tasks import MovementTask

        return with_weights(self.init.draw(MovementTask(self.reaching), self.seed, self.network), arrays)

    def run(self, progress: Progress, checkpoint: Checkpoint | None = None) -> Arrays:
        """Both stages and the tests after them.

        loss, alignment: (n,) of stage 1, n its trials; diverged; w_in, w_rec, w_out: the weights after it.
        possible, explored, correct: (n,) of stage 2, n its movements: whether the bounds allowed the transition wanted,
        whether the choice was drawn at random, whether it was the one wanted.
        single: (4, T, 2) velocity in each movement with its hold, by direction, after stage 1.
        y, targets: (T, 2) velocity in a free run through the sequence.
        chosen: (len(sequence),) the directions that it took: the first is given, the loop chooses the others, without
        regard to bounds.
        """
        from rflo_repro.learning.loop import Loop
        from rflo_repro.learning.train import train
        from rflo_repro.tasks import MovementTask

        task = MovementTask(self.reaching)
        rng = {p: generator(self.seed, self.network, p) for p in ("task", "exploration")}
        net = self.init.draw(task, self.seed, self.network)
        kept = None if checkpoint is None else checkpoint.read()
        # in stage 1 it is what `train` kept
        begun = kept if kept is not None and "w_s" in kept else None
        if begun is None:
            history = train(
                net,
                task,
                "rflo",
                self.eta,
                self.n_trials_stage,
                rng["task"],
                reset_state=self.reset_state,
                progress=progress,
                online=self.online,
                optimizer=self.optimizer,
                noise=self.noise,
                checkpoint=checkpoint,
            )
            first: Arrays = {
                "loss": history.loss,
                "alignment": history.alignment,
                "diverged": np.array(history.diverged),
                **weights(history.network),
                # a state that diverged is none to go on from
                "state": net.h0 if history.diverged else history.state,
            }
        else:
            first = {name: begun[name] for name in ("loss", "alignment", "diverged", *weights(net), "state")}
        body = Body(with_weights(net, first), first["state"], self.reaching)
        single = []
        for direction in range(task.n_in):
            start = body.state
            single.append(body.move(direction).y)
            body.state = start

        def report(done: int, now: Callable[[], Saved]) -> None:
            if checkpoint is not None:
                checkpoint.keep(done, lambda: {**first, **now()})
            progress(done)

        loop = Loop.random(net, rng["exploration"])
        loop, transitions = self._learn(body, loop, rng["exploration"], report, begun)
        if self.run_from == "h0":
            body.state = net.h0
        y, chosen = self._free_run(body, loop)
        return {
            **{name: array for name, array in first.items() if name != "state"},
            **transitions,
            "single": np.array(single),
            "y": y,
            "targets": self.reaching.velocity(self.sequence),
            "chosen": np.array(chosen),
        }

    def _read(self, done: Run) -> Array:
        """The state (N,) that the loop reads."""
        h: Array = done.h[self.reaching.n_steps - 1 if self.read_at == "movement" else -1]
        return h

    def _learn(
        self,
        body: Body,
        loop: Loop,
        rng: np.random.Generator,
        report: Callable[[int, Callable[[], Saved]], None],
        begun: Saved | None,
    ) -> tuple[Loop, Arrays]:
        """Stage 2: the network's state chooses each next movement, and Ws learns the transitions that are rewarded.

        report: told the number of trials done, and how to get what there is to keep. begun: what was kept last.
        """
        from rflo_repro.learning.checkpoint import restore, states
        from rflo_repro.learning.loop import Loop
        from rflo_repro.tasks.reaching import VECTORS

        n = self.n_moves
        following = dict(zip(self.sequence, (*self.sequence[1:], self.sequence[0]), strict=True))
        transitions = {name: np.zeros(n, dtype=bool) for name in ("possible", "explored", "correct")}
        possible, explored, correct = transitions.values()
        direction, cursor, done = self.sequence[0], VECTORS[self.sequence[0]], 0
        if begun is not None:
            direction, cursor, done = int(begun["direction"]), begun["cursor"], len(begun["possible"])
            body.state, loop = begun["body"], Loop(begun["w_s"])
            for name, flags in transitions.items():
                flags[:done] = begun[name]
            restore({"exploration": rng}, begun["streams"])

        def so_far() -> Saved:
            return {
                **{name: flags[: trial + 1] for name, flags in transitions.items()},
                "direction": np.array(direction),
                "cursor": cursor,
                "body": body.state,
                "w_s": loop.w_s,
                "streams": states({"exploration": rng}),
            }

        for trial in range(done, n):
            h = self._read(body.move(direction))
            allowed = self.reaching.allowed(cursor)
            chosen, explored[trial] = loop.explore(h, allowed, self.p_explore, rng)
            possible[trial] = allowed[following[direction]]
            correct[trial] = chosen == following[direction]
            if correct[trial]:
                loop = loop.reinforced(h, chosen, self.eta_s)
            direction, cursor = chosen, cursor + VECTORS[chosen]
            if (trial + 1) % REPORT_EVERY == 0:
                report(self.n_trials_stage + trial + 1, so_far)
        return loop, transitions

    def _free_run(self, body: Body, loop: Loop) -> tuple[Array, list[int]]:
        """Velocity and directions of a run that only the loop drives."""
        outputs, chosen = [], [self.sequence[0]]
        for _ in self.sequence:
            done = body.move(chosen[-1])
            outputs.append(done.y)
            chosen.append(loop.choose(self._read(done)))
        return np.concatenate(outputs), chosen[:-1]
