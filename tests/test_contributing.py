"""CONTRIBUTING's examples, done in a copy of the package as they are written."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rflo_repro.runs import provenance

TEXT = (provenance.PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, flags=re.DOTALL)


def run(copy, *arguments, module="rflo_repro.cli"):
    """A command of the copied package, in the folder that holds it."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=copy, capture_output=True, text=True, timeout=300, check=False
    )


def follow(copy: Path) -> list[str]:
    """Make and change the files as the blocks say; what was made or changed."""
    touched = []
    for _, block in BLOCKS:
        head, _, body = block.partition("\n")
        if not head.startswith("# "):
            continue
        name, _, how = head.removeprefix("# ").partition(", ")
        path = copy / name
        if not how:
            path.parent.mkdir(exist_ok=True)
            assert not path.exists()
            path.write_text(body)
        else:
            where, line = how.split(": ", 1)
            lines = path.read_text().splitlines(keepends=True)
            (at,) = [i for i, text in enumerate(lines) if text.strip() == line]
            lines[at : at + 1] = [body] if where == "in place of" else [lines[at], body]
            path.write_text("".join(lines))
        touched.append(name)
    return touched


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package with all that the examples add."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(provenance.PACKAGE, folder / "rflo_repro", ignore=shutil.ignore_patterns("__pycache__"))
    assert follow(folder) == [
        "rflo_repro/paper/figx/__init__.py", "rflo_repro/paper/figx/experiment.py", "rflo_repro/learning/rules.py",
        "rflo_repro/paper/fig2_locality/__init__.py", "rflo_repro/tasks/ramp.py", "ramp.toml",
    ]  # fmt: skip
    return folder


def test_every_command_of_the_examples_runs(copy):
    commands = [line for kind, block in BLOCKS if kind == "console" for line in block.splitlines()]
    assert len(commands) > 4
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "rflo-repro"
        done = run(copy, *arguments)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    for made in ("results/smoke/figx_final.csv", "figures/smoke/figx.png", "results/custom/ramp_final.csv",
                 "results/custom/smoke-n_rec12/figx_final.csv",
                 "figures/smoke/fig2_locality-bptt-recurrent.png"):  # fmt: skip
        assert (copy / made).exists(), made


def test_the_new_figure_has_every_guard_and_is_found(copy):
    listed = run(copy, "list")
    assert any(line.split()[:2] == ["figx", "none"] for line in listed.stdout.splitlines()), listed.stdout
    assert "figx" in run(copy, "--help").stdout
    assert "n_rec=30" in run(copy, "figx", "--help").stdout
    for refused in (("--set", "n_rec=0"), ("--rule", "rtrl"), ("--cluster", "here"), ("--trials", "0")):
        done = run(copy, "figx", "--scale", "smoke", *refused)
        assert done.returncode == 2, done.stdout
        assert refused[0] in done.stderr.splitlines()[-1]
    report = run(copy, "report", "--scale", "smoke")
    assert report.returncode == 0, report.stderr
    assert "Figure X" in (copy / "results/smoke/report.md").read_text()
    assert run(copy, "tune", "figx").returncode == 2  # it has no rates to tune


CHECK = """
from rflo_repro.studies import regression
new = [name for name in regression.sessions_of(regression.conditions()) if "figx" in name]
references = regression.read()
record = next(iter(references.values()))
found = {**references, **dict.fromkeys(new, record)}
(line,) = [compared for compared in regression.compare(found, references) if "figx" in compared.line]
print(len(new), line.good, line.line)
"""


def test_check_calls_it_new_and_does_not_fail(copy):
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=copy, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("4 True smoke: ")
    assert "4 new, no reference yet, the first figx, bptt, network 0" in done.stdout
