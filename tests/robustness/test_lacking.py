"""What a system lacks costs a convenience and no byte: each is taken away, and all together (see lacking.py)."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cases import further

from . import lacking

PROGRAM = Path(lacking.__file__)
SWEEP = """
name = "own"
trials = 5
grid = { rule = "rflo", period = 2, n_rec = 5, eta = [0.01, 0.02] }
plot = { x = "eta", y = "final_loss" }
"""
PLAIN = "fig2 --scale smoke --period 20 --rule rflo --networks 1 --trials 20 --no-plot"
COMMANDS = (PLAIN, "sweep own.toml", "report --results results/custom/smoke-networks1-trials20 --figures drawn")
# one session, saved ten times a second
LONG = "fig2 --rule rflo --period 20 --set online=true --networks 1 --jobs 1 --trials 10000 --checkpoint 0.1 --no-plot"
ALL = ",".join(part for part in lacking.PARTS if part != "pages_of_sysconf")
LACKING = [pytest.param(ALL, id="all"), *further(*lacking.PARTS)]


def start(parts, *commands):
    return subprocess.Popen(
        [sys.executable, PROGRAM, parts, *commands], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(parts, *commands):
    """What it said."""
    process = start(parts, *commands)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return said


def made():
    """Tables, pictures and reports below the working directory; a report's dates are not the same twice."""
    paths = [path for suffix in ("csv", "png", "md", "html") for path in Path().rglob(f"*.{suffix}")]
    return {path.as_posix(): re.sub(rb"20\d\d-[-0-9T:]+Z", b"", path.read_bytes()) for path in paths}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What is made where nothing lacks: by the three commands, and by the long one."""
    found = []
    for commands in (COMMANDS, (LONG,)):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path_factory.mktemp("whole"))
            Path("own.toml").write_text(SWEEP, encoding="utf-8")
            run("", *commands)
            found.append(made())
    return found


@pytest.mark.parametrize("parts", LACKING)
def test_the_same_tables_pictures_and_report(parts, whole):
    Path("own.toml").write_text(SWEEP, encoding="utf-8")
    run(parts, *COMMANDS)
    assert made() == whole[0]
    assert {Path(path).suffix for path in whole[0]} == {".csv", ".png", ".md", ".html"}


@pytest.mark.parametrize("parts", LACKING)
def test_killed_and_gone_on_with_the_same_tables(parts, whole):
    process, started = start(parts, LONG), time.monotonic()
    while not list(Path().rglob("*.checkpoint")) and time.monotonic() < started + 60.0:
        time.sleep(0.02)
    process.kill()
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0, said
    assert not list(Path().rglob("*.csv"))
    assert "goes on at trial " in run(parts, LONG)
    assert made() == whole[1]
