"""What a clone brings: tables whose bytes are kept, and files that are installed by their hash."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from rflo_repro.paper import registry
from rflo_repro.runs.tables import sha256
from rflo_repro.studies import report
from rflo_repro.studies.registry import studies

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
    pinned = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert len(pinned) > 50
    assert [entry for entry in pinned if "--hash=sha256:" not in entry] == []
    assert "--require-hashes -r requirements.lock" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_workflow_may_read_and_no_more():
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert "\npermissions:\n  contents: read\n" in text
    used = re.findall(r"uses: \S+@(\S+)", text)
    assert used
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+|[0-9a-f]{40}", version) for version in used)


def test_the_readme_has_the_answers_of_the_committed_tables():
    """`python -m rflo_repro.studies.report` writes them."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert report.with_answers(text, ROOT) == text
    with pytest.raises(ValueError, match="must have"):
        report.with_answers("# a README without a place for them\n", ROOT)


def test_the_readme_says_how_many_networks_learned():
    readme = (ROOT / "README.md").read_text("utf-8")
    frames = [
        pd.read_csv(ROOT / "results" / "verdicts" / f"fig2_locality{reading}_final.csv") for reading in ("", "_clipped")
    ]
    names = {"BPTT": "bptt", "RFLO": "rflo", "local approximation alone": "local"}
    for name, rule in {**names, "random feedback alone": "random-feedback"}.items():
        learned = [
            frame[frame.rates.isin(["printed", "clipped"]) & (frame.rule == rule)]
            .groupby("period_tau")
            .outcome.agg(lambda outcomes: (outcomes == "learned").sum())
            for frame in frames
        ]
        cells = [", ".join(str(of[period]) for of in learned) for period in (20.0, 40.0, 80.0, 160.0)]
        assert f"| {name} | {' | '.join(cells)} |\n" in readme
        if rule == "bptt":
            clipped = learned[1]
            said = f"BPTT learns 80 tau in {clipped[80.0]} and 160 tau in {clipped[160.0]} of 90 networks"
            assert said in " ".join(readme.split())
    assert {frame.network.nunique() for frame in frames} == {90}


def test_the_readme_says_by_how_much_rules_differ():
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    found = {
        (about.command, judged.claim.name, finding.rates, part.what): part.interval
        for about in registry.figures().values()
        for judged in report.of_experiment(about, ROOT / "results", ROOT / "figures").claims
        for finding in judged.findings
        for part in finding.parts
    }

    def effect(*key):
        seen = found[key]
        return f"{seen.estimate:#.2g} ({seen.low:#.2g}, {seen.high:#.2g})"

    short, long = "comparable at short periods", "BPTT ahead at long periods"
    here = [effect("fig2", short, "printed", f"{period} τ") for period in (20, 40)]
    assert f"{here[0]} decades higher at 20 tau and {here[1]} at 40 tau" in readme
    feedback = "random feedback costs nothing at any period"
    assert f"ends {effect('fig2-locality', feedback, 'printed', '40 τ')} decades higher at 40 tau" in readme
    dale = effect("fig2-dale", "Dale's law costs little", "printed", "20 τ")
    assert f"costs RFLO {dale} at 20 tau" in readme
    assert f"{effect('fig3', 'as good on intervals to 15 tau', 'printed', 'to 15 τ')} decades; it would" in readme
    far = [effect("fig2", long, "clipped", f"{period} τ") for period in (80, 160)]
    assert f"below RFLO by {far[0]} and {far[1]} decades" in readme
    local = effect("fig2", "locality explains the gap", "clipped", "80 τ, behind BPTT")
    assert f"at 80 tau, {local}; random feedback" in readme
    assert f"{effect('fig2', 'random feedback costs nothing', 'clipped', '80 τ')}, but not by nothing" in readme
    near = [effect("fig2", short, "clipped", f"{period} τ") for period in (20, 40)]
    assert f"RFLO stays {near[0]} and {near[1]} decades behind" in readme


def test_the_readme_says_how_many_networks_of_200_units_run_away():
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    frame = pd.read_csv(ROOT / "results" / "verdicts" / "fig2_size_final.csv")
    largest = frame[(frame.n_rec == 200) & (frame.rates == "printed")].outcome
    ran = (largest == "ran away").sum()
    medians = frame[frame.panel.str.contains("a")].groupby(["rates", "n_rec"]).final_loss.median()
    assert medians["printed"].loc[:100].is_monotonic_decreasing, "more units help up to 100"
    assert medians["tuned"].is_monotonic_decreasing, "... and at tuned rates to 200"
    assert f"the printed rate {ran} of {len(largest)} networks of 200 units run away" in readme


def test_the_readme_says_how_far_off_peaks_are_and_how_often_the_order_is_right():
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    verdicts = ROOT / "results" / "verdicts"
    intervals, movements = (pd.read_csv(verdicts / f"{name}_final.csv") for name in ("fig3", "fig4"))
    shortest = intervals[(intervals.rates == "printed") & (intervals.longest_tau == 15)]
    off = shortest.groupby("rule").median_error_tau.median()
    assert f"RFLO's peaks are {off.rflo:.2f} tau off in the median network, BPTT's {off.bptt:.2f}" in readme
    ordered = movements[movements.rule == "loop"].in_order.astype(bool)
    assert f"in {ordered.sum()} of {len(ordered)} networks in the right order" in readme


def test_the_readme_says_how_far_the_update_is_from_the_gradient():
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    family, paper = (pd.read_csv(ROOT / "results" / f"{name}.csv") for name in ("rules_final", "gradient"))
    family = family[(family.rule == "rflo") & (family.optimizer == "sgd")]
    paper = paper[(paper.rule == "rflo") & (paper.matrix == "w_rec") & (paper.rates == "printed")]
    here, printed = (
        f"{means.min():.3f} to {means.max():.3f}".replace("-", "−")
        for means in (frame.groupby("period_tau").cosine.mean() for frame in (family, paper))
    )
    assert f"of {here} at 20 to 80 tau here and of {printed} in Figure 2" in readme
    shortest = family[family.period_tau == 20.0].outcome
    assert f"RFLO still learns in {(shortest == 'learned').sum()} of {len(shortest)} networks at 20 tau" in readme


def test_the_readme_says_how_the_cost_grows():
    readme = (ROOT / "README.md").read_text("utf-8")
    (finding,) = report.of_experiment(studies()["fig-cost"], ROOT / "results", ROOT / "figures").claims[0].findings
    grows = {part.what.split(":")[0]: part.interval.estimate for part in finding.parts}
    assert f"RTRL N^{grows['RTRL']:.1f}, BPTT N^{grows['BPTT']:.1f}, RFLO N^{grows['RFLO']:.1f} (paper" in readme
