"""Write the texts that have numbers: `python -m tools.write` in a checkout.

A page of PAGES is a Jinja template in `tools/templates`, and takes its numbers from the committed tables. Where a
sentence says more than the tables do, nothing is written and the sentence is named.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import jinja2

from rflo_repro.learning.files import replacing
from rflo_repro.learning.rules import RULES
from rflo_repro.paper import registry
from rflo_repro.studies.registry import studies
from tools import measured, tables
from tools.facts import NOTHING, Facts, Untrue, figure_times

ROOT = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "templates"
PAGES = {
    "README.md": "README.md",
    "answers.md": "docs/answers.md",
    "statistics.md": "docs/statistics.md",
    "speed.md": "docs/speed.md",
    "rule-family.md": "docs/rule-family.md",
    "gallery.md": "docs/gallery.md",
    "tasks.md": "docs/tasks.md",
}


def environment(results: Path) -> jinja2.Environment:
    """The templates, with all that they may call."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, of our own tables
    )
    facts = Facts(results)
    found.globals.update({name: getattr(facts, name) for name in dir(facts) if not name.startswith("_")})
    found.globals.update(
        took=measured.took,
        bench=tables.Bench(results),
        rules=tables.Rules(results),
        tasks=tables.Tasks(results),
        field=tables.Field(results),
        structure=tables.Structure(results),
        grows=tables.Cost(results).grows,
        figure_times=lambda: figure_times(results),
        experiments=[*registry.figures().values(), *studies().values()],
        n_rules=sum(not rule.untrained for rule in RULES.values()),
        exists=lambda path: (results.parent / path).exists(),
    )
    return found


def page(name: str, templates: jinja2.Environment) -> str:
    """A page as it should be. Raises Untrue, with the line of the template, where a sentence is not true."""
    try:
        text = templates.get_template(name).render()
    except Untrue as error:
        path = TEMPLATES / name
        numbers = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
        number = numbers[-1] if numbers and numbers[-1] else 1
        sentence = path.read_text(encoding="utf-8").splitlines()[number - 1].strip()
        raise Untrue(f"tools/templates/{name}, line {number}: {error}\n  {sentence}") from None
    lines = [line for line in text.split("\n") if NOTHING not in line or line.replace(NOTHING, "").strip()]
    return "\n".join(lines).replace(NOTHING, "")


def main() -> int:
    """Write all pages; 1 if one of them is not true."""
    templates = environment(ROOT / "results")
    for name, path in PAGES.items():
        try:
            text = page(name, templates)
        except Untrue as error:
            print(error, file=sys.stderr)
            return 1
        with replacing(ROOT / path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path}: {len(text.split())} words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
