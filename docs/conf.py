"""The documentation site: the pages that GitHub shows, the public names, the command line and the tutorials.

`make docs` builds it. Its source folder is the top of the checkout, so that every link is the one that GitHub follows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from jupyter_client.manager import KernelManager
from sphinx.application import Sphinx

import rflo_repro

ROOT = Path(__file__).parents[1]
PAGES = (".md", ".ipynb")

project = "rflo-repro"
release = rflo_repro.__version__
root_doc = "README"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**", "results/report.md"]
exclude_patterns = ["docs/requirements.lock"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_click"]
nitpicky = True

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# what a tutorial says to its kernel nobody else on the machine can listen to
KernelManager.transport_encryption.default_value = "auto"
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types, shapes and units are said in the docstrings
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "rflo-repro"
html_copy_source = True
html_sourcelink_suffix = ""
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["equations.css"]
html_sidebars = {"**": ["navigation"]}
html_theme_options = {
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc", "download"],
    "navigation_with_keys": False,
    "footer_start": [],
    "footer_end": [],
}
html_math_renderer = "mathml"


def toctree(pages: list[str], *options: str) -> str:
    """A part of the navigation, which the page itself does not show."""
    return "\n".join(["", "", "```{toctree}", ":hidden:", *options, "", *pages, "```", ""])


def contents() -> str:
    """The navigation: the lists of docs/README.md, each under its own title."""
    parts = re.split(r"^\*\*(.+)\*\*$", (ROOT / "docs" / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = ""
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        links = re.findall(r"^- \[(.*?)\]\((.*?)\)", body, flags=re.MULTILINE)
        pages = [(name, (ROOT / "docs" / link).resolve().relative_to(ROOT).with_suffix("")) for name, link in links]
        found += toctree([f"{name} </{page.as_posix()}>" for name, page in pages], f":caption: {title}")
    return found


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """The front page, README.md, has the navigation, and a page with a folder of its name has what is in the folder.
    The list that the navigation is made of stands outside it."""
    if docname == root_doc:
        source[0] += contents()
    elif docname == "docs/README":
        source[0] = f"---\norphan: true\n---\n\n{source[0]}"
    elif (folder := ROOT / docname).is_dir():
        pages = sorted(page.stem for page in folder.iterdir() if page.suffix in PAGES)
        source[0] += toctree([f"{folder.name}/{page}" for page in pages])


def mathml(self: Any, node: nodes.Element, block: bool) -> None:
    """An equation as MathML, which browsers draw by themselves: no script, and nothing from elsewhere."""
    found = tex2mathml(node.astext(), as_block=block)
    found = found.replace(">‖<", ' stretchy="false">‖<')  # as high as what it encloses
    self.body.append(f'<div class="math">{found}</div>' if block else found)
    raise nodes.SkipNode


def start_page(app: Sphinx, error: Exception | None) -> None:
    """The site begins at index.html."""
    if error is None and app.builder.format == "html":
        page = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=README.html">'
        (Path(app.outdir) / "index.html").write_text(f'{page}<a href="README.html">{project}</a>\n', encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer(
        "mathml",
        (lambda self, node: mathml(self, node, False), None),
        (lambda self, node: mathml(self, node, True), None),
    )
    app.connect("source-read", add_contents)
    app.connect("build-finished", start_page)
