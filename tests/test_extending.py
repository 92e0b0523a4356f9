"""The examples of docs/extending.md, done in a copy of the package as they are written."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rflo_repro.runs import provenance

TEXT = (provenance.PACKAGE.parent / "docs" / "extending.md").read_text(encoding="utf-8")
# the rule with a kernel has a copy of its own, since nothing that is compiled there serves the others
BEFORE, WITH_KERNEL, AFTER = re.split(r"(?=A rule whose carry is new|\*\*A task\*\*)", TEXT)


def blocks(text):
    """Kind and content of each block of code."""
    return re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)


BLOCKS = blocks(BEFORE + AFTER)


def run(copy, *arguments, module="rflo_repro.cli"):
    """A command of the copied package, in the folder that holds it."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=copy, capture_output=True, text=True, timeout=300, check=False
    )


def follow(copy: Path, found: list[tuple[str, str]]) -> list[str]:
    """Make and change the files of a copy of the package as the blocks say; what was made or changed, in order."""
    shutil.copytree(provenance.PACKAGE, copy / "rflo_repro", ignore=shutil.ignore_patterns("__pycache__"))
    touched = []
    for _, block in found:
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
    assert follow(folder, BLOCKS) == [
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


TWIN = """
import sys
import numpy as np
import rflo_repro as rr
sys.path.insert(0, "tests")
import naive
rng = np.random.default_rng(0)
net = rr.Network.random(9, 2, 1, rng)
inputs, targets = rng.normal(size=(12, 2)), rng.normal(size=(12, 1))
plain = naive.Net(net.w_rec, net.w_in, net.w_out, net.feedback, net.h0, net.tau)
for rule in ("held", "rflo"):
    twin = naive.gradient(plain, inputs, targets, symmetric=False, full=False, carry="held")
    update = rr.weight_updates(net, inputs, targets, rule=rule)
    print(rule, np.allclose(update.w_rec, twin.w, rtol=1e-12), np.allclose(update.w_in, twin.w_in, rtol=1e-12))
"""


def test_a_rule_with_a_kernel_takes_six_edits_and_does_what_its_twin_does(tmp_path):
    (tmp_path / "tests").mkdir()
    shutil.copy(Path(__file__).with_name("naive.py"), tmp_path / "tests")
    edited = follow(tmp_path, blocks(WITH_KERNEL))
    assert "needs six edits" in WITH_KERNEL
    assert len(edited) == 6
    assert set(edited) == {
        "rflo_repro/learning/rules.py", "tests/naive.py",
        "rflo_repro/learning/kernels/layout.py", "rflo_repro/learning/kernels/credit.py",
    }  # fmt: skip
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", TWIN], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["held True True", "rflo False False"]  # a control: another rule is another


CHECK = """
from rflo_repro.studies import reference_runs, regression
new = [name for name in reference_runs.sessions_of(reference_runs.conditions()) if "figx" in name]
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
