"""The documentation site that `make docs` has built: it stands alone, its links lead somewhere, and a browser searches
it."""

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[2] / "build" / "docs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not (SITE / "README.html").exists(), reason="`make docs` has not been run")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; .ci/run installs it")
# what a page loads by itself; a link (`a`) is followed by the reader only
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}


class Page(HTMLParser):
    """What a page loads, where its links lead, and what in it can be led to."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.links, self.names = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.names |= {given.get("id"), given.get("name") if tag == "a" else None}
        if given.get(LOADED.get(tag)) and given.get("rel") not in ("search", "index", "next", "prev"):
            self.loaded.append(given[LOADED[tag]])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


@functools.cache
def pages():
    return {
        path: Page(path.read_text(encoding="utf-8")) for path in SITE.rglob("*.html") if "_static" not in path.parts
    }


def outside(addresses):
    return [address for address in addresses if urlsplit(address).netloc]


def test_nothing_is_loaded_from_elsewhere():
    assert sum(len(page.loaded) for page in pages().values()) > 100
    for path, page in pages().items():
        assert outside(page.loaded) == [], path
    for path in SITE.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)]*", path.read_text(encoding="utf-8")) == [], (
            path
        )
    assert outside(Page('<script src="https://cdn.example/mathjax.js"></script><img src="a.png">').loaded)  # it is seen


def test_links_lead_somewhere():
    broken = []
    for path, page in pages().items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages()[target].names if target in pages() else {parts.fragment}
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in known):
                broken.append((path.relative_to(SITE).as_posix(), link))
    assert broken == []


@pytest.fixture
def served():
    """The site's address, and at /probe a page that is the test's own."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        probe = ""

        def do_GET(self):
            if self.path != "/probe":
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            return self.wfile.write(Handler.probe.encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def dom(address, profile):
    """The page as the browser has it once its scripts are done."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", "--virtual-time-budget=10000",
         "--window-size=1400,900", "--dump-dom", address],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize(("words", "page"), [("eligibility trace", "docs/rules.html"), ("kneecap", None)])
def test_the_search_finds_what_is_there(served, tmp_path, words, page):
    text = dom(f"{served[1]}/search.html?q={words.replace(' ', '+')}", tmp_path / "profile")
    found = re.findall(r'<li class="kind-[^>]*>\s*<a href="([^"?#]*)', text)
    assert page in found if page else found == []


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("page", ["README.html", "docs/rules.html"])
def test_a_browser_shows_it(served, tmp_path, page):
    """All that the browser asks for comes from the site, every picture is decoded, equations are drawn as such, and no
    text is wider than its column."""
    handler, address = served
    handler.probe = """<iframe src="/%s" style="width:1400px;height:900px"></iframe><pre id="out"></pre><script>
    document.querySelector("iframe").onload = e => { const w = e.target.contentWindow, d = w.document;
    document.getElementById("out").textContent = JSON.stringify({
    asked: w.performance.getEntriesByType("resource").map(r => r.name),
    images: [...d.images].map(i => i.complete && i.naturalWidth > 0),
    equations: [...d.querySelectorAll("math")].map(m => m.getBoundingClientRect().width > 0),
    wide: d.documentElement.scrollWidth,
    navigation: d.querySelectorAll(".bd-sidebar-primary nav a").length}) };</script>"""
    handler.probe %= page
    seen = json.loads(re.search(r'<pre id="out">(.*?)</pre>', dom(f"{address}/probe", tmp_path / "profile"))[1])
    assert len(seen["asked"]) > 3
    assert [name for name in seen["asked"] if not name.startswith(f"{address}/")] == []
    assert all(seen["images"])
    assert all(seen["equations"])
    assert bool(seen["equations"]) == (page == "docs/rules.html")
    assert seen["navigation"] > 15
    assert seen["wide"] <= 1400
