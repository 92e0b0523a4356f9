"""`rflo-repro report` from whatever tables there are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from rflo_repro.cli import cli
from rflo_repro.paper import registry
from rflo_repro.report import page as report
from rflo_repro.studies.registry import studies
from rflo_repro.studies.report import gather, of_experiment

EXPERIMENTS = {**registry.figures(), **studies()}
CLAIMS = [claim.name for about in EXPERIMENTS.values() for claim in about.experiment.claims]


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


def test_what_is_there_is_judged_and_what_is_not_is_named(own):
    said, html, markdown = written(own)
    for text in (html, markdown):
        for name in CLAIMS:
            assert name in text or report.plain(name) in text or name.replace("'", "&#39;")[1:] in text
        assert "there is no fig3_peaks.csv" in text.replace("\\_", "_")
    again = f"rflo-repro fig3 --rates printed --rates tuned --results {own / 'results'}"
    assert f"fig3: there is no fig3_peaks.csv; {again} makes it" in said
    assert "data:image/webp;base64," in html
    assert "../figures/fig2.png" in markdown
    assert len(html) < 3_000_000
    assert "n_trials" in html  # the choices


def test_how_many_networks_learned_is_said_with_its_share(own):
    final = pd.read_csv(own / "results" / "fig2_final.csv")
    counted = final[final.outcome != "untrained"].outcome.value_counts()
    figure = next(s for s in gather(own / "results", own / "figures").sections if s.name == "fig2")
    (grid,) = figure.grids
    for column, outcome in enumerate(grid.header[1:], start=1):
        cells = [row[column].partition(" at ")[0] for row in grid.rows]
        numbers = [int(cell.partition(" ")[0]) for cell in cells]
        assert cells == [f"{n} ({20 * n}%)" if n else "0" for n in numbers]
        assert sum(numbers) == counted.get(outcome, 0)


def test_the_same_twice(own):
    assert written(own)[1:] == written(own)[1:]


@pytest.fixture(scope="module")
def larger(made, tmp_path_factory) -> Path:
    """The same with the sample on which Figure 2 is judged."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("larger") / "own"))
    done = invoke("confirm", "fig2", "--scale", "smoke", "--results", folder / "results", "--jobs", 1)
    assert done.exit_code == 0, done.output
    return folder


def sizes(results):
    """How many networks the parts of Figure 2's claims are judged on."""
    done = invoke("report", "--json", "--results", results)
    assert done.exit_code == 0, done.output
    judged = [claim for claim in json.loads(done.output) if claim["command"].startswith("rflo-repro fig2 ")]
    return {part["n"] for c in judged for finding in c["findings"] for part in finding["parts"] if "n" in part}


def test_claims_are_judged_on_the_sample_where_there_is_one(own, larger):
    assert sizes(own / "results") == {5}
    assert sizes(larger / "results") == {20, 60}
    _, html, markdown = written(larger)
    for text in (html, markdown):
        assert "Judged on 60 networks of a root seed of their own, 90213, on which nothing was tuned; the trial" in text
    _, html, _ = written(own)
    assert "Judged on the figure&#39;s own networks: there is no fig2_final.csv; rflo-repro confirm fig2" in html


def test_a_sample_is_judged_without_the_figures_own_tables(larger, tmp_path):
    alone = tmp_path / "results"
    shutil.copytree(larger / "results" / "confirmation", alone / "confirmation")
    assert sizes(alone) == {20, 60}


def test_a_damaged_sample_is_named_and_not_believed(larger, tmp_path):
    own = Path(shutil.copytree(larger, tmp_path / "own"))
    path = own / "results" / "confirmation" / "fig2_final.csv"
    path.write_text(path.read_text().replace("rflo", "rfl0"))
    assert sizes(own / "results") == {5}
    assert "torn or edited" in written(own)[1]


def test_an_empty_folder_is_a_report_too(tmp_path):
    said, html, _ = written(tmp_path)
    assert html.count("not computed") > len(CLAIMS)
    assert f"there is no theory_exact.csv; rflo-repro theory --results {tmp_path / 'results'} makes it" in said


@pytest.mark.parametrize("scale", ["paper", "quick", "smoke"])
def test_what_makes_a_missing_table_is_said_with_its_scale(scale):
    at = "" if scale == "paper" else f" --scale {scale}"
    said = invoke("report", "--scale", scale).output
    assert f"theory: there is no theory_exact.csv; rflo-repro theory{at} makes it" in said
    assert f"run `rflo-repro fig2-size{at}` first" in invoke("plot", "fig2-size", "--scale", scale).output


def test_a_damaged_table_is_named_and_not_believed(own):
    path = own / "results" / "fig2_final.csv"
    path.write_text(path.read_text().replace("rflo", "rfl0"))
    said, html, _ = written(own)
    assert "torn or edited" in said
    assert "torn or edited" in html


def test_hostile_text_in_a_tables_page_is_shown_as_text(own):
    page = own / "results" / "fig2_curves.json"
    page.write_text(page.read_text().replace('"h0": 0.1', '"h0": "<script>alert(1)</script>"'))
    _, html, markdown = written(own)
    assert "&lt;script&gt;alert(1)" in html
    assert "<script" not in html + markdown


def test_the_table_for_the_readme(own):
    done = invoke("report", "--table", "--results", own / "results", "--figures", own / "figures")
    assert done.exit_code == 0
    lines = done.output.strip().splitlines()
    assert (lines[0], lines[-1]) == (report.BEGIN, report.END)
    statements = [claim.statement for about in EXPERIMENTS.values() for claim in about.experiment.claims]
    for statement in statements:
        assert sum(line.startswith(f"| {report.plain(statement)} (") for line in lines) == 1
    assert not (own / "results" / "report.html").exists()


def test_report_and_list_of_another_scale():
    command = ("theory", "--scale", "smoke", "--jobs", 1)
    assert invoke(*command).exit_code == 0
    done = invoke("report", "--scale", "smoke")
    assert done.exit_code == 0, done.output
    assert "holds, at smoke scale" in done.output
    html = Path("results/smoke/report.html").read_text("utf-8")
    assert "Tables: smoke scale" in html
    assert "holds, at smoke scale" in html
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
    about = studies()["readings"]
    for name in ("fig2", "fig2_dale", "fig3"):
        (tmp_path / f"readings_{name}.png").touch()
    captions = [picture.caption for picture in of_experiment(about, tmp_path, tmp_path).pictures]
    assert [about.legend in caption for caption in captions] == [True, False, False]
    assert [" fig3: " in caption for caption in captions] == [False, False, True]
