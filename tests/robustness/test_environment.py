"""Whatever surrounds the process, it comes to the right result or says one line; never a traceback."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cases import further

import rflo_repro
from rflo_repro.cli import cli
from rflo_repro.learning.kernels import _cache

PACKAGE = Path(rflo_repro.__file__).parent
COMPUTE = (
    "fig2",
    "--scale",
    "smoke",
    "--period",
    "20",
    "--rule",
    "rflo",
    "--networks",
    "1",
    "--trials",
    "20",
    "--no-plot",
)
COMMANDS = (
    COMPUTE,
    ("list",),
    ("report",),
    ("plot", "fig2", "--results", "results/custom/smoke-networks1-trials20", "--figures", "drawn"),
)
# What a command needs besides --scale smoke and --no-plot; one that is not named here needs nothing
NEEDS = {
    "plot": ("fig2",),
    "tune": ("fig2-size", "--scale", "smoke", "--no-plot"),
    "confirm": ("fig2-size",),
    "sensitivity": ("--networks", "1"),
    "bench": ("--part", "rules", "--n-rec", "5"),
    "sweep": ("own.toml",),
}
SWEEP = """
name = "own"
trials = 5
grid = { rule = "rflo", period = 2, n_rec = 5, eta = [0.01, 0.02] }
plot = { x = "eta", y = "final_loss" }
"""
# `bench` needs a source checkout, which an install is not
CHECKOUT = ("bench",)
# What is timed is never the same twice
TIMED = ("cost", "bench_rules")
# Runs commands one after another as the program would, and writes their exit codes
DRIVER = """
import json, sys
from pathlib import Path
from rflo_repro import cli
Path("own.toml").write_text(sys.argv[2])
codes = []
for argv in json.loads(sys.argv[1]):
    sys.argv = ["rflo-repro", *argv]
    if argv == ["check"]:  # of what it computes, the first trials by every rule
        from rflo_repro.studies import reference_runs, regression
        regression.KINDS, regression.computed = ("short",), lambda *_: dict(reference_runs.short_runs())
    if argv[0] == "bench":
        from benchmarks import bench
        bench.ROUNDS, bench.SECONDS = 1, 0.0
    try:
        cli.main()
        codes.append(0)
    except SystemExit as end:
        codes.append(end.code)
Path("codes.json").write_text(json.dumps(codes))
"""
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


@dataclass
class Surroundings:
    """What surrounds a process: variables (None: unset), Python's options, its directory, what is put around it."""

    variables: dict[str, str | None] = field(default_factory=dict)
    python: tuple[str, ...] = ()
    folder: Path = Path()
    shell: str = 'exec "$@"'
    before: object = None
    left_over: Path | None = None

    def run(self, *commands):
        """The exit codes of these commands, and the output of all."""
        self.folder.mkdir(exist_ok=True)
        env = {k: v for k, v in {**os.environ, **self.variables}.items() if v is not None}
        done = subprocess.run(
            ["sh", "-c", self.shell, "sh", sys.executable, *self.python, "-c", DRIVER, json.dumps(commands), SWEEP],
            env=env, cwd=self.folder, capture_output=True, timeout=900, preexec_fn=self.before, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert b"Traceback" not in said, said.decode(errors="replace")
        assert done.returncode == 0, said.decode(errors="replace")
        return json.loads((self.folder / "codes.json").read_text()), done.stdout, done.stderr


def plain(tmp_path):
    return Surroundings()


def no_home(tmp_path):
    return Surroundings({"HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None, "MPLCONFIGDIR": None})


def a_home_that_is_none(tmp_path):
    missing = str(tmp_path / "missing" / "home")
    cache = str(_cache.directory().parent)
    return Surroundings({"HOME": missing, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None, "NUMBA_CACHE_DIR": cache})


def without_the_right_to_write_everywhere():
    """Root may write what nobody may; without this right, permission bits count for root too."""
    libc = ctypes.CDLL(None, use_errno=True)
    for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0)


def a_read_only_install(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(PACKAGE, site / "rflo_repro", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (site, *site.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    touch = ["sh", "-c", f"echo > {site}/rflo_repro/new"]
    tried = subprocess.run(touch, preexec_fn=without_the_right_to_write_everywhere, capture_output=True, check=False)
    if tried.returncode == 0:
        pytest.skip("whoever runs this may write anywhere")
    return Surroundings({"PYTHONPATH": str(site)}, before=without_the_right_to_write_everywhere)


def the_c_locale(tmp_path):
    return Surroundings(
        {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": None}
    )


def stdout_closed(tmp_path):
    return Surroundings(shell='exec "$@" >&-')


def all_streams_closed(tmp_path):
    return Surroundings(shell='exec "$@" <&- >&- 2>&-')


def nobody_at_the_end_of_the_pipe(tmp_path):
    return Surroundings(shell='{ "$@"; echo $? > code; } | true; exit $(cat code)')


def an_ascii_pipe(tmp_path):
    return Surroundings({"PYTHONIOENCODING": "ascii"})


def a_backend_that_is_none(tmp_path):
    return Surroundings({"MPLBACKEND": "module://matplotlib_inline.backend_inline"})


def a_word_for_a_backend(tmp_path):
    return Surroundings({"MPLBACKEND": "nonsense"})


def no_threads_for_numba(tmp_path):
    return Surroundings({"NUMBA_NUM_THREADS": "0"})


def optimised(tmp_path):
    return Surroundings(python=("-O",))


def a_damaged_kernel_cache(tmp_path):
    shutil.copytree(_cache.directory(), tmp_path / "kernels" / _cache.directory().name)
    for path in (tmp_path / "kernels").rglob("*.nb?"):
        path.write_bytes(path.read_bytes()[:-1])
    return Surroundings({"NUMBA_CACHE_DIR": str(tmp_path / "kernels")})


def a_full_kernel_cache_disk(tmp_path):
    disk = Path(tempfile.mkdtemp(dir=os.environ["RFLO_REPRO_SMALL_DISK"]))
    with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return Surroundings({"NUMBA_CACHE_DIR": str(disk)}, left_over=disk)


def a_name_that_is_not_utf8(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/na\xffme"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    return Surroundings(folder=folder)


def an_install_whose_name_is_not_utf8(tmp_path):
    around = a_name_that_is_not_utf8(tmp_path)
    shutil.copytree(PACKAGE, around.folder / "rflo_repro", ignore=shutil.ignore_patterns("__pycache__"))
    around.variables["PYTHONPATH"] = str(around.folder)
    return around


TOGETHER = (no_home, the_c_locale, an_ascii_pipe, a_word_for_a_backend, no_threads_for_numba, optimised)


def several_at_once(tmp_path):
    found = [environment(tmp_path) for environment in TOGETHER]
    variables = {name: value for around in found for name, value in around.variables.items()}
    return Surroundings(variables, python=tuple(option for around in found for option in around.python))


FULL_DISK = pytest.param(a_full_kernel_cache_disk, marks=[pytest.mark.disk, pytest.mark.long])
ENVIRONMENTS = [
    several_at_once, a_read_only_install, stdout_closed,
    *further(*TOGETHER, a_damaged_kernel_cache, a_name_that_is_not_utf8), FULL_DISK,
]  # fmt: skip
MORE = further(
    a_home_that_is_none, all_streams_closed, nobody_at_the_end_of_the_pipe, a_backend_that_is_none,
    an_install_whose_name_is_not_utf8,
)  # fmt: skip


def every_command():
    """A call of each command that there is, `plot` last."""
    for name in sorted(cli.commands, key=lambda name: name == "plot"):
        known = {option for parameter in cli.commands[name].params for option in parameter.opts}
        usual = [("--scale", "smoke"), ("--no-plot",)]
        yield (name, *NEEDS.get(name, ()), *(word for option in usual if option[0] in known for word in option))


def made_below(folder):
    """All tables and pictures that are the same whenever they are made, and how many headings and pictures the report
    has; an install that lies there has data of its own."""
    paths = [*sorted(folder.rglob("*.csv")), *folder.glob("drawn/*.png")]
    found = [path for path in paths if "rflo_repro" not in path.parts and path.stem not in TIMED]
    page = (folder / "results" / "report.html").read_text(encoding="utf-8")
    report = page.count("<h2"), page.count("<img"), page.rstrip().endswith("</html>")
    return report, {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def named(function):
    return function.__name__.replace("_", " ")


@pytest.fixture(scope="module", params=[COMMANDS, *further(None)], ids=["four", "every"])
def undisturbed(request, tmp_path_factory):
    """Commands, and what they should make."""
    commands = request.param or (*COMMANDS, *every_command())
    around = Surroundings(folder=tmp_path_factory.mktemp("plain"))
    codes, _, err = around.run(*commands)
    assert dict(zip(commands, codes, strict=True)) == dict.fromkeys(commands, 0), err
    assert err == b""
    made = made_below(around.folder)
    assert "drawn/fig2.png" in made[1]
    return commands, made


def right_result(environment, tmp_path, undisturbed):
    """Whether commands make what they should, or say in one line that an install lacks what they need."""
    commands, made = undisturbed
    around = environment(tmp_path)
    if around.folder == Path():
        around.folder = tmp_path / "here"
    codes, _, err = around.run(*commands)
    if around.left_over:
        shutil.rmtree(around.left_over)
    installed = "PYTHONPATH" in around.variables
    expected = {command: 2 if installed and command[0] in CHECKOUT else 0 for command in commands}
    assert dict(zip(commands, codes, strict=True)) == expected, err
    assert made_below(around.folder) == made
    # what is said of the environment is a line of its own, once
    lines = err.decode(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("Error: ")]
    assert len(errors) == sum(code == 2 for code in codes), errors
    lines = [line for line in lines if line and not line.startswith(("Error: ", "Usage: ", "Try "))]
    assert len(lines) == len(set(lines)), lines
    assert all("damaged" in line or "not kept" in line or "Matplotlib" in line for line in lines), lines


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=named)
def test_the_right_result_in_any_environment(environment, tmp_path, undisturbed):
    right_result(environment, tmp_path, undisturbed)


@pytest.mark.parametrize("undisturbed", [COMMANDS], indirect=True, ids=["four"])
@pytest.mark.parametrize("environment", MORE, ids=named)
def test_the_right_result_in_environments_that_nobody_asked_for(environment, tmp_path, undisturbed):
    right_result(environment, tmp_path, undisturbed)


@pytest.mark.parametrize("command", ["list", *further("--version", "--help")])
@pytest.mark.parametrize("unbuffered", [None, *further("1")])
def test_a_log_on_a_full_disk_is_said_in_one_line(tmp_path, unbuffered, command):
    around = Surroundings({"PYTHONUNBUFFERED": unbuffered}, folder=tmp_path, shell='exec "$@" > /dev/full')
    codes, _, err = around.run((command,))
    assert codes == [1]
    assert err == b"Error: No space left on device\n"


@pytest.mark.parametrize("module", ["rflo_repro", *further("rflo_repro.cli")])
def test_the_module_is_the_program(module, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", module, *COMPUTE],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    page = json.loads((tmp_path / "results" / "custom" / "smoke-networks1-trials20" / "fig2_final.json").read_text())
    assert page["runs"][0]["command"] == " ".join(["rflo-repro", *COMPUTE])
    refused = subprocess.run(
        [sys.executable, "-m", module, "fig2", "--period", "nan"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("Usage: rflo-repro fig2 ")


def ended(code):
    """How a process ends that runs this in place of a command: its exit code and what it says."""
    program = f"from rflo_repro import process\ndef program():\n    {code}\nprocess.supervised(program)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("error", ["EOFError('cut')", "MemoryError('cut')", "KeyError('a\\nb')", "RecursionError()"])
def test_what_nobody_foresaw_is_one_line_and_no_wish_to_stop(error):
    code, out, err = ended(f"raise {error}")
    assert code == 1
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(f"Error: {error.partition('(')[0]}")
    assert "stopped" not in err


def test_an_end_of_file_in_a_command_is_no_wish_to_stop():
    code, _, err = ended(
        "import click\n    def f(): raise EOFError('cut')\n"
        "    click.Command('c', callback=f).main([], standalone_mode=False)"
    )
    assert (code, err.strip()) == (1, "Error: EOFError: cut (RFLO_REPRO_TRACEBACK=1 shows where)")


def test_a_library_warns_on_one_line():
    code, _, err = ended("import warnings; warnings.warn('beware\\nTraceback (most recent call last)')")
    assert (code, err) == (0, "Warning: beware\n")


def test_whoever_started_it_with_nohup_wants_it_to_go_on():
    raised = f"import os; os.kill(os.getpid(), {int(signal.SIGHUP)})"
    assert ended(raised)[0] == 128 + signal.SIGHUP
    program = f"from rflo_repro import process\ndef program():\n    {raised}\nprocess.supervised(program)"
    done = subprocess.run(["nohup", sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0
