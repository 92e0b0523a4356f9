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


def words(path):
    return " ".join((ROOT / path).read_text("utf-8").split())


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


def test_the_docs_say_how_many_networks_learned():
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
            assert f"BPTT does in {clipped[80.0]} of 90" in words("README.md")
            said = f"BPTT learns 80 tau in {clipped[80.0]} and 160 tau in {clipped[160.0]} of 90 networks"
            assert said in words("docs/answers.md")
    assert {frame.network.nunique() for frame in frames} == {90}
    free, signed = frames[0], pd.read_csv(ROOT / "results" / "verdicts" / "fig2_dale_final.csv")
    dale = signed[signed.dale]
    bptt, rflo, alone, law = (
        (frame[(frame.rates == "printed") & (frame.period_tau == 80.0)].outcome == "learned").sum()
        for frame in (*(free[free.rule == rule] for rule in ("bptt", "rflo", "random-feedback")), dale)
    )
    said = f"learn in none of 90 networks, BPTT in {bptt} and RFLO in {rflo}."
    assert (alone, law) == (0, 0)
    assert said in words("README.md")
    periodic = pd.read_csv(ROOT / "results" / "verdicts" / "fig2_final.csv")
    tuned = periodic[(periodic.rates == "tuned") & (periodic.period_tau == 80.0) & (periodic.outcome == "learned")]
    by = tuned.rule.value_counts()
    assert f"at tuned rates BPTT does in {by.bptt} of 90 and RFLO in {by.rflo}" in words("README.md")
    assert f"at tuned ones BPTT learns 80 tau in {by.bptt} of 90 and RFLO in {by.rflo}" in words("docs/answers.md")


def test_the_docs_say_by_how_much_rules_differ():
    readme, said = words("README.md"), words("docs/answers.md")
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
    assert f"{here[0]} decades higher at 20 tau and {here[1]} at 40 tau" in said
    feedback = "random feedback costs nothing at any period"
    alone = effect("fig2-locality", feedback, "printed", "40 τ")
    own = effect("fig2-locality", feedback, "tuned", "40 τ")
    assert f"ends {alone} decades higher than BPTT at BPTT's printed rate, and {own} at a rate of its own" in said
    dale = effect("fig2-dale", "Dale's law costs little", "printed", "20 τ")
    assert f"Dale's law costs it {dale} at 20 tau" in readme
    assert f"costs RFLO {dale} decades at 20 tau" in said
    assert f"{effect('fig3', 'as good on intervals to 15 tau', 'printed', 'to 15 τ')} decades; it would" in said
    far = [effect("fig2", long, "clipped", f"{period} τ") for period in (80, 160)]
    assert f"and ends {far[0]} decades below RFLO" in readme
    assert f"below RFLO by {far[0]} and {far[1]} decades" in said
    local = effect("fig2", "locality explains the gap", "clipped", "80 τ, behind BPTT")
    assert f"at 80 tau, {local}; random feedback" in said
    assert f"{effect('fig2', 'random feedback costs nothing', 'clipped', '80 τ')}, but not by nothing" in said
    near = [effect("fig2", short, "clipped", f"{period} τ") for period in (20, 40)]
    assert f"RFLO stays {near[0]} and {near[1]} decades behind" in said


def test_the_docs_say_how_many_networks_of_200_units_run_away():
    said = words("docs/answers.md")
    frame = pd.read_csv(ROOT / "results" / "verdicts" / "fig2_size_final.csv")
    largest = frame[(frame.n_rec == 200) & (frame.rates == "printed")].outcome
    ran = (largest == "ran away").sum()
    medians = frame[frame.panel.str.contains("a")].groupby(["rates", "n_rec"]).final_loss.median()
    assert medians["printed"].loc[:50].is_monotonic_decreasing, "more units help up to 50"
    of_100 = ((frame.n_rec == 100) & (frame.rates == "printed") & (frame.outcome == "ran away")).sum()
    assert f"{of_100} of {len(largest)} networks of 100 units run away, and {ran} of 200" in words("README.md")
    assert medians["tuned"].is_monotonic_decreasing, "... and at tuned rates to 200"
    assert f"{of_100} of {len(largest)} networks of 100 units run away, and {ran} of 200" in said


def test_the_docs_say_how_far_off_peaks_are_and_how_often_the_order_is_right():
    readme, said = words("README.md"), words("docs/answers.md")
    verdicts = ROOT / "results" / "verdicts"
    intervals, movements = (pd.read_csv(verdicts / f"{name}_final.csv") for name in ("fig3", "fig4"))
    shortest = intervals[(intervals.rates == "printed") & (intervals.longest_tau == 15)]
    off = shortest.groupby("rule").median_error_tau.median()
    assert f"peaks are {off.rflo:.2f} tau off on intervals up to 15 tau where BPTT's are {off.bptt:.2f}" in readme
    assert f"RFLO's peaks are {off.rflo:.2f} tau off in the median network, BPTT's {off.bptt:.2f}" in said
    by_loss = intervals[intervals.rates == "printed"].assign(learned=lambda rows: rows.outcome == "learned")
    learned = by_loss.groupby(["rule", "longest_tau"]).learned.sum()
    short, middle, long = learned["bptt"]
    assert f"By its loss BPTT learns in {short}, {middle} and {long} of 90 networks" in said
    assert not learned["rflo"].any(), "and RFLO in none"
    ordered = movements[movements.rule == "loop"].in_order.astype(bool)
    assert f"in {ordered.sum()} of {len(ordered)} networks in the right order" in said


def test_the_readme_says_how_far_the_update_is_from_the_gradient():
    readme = words("README.md")
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


def test_the_readme_says_how_long_the_committed_figures_took():
    readme, cores = words("README.md"), {}
    for name in registry.figures():
        page = ROOT / "results" / f"{name.replace('-', '_')}_final.json"
        if page.exists():
            (run,) = json.loads(page.read_text("utf-8"))["runs"]
            minutes, seconds = divmod(round(run["seconds"]), 60)
            assert f"{name} {minutes}:{seconds:02}" in readme
            cores.setdefault(run["computed"][0]["machine"]["cpu"], []).append(name)
    assert (len(cores), cores["znver4"]) == (2, ["fig4"])
    assert len(cores["znver5"]) == 6


def test_the_readme_says_how_the_cost_grows():
    readme = (ROOT / "README.md").read_text("utf-8")
    (finding,) = report.of_experiment(studies()["fig-cost"], ROOT / "results", ROOT / "figures").claims[0].findings
    grows = {part.what.split(":")[0]: part.interval.estimate for part in finding.parts}
    assert f"RTRL N^{grows['RTRL']:.1f}, BPTT N^{grows['BPTT']:.1f}, RFLO N^{grows['RFLO']:.1f} (paper" in readme
