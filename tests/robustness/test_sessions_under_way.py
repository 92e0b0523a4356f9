"""Killed or stopped within a session: the same command goes on within it, and ends with the same bytes."""

import json
import os
import random
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rflo_repro.runs.status import next_trial

from .conftest import Server, stored_in, tables_in

SESSIONS = {
    "bptt": ("fig2", "--rule", "bptt", "--period", "20"),
    "online rflo": ("fig2", "--rule", "rflo", "--period", "20", "--set", "online=true"),
    "figure 3": ("fig3", "--panel", "a", "--rule", "bptt"),
    "figure 4 without the loop": ("fig4", "--rule", "rflo"),
    "figure 4 with the loop": ("fig4", "--rule", "loop"),
}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# of a kernel call, and what a loaded machine adds to it
SLACK_SECONDS = 1.0


@dataclass
class Session:
    """One session of one network, alone in a folder."""

    server: Server
    name: str
    n_trials: int
    every: float
    kept_at_a_signal: int = 0

    @property
    def total(self) -> int:
        """All that are trained: Figure 4 has two stages, or twice as many without them."""
        return self.n_trials * (2 if SESSIONS[self.name][0] == "fig4" else 1)

    def command(self, folder: str) -> tuple[object, ...]:
        how = ("--networks", 1, "--jobs", 1, "--no-plot", "--trials", self.n_trials, "--checkpoint", self.every)
        return (*SESSIONS[self.name], *how, "--results", folder)

    def undisturbed(self, folder: str) -> float:
        """Run it without interruption; the seconds that it took by itself."""
        code, log = self.server.run(*self.command(folder))
        assert code == 0, log
        (page,) = Path(folder).glob("*_final.json")
        return float(json.loads(page.read_text())["runs"][-1]["computed"][0]["seconds"])

    def kept(self) -> tuple[int, float]:
        """How many trials are kept of it, and since when."""
        for path in Path("r").rglob("*.checkpoint"):
            with np.load(path, allow_pickle=False) as file:
                return int(json.loads(str(file["_meaning"]))["made"]["trials"]), path.stat().st_mtime
        return 0, 0.0

    def interrupted(self, how: int, seconds: float | None = None) -> float:
        """Run it until a signal, after these seconds or as soon as more is kept, and see that nothing is lost; the
        trials it did a second."""
        before, _ = self.kept()
        process, started = self.server.start(*self.command("r")), time.time()
        if seconds is None:
            while self.kept()[0] == before and time.time() < started + 60.0:
                time.sleep(0.02)
        else:
            time.sleep(seconds)
        killed = time.time()
        os.kill(process.number, how)
        code, log = process.end()
        after, since = self.kept()
        assert before <= after
        assert code == (-how if how == signal.SIGKILL else 128 + how), log
        assert "Traceback" not in log
        assert killed - max(since, started) < self.every + SLACK_SECONDS
        if said := re.search(r"goes on at trial (\d+) of", log.partition("stopped;")[0]):
            assert int(said.group(1)) == before + 1
        if how != signal.SIGKILL:
            last = log.splitlines()[-1]
            assert last.startswith("stopped; what is finished is saved: the same command ")
            # before the work has begun there is nothing under way
            where = f"goes on at trial {next_trial(after, self.total)} (" if after else "begins anew "
            assert where in last or "goes on there" in last
            self.kept_at_a_signal += since >= killed
        return (after - before) / (time.time() - started)

    def ends(self) -> None:
        """The rest, and the bytes of the undisturbed one."""
        code, log = self.server.run(*self.command("r"))
        assert code == 0, log
        assert self.kept() == (0, 0.0)
        assert tables_in(Path("r")) == tables_in(Path("whole"))
        (one,), (other,) = stored_in(Path("r")), stored_in(Path("whole"))
        with np.load(one, allow_pickle=False) as mine, np.load(other, allow_pickle=False) as theirs:
            assert mine.files == theirs.files
            for name in set(mine.files) - {"_meaning"}:
                assert mine[name].tobytes() == theirs[name].tobytes(), name


def test_a_session_that_is_killed_goes_on_within(server):
    session = Session(server, "online rflo", 25_000, 0.1)
    session.undisturbed("whole")
    kept = 0
    for how in SIGNALS:
        session.interrupted(how)
        assert kept < (kept := session.kept()[0]) < session.n_trials
    assert session.kept_at_a_signal > 0
    session.ends()


@pytest.mark.long
@pytest.mark.parametrize("name", SESSIONS)
def test_twenty_random_kills_within_a_session(server, name):
    """At any moment, by any signal, with a checkpoint every second."""
    n_kills, drawn = 20, random.Random(name)
    session, seconds = Session(server, name, 50, 1.0), 0.0
    while seconds < 1.5:
        # the first time kernels are compiled as well
        session.n_trials *= 2
        seconds = min(session.undisturbed(f"{session.n_trials} {again}") for again in range(2))
    rate = session.total / seconds
    session.n_trials = round(session.n_trials * 16.0 / seconds / 10) * 10
    session.undisturbed("whole")
    for left in range(n_kills, 0, -1):
        kept, _ = session.kept()
        mean = (session.total - kept) / rate / (left + 1)
        rate = max(rate, session.interrupted(drawn.choice(SIGNALS), drawn.uniform(0.2, 2.0 * min(mean, 1.5))))
    assert session.kept_at_a_signal > 0
    session.ends()
