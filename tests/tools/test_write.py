"""Texts with numbers are what the tables say, to the byte; a sentence that says more is named and not written."""

import contextlib
import io
import json
import re
import shutil
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from rflo_repro.paper import registry
from rflo_repro.runs import tables
from rflo_repro.runs.sample import CONFIRMATION, FIRST
from rflo_repro.runs.variants import under
from tools import write
from tools.facts import Facts, Untrue

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
# pages to look things up in may be long
REFERENCE = {"assumptions.md", "rule-derivations.md", "rules.md"}
DOCS = sorted((ROOT / "docs").rglob("*.md"))
OUT_OF_USE = r"\b(surely|would take|alike|verdicts?|family|not decided|decades?)\b"


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def templates():
    return write.environment(RESULTS)


@pytest.mark.parametrize("name", write.PAGES)
def test_a_page_is_what_the_tables_say(name, templates):
    assert write.page(name, templates) == text_of(write.PAGES[name]), "run `python -m tools.write`"


def test_every_template_is_a_page():
    assert {path.name for path in write.TEMPLATES.iterdir()} == set(write.PAGES)


def said(template, templates):
    return templates.from_string(template).render().replace("\x00", "")


def test_a_sentence_that_says_more_than_its_answer_fails(templates):
    assert said("{{ says('yes', 'alignment-rises', ['20 tau', '160 tau']) }}RFLO aligns.", templates) == "RFLO aligns."
    for template in (
        "{{ says('no', 'alignment-rises', '20 tau') }}",
        "{{ says('yes', 'as-low-as-bptt', '40 tau') }}",
        "{{ says('yes', 'as-low-as-bptt', '41 tau') }}",
        "{{ need(first('bptt-ahead', '80 tau') > second('bptt-ahead', '80 tau')) }}",
        "{{ times('as-low-as-bptt', '40 tau', 'nonsense') }}",
        "{{ ratio('larger-weights-help', 'all') }}",  # below 1: it says how many times as high
    ):
        with pytest.raises(Untrue):
            said(template, templates)


def test_numbers_are_those_of_the_tables(templates):
    frame = pd.read_csv(RESULTS / FIRST.folder / "fig2_final.csv")
    facts = Facts(RESULTS)
    if facts.entry("bptt-ahead", "80 tau", "printed").sample == FIRST.name:
        mine = frame[(frame.rule == "bptt") & (frame.period_tau == 80) & (frame.rates == "printed")]
        assert facts.learned("bptt-ahead", "80 tau", which=1) == f"{(mine.outcome == 'learned').sum()} of {len(mine)}"
    assert facts.listed("89 of 90", "61 of 90") == "89 and 61 of 90"
    assert facts.listed("228 of 270", "61 of 90") == "228 of 270 and 61 of 90"
    assert facts.listed("7.7 times", "36 times", "4 times") == "7.7, 36 and 4 times"
    assert facts.count() == 15
    assert facts.count("yes") + facts.count("no") + facts.count("open", "worse", "no test") == 15
    assert {claim for claim in facts.claims if facts.rates_of(claim) == "tuned"} == {
        "local-explains-the-gap", "random-feedback-is-free", "dale-costs-little", "recurrent-alone-fails",
        "loop-beats-whole",
    }  # fmt: skip


def with_confirmation(tmp_path, change, command="fig2", variant="", others=()):
    """A folder of tables with one of the confirmation sample: the first sample's of a figure, changed; and `others` of
    the confirmation sample as they are."""
    results = tmp_path / "results"
    shutil.copytree(
        RESULTS, results, ignore=shutil.ignore_patterns("*_curves*", "*_outputs*", "report*", "confirmation")
    )
    place = results / CONFIRMATION.folder
    place.mkdir()
    for path in others:
        shutil.copy(path, place)
    experiment = registry.figures()[command].experiment
    frame, metadata = tables.read(FIRST.folder_in(results), experiment.schemas["final"])
    changed = change(frame.copy())
    path = place / f"{(under(experiment, variant) if variant else experiment).schemas['final'].name}.csv"
    changed.to_csv(path, index=False, lineterminator="\n")
    metadata |= {"sha256": tables.sha256(path), "rows": len(changed)}
    path.with_suffix(".json").write_text(json.dumps(metadata), encoding="utf-8")
    return results


def exchanged(frame):
    """RFLO's losses for those of BPTT and the other way round."""
    return frame.assign(rule=frame.rule.replace({"rflo": "bptt", "bptt": "rflo"}))


def test_a_confirmation_table_that_says_the_same_is_written(tmp_path):
    results = with_confirmation(tmp_path, lambda frame: frame)
    found = Facts(results)
    k, of = found.confirmed()
    assert 0 < k < of
    assert found.differing() == []
    page = write.page("answers.md", write.environment(results))
    assert f"Of the {of} answers above {k} are from the confirmation sample" in page
    assert "None of them was different on the first sample." in page


def test_a_confirmation_table_that_says_otherwise_names_the_sentence(tmp_path):
    results = with_confirmation(tmp_path, exchanged)
    assert any(line.startswith("RFLO learns (") for line in Facts(results).differing())
    with pytest.raises(Untrue, match=r"tools/templates/README.md, line \d+: .*\n  \{\{ says"):
        write.page("README.md", write.environment(results))


def test_what_batches_give_is_said_once_it_is_known(tmp_path):
    def off_by(error, frame):
        frame = frame[frame.rates == "printed"].assign(rates="batches")
        return frame.assign(median_error_tau=frame.median_error_tau.where(frame.rule == "bptt", error))

    bullet = "up to 15 tau RFLO's peaks are off by 0.60 tau, those of BPTT by 0.2"
    assert bullet not in text_of("README.md") or (RESULTS / CONFIRMATION.folder / "fig3_batches_final.csv").exists()
    committed = [*(RESULTS / CONFIRMATION.folder).glob("fig2*")]
    near, far = (
        write.environment(with_confirmation(tmp_path / name, partial(off_by, error), "fig3", "batches", committed))
        for name, error in (("near", 0.6), ("far", 2.0))
    )
    assert bullet in write.page("README.md", near)
    with pytest.raises(Untrue, match="RFLO is nearer"):
        write.page("README.md", far)


def test_the_readme_is_two_screens():
    text = text_of("README.md")
    assert len(text.split()) <= 1200
    assert len(re.findall(r"!\[", text)) <= 4
    first = text.partition("\n## ")[0]
    for name in ("RFLO", "e-prop", "BPTT", "RTRL"):
        assert f"**{name}**" in first or name in first


def test_contributing_is_short():
    assert len(text_of("CONTRIBUTING.md").split()) <= 1000


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_a_page_is_short(path):
    assert (
        path.name in REFERENCE
        or path.parent.name == "assumptions"
        or len(path.read_text(encoding="utf-8").split()) <= 1500
    )


@pytest.mark.parametrize("path", ["README.md", "docs/README.md", *write.PAGES.values(), "docs/promises.md"])
def test_words_are_plain(path):
    text = re.sub(r"`[^`]*`|\[[^\]]*\.md\]|\([^() ]*\)", "", text_of(path))  # neither code nor names of files
    assert re.findall(OUT_OF_USE, text, flags=re.IGNORECASE) == []


def test_every_page_is_in_the_list_of_pages():
    index = text_of("docs/README.md")
    assert [
        path.name
        for path in DOCS
        if path.name != "README.md" and path.parent.name == "docs" and f"]({path.name})" not in index
    ] == []


def anchors(text):
    """What headings are called in links."""
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.*)$", text, re.M)}


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)):
        if link.startswith("http"):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), link
        if anchor and target.suffix == ".md" and target.parent.name != "results":
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_the_readmes_example_prints_its_score():
    (code,) = re.findall(r"```python\n(.*?)```", text_of("README.md"), flags=re.S)
    (score,) = re.findall(r"^print\(.*\)  # (.*)$", code, flags=re.M)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue().strip() == score
