"""Whatever is passed in: it works, or a ValueError (API) or exit code 2 (command line) names what is wrong with it."""

import dataclasses
import importlib
import inspect
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from cases import further
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import rflo_repro as rr
from rflo_repro import cli
from rflo_repro.paper import registry
from rflo_repro.runs import run
from rflo_repro.runs.session import Session
from rflo_repro.tasks import IntervalMatchingTask, MovementTask, PeriodicTask, Reaching, SequenceTask

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 6),
    st.sampled_from([2**63, -(2**70), 10**400]),
    st.floats(),
    st.complex_numbers(max_magnitude=10),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.lists(st.floats(-2, 2), max_size=3),
    st.sampled_from([np.float32(2.0), np.int8(3), np.float64("nan"), np.bool_(True), object, {}, (), Ellipsis]),
)
ELEMENTS = st.floats(width=16, allow_nan=True, allow_infinity=True)
LAYOUTS: tuple[Callable[[np.ndarray], Any], ...] = (
    lambda a: a,
    lambda a: np.asfortranarray(a),
    lambda a: a[..., ::-1] if a.ndim else a,
    lambda a: a.tolist(),
    lambda a: np.repeat(a, 2, axis=0)[::2] if a.ndim else a,
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
KINDS = st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.int8, np.bool_, np.complex64, object, "U2"])


@st.composite
def odd_arrays(draw: st.DrawFn) -> Any:
    """Arrays of any kind, shape and layout, some with NaN and infinities."""
    shape = draw(st.one_of(SHAPES, st.sampled_from([(4, 4), (1, 4), (4, 1), (4, 2), (4,), (5, 2), (5, 1), (4, 0)])))
    values = np.array(draw(st.lists(ELEMENTS, min_size=1, max_size=3)))
    filled = np.resize(np.where(draw(st.booleans()), np.nan_to_num(values, posinf=1, neginf=-1), values), shape)
    with np.errstate(all="ignore"):
        made = filled.astype(draw(KINDS))
    return draw(st.sampled_from(LAYOUTS))(made)


ANY = st.one_of(ODD, odd_arrays())


def network(**changes: Any) -> dict[str, Any]:
    """Arguments of a good network of 4 units, 2 inputs and 1 output."""
    good = {name: getattr(NET, name) for name in ("w_in", "w_rec", "w_out", "feedback", "h0", "tau")}
    return {**good, **changes}


NET = rr.Network.random(4, 2, 1, np.random.default_rng(0))
LOOP = rr.Loop.random(NET, np.random.default_rng(0))
TRIAL = {"inputs": np.ones((5, 2)), "targets": np.ones((5, 1))}


class Trial:
    """A task with this trial."""

    def __init__(self, inputs: Any, targets: Any, n_in: Any = 2, n_out: Any = 1) -> None:
        self.inputs, self.targets, self.n_in, self.n_out = inputs, targets, n_in, n_out

    def trial(self, rng: np.random.Generator) -> Any:
        return self.inputs, self.targets


def train(**changes: Any) -> Any:
    task = Trial(changes.pop("inputs", TRIAL["inputs"]), changes.pop("targets", TRIAL["targets"]))
    return rr.train(**{"net": NET, "task": task, "n_trials": 2, "rng": np.random.default_rng(0), **changes})


def sizes_are_small(call: str, name: str, value: Any) -> bool:
    """Huge sizes are allowed, but take memory and time that the test has not."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        return True
    return (
        name not in ("n_rec", "n_in", "n_out", "n_trials", "batch", "n_steps", "longest", "tail", "first") or value < 50
    )


# Every public function, its good arguments, and those that are varied
CALLS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "Network": (
        lambda **k: rr.Network(**network(**k)),
        (
            "w_in",
            "w_rec",
            "w_out",
            "feedback",
            "h0",
            "tau",
            "output_feedback",
            "signs",
            "phi",
            "mask",
            "bias",
            "mask_in",
            "mask_out",
        ),
    ),
    "Network.random": (
        lambda **k: rr.Network.random(**{"n_rec": 4, "n_in": 2, "n_out": 1, "rng": np.random.default_rng(0), **k}),
        (
            *("n_rec", "n_in", "n_out", "rng", "g", "tau", "h0", "readout_scale", "output_feedback", "signs"),
            *("phi", "density", "mask", "bias", "mask_in", "mask_out"),
        ),
    ),
    "run": (lambda **k: rr.run(**{"net": NET, "inputs": TRIAL["inputs"], **k}), ("net", "inputs", "noise")),
    "weight_updates": (
        lambda **k: rr.weight_updates(**{"net": NET, **TRIAL, **k}),
        ("net", "inputs", "targets", "rule", "noise", "rng", "loss"),
    ),
    "evaluate": (
        lambda **k: rr.evaluate(**{"net": NET, "task": Trial(**TRIAL), "n_trials": 2, **k}),
        ("net", "task", "n_trials", "rng", "loss"),
    ),
    "Learner": (
        lambda **k: rr.Learner(**{"net": NET, **k}),
        ("net", "rule", "eta", "rng", "optimizer", "noise", "loss"),
    ),
    "train": (
        train,
        (
            *("net", "inputs", "targets", "rule", "eta", "n_trials", "rng", "online", "batch", "reset_state"),
            *("optimizer", "noise", "snapshots", "loss", "evaluate_every", "stop"),
        ),
    ),
    "train_many": (
        lambda **k: rr.train_many(
            **{"nets": [NET], "task": Trial(**TRIAL), "n_trials": 2, "rngs": [np.random.default_rng(0)], **k}
        ),
        ("nets", "task", "rngs", "jobs"),
    ),
    "LearningRates": (
        lambda **k: rr.LearningRates(**{"w_in": 0.1, "w_rec": 0.1, "w_out": 0.1, **k}),
        ("w_in", "w_rec", "w_out"),
    ),
    "LearningRule": (
        lambda **k: rr.LearningRule(**{"name": "x", "feedback": "random", "carry": "leak", **k}),
        (
            "name",
            "feedback",
            "carry",
            "trains",
            "form",
            "trace_tau",
            "truncation",
            "draws",
            "sigma",
            "alpha",
            "reward",
            "next_error",
        ),
    ),
    "Optimizer": (
        lambda **k: rr.Optimizer(**{"method": "adam", "clip": 1.0, **k}),
        ("method", "clip", "weight_decay", "beta1", "beta2", "epsilon"),
    ),
    "trained": (lambda **k: rr.trained(**{"name": "fig2", "rule": "none of them", **k}), ("name", "scale")),
    "ProgressBar": (lambda **k: rr.ProgressBar(**k), ("n_trials",)),
    "PeriodicTask": (lambda **k: PeriodicTask(**{"period": 5, **k}), ("period",)),
    "IntervalMatchingTask": (
        lambda **k: IntervalMatchingTask(**{"longest": 9, "shortest": 2, **k}),
        ("longest", "shortest", "channels", "pulse_sd", "first", "tail", "input_height", "first_spread"),
    ),
    "IntervalMatchingTask.with_delay": (
        lambda **k: IntervalMatchingTask(longest=9, shortest=2).with_delay(**{"delay": 3, **k}),
        ("delay", "later"),
    ),
    "IntervalMatchingTask.trial": (lambda **k: IntervalMatchingTask(longest=9, shortest=2).trial(**k), ("rng",)),
    "Reaching": (
        lambda **k: Reaching(**{"n_steps": 3, **k}),
        ("n_steps", "bound", "profile", "amplitude", "input_in_hold"),
    ),
    "Reaching.inputs": (lambda **k: Reaching(3).inputs(**k), ("direction",)),
    "Reaching.velocity": (lambda **k: Reaching(3).velocity(**k), ("directions",)),
    "Reaching.allowed": (lambda **k: Reaching(3).allowed(**k), ("cursor",)),
    "MovementTask": (lambda **k: MovementTask(**k), ("reaching", "cursor")),
    "MovementTask.trial": (lambda **k: MovementTask(Reaching(3)).trial(**k), ("rng",)),
    "SequenceTask": (lambda **k: SequenceTask(**{"directions": (0, 1), **k}), ("directions", "reaching")),
    "MatchToSampleTask": (
        lambda **k: rr.MatchToSampleTask(**{"stimulus": 3, "delay": 2, "response": 2, **k}),
        ("stimulus", "delay", "response"),
    ),
    "EvidenceTask": (
        lambda **k: rr.EvidenceTask(**k),
        ("coherences", "fixation", "decision", "mean_stimulus", "shortest", "longest", "input_sd"),
    ),
    "ContextTask": (lambda **k: rr.ContextTask(**k), ("coherences", "fixation", "stimulus", "decision", "input_sd")),
    "FlipFlopTask": (lambda **k: rr.FlipFlopTask(**k), ("n_bits", "n_steps", "pulse", "shortest", "longest")),
    "EmbeddedReberTask": (lambda **k: rr.EmbeddedReberTask(**k), ("longest",)),
    "from_neurogym": (lambda **k: rr.from_neurogym(**{"env": None, **k}), ("env", "targets")),
    "Loop": (lambda **k: rr.Loop(**{"w_s": np.ones((2, 4)), **k}), ("w_s",)),
    "Loop.random": (lambda **k: rr.Loop.random(**{"net": NET, "rng": np.random.default_rng(0), **k}), ("net", "rng")),
    "Loop.choose": (lambda **k: LOOP.choose(**{"h": np.ones(4), **k}), ("h", "allowed")),
    "Loop.explore": (
        lambda **k: LOOP.explore(
            **{"h": np.ones(4), "allowed": [1, 0], "p_explore": 0.5, "rng": np.random.default_rng(0), **k}
        ),
        ("h", "allowed", "p_explore", "rng"),
    ),
    "Loop.reinforced": (
        lambda **k: LOOP.reinforced(**{"h": np.ones(4), "chosen": 0, "eta": 0.1, **k}),
        ("h", "chosen", "eta"),
    ),
}
# how an argument is called in the message where it is not by its name
ALIASES = {"shortest": "(shortest|longest)", "inputs": "(inputs|targets)", "eta": "(eta|w_s)"}


def test_every_public_function_is_driven():
    public = {name for name in rr.__all__ if callable(getattr(rr, name))} - {
        "Evaluation",
        "History",
        "Run",
        "Updates",
        "Task",
        "explore",
    }
    assert public <= set(CALLS)
    for name, (_, arguments) in CALLS.items():
        function = {"Network.random": rr.Network.random}.get(name) or getattr(rr, name, None)
        if function is not None and name not in ("train", "trained", "train_many"):
            assert set(inspect.signature(function).parameters) == set(arguments), name


def try_api(name: str, argument: str, value: Any) -> bool:
    """Whether it was refused; if so, the message names the argument."""
    call = CALLS[name][0]
    # what a rule or a rate of one's own raises is its own
    if not sizes_are_small(name, argument, value) or (argument in ("rule", "eta") and callable(value)):
        return False
    try:
        call(**{argument: value})
    except ValueError as error:
        message = str(error)
        # a matrix of another size makes the others the wrong ones
        named = re.search(rf"\b{ALIASES.get(argument, argument)}\b", message) or argument in ("w_rec", "w_out")
        assert named, (name, argument, value, message)
        assert "\n" not in message
        return True
    return False


@pytest.mark.parametrize(("name", "argument"), [(n, a) for n, (_, arguments) in CALLS.items() for a in arguments])
@settings(max_examples=15)
@given(data=st.data())
def test_the_library(name, argument, data):
    try_api(name, argument, data.draw(ANY))


@pytest.mark.long
@settings(max_examples=10_000)
@given(data=st.data())
def test_the_library_ten_thousand_times(data):
    name = data.draw(st.sampled_from(sorted(CALLS)))
    try_api(name, data.draw(st.sampled_from(CALLS[name][1])), data.draw(ANY))


class Reached(Exception):
    """A request was good: this is where it would be computed."""


@pytest.fixture
def unmade(monkeypatch):
    """Commands do everything up to computing, and each condition's first network is drawn, if it is small."""

    def sweep(conditions: Any, *rest: Any, **more: Any) -> None:
        for condition in conditions:
            first = condition.jobs[0]
            if isinstance(first, Session) and first.init.n_rec < 200:
                first.initial()
        raise Reached

    def reached(*given: Any, **more: Any) -> None:
        raise Reached

    for module in (run, *(importlib.import_module(f"rflo_repro.studies.{name}") for name in SWEEPING)):
        monkeypatch.setattr(module, "sweep", sweep)
    monkeypatch.setattr(run, "draw", reached)
    for name in NOT_SWEEPING:
        monkeypatch.setattr(cli.cli.commands[name], "callback", reached)


# Studies that sweep, whose commands are driven up to there; and commands that do other things, of which only the
# options are
SWEEPING = ("reference_runs",)
NOT_SWEEPING = ("bench", "report")


WORDS = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "1", "2.5", "nan", "inf", "-inf", "1e400", "1e-400", "9" * 30, "0x10", "1_000", "true", "None",
         "rflo", "a", "printed", "tuned", "smoke", "tau=0", "g=-1", "n_rec=0", "n_rec=2.5", "h0=nan", "tau=1e300",
         "online=true", "n_networks=0", "n_trials=-5", "x=1", "=", "batch=7", "sequence=up", "..", "/proc/x",
         "tcp://h:1", "20", "20.05", "1e9", "1e307", "1.7e308", "5e-324", "tau=1.7e308", "tau=10.33",
         "n_rec=" + "9" * 400, "seed=" + "9" * 5000, "g=" + "[" * 5000, "n_networks=1000000"]
    ),
    # what the system lets a program be started with
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    st.floats().map(str),
    # networks between the two are allowed, and take seconds to list
    st.integers(max_value=1000).map(str),
    st.integers(min_value=2**31).map(str),
)  # fmt: skip


def options(command: click.Command) -> list[str]:
    return [p.opts[0] for p in command.params if isinstance(p, click.Option) and not p.is_flag and p.name != "help"]


COMPUTED = [figure.command for figure in registry.figures().values() if figure.computed]
FROM_TABLES = ("plot", "list")
SEARCHES = {f"tune {name}": command for name, command in cli.tune.commands.items()}
COMMANDS = {**cli.cli.commands, **SEARCHES}
DRIVEN = [name for name, command in COMMANDS.items() if options(command) and name not in FROM_TABLES]


def try_command(name: str, pairs: list[tuple[str, str]]) -> None:
    command = COMMANDS[name]
    arguments = [p.type.choices[0] for p in command.params  # type: ignore[attr-defined]
                 if isinstance(p, click.Argument) and isinstance(p.type, click.Choice)]  # fmt: skip
    if name == "sweep":
        Path("plan.toml").write_text("name = 'x'\n[grid]\nrule = 'rflo'\nperiod = 20\neta = 0.1\n")
        arguments = ["plan.toml"]
    argv = [*name.split(), *arguments, "--scale", "smoke", *(f"{o}={v}" for o, v in pairs)]
    if "--scale" not in options(command):
        argv = [word for word in argv if word not in ("--scale", "smoke")]
    before = sorted(Path().rglob("*"))
    result = CliRunner().invoke(cli.cli, argv, prog_name="rflo-repro")
    assert isinstance(result.exception, (Reached, SystemExit, type(None))), (argv, result.exc_info)
    assert sorted(Path().rglob("*")) == before, argv
    if isinstance(result.exception, Reached):
        return
    assert result.exit_code in (0, 2), (argv, result.output)
    if result.exit_code == 2:
        (line,) = [line for line in result.output.splitlines() if line.startswith("Error: ")][:1]
        # what is varied is an option, or a choice that `--set` names
        varied = [o.lstrip("-") for o, _ in pairs] + [v.partition("=")[0] for o, v in pairs if o == "--set"]
        assert any(name in result.output for name in varied) or "combination" in line, (argv, line)


@pytest.mark.usefixtures("unmade")
@pytest.mark.parametrize("name", DRIVEN)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_command_line(name, data):
    chosen = data.draw(st.lists(st.sampled_from(options(COMMANDS[name])), min_size=1, max_size=3))
    try_command(name, [(option, data.draw(WORDS)) for option in chosen])


@pytest.mark.long
@pytest.mark.usefixtures("unmade")
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_command_line_ten_thousand_times(data):
    name = data.draw(st.sampled_from(DRIVEN))
    chosen = data.draw(st.lists(st.sampled_from(options(COMMANDS[name])), min_size=1, max_size=3))
    try_command(name, [(option, data.draw(WORDS)) for option in chosen])


EXTREMES = (
    "0", "-1", "1", "2.5", "5e-324", "1e300", "1.7e308", "-1.7e308", "1e9", "1000000001", "10.33", "9" * 400,
    "9" * 5000, "[" * 5000, "NaN", "-Infinity", "true", "null", "x y", "a\nb", "uniform", "1,2", "10,20.5", "right up",
    "bell",
)  # fmt: skip


@pytest.mark.usefixtures("unmade")
@pytest.mark.parametrize("name", [COMPUTED[0], *further(*COMPUTED[1:])])
def test_every_choice_of_every_figure_at_its_extremes(name):
    for field in dataclasses.fields(registry.figures()[name].experiment.scales["smoke"]):
        for text in EXTREMES:
            try_command(name, [("--set", f"{field.name}={text}"), ("--networks", "1")])


def test_a_task_that_is_not_one():
    bad = Trial(TRIAL["inputs"], TRIAL["targets"], n_in=3), Trial(TRIAL["inputs"], TRIAL["targets"], n_in=np.ones(2))
    for task in (None, 3, "x", object(), *bad):
        with pytest.raises(ValueError, match=r"task\.n_in"):
            rr.train(NET, task, n_trials=1)  # type: ignore[arg-type]
    assert math.isfinite(train().loss[0])
