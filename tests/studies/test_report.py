"""`rflo-repro report` from whatever tables there are."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.paper import registry
from rflo_repro.report import page, words
from rflo_repro.runs import tables
from rflo_repro.runs.sample import CONFIRMATION, FIRST
from rflo_repro.stats import claims
from rflo_repro.studies.answers import Answers
from rflo_repro.studies.registry import studies
from rflo_repro.studies.report import COLUMNS, gather
from rflo_repro.studies.sections import of_experiment

ROOT = Path(__file__).parents[2]
EXPERIMENTS = {**registry.figures(), **studies()}
CLAIMS = [claim for about in EXPERIMENTS.values() for claim in about.experiment.claims]


def invoke(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)])


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Figure 2 at smoke scale, with enough networks for intervals, and its picture."""
    folder = tmp_path_factory.mktemp("made")
    done = invoke("fig2", "--scale", "smoke", "--networks", 5, "--results", folder / "results", "--figures",
                  folder / "figures", "--jobs", 1)  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def own(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "own"))


def written(folder):
    done = invoke("report", "--results", folder / "results", "--figures", folder / "figures")
    assert done.exit_code == 0, done.output
    return done.output, *[(folder / "results" / f"report.{kind}").read_text("utf-8") for kind in ("html", "md")]


class Text(HTMLParser):
    """All text of a page, and the tags that it has."""

    def __init__(self, html):
        super().__init__()
        self.said, self.tags = [], set()
        self.feed(html)
        self.said = " ".join(" ".join(self.said).split())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.said.append(data)


def data_of(results):
    done = invoke("report", "--json", "--results", results)
    assert done.exit_code == 0, done.output

    def refused(constant):
        raise AssertionError(constant)

    return json.loads(done.output, parse_constant=refused)


def sizes(results):
    """Of how many networks Figure 2's answers are, and on which sample."""
    found = [c for c in data_of(results)["claims"] if c["command"].startswith("rflo-repro fig2 ")]
    parts = [(f["sample"], part["n"]) for c in found for f in c["findings"] for part in f["parts"] if part["n"]]
    return {sample for sample, _ in parts}, {n for _, n in parts}


def test_what_is_there_is_answered_and_what_is_not_is_named(own):
    said, html, markdown = written(own)
    text = Text(html).said
    for claim in CLAIMS:
        # the 2 × 2 design is in the appendix alone, and only if it was computed
        assert (claim.statement in text and page.plain(claim.statement) in markdown) or "2 × 2" in claim.where
    assert "locality costs, feedback does not, and they add up" in text
    for found in (text, markdown.replace("\\_", "_")):
        assert "there is no fig3_peaks.csv" in found
    again = f"rflo-repro fig3 --rates printed --rates tuned --results {own / 'results'}"
    assert f"fig3: there is no fig3_peaks.csv; {again} computes it" in said
    assert "data:image/png;base64," in html
    assert "../figures/fig2.png" in markdown
    assert "n_trials" in text  # the choices


def test_words_that_only_this_project_used_are_gone(own):
    """Captions of pictures and notes on criteria are the figures' own."""
    _, html, markdown = written(own)
    given = [panel for about in EXPERIMENTS.values() for panel in (*about.panels.values(), about.title, about.legend)]
    given += [text for claim in CLAIMS for text in (claim.statement, claim.statistic, claim.criterion, claim.name)]
    for text in (Text(html).said, markdown):
        for phrase in sorted(given, key=len, reverse=True):
            text = text.replace(" ".join(phrase.split()), "")
        gone = "verdict|judged|ran away|thrown out|not decided|would take|holds"
        assert re.findall(rf"\b(?:{gone})\b", text) == []


def test_how_many_networks_learned_is_said_with_its_share(own):
    final = pd.read_csv(own / "results" / "fig2_final.csv")
    counted = final[final.outcome != "untrained"].outcome.value_counts()
    report = gather(Answers(own / "results"), own / "figures")
    grid = next(grid for grid in report.appendix if grid.title.startswith("How many networks learned"))
    assert {row[:2] for row in grid.rows} == {("fig2", "own networks")}
    of = ("learned", "plateau", "thrown out", "ran away", "diverged")
    for column, outcome in enumerate(of, start=3):
        cells = [row[column].partition(" at ")[0] for row in grid.rows]
        numbers = [int(cell.partition(" ")[0]) for cell in cells]
        assert cells == [f"{n} ({20 * n}%)" if n else "0" for n in numbers]
        assert sum(numbers) == counted.get(outcome, 0)


def test_the_same_twice(own):
    assert written(own)[1:] == written(own)[1:]


def test_the_data_for_programs(own):
    data = data_of(own / "results")
    assert set(data) == {"answers", "claims", "variants"}
    fields = {"claim", "part", "rates", "answer", "ratio", "low", "high", "learned", "n", "ours", "sample"}
    assert data["answers"]
    for answer in data["answers"]:
        assert set(answer) == fields
        assert answer["rates"] in COLUMNS
        assert answer["answer"] in words.SAID
    assert data["variants"] == []
    assert [c["claim"] for c in data["claims"]] == [claim.name for claim in CLAIMS]
    part = data["claims"][1]["findings"][0]["parts"][0]
    assert {"what", "answer", "unit", "median", "low", "high", "n", "learned", "share", "why", "p", "primary"} == set(
        part
    )


@pytest.fixture(scope="module")
def larger(made, tmp_path_factory) -> Path:
    """The same with the sample on which Figure 2's claims are answered."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("larger") / "own"))
    done = invoke("confirm", "fig2", "--scale", "smoke", "--results", folder / "results", "--jobs", 1)
    assert done.exit_code == 0, done.output
    return folder


def test_claims_are_answered_on_the_sample_where_there_is_one(own, larger):
    assert sizes(own / "results") == ({"own networks"}, {5})
    assert sizes(larger / "results") == ({"confirm"}, {20, 60})
    _, html, markdown = written(larger)
    for text in (Text(html).said, markdown):
        assert "Answered on the confirmation sample (root seed 90213)." in text
    _, html, _ = written(own)
    said = Text(html).said
    assert "Answered on the figure's own networks." in said
    assert "there is no fig2_final.csv; rflo-repro confirm fig2" in said


def test_a_sample_is_answered_on_without_the_figures_own_tables(larger, tmp_path):
    alone = tmp_path / "results"
    shutil.copytree(larger / "results" / "confirmation", alone / "confirmation")
    assert sizes(alone) == ({"confirm"}, {20, 60})


def in_part(larger, tmp_path):
    """The confirmation sample at the paper's rates alone, the first sample at both; BPTT does a million times better
    in the first."""
    results = tmp_path / "results"
    schema = registry.figures()["fig2"].experiment.schemas["final"]
    frame, metadata = tables.read(larger / "results" / "confirmation", schema)
    provenance = {name: metadata[name] for name in ("settings", "runs")}
    better = frame.assign(final_loss=frame.final_loss.where(frame.rule != "bptt", 1e-9))
    better["outcome"] = better.outcome.where(better.rule != "bptt", "learned")
    few = frame[frame.rates.isin(["printed", "none"])]
    for sample, rows in ((CONFIRMATION, few), (FIRST, better)):
        sample.folder_in(results).mkdir(parents=True)
        tables.write(sample.folder_in(results), schema, rows, provenance)
    return results


def test_each_kind_of_rates_is_answered_on_the_best_sample_there_is(larger, tmp_path):
    results = in_part(larger, tmp_path)
    found = {(answer["rates"], answer["sample"]) for answer in data_of(results)["answers"]}
    assert found == {("printed", "confirm"), ("tuned", "first sample")}
    html = invoke("report", "--results", results, "--figures", tmp_path)
    assert html.exit_code == 0, html.output
    said = Text((results / "report.html").read_text("utf-8")).said
    assert "Answered on the confirmation sample (root seed 90213): the paper's learning rates." in said
    assert "Answered on the first sample (root seed 90210): tuned learning rates." in said


def test_answers_that_differ_between_the_samples_are_listed(larger, tmp_path):
    report = gather(Answers(in_part(larger, tmp_path)), tmp_path)
    assert report.differing is not None
    assert {row[2] for row in report.differing.rows} == {"the paper's learning rates"}
    assert any(row[0] == "BPTT ahead at long periods" for row in report.differing.rows)
    # Negative control: on one and the same sample none does, and with one alone there is nothing to compare
    shutil.copytree(
        FIRST.folder_in(tmp_path / "results"), CONFIRMATION.folder_in(tmp_path / "results"), dirs_exist_ok=True
    )
    same = gather(Answers(tmp_path / "results"), tmp_path)
    assert same.differing is not None
    assert same.differing.rows == ()
    shutil.rmtree(CONFIRMATION.folder_in(tmp_path / "results"))
    assert gather(Answers(tmp_path / "results"), tmp_path).differing is None


def test_a_damaged_sample_is_named_and_not_believed(larger, tmp_path):
    own = Path(shutil.copytree(larger, tmp_path / "own"))
    path = own / "results" / "confirmation" / "fig2_final.csv"
    path.write_text(path.read_text().replace("rflo", "rfl0"))
    assert sizes(own / "results") == ({"own networks"}, {5})
    assert "torn or edited" in written(own)[1]


def test_an_empty_folder_is_a_report_too(tmp_path):
    said, html, _ = written(tmp_path)
    assert Text(html).said.count("not computed") > len([claim for claim in CLAIMS if claim.key])
    assert f"there is no theory_exact.csv; rflo-repro theory --results {tmp_path / 'results'} computes it" in said


@pytest.mark.parametrize("scale", ["paper", "quick", "smoke"])
def test_what_computes_a_missing_table_is_said_with_its_scale(scale):
    at = "" if scale == "paper" else f" --scale {scale}"
    said = invoke("report", "--scale", scale).output
    assert f"theory: there is no theory_exact.csv; rflo-repro theory{at} computes it" in said
    assert f"run `rflo-repro fig2-size{at}` first" in invoke("plot", "fig2-size", "--scale", scale).output


def test_a_damaged_table_is_named_and_not_believed(own):
    path = own / "results" / "fig2_final.csv"
    path.write_text(path.read_text().replace("rflo", "rfl0"))
    said, html, _ = written(own)
    assert "torn or edited" in said
    assert "torn or edited" in html


def test_hostile_text_in_a_tables_metadata_is_shown_as_text(own):
    metadata = own / "results" / "fig2_curves.json"
    metadata.write_text(metadata.read_text().replace('"h0": 0.1', '"h0": "<script>alert(1)</script>"'))
    _, html, markdown = written(own)
    assert "<script>alert(1)" in Text(html).said
    assert "script" not in Text(html).tags
    assert "<script" not in markdown


def test_the_table_alone(own):
    done = invoke("report", "--table", "--results", own / "results", "--figures", own / "figures")
    assert done.exit_code == 0
    lines = done.output.strip().splitlines()
    assert (lines[0], lines[-1]) == (page.BEGIN, page.END)
    for claim in CLAIMS:
        said = sum(line.startswith(f"| {page.plain(claim.statement)}") for line in lines)
        assert said == bool(claim.key)
    assert not (own / "results" / "report.html").exists()


def test_report_and_list_of_another_scale():
    command = ("theory", "--scale", "smoke", "--jobs", 1)
    assert invoke(*command).exit_code == 0
    done = invoke("report", "--scale", "smoke")
    assert done.exit_code == 0, done.output
    said = Text(Path("results/smoke/report.html").read_text("utf-8")).said
    assert "Tables and pictures: smoke scale" in said
    assert "yes, at smoke scale" in said
    lines = invoke("list", "--scale", "smoke").output.splitlines()
    assert lines[0] == "tables in results/smoke"
    assert any(line.split()[:3] == ["theory", "fresh", "smoke"] for line in lines)
    assert not Path("results/report.html").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    done = invoke("report", "--results", tmp_path / "file")
    assert done.exit_code == 2
    assert "not a directory" in done.output


def test_how_to_read_the_pictures_of_a_study_is_said_once(tmp_path):
    about = studies()["multiverse"]
    for name in ("fig2", "fig2_dale", "fig3", "fig2_of-a-claim"):
        shutil.copyfile(ROOT / "figures" / "fig1.png", tmp_path / f"multiverse_{name}.png")
    section = of_experiment(about, Answers(tmp_path), tmp_path)
    captions = [picture.caption for picture in section.pictures]
    assert [about.legend in caption for caption in captions] == [True, False, False]
    assert [" fig3: " in caption for caption in captions] == [False, False, True]
    assert [path.stem for path in section.more] == ["multiverse_fig2_of-a-claim"]


def test_the_committed_report_is_short_and_has_an_answer_to_every_claim():
    text = (ROOT / "results" / "report.md").read_text("utf-8")
    assert 1_000 < len(text.split()) <= 6_000
    for claim in CLAIMS:
        assert page.plain(claim.statement) in text or "2 × 2" in claim.where
    assert page.NOT_COMPUTED not in text
    assert not (ROOT / ".git").exists() or "results/report.html" in (ROOT / ".gitignore").read_text("utf-8")


def test_kinds_of_rates_have_words():
    report = gather(Answers(Path("none")), Path("none"))
    assert set(report.rates) == {*claims.KINDS, ""}
