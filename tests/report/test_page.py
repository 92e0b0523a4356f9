"""The report's page: what it shows, that it is safe and stands alone, and that a browser shows it at two widths."""

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from rflo_repro.report import page, style
from rflo_repro.report.page import Grid, Picture, Question, Report, Section
from rflo_repro.report.words import SAID
from rflo_repro.stats.answers import ANSWERS, Answered
from rflo_repro.stats.claims import Claim, Finding, Part
from rflo_repro.stats.measured import within

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'too' | [x](javascript:y) `code` *b*"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RATES = {"printed": "the paper's rates", "tuned": "tuned rates", "": "answer"}


def claim(name="a claim", statement="Something holds.", **more):
    statistic = "log10(final loss A / final loss B)"
    return Claim(name, statement, "Figure 0", statistic, "it is large", lambda tables: [], **more)


def part(answer, what="20 τ", **more):
    found = Answered(answer, 90, 0.9, 0.5, 1.2, (61, 80), (-0.2, -0.3, -0.1), power=more.pop("power", None))
    return Part(what, found, holm=0.012, test=within(), **{"name": "20 tau", **more})


def question(answer, kinds=("printed", "tuned"), of=None, **more):
    findings = tuple(Finding(kind, (part(answer),), "first sample") for kind in kinds)
    return Question(of or claim(f"claim {answer}", f"It is {answer}."), findings, **more)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "figures" / "one.png"
    path.parent.mkdir()
    Image.linear_gradient("L").resize((2000, 900)).save(path)
    return path


@pytest.fixture
def full(picture):
    """A page with every answer, pictures, choices, tables, and hostile texts everywhere."""
    bad = question("yes", of=claim(HOSTILE, HOSTILE))
    hostile = part("no", HOSTILE, why=HOSTILE, good=HOSTILE, name="")
    bad = replace(bad, findings=(*bad.findings, Finding("", (hostile,), HOSTILE)))
    hostile = Section(
        "bad", HOSTILE, HOSTILE, (question("no", ("",)), Question(claim("gone"), missing=HOSTILE)), text=(HOSTILE,),
        choices=((HOSTILE, HOSTILE),), provenance=(HOSTILE,), study=True,
    )  # fmt: skip
    good = Section("good", "A figure", "rflo-repro fig0", pictures=(Picture(picture, "A curve.", f"At. {HOSTILE}"),))
    grid = Grid(HOSTILE, (HOSTILE,), ((HOSTILE,),), HOSTILE)
    return Report(
        "Does it?", "An introduction.", RATES, ("printed", "tuned"), (("factor", f"What differs. {HOSTILE}"),),
        (*(("good", question(answer)) for answer in ANSWERS), ("bad", bad)),
        (("good", question("open", of=claim("ours"))),),
        (good, hostile), (grid,), grid, Picture(picture, "The answers.", "The answers."),
    )  # fmt: skip


class Elements(HTMLParser):
    """Every element with its attributes, all text, and the text of each badge."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text, self.badges = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if dict(attrs).get("class") == "badge":
            self.badges.append("")

    def handle_data(self, data):
        self.text += data
        if self.badges and self.badges[-1] == "":
            self.badges[-1] = data

    def attributes(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_opens_with_every_answer_in_words_and_colours(full, tmp_path):
    text = page.html(full, tmp_path)
    elements = Elements(text)
    for answer in ANSWERS:
        # at either kind of rates: in the table, and in the comparison
        said = f"{style.SIGNS[answer]} {SAID[answer]}"
        assert elements.badges.count(said) >= 4
        assert f'style="background:{style.ANSWERS[answer]}">{said}' in text
    assert (
        len({style.SIGNS[answer] for answer in ANSWERS})
        == len({style.ANSWERS[answer] for answer in ANSWERS})
        == len(ANSWERS)
    )
    shown = elements.text
    assert (
        shown.index("The answers.") < shown.index("It is yes.") < shown.index("Ours: ") < shown.index("What differs.")
    )
    assert shown.index("What differs.") < shown.index("A figure") < shown.index("Appendix", shown.index("A figure"))


def test_a_claim_opens_to_its_comparison(full, tmp_path):
    elements = Elements(page.html(full, tmp_path))
    details = elements.attributes("details")
    assert {"claim-yes", "claim-no", "claim-worse", "claim-open", "claim-no-test"} <= {d.get("id") for d in details}
    assert not any("open" in d for d in details)
    for said in ("7.9 times the loss", "3.2 to 16", "learned 61 and 80 of 90", "−20 of 100 (−30 to −10)", "0.012",
                 "Yes when: it is large", "the paper's rates: first sample, 90 networks"):  # fmt: skip
        assert said in " ".join(elements.text.split())


def test_power_stands_beside_sameness_alone(full, tmp_path):
    assert ">power<" not in page.html(full, tmp_path)
    same = question("yes")
    same = replace(same, findings=(Finding("printed", (part("yes", power=lambda: 0.48),)),))
    text = page.html(replace(full, answers=(("good", same),)), tmp_path)
    assert text.count("<th>power</th>") == 1
    assert "<td>0.48</td>" in text


def test_the_page_stands_alone(full, picture, tmp_path):
    text = page.html(full, tmp_path)
    elements = Elements(text)
    assert not {"script", "iframe", "object", "link", "form"} & {name for name, _ in elements.found}
    assert all(a["src"].startswith("data:image/png;base64,") for a in elements.attributes("img"))
    within = [a["href"] for a in elements.attributes("a") if a["href"] != "figures/one.png"]
    assert all(href.startswith("#") for href in within)
    assert not [k for _, attributes in elements.found for k in attributes if k.startswith("on")]
    assert {href[1:] for href in within} <= {a["id"] for _, a in elements.found if "id" in a}
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", re.sub(r"base64,[^\"]*", "", text))
    assert HOSTILE in elements.text


def test_a_picture_is_shown_as_it_is_and_at_its_size(full, picture, tmp_path):
    images = Elements(page.html(full, tmp_path)).attributes("img")
    assert [(image["alt"], image["width"]) for image in images] == [("The answers.", "960"), ("A curve.", "960")]
    for image in images:
        assert base64.b64decode(image["src"].partition(",")[2]) == picture.read_bytes()
    assert Elements(page.html(full, tmp_path)).text.count(f"At. {HOSTILE}") == 1


def test_a_picture_that_is_none_is_an_error(tmp_path):
    (tmp_path / "x.png").write_bytes(b"not a picture")
    with pytest.raises(OSError, match="identify"):
        page.data_uri(tmp_path / "x.png")


def test_markdown_shows_texts_and_nothing_else(full, tmp_path):
    text = page.markdown(full, tmp_path / "results")
    # a command is in a block of code, where nothing means anything
    shown = re.sub(r"^    .*$", "", text, flags=re.MULTILINE)
    assert "<script" not in shown
    assert not re.search(r"(?<!\\)\]\(javascript", shown)
    assert "](../figures/one.png)" in text
    bars = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert set(bars) <= {2, 3, 4, 5}  # the texts' own bars are entities
    assert page.plain("a\nb  c") == "a b c"


def test_markdown_has_the_answers_first_and_then_the_numbers(full, tmp_path):
    text = page.markdown(full, tmp_path)
    row = "| It is worse. | **↓ worse (size open)**<br>20 τ: 7.9 times the loss |"
    assert text.index(row) < text.index("## Words") < text.index("| 20 τ | ↓ worse; 7.9 (3.2 to 16); 61, 80")


def test_the_table_alone(full):
    table = page.answer_table(full).splitlines()
    assert (table[0], table[-1]) == (page.BEGIN, page.END)
    assert len(table) == 2 + 2 + len(full.answers) + len(full.ours)
    assert table[1] == "| claim | the paper's rates | tuned rates |"


def test_counts(full):
    ours = {"yes": 2, "no": 1, "worse (size open)": 1, "open": 1, "no test": 1}
    assert [(kind, dict(found)) for kind, found in page.counts(full)] == [
        ("the paper's rates", ours),
        ("tuned rates", ours),
    ]
    lacking = replace(full, answers=(*full.answers, ("bad", Question(claim(), missing="there is none"))))
    assert page.counts(lacking)[-1] == ("", [(page.NOT_COMPUTED, 1)])


def test_a_claim_of_many_parts_is_counted_in_short(full, tmp_path):
    parts = tuple(part("yes" if i else "open", name=f"part {i}") for i in range(page.MANY + 1))
    section = Section("s", "A study", "c", (Question(claim(), (Finding("", parts),)),), study=True)
    assert "Parts: 1 open, 8 yes." in page.markdown(replace(full, sections=(section,)), tmp_path)


@pytest.mark.parametrize("scale", ["smoke", "quick", "custom", "unknown"])
def test_an_answer_off_the_papers_scale_is_marked_and_grey(full, scale, tmp_path):
    one = replace(full, answers=(("good", question("yes", scale=scale)),), ours=(), sections=full.sections[:1])
    assert style.ANSWERS["yes"] not in page.html(one, tmp_path)
    assert page.counts(one)[0] == ("the paper's rates", [(f"yes, at {scale} scale", 1)])
    for text in (page.html(one, tmp_path), page.markdown(one, tmp_path), page.answer_table(one)):
        assert text.count("✓ yes") == text.count(f"✓ yes, at {scale} scale") > 0
    # Negative control: at the paper's it is green
    assert style.ANSWERS["yes"] in page.html(replace(one, answers=(("good", question("yes")),)), tmp_path)


def test_a_borrowed_rate_is_said(full, tmp_path):
    one = replace(full, answers=(("good", question("yes", of=claim(borrowed=True))),), ours=())
    text = page.html(one, tmp_path)
    assert text.count('<td class="pale">') == text.count("the paper&#39;s rates (borrowed)") == 1
    assert "The paper prints no learning rate for this" in text
    assert 'class="pale"' not in page.html(full, tmp_path)


def browser(*arguments: str, profile) -> str:
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
         f"--user-data-dir={profile}", *arguments],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; .ci/run installs it")
@pytest.mark.parametrize("width", [360, 1440])
def test_a_browser_shows_it(full, tmp_path, width):
    """Nothing is wider than the window, every picture is decoded, and every answer is in sight."""
    # a text without a gap is wider than anything; it may be cut
    text = page.html(full, tmp_path).replace("<details", "<details open")
    # the page itself has no script and forbids any; a copy is measured from within a frame of the wanted width
    (tmp_path / "page.html").write_text(re.sub(r"<meta http-equiv[^>]*>", "", text), encoding="utf-8")
    probe = """<iframe src="page.html" style="width:%dpx;height:800px;border:0"></iframe><pre id="out"></pre><script>
    document.querySelector("iframe").onload = e => { const d = e.target.contentDocument; const box = d.documentElement;
    document.getElementById("out").textContent = JSON.stringify({wide: box.scrollWidth,
    images: [...d.images].map(i => i.complete && i.naturalWidth > 0 && i.getBoundingClientRect().width >= 600),
    frames: [...d.querySelectorAll(".picture, .scroll")].map(f => f.getBoundingClientRect().right <= %d),
    badges: [...d.querySelectorAll("tr.claim .badge")].map(b => b.getBoundingClientRect()).map(r => [r.left, r.right]),
    type: parseFloat(getComputedStyle(d.querySelector("p")).fontSize)}) };</script>"""
    (tmp_path / "probe.html").write_text(probe % (width, width), encoding="utf-8")
    dumped = browser(
        "--allow-file-access-from-files", "--virtual-time-budget=5000", f"--window-size={width + 40},900", "--dump-dom",
        (tmp_path / "probe.html").as_uri(), profile=tmp_path / "profile",
    )  # fmt: skip
    seen = json.loads(re.search(r'<pre id="out">(.*?)</pre>', dumped, re.DOTALL).group(1))
    assert seen["wide"] <= width
    assert seen["images"] == [True, True]
    assert seen["frames"]
    assert all(seen["frames"])
    assert len(seen["badges"]) == 2 * (len(ANSWERS) + 2) + 2
    assert all(0 <= left < right <= width for left, right in seen["badges"])
    assert seen["type"] >= 16


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; .ci/run installs it")
def test_a_browser_draws_it(full, tmp_path):
    """The page as it is, policy and all, is drawn: dark text and coloured badges on white."""
    (tmp_path / "page.html").write_text(page.html(full, tmp_path), encoding="utf-8")
    shot = tmp_path / "shot.png"
    browser(
        "--window-size=1440,2000", f"--screenshot={shot}", (tmp_path / "page.html").as_uri(),
        profile=tmp_path / "profile",
    )  # fmt: skip
    with Image.open(shot) as image:
        colours = {colour for count, colour in image.convert("RGB").getcolors(1 << 24) if count > 100}
    wanted = {tuple(int(style.ANSWERS[answer][i : i + 2], 16) for i in (1, 3, 5)) for answer in ANSWERS}
    assert {(255, 255, 255), *wanted} <= colours
    assert np.ptp([sum(colour) for colour in colours]) > 300
