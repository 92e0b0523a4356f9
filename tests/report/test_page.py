"""The report's page: what it shows, that it is safe and stands alone, and that a browser shows it at two widths."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rflo_repro.report import page, style
from rflo_repro.report.page import Grid, Judged, Picture, Report, Section, counts, measured, number, plain
from rflo_repro.runs.claims import VERDICTS, Claim, Finding, Interval, Part

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'too' | [x](javascript:y) `code` *b*"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def claim(name="a claim", statement="Something holds."):
    return Claim(name, statement, "Figure 0", "a number", "it is large", lambda tables: [])


def part(verdict, low=0.1, high=0.9):
    return Part("20 τ", verdict, Interval((low + high) / 2, low, high, 9), k=8)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "figures" / "one.png"
    path.parent.mkdir()
    Image.linear_gradient("L").resize((2000, 900)).save(path)
    return path


@pytest.fixture
def full(picture):
    """A page with every verdict, a picture, choices, a table, and hostile texts everywhere."""
    judged = tuple(
        Judged(claim(f"claim {v}", f"It {v}."), (Finding("printed", (part(v),)), Finding("tuned", (part(v),))))
        for v in VERDICTS
    )
    hostile = Section(
        name="bad", title=HOSTILE, command=HOSTILE, text=(HOSTILE,), choices=((HOSTILE, HOSTILE),),
        claims=(Judged(claim(HOSTILE, HOSTILE), (Finding("", (Part(HOSTILE, "holds", None, HOSTILE, HOSTILE),)),)),
                Judged(claim("gone"), missing=HOSTILE)),
        grids=(Grid(HOSTILE, (HOSTILE,), ((HOSTILE,),)),), provenance=(HOSTILE,),
    )  # fmt: skip
    good = Section(
        "good",
        "A figure",
        "rflo-repro fig0",
        judged,
        (Picture(picture, f"A curve. {HOSTILE}", f"At rates. {HOSTILE}"),),
    )
    return Report("What holds", "An introduction.", (("Effect", f"What differs. {HOSTILE}"),), (good, hostile))


class Elements(HTMLParser):
    """Every element with its attributes, and all text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def attributes(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_shows_every_verdict_and_interval(full, tmp_path):
    shown = Elements(page.html(full, tmp_path)).text
    for verdict in VERDICTS:
        # at a glance, and where the claim is
        assert shown.count(f"It {verdict}.") == 2
        assert shown.count(f"{page.letter(verdict)} {verdict}") >= 2 + 2 * 2 + 1
    assert shown.count("0.5 (0.1, 0.9) decades") == 2 * len(VERDICTS)
    assert shown.count("8 of 9") == 2 * len(VERDICTS)
    assert HOSTILE in shown


def test_the_page_says_what_its_words_mean(full, tmp_path):
    ((term, meaning),) = full.terms
    shown = Elements(page.html(full, tmp_path)).text
    assert shown.index("An introduction.") < shown.index(f"It {VERDICTS[0]}.") < shown.index(meaning)
    assert f"- **{term}**: What differs." in page.markdown(full, tmp_path)


def test_the_page_stands_alone(full, tmp_path):
    text = page.html(full, tmp_path)
    elements = Elements(text)
    assert not {"script", "iframe", "object", "link", "form"} & {name for name, _ in elements.found}
    assert all(a["src"].startswith("data:image/webp;base64,") for a in elements.attributes("img"))
    of_pictures = ["figures/one.png"]
    within = [a["href"] for a in elements.attributes("a") if a["href"] not in of_pictures]
    assert all(href.startswith("#") for href in within)
    assert not [k for _, attributes in elements.found for k in attributes if k.startswith("on")]
    anchors = {a["id"] for _, a in elements.found if "id" in a}
    assert {href[1:] for href in within} <= anchors
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", re.sub(r"base64,[^\"]*", "", text))


def test_every_picture_has_a_text(full, tmp_path):
    images = Elements(page.html(full, tmp_path)).attributes("img")
    assert [image["alt"] for image in images] == [f"A curve. {HOSTILE}"]


def test_every_picture_has_a_caption_that_can_be_seen(full, tmp_path):
    assert Elements(page.html(full, tmp_path)).text.count(f"At rates. {HOSTILE}") == 1
    lines = page.markdown(full, tmp_path).splitlines()
    image = next(i for i, line in enumerate(lines) if line.startswith("!["))
    assert lines[image + 1 : image + 3] == ["", page.plain(f"At rates. {HOSTILE}")]


def test_pictures_are_made_small(picture):
    uri = page.data_uri(picture)
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
        assert image.size == (1400, 630)
    assert page.data_uri(picture) == uri


def test_pictures_leave_the_page_small_and_are_as_sharp_as_that_allows(full, picture, monkeypatch, tmp_path):
    sizes = []
    for limit in (page.PAGE, len(page.html(full, tmp_path).encode()) - 1):
        monkeypatch.setattr(page, "PAGE", limit)
        text = page.html(full, tmp_path)
        assert len(text.encode()) <= limit
        uri = re.search(r'src="data:image/webp;base64,([^"]*)"', text).group(1)
        with Image.open(io.BytesIO(base64.b64decode(uri))) as image:
            sizes.append(image.width)
    assert sizes == [1400, 1200]


def test_every_colour_is_as_drawn(tmp_path):
    """A few pixels of magenta and a band of grey beside many of black and green: more colours than a palette has."""
    with style.style():
        figure = style.new_picture(7, 5)
        axes = figure.subplots()
        for i in range(12):
            axes.plot([0, 1], [i, i + 1], color=f"{i / 12}")
        axes.plot([0, 1], [3, 9], color=style.COLOURS["local"], linewidth=1.5)
        axes.fill_between([0, 1], [0, 1], [5, 9], color=style.COLOURS["rflo"], alpha=0.2)
    path = figure.save(tmp_path / "lines")[0]
    with (
        Image.open(io.BytesIO(base64.b64decode(page.data_uri(path).partition(",")[2]))) as image,
        Image.open(path) as drawn,
    ):
        shown, wanted = (np.asarray(i.convert("RGB")) for i in (image, drawn))
    assert len(np.unique(wanted.reshape(-1, 3), axis=0)) > 256
    np.testing.assert_array_equal(shown, wanted)


def test_a_picture_that_is_none_is_an_error(tmp_path):
    (tmp_path / "x.png").write_bytes(b"not a picture")
    with pytest.raises(OSError, match="identify"):
        page.data_uri(tmp_path / "x.png")


def test_markdown_shows_texts_and_nothing_else(full, tmp_path):
    text = page.markdown(full, tmp_path / "results")
    # a command is in a block of code, where nothing means anything
    assert "<script" not in re.sub(r"^    .*$", "", text, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)\]\(javascript", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))
    assert "](../figures/one.png)" in text
    for line in text.splitlines():
        if line.startswith("|"):  # the texts' own bars are entities
            assert line.count("|") in (2, 7, 8)
    assert page.plain("a\nb  c") == "a b c"


def test_the_table_for_a_readme(full):
    """A row a part: its effect and k of n; claim and verdict in the first."""
    table = page.verdict_table(full).splitlines()
    assert (table[0], table[-1]) == (page.BEGIN, page.END)
    assert len(table) == 2 + 2 + 2 * len(VERDICTS) + 2
    row = "| It does not hold. (Figure 0) | printed | ✗ does not hold | ✗ 20 τ | 0.5 (0.1, 0.9) decades | 8 of 9 |  |"
    at = table.index(row)
    assert table[at + 1] == "|  | tuned | ✗ does not hold | ✗ 20 τ | 0.5 (0.1, 0.9) decades | 8 of 9 |  |"
    assert "not computed" in table[-2]


def test_a_part_that_is_not_decided_says_what_it_would_take(tmp_path):
    open_part = replace(part("not decided"), needs="140", p=0.21, remark="holds for margins above 1")
    judged = Judged(claim(), (Finding("printed", (open_part, replace(part("holds"), what="40 τ"))),))
    one = Report("What holds", "", (), (Section("s", "A figure", "rflo-repro fig0", (judged,)),))
    assert "| ✓ holds (40 τ only) | ? 20 τ | 0.5 (0.1, 0.9) decades | 8 of 9 | 140 |" in page.verdict_table(one)
    said = "p = 0.21; holds for margins above 1; would take 140 networks like these"
    assert said in Elements(page.html(one, tmp_path)).text
    assert said in page.markdown(one, tmp_path)
    # in the claim's own line and at a glance
    assert Elements(page.html(one, tmp_path)).text.count("40 τ only") == 2
    assert "✓ holds (40 τ only)" in Elements(page.html(one, tmp_path)).text
    assert style.VERDICTS["holds"] in page.html(one, tmp_path)


def test_what_stands_beside_an_effect():
    assert page.beside(part("holds")) == ""
    sure = replace(part("holds"), p=1e-9, learned="learned: 1 and 2 of 9", why="because", primary=False)
    assert page.beside(sure) == "not primary; p < 1e−4; learned: 1 and 2 of 9; because"


def test_counts(full):
    found = dict(counts(full))
    assert found["holds"] == "2 at printed (or only) rates, 1 at tuned rates"
    assert found["not computed"] == "1 at printed (or only) rates, 0 at tuned rates"
    assert len(found) == len(VERDICTS) + 1


@pytest.mark.parametrize("scale", ["smoke", "quick", "custom", "unknown"])
def test_a_verdict_off_the_papers_scale_is_marked_and_grey(scale, tmp_path):
    made = Judged(claim(), (Finding("printed", (part("holds"),)),), scale=scale)
    one = Report("What holds", "", (), (Section("s", "A figure", "rflo-repro fig0", (made,)),))
    assert style.VERDICTS["holds"] not in page.html(one, tmp_path)
    assert counts(one) == [(f"holds, at {scale} scale", "1 at printed (or only) rates")]
    for text in (page.html(one, tmp_path), page.markdown(one, tmp_path), page.verdict_table(one)):
        assert text.count("✓ holds") == text.count(f"✓ holds, at {scale} scale") > 0
    # Negative control: at the paper's it is green
    at_paper = replace(one, sections=(replace(one.sections[0], claims=(replace(made, scale="paper"),)),))
    assert style.VERDICTS["holds"] in page.html(at_paper, tmp_path)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-0.524, "−0.52"), (1234.5, "1.23e+03"), (150.0, "150"), (np.inf, "∞"), (-np.inf, "−∞"),
     (3.2e-11, "3.2e−11"), (0.0, "0"), (2e-5, "2e−5")],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_intervals_in_words():
    assert measured(Interval(0.5, 0.1, 0.9, 9), "decades") == "0.5 (0.1, 0.9) decades"
    assert measured(Interval(0.5, 0.1, np.inf, 9), "") == "0.5 (0.1, ∞)"
    assert measured(None, "decades") == ""
    assert plain("x") == "x"


def browser(*arguments: str, profile: Path) -> str:
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
    """Nothing is wider than the window, every picture is decoded, and every verdict is on it."""
    text = page.html(full, tmp_path)
    # the page itself has no script and forbids any; a copy is measured from within a frame of the wanted width
    (tmp_path / "page.html").write_text(re.sub(r"<meta http-equiv[^>]*>", "", text), encoding="utf-8")
    probe = """<iframe src="page.html" style="width:%dpx;height:800px;border:0"></iframe><pre id="out"></pre><script>
    document.querySelector("iframe").onload = e => { const d = e.target.contentDocument; const box = d.documentElement;
    document.getElementById("out").textContent = JSON.stringify({wide: box.scrollWidth,
    images: [...d.images].map(i => i.complete && i.naturalWidth > 0 && i.getBoundingClientRect().width >= 600),
    frames: [...d.querySelectorAll(".picture")].map(f => f.getBoundingClientRect().right <= %d),
    badges: [...d.querySelectorAll(".glance .badge")].map(b => b.getBoundingClientRect()).map(r => [r.left, r.right]),
    cells: Math.min(...[...d.querySelectorAll(".parts td")].map(c => c.getBoundingClientRect().width)),
    type: parseFloat(getComputedStyle(d.querySelector("p")).fontSize)}) };</script>"""
    (tmp_path / "probe.html").write_text(probe % (width, width), encoding="utf-8")
    dumped = browser(
        "--allow-file-access-from-files", "--virtual-time-budget=5000", f"--window-size={width + 40},900", "--dump-dom",
        (tmp_path / "probe.html").as_uri(), profile=tmp_path / "profile",
    )  # fmt: skip
    seen = json.loads(re.search(r'<pre id="out">(.*?)</pre>', dumped, re.DOTALL).group(1))
    assert seen["wide"] <= width
    assert seen["images"] == seen["frames"] == [True]
    assert len(seen["badges"]) == 2 * len(VERDICTS) + 2
    assert all(0 <= left < right <= width for left, right in seen["badges"])
    assert seen["type"] >= 16
    assert seen["cells"] >= 120


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; .ci/run installs it")
def test_a_browser_draws_it(full, tmp_path):
    """The page as it is, policy and all, is drawn: dark text and coloured badges on white."""
    (tmp_path / "page.html").write_text(page.html(full, tmp_path), encoding="utf-8")
    shot = tmp_path / "shot.png"
    browser(
        "--window-size=1440,1200", f"--screenshot={shot}", (tmp_path / "page.html").as_uri(),
        profile=tmp_path / "profile",
    )  # fmt: skip
    with Image.open(shot) as image:
        colours = {colour for count, colour in image.convert("RGB").getcolors(1 << 24) if count > 100}
    assert {(255, 255, 255), (0, 0x79, 0x5A), (0xB3, 0x39, 0x2F)} <= colours
