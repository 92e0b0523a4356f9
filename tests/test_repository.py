"""What a clone brings: tables whose bytes are kept, and files that are installed by their hash."""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from prose import words

import rflo_repro as rr
from rflo_repro.runs.sample import FIRST
from rflo_repro.runs.tables import sha256

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout")
def test_a_clone_that_translates_line_ends_keeps_every_table(tmp_path):
    clone = ["git", "clone", "--quiet", "--depth", "1", "-c", "core.autocrlf=true", ROOT.as_uri(), str(tmp_path / "c")]
    subprocess.run(clone, check=True)
    pages = sorted((tmp_path / "c" / "results").rglob("*.json"))
    assert len(pages) > 10
    for page in pages:
        assert json.loads(page.read_text(encoding="utf-8"))["sha256"] == sha256(page.with_suffix(".csv")), page
    assert b"\r" not in (tmp_path / "c" / "Makefile").read_bytes()


def test_every_file_is_installed_by_its_hash():
    versions = {}
    for lock in ("docs/requirements.lock", "requirements.lock"):
        pinned = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8"))
        assert len(pinned) > 50
        assert [entry for entry in pinned if "--hash=sha256:" not in entry] == []
        assert f"--require-hashes -r {lock}" in (ROOT / "Makefile").read_text(encoding="utf-8")
        versions[lock] = {tuple(re.findall(r"^(\S+)==([^ ;]+)", entry)[0]) for entry in pinned}
    # what both need is of one version, so that building the site leaves the tests' environment as it is
    site, base = versions.values()
    assert {pin for pin in site if pin[0] in dict(base)} <= base


WRITES = {"docs.yml": ["pages", "id-token"], "release.yml": ["id-token", "attestations"], "test.yml": []}


@pytest.mark.parametrize("name", WRITES)
def test_a_workflow_may_read_and_no_more(name):
    text = (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
    assert "\npermissions:\n  contents: read\n" in text
    # but for publishing the site, and a release
    assert re.findall(r"(\S+): write", text) == WRITES[name]
    used = re.findall(r"uses: \S+@(\S+)", text)
    assert used
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+|[0-9a-f]{40}", version) for version in used)


def test_what_is_published_is_the_package_without_results(tmp_path):
    hatchling = [Path(sys.executable).parent / "hatchling", "build", "-d", tmp_path]
    subprocess.run(hatchling, cwd=ROOT, check=True, capture_output=True)
    (wheel,), (source,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        published = {name for name in archive.namelist() if name.startswith("rflo_repro/")}
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in names if name.startswith("rflo_repro/")} == published
    tracked = subprocess.run(["git", "ls-files", "rflo_repro"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(tracked.stdout.split()) <= published
    assert {name.partition("/")[0] for name in names} == {
        "rflo_repro", "CHANGELOG.md", "CITATION.cff", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO", ".gitignore"
    }  # fmt: skip


def test_a_release_is_of_one_version_and_of_the_pythons_that_it_names():
    def found(pattern, path):
        return re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)

    version = rr.__version__
    assert found(r'^version = "(.*)"$', "pyproject.toml") == found(r"^version: (.*)$", "CITATION.cff") == [version]
    (day,) = found(r"^date-released: (.*)$", "CITATION.cff")
    assert found(r"^## (.*)$", "CHANGELOG.md")[0] == f"{version} ({day})"
    named = found(r'"Programming Language :: Python :: (3\.\d+)"', "pyproject.toml")
    (checked,) = found(r"^ +python: \[(.*)\]$", ".github/workflows/release.yml")
    assert [f'"{python}"' for python in named] == checked.split(", ")
    assert found(r'requires-python = ">=(.*)"', "pyproject.toml") == named[:1]


def test_the_assumptions_say_how_many_networks_learned_with_gradient_clipping():
    said = words("docs/assumptions/all-figures.md")
    first = ROOT / "results" / FIRST.folder
    frame = pd.concat(pd.read_csv(first / f"fig2{variant}_final.csv") for variant in ("", "_clipped"))
    frame["learned"] = frame.outcome == "learned"
    by = frame.groupby(["rule", "rates", "period_tau"]).learned.sum()
    bptt, rflo = by["bptt"], by["rflo"]
    assert f"BPTT learns 80 tau in {bptt.clipped[80]} of 90 networks of the first sample" in said
    assert f"without it in {bptt.printed[80]}, and 160 tau in {bptt.clipped[160]}, without it in none; RFLO" in said
    assert not bptt.printed[160]
    assert f"in {rflo.clipped[80]} and {rflo.printed[80]}, and {rflo.clipped[160]} and {rflo.printed[160]}." in said


def test_the_assumptions_say_in_which_place_the_measure_decides():
    """Errors of Figure 3, and the same with those under 1 tau counted as 1 tau."""
    said = words("docs/assumptions/summaries.md")
    frame = pd.read_csv(ROOT / "results" / FIRST.folder / "fig3_final.csv")
    mine = frame[(frame.rates == "printed") & (frame.longest_tau == 15)].set_index(["network", "rule"])
    errors = mine.median_error_tau.unstack()
    plain, counted = ((at.rflo / at.bptt).median() for at in (errors.clip(lower=0.1), errors.clip(lower=1.0)))
    assert f"RFLO's error is {plain:.1f} (" in said
    assert f"counted as 1 tau it would be {counted:.1f} times" in said
