"""Sweeps of one's own: the walk-through of docs/sweeps.md, the grid, and what is refused."""

import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import rflo_repro as rr
import rflo_repro.tasks
from rflo_repro.cli import cli
from rflo_repro.runs import tables
from rflo_repro.runs.request import RequestError, Selection
from rflo_repro.studies import sweep_file, sweeps

DOCS = Path(__file__).parents[2] / "docs"
SMALL = """
name = "small"
networks = 2
trials = 20
[grid]
rule = ["rflo", "mine", "untrained"]
task = ["periodic", "delays"]
period = [4, 8]
n_rec = [5, 6]
tau = 5
g = [0.5, 1.5]
eta = 0.01
[rules.mine]
feedback = "random"
carry = "leak"
trains = ["w_rec"]
[tasks.delays]
is = "IntervalMatchingTask"
longest = 20
shortest = 10
"""


def invoke(*argv):
    return CliRunner().invoke(cli, [str(a) for a in argv], prog_name="rflo-repro")


def sweep(text, *options):
    Path("sweep.toml").write_text(textwrap.dedent(text))
    return invoke("sweep", "sweep.toml", *(() if "--jobs" in options else ("--jobs", 2)), *options)


def test_the_walk_through_does_what_it_says(monkeypatch, capsys, saved):
    blocks = re.findall(r"```(\w+)\n(.*?)```", (DOCS / "sweeps.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [language for language, _ in blocks].count("console") == 4
    monkeypatch.delitem(sys.modules, "sawtooth", raising=False)
    for language, text in blocks:
        named = re.match(r"# (\S+\.(?:toml|py))\n", text)
        if named:
            Path(named[1]).write_text(text)
        elif language == "console":
            run = invoke(*text.split()[2:], "--jobs", 2)
            assert run.exit_code == 0, run.output
        else:
            exec(text, {})
    assert capsys.readouterr().out.count("\n") > 8
    made = sorted(path.name for path in Path("results/custom").glob("*_final.csv"))
    assert made == ["recurrent-alone_final.csv", "sawtooth_final.csv", "time-constants_final.csv"]
    assert len(pd.read_csv("results/custom/time-constants_final.csv")) == 2 * 2 * 2 * 3
    final = pd.read_csv("results/custom/sawtooth_final.csv")
    assert (final.groupby(["rule", "task"]).final_loss.median() < final.first_loss.median()).all()


def test_every_combination_once_and_nothing_again():
    run = sweep(SMALL)
    assert run.exit_code == 0, run.output
    plan = sweep_file.read(_file(SMALL))
    schemas = sweeps.schemas(plan)
    final, page = tables.read(Path("results/custom"), schemas["final"])
    # the task without a period counts once
    assert len(final) == 3 * (2 + 1) * 2 * 2 * 2
    assert not final.duplicated([c.name for c in plan.columns] + ["network"]).any()
    assert final[final.task == "delays"].period_tau.isna().all()
    assert page["settings"]["choices"]["rules"]["mine"]["trains"] == ["w_rec"]
    before = (Path("results/custom") / "small_final.csv").read_bytes()
    again = sweep(SMALL, "--jobs", 1)
    assert again.output.count("(stored)") == 36
    assert (Path("results/custom") / "small_final.csv").read_bytes() == before
    # an edited rule is another rule
    edited = sweep(SMALL.replace('trains = ["w_rec"]', 'trains = ["w_out"]').replace('"small"', '"edited"'))
    assert edited.output.count("(stored)") == 24


def test_one_network_index_is_one_initial_network():
    found = sweeps.conditions(sweep_file.read(_file(SMALL)), Selection())
    first = {(c.values["task"], c.values["n_rec"], c.values["g"]): c for c in found}
    for c in found:
        other = first[c.values["task"], c.values["n_rec"], c.values["g"]]
        for mine, its in zip(c.jobs, other.jobs, strict=True):
            assert mine.initial().w_rec.tobytes() == its.initial().w_rec.tobytes()


def _file(text):
    path = Path("plan.toml")
    path.write_text(text)
    return path


REFUSED = {
    "": "name is missing",
    "name = 'x'": "grid is missing",
    "name = '../x'\n[grid]": "name must be",
    "name = 'fig2_final'\n[grid]": "name must not begin like",
    "name = 1\n[grid]": "name must be",
    "nonsense": "",
    "a = " + "[" * 5000: "",
    "name = 'x'\ngrid = 1": "grid must be a table",
    "name = 'x'\nmore = 1\n[grid]": "entries must be among",
}
BROKEN = {
    'rule = "rflo"': "grid.eta is missing",
    "eta = 0.1": "grid.rule is missing",
    'rule = "no"\neta = 0.1\nperiod = 20': "grid.rule must be among bptt, rflo",
    'rule = "rflo"\neta = 0.1': "grid.period is missing",
    'rule = "rflo"\neta = -0.1\nperiod = 20': "grid.eta must be a finite number of at least 0, got -0.1",
    'rule = "rflo"\neta = nan\nperiod = 20': "grid.eta must be",
    'rule = "rflo"\neta = inf\nperiod = 20': "grid.eta must be",
    'rule = "rflo"\neta = "a"\nperiod = 20': "grid.eta must be",
    'rule = "rflo"\neta = true\nperiod = 20': "grid.eta must be",
    'rule = "rflo"\neta = [[0.1]]\nperiod = 20': "grid.eta must be one value or a list",
    'rule = "rflo"\neta = []\nperiod = 20': "grid.eta must have at least one value",
    'rule = "rflo"\neta = 0.1\nperiod = 20\ntau = 0.5': "grid.tau must be a finite number of at least 1, got 0.5",
    'rule = "rflo"\neta = 0.1\nperiod = 20.01': "grid.period: 20.01 tau is not a whole number of timesteps",
    'rule = "rflo"\neta = 0.1\nperiod = 0': "grid.period",
    'rule = "rflo"\neta = 0.1\nperiod = 1e12': "memory",
    'rule = "rflo"\neta = 0.1\nperiod = 1.7e308': "grid.period: 1.7e+308 tau is more timesteps than can be counted",
    'rule = "rflo"\neta = 0.1\nperiod = 1e307': "memory",
    'rule = "rflo"\neta = 0.1\nperiod = 5e-324': "is not a whole number of timesteps",
    'rule = "rflo"\neta = 0.1\nperiod = 20\nn_rec = 0': "grid.n_rec must be a whole number of at least 1",
    'rule = "rflo"\neta = 0.1\nperiod = 20\nn_rec = 2.5': "grid.n_rec must be",
    'rule = "rflo"\neta = 0.1\nperiod = 20\nsize = 1': "grid must be among",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[rules.rflo]': "rules.rflo is a rule already",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[rules.x]\nfeedback = "a"\ncarry = "leak"': "rules.x: feedback must be",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[rules.x]\nfeedback = "random"': "rules.x: carry missing",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[tasks.x]\nis = "os"': "tasks.x.is must be one of",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[tasks.x]\nis = "PeriodicTask"': "tasks.x:",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[tasks.x]\nis = "PeriodicTask"\nperiod = -1': "tasks.x: period must be",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[tasks.x]\nis = "PeriodicTask"\nperiod = 9\nmore = 1': "tasks.x must be",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[plot]\nx = "n_rec"': "plot.y is missing",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[plot]\nx = "rule"\ny = "final_loss"': "plot.x must be one of trial, n_rec",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[plot]\nx = "n_rec"\ny = "loss"': "plot.y must be one of final_loss",
    'rule = "rflo"\neta = [0.1, 0.2]\nperiod = 20\n[plot]\nx = "n_rec"\ny = "final_loss"': "plot must say where eta",
    'rule = "rflo"\neta = 0.1\nperiod = 20\nphi = "selu"': "grid.phi must be one of tanh",
    'rule = "rflo"\neta = 0.1\nperiod = 20\noptimizer = "lion"': "grid.optimizer must be among sgd",
    'rule = ["rflo", "bptt"]\neta = 0.1\nperiod = 20\nonline = true': "grid.online must be false",
    'rule = "rflo"\neta = 0.1\nperiod = 20\nbatch = 3': "grid.batch must divide the number of trials (1000)",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[optimizers.adam]\nclip = 1.0': "optimizers.adam is an optimiser already",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[optimizers.x]\nclip = 0.0': "optimizers.x: clip must be above 0",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[tasks.x]\nis = "nowhere:Task"': "tasks.x.is: nowhere:Task cannot be",
    'rule = "rflo"\neta = 0.1\nperiod = 20\n[tasks.x]\nis = "os:PathLike"': "tasks.x.is must name a class",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [*REFUSED.items(), *((f"name = 'x'\n[grid]\n{grid}", says) for grid, says in BROKEN.items())],
    ids=lambda value: re.sub(r"\W+", "-", value)[:30],
)
def test_a_file_that_is_no_plan_is_refused_in_one_line(text, says):
    run = sweep(text)
    assert run.exit_code == 2, run.output
    (line,) = [line for line in run.output.splitlines() if line.startswith("Error: ")]
    assert says in line
    assert "sweep.toml" in line or "memory" in line
    assert not Path("results").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0"])
def test_a_file_that_is_no_text(content):
    Path("sweep.toml").write_bytes(content)
    with pytest.raises(RequestError, match=re.escape("sweep.toml: ")):
        sweep_file.read(Path("sweep.toml"))
    assert invoke("sweep", "nowhere.toml").exit_code == 2


NAMED = """
name = "named"
trials = 5
[grid]
rule = ["{0}", "rflo"]
period = 2
n_rec = 5
eta = 0.01
[rules."{0}"]
feedback = "random"
carry = "leak"
"""


@pytest.mark.parametrize(
    "name",
    ["null", "NA", "nan", "None", "n/a", "1", "1e5", "007", "inf", "-0.5", " padded", "two\\nlines", "", "x" * 65],
)
def test_a_name_that_a_table_would_lose_is_refused(name):
    rules, tasks = NAMED.format(name), SMALL.replace("delays", name).replace(f"tasks.{name}", f'tasks."{name}"')
    for text, kind in ((rules, "rules"), (tasks, "tasks")):
        run = sweep(text)
        assert run.exit_code == 2, run.output
        assert f"Error: sweep.toml: {kind} must " in run.output
        assert not Path("results").exists()


@pytest.mark.parametrize("name", ["leak[/fast]", "[red]", "a,b", "it's", 'x\\"y', "émigré", "=1+1", "true?", ":smile:"])
def test_any_other_name_comes_back_from_the_table_as_it_is(name):
    run = sweep(NAMED.format(name))
    assert run.exit_code == 0, run.output
    plain = name.replace("\\", "")
    assert f"  {plain} " in run.output
    final = pd.read_csv("results/custom/named_final.csv")
    assert set(final.groupby("rule").final_loss.median().index) == {plain, "rflo"}


RAISING = '''
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Raising:
    """A task that fails in its third trial."""

    n_steps: int = 4
    n_in = 0
    n_out = 1

    def trial(self, rng):
        if rng.random() < 0.2:
            raise RAISED("no room for [this]\\x1b[31m")
        return np.zeros((self.n_steps, 0)), np.ones((self.n_steps, 1))
'''


@pytest.mark.parametrize("raised", ["MemoryError", "SystemExit", "GeneratorExit", "BaseException", "BrokenPipeError"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_that_raises_is_named_and_the_others_are_written(monkeypatch, raised, jobs):
    own = Path("own_tasks").absolute()
    own.mkdir()
    (own / "raising.py").write_text(RAISING.replace("RAISED", raised))
    monkeypatch.delitem(sys.modules, "rflo_repro.tasks.raising", raising=False)
    monkeypatch.setattr(rflo_repro.tasks, "__path__", [*rflo_repro.tasks.__path__, str(own)])
    plan = """
name = "raising"
networks = 2
trials = 40
[grid]
rule = "rflo"
task = ["periodic", "bad"]
period = 2
tau = 5
n_rec = 5
eta = 0.01
[tasks.bad]
is = "Raising"
"""
    run = sweep(plan, "--jobs", jobs)
    assert run.exit_code == 1
    said = f"rflo bad, network {{}}: {raised}: no room for [this][31m"
    for network in (0, 1):
        assert [line for line in run.output.splitlines() if line == "  " + said.format(network)]
    (error,) = [line for line in run.output.splitlines() if line.startswith("Error: ")]
    assert error in {f"Error: {said.format(network)} (and 1 more)" for network in (0, 1)}
    final = pd.read_csv("results/custom/raising_final.csv")
    assert list(final.task) == ["periodic"] * 2


@pytest.mark.parametrize("where", ["at import", "when made"])
def test_a_module_of_ones_own_that_ends_the_process_is_refused(where):
    raising = RAISING.replace("RAISED", "MemoryError")
    at_import = "raise SystemExit(3)\n"
    when_made = "    def __post_init__(self):\n        raise SystemExit(3)\n"
    Path("ending.py").write_text(at_import if where == "at import" else raising + when_made)
    run = sweep("""
name = "ending"
grid = { rule = "rflo", task = "bad", eta = 0.01 }
tasks = { bad = { is = "ending:Raising" } }
""")
    assert run.exit_code == 2
    assert "Error: sweep.toml: tasks.bad" in run.output
    sys.modules.pop("ending", None)


def test_a_sweep_never_replaces_another_of_its_name(saved):
    plan = """
name = "mine"
networks = 2
trials = 5
[grid]
rule = ["rflo", "own"]
period = 2
n_rec = 5
eta = [0.01, 0.02]
[rules.own]
feedback = "random"
carry = "leak"
[plot]
x = "eta"
y = "final_loss"
lines = "rule"
"""

    def edited(old, new, *options):
        before = {path: path.read_bytes() for path in Path().rglob("*.csv")}
        run = sweep(plan.replace(old, new), *options)
        if run.exit_code:
            assert run.exit_code == 2
            assert "'--results': results/custom holds mine_curves.csv of other settings" in run.output
            assert "give the sweep another name, or name another directory" in run.output
            assert {path: path.read_bytes() for path in Path().rglob("*.csv")} == before
        return run

    assert edited("", "").exit_code == 0
    for old, new in (
        ("trials = 5", "trials = 6"),
        ("networks = 2", "networks = 1"),
        ("period = 2", "period = 4"),
        ("[0.01, 0.02]", "[0.01, 0.03]"),
        ("[0.01, 0.02]", "[0.02]"),
        ('carry = "leak"', 'carry = "full"'),
        ("n_rec = 5", "n_rec = 5\nbatch = 1"),
    ):
        assert edited(old, new).exit_code == 2, (old, new)
    # what has all the rows of before replaces nothing
    for old, new in (
        ("networks = 2", "networks = 3"),
        ("[0.01, 0.02]", "[0.01, 0.02, 0.03]"),
        ('"rflo", "own"', '"rflo", "own", "bptt"'),
        ("[plot]", "[rules.other]\nfeedback = 'random'\ncarry = 'full'\n[plot]"),
        ('y = "final_loss"', 'y = "first_loss"'),
    ):
        plan, wider = plan.replace(old, new), edited(old, new)
        assert wider.exit_code == 0, wider.output
    # in a directory of its own it has its picture beside its tables
    picture = Path("figures/custom/mine.png").read_bytes()
    assert edited("trials = 5", "trials = 6", "--results", "own").exit_code == 0
    assert (Path("own/mine.png").exists(), Path("figures/custom/mine.png").read_bytes()) == (True, picture)
    # and each is listed where it is
    listed = [line.split() for line in invoke("list").output.splitlines()]
    assert [line[1:6] for line in listed if line[0] == "sweep"] == [["custom/mine", "fresh", "custom", "3", "×"]]
    Path("own/mine_outputs.csv").write_text("torn")
    Path("own/hostile.json").write_text('{"settings": {"choices": [1]}}')
    assert "sweep  mine: own/mine_outputs.csv is not the table" in invoke("list", "--results", "own").output


OPEN = """
name = "open"
networks = 2
[grid]
rule = "rflo"
task = ["steps"]
n_rec = 8
eta = 0.01
eta_rec = [0.02, 0.01]
n_trials = [4, 8]
batch = 2
h0 = "normal"
bias = 0.1
tau_spread = 2.0
phi = ["tanh", "softplus"]
density = 0.5
noise = 0.1
optimizer = ["sgd", "gentle"]
[optimizers.gentle]
method = "adam"
clip = 0.5
[tasks.steps]
is = "my_steps:StepTask"
height = 2.0
"""
MY_STEPS = '''
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StepTask:
    """A step of the output."""

    height: float
    n_steps: int = 10
    n_in = 1
    n_out = 1

    def trial(self, rng):
        return rng.normal(size=(10, 1)), np.full((10, 1), self.height)
'''


def test_a_grid_takes_all_that_a_session_has_and_a_task_from_beside_the_file():
    Path("mine").mkdir()
    Path("mine/my_steps.py").write_text(MY_STEPS)
    Path("mine/open.toml").write_text(OPEN)
    run = invoke("sweep", "mine/open.toml", "--jobs", 2)
    assert run.exit_code == 0, run.output
    final = pd.read_csv("results/custom/open_final.csv")
    assert len(final) == 2 * 2 * 2 * 2 * 2
    assert (final.trials == final.n_trials).all()
    assert set(final.density) == {0.5}
    assert final.groupby(["eta_rec", "trials", "phi", "optimizer"]).final_loss.nunique().min() == 2
    one = final[(final.eta_rec == 0.02) & (final.trials == 8) & (final.phi == "softplus") & (final.network == 1)]
    # what the row says is what the library does
    plan = sweep_file.read(Path("mine/open.toml"))
    found = [c for c in sweeps.conditions(plan, Selection()) if c.values["phi"] == "softplus"]
    at = {"eta_rec": 0.02, "trials": 8, "optimizer": "gentle"}
    (condition,) = [c for c in found if at.items() <= c.values.items()]
    session = condition.jobs[1]
    assert session.eta == rr.LearningRates(w_in=0.01, w_rec=0.02, w_out=0.01)
    assert (session.optimizer, session.noise, session.batch) == (rr.Optimizer("adam", clip=0.5), 0.1, 2)
    begun = session.initial()
    assert (begun.phi, set(final.h0), session.init.h0) == ("softplus", {"normal"}, "normal")
    assert np.ptp(begun.tau) > 0.0
    loss = session.train(lambda _: None).loss
    assert one[one.optimizer == "gentle"].first_loss.tolist() == [loss[0]]
    # an edited task is computed anew
    again = invoke("sweep", "mine/open.toml", "--jobs", 1)
    assert again.output.count("(stored)") == 16
    net = rr.trained("mine/open.toml", network=1, phi="softplus", **at)
    after = session.train(lambda _: None).network
    assert net.w_rec.tobytes() == after.w_rec.tobytes()
    assert net.bias.tobytes() == after.bias.tobytes() != begun.bias.tobytes()


STEPS = OPEN.replace("[4, 8]", "4").replace('["tanh", "softplus"]', '"tanh"').replace('["sgd", "gentle"]', '"sgd"')


@pytest.mark.parametrize("name", ["my_steps", "statistics"])
def test_a_module_beside_the_file_is_that_one_whatever_its_name(name):
    """One of each of two folders, and one that is called like a module of Python's own."""
    found = []
    for height in ("1.0", "3.0"):
        folder = Path(height)
        folder.mkdir()
        (folder / f"{name}.py").write_text(MY_STEPS.replace("self.height)", f"self.height * {height})"))
        (folder / "open.toml").write_text(STEPS.replace("my_steps", name))
        plan = sweep_file.read(folder / "open.toml")
        found.append(plan.tasks["steps"].trial(np.random.default_rng(0))[1][0, 0])
        assert sweep_file.read(folder / "open.toml").tasks == plan.tasks
    assert found == [2.0, 6.0]


def test_the_tables_of_a_grid_have_no_column_that_it_does_not_name():
    plan = sweep_file.read(_file(SMALL))
    assert [c.name for c in plan.columns] == ["rule", "task", "n_rec", "tau", "period_tau", "g", "eta"]


@pytest.mark.parametrize(("x", "y"), [("n_rec", "final_loss"), ("trial", "alignment")])
def test_a_sweep_can_draw(x, y, monkeypatch):
    text = f"""
name = "drawn"
networks = 3
trials = 20
[grid]
rule = ["rflo", "bptt"]
period = 2
n_rec = {"[5, 6, 9]" if x == "n_rec" else "5"}
eta = 0.01
[plot]
x = "{x}"
y = "{y}"
lines = "rule"
"""
    drawn = []
    monkeypatch.setattr(
        sweeps, "draw", lambda plan, frames, draw=sweeps.draw: drawn.append(draw(plan, frames)) or drawn[-1]
    )
    run = sweep(text)
    assert run.exit_code == 0, run.output
    assert [path.name for path in sorted(Path("figures/custom").iterdir())] == ["drawn.pdf", "drawn.png"]
    (axes,) = drawn[0][0].axes
    medians = [line for line in axes.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in medians] == ["RFLO", "BPTT"]
    # and a dot a network
    assert sum(len(line.get_xdata()) for line in axes.lines if line not in medians) == (18 if x == "n_rec" else 0)
    frame = pd.read_csv(f"results/custom/drawn_{'final' if x == 'n_rec' else 'curves'}.csv")
    for rule, line in zip(("rflo", "bptt"), medians, strict=True):
        median = frame[frame.rule == rule].groupby(x)[y].median()
        assert line.get_xdata().tolist() == median.index.tolist()
        assert line.get_ydata() == pytest.approx(median.to_numpy())
    assert len(axes.collections) == 2  # a band each
