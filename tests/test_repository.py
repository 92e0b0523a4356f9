"""What a clone brings: tables whose bytes are kept, and files that are installed by their hash."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from prose import words

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


def test_the_docs_say_how_many_networks_learned():
    readme = (ROOT / "README.md").read_text("utf-8")
    verdicts = ROOT / "results" / "first_sample"
    frame = pd.concat(pd.read_csv(verdicts / f"fig2_locality{reading}_final.csv") for reading in ("", "_clipped"))
    assert set(frame.network.value_counts()) == {4 * 4 * 3}
    assert frame.network.nunique() == 90
    frame["learned"] = frame.outcome == "learned"
    by = frame.groupby(["rule", "period_tau", "rates"]).learned.sum()
    names = {"BPTT": "bptt", "RFLO": "rflo", "local approximation alone": "local"}
    for name, rule in {**names, "random feedback alone": "random-feedback"}.items():
        kinds = [by[rule, period][["printed", "tuned", "clipped"]] for period in (20.0, 40.0, 80.0, 160.0)]
        assert f"| {name} | {' | '.join(', '.join(map(str, of)) for of in kinds)} |\n" in readme
    at = by.xs(80.0, level="period_tau")
    bptt, rflo, local = at["bptt"], at["rflo"], at["local"]
    bound = f"BPTT learns 80 tau in {bptt.clipped} of 90 networks, without one in {bptt.printed} (at tuned rates in"
    readme, said = words("README.md"), words("docs/answers.md")
    assert f"{bound} {bptt.tuned})" in readme
    assert f"neither it nor RFLO learns there, in {local.clipped} and {rflo.clipped} of 90" in said
    assert f"BPTT learns 80 tau in {bptt.clipped} and 160 tau in {by['bptt', 160.0].clipped} of 90 networks" in said
    assert f"at tuned ones BPTT learns 80 tau in {bptt.tuned} of 90 and RFLO in {rflo.tuned}" in said
    assert f"none of its networks learns there, and {bptt.printed} of BPTT's do" in said
    assert f"and {by['random-feedback', 40.0].printed} of 90 at 40 tau is a matter of that rate" in readme
    signed = pd.read_csv(verdicts / "fig2_dale_final.csv")
    dale = signed[signed.dale & (signed.rates == "printed") & (signed.period_tau == 80.0)]
    assert (at["random-feedback"].printed, (dale.outcome == "learned").sum()) == (0, 0)
    assert f"learn in none of 90 networks, BPTT in {bptt.printed} and RFLO in {rflo.printed}." in readme
    alone = pd.read_csv(verdicts / "fig2_readout_final.csv")
    alone = alone[(alone.rule == "recurrent-only") & (alone.rates == "printed")]
    n = [(rows.outcome == "learned").sum() for _, rows in alone.groupby("period_tau")]
    assert f"fail in the median network, but learn in {n[0]}, {n[1]}, {n[2]} and {n[3]} of 90" in said


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
    assert f"at 80 tau, {local}, though neither" in said
    short_cost, middle = (effect("fig2-locality", feedback, "clipped", f"{period} τ") for period in (20, 40))
    far_off = effect("fig2", "random feedback costs nothing", "clipped", "80 τ")
    assert f"{far_off}, but not by nothing, and by more at 20 and 40 tau, {short_cost} and {middle}." in said
    every = [found["fig2-locality", feedback, "clipped", f"{period} τ"].low for period in (20, 40, 80, 160)]
    assert min(every) > 0.0, "random feedback alone costs something at every period"
    assert f"{effect('fig2', 'random feedback costs nothing', 'printed', '80 τ')} decades, surely more" in said
    near = [effect("fig2", short, "clipped", f"{period} τ") for period in (20, 40)]
    assert f"RFLO stays {near[0]} and {near[1]} decades behind" in said


def test_the_docs_say_how_many_networks_of_200_units_run_away():
    said = words("docs/answers.md")
    frame = pd.read_csv(ROOT / "results" / "first_sample" / "fig2_size_final.csv")
    largest = frame[(frame.n_rec == 200) & (frame.rates == "printed")].outcome
    ran = (largest == "ran away").sum()
    medians = frame[frame.panel.str.contains("a")].groupby(["rates", "n_rec"]).final_loss.median()
    assert medians["printed"].loc[:50].is_monotonic_decreasing, "more units help up to 50"
    of_100 = ((frame.n_rec == 100) & (frame.rates == "printed") & (frame.outcome == "ran away")).sum()
    assert medians["tuned"].is_monotonic_decreasing, "... and at tuned rates to 200"
    assert f"with 100 units {of_100} of {len(largest)} networks run away" in said
    assert f"with 200 units {ran};" in said
    scaled = frame[frame.panel.str.contains("b")].groupby(["rates", "g"]).final_loss.median()
    for rates in ("printed", "tuned"):
        assert scaled[rates].idxmin() == 1.75
        assert scaled[rates].loc[:1.75].is_monotonic_decreasing, "larger initial weights help up to g = 1.75"


def test_the_docs_say_how_far_off_peaks_are_and_how_often_the_order_is_right():
    readme, said = words("README.md"), words("docs/answers.md")
    verdicts = ROOT / "results" / "first_sample"
    intervals, movements = (pd.read_csv(verdicts / f"{name}_final.csv") for name in ("fig3", "fig4"))
    shortest = intervals[(intervals.rates == "printed") & (intervals.longest_tau == 15)]
    off = shortest.groupby("rule").median_error_tau.median()
    assert f"peaks is {off.rflo:.2f} tau on intervals up to 15 tau where BPTT's is {off.bptt:.2f}" in readme
    assert f"RFLO's have a median error of {off.rflo:.2f} tau, BPTT's of {off.bptt:.2f}" in said
    longest = intervals[(intervals.rates == "printed") & (intervals.longest_tau == 25)]
    near = (longest.median_error_tau <= 3.0).groupby(longest.rule).sum()
    assert f"in {near.bptt} of 90 networks on intervals up to 25 tau, of RFLO's in {near.rflo}." in said
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
