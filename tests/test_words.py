"""Words that the project once had for itself are gone: one word for one thing, and the field's word for it."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = [path for top in ("rflo_repro", "benchmarks", "tools", "tests") for path in sorted((ROOT / top).rglob("*.py"))]
TEXTS = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "tools" / "templates").iterdir()),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")),
]
# Names of modules, classes, functions, fields and variables
NAMES = {
    "road": "plan, run, output, draw",
    "Reading": "Variant",
    "readings": "variants",
    "every_condition": "of_scale",
    "Realisation": "SessionWrapper",
    "realisation": "job",
    "Around": "SessionWrapper",
    "Recipe": "Initialisation",
    "recipe": "init",
    "jointly": "design_only",
    "Place": "TaskSpec",
    "Kept": "Saved",
    "LEDGER": "ASSUMPTIONS",
    "ledger": "assumptions_index",
    "Refused": "RequestError",
    "Failed": "JobError",
    "SizedTask": "Task",
    "maker": "provenance",
    "makers": "provenance",
    "n_kept": "cost",
    "n_seconds": "cost",
    "Verdict": "Answer",
    "verdicts": "answers",
    "silent_loss": "zero_output_loss",
    "streams": "rngs",
    "believed": "valid",
    "spliced": "inline_ir",
    "inlined": "force_inline",
    "with_sign": "copysign",
    "harness": "benchmarks",
}
# In code and texts, whatever the case
PHRASES = {
    r"readings? of the paper": "variant",
    r"rflo-repro (readings|closest|verdicts)\b": "multiverse, multiverse --closest, confirm",
    r"--reading\b": "--variant",
    # in quotation marks they are stored names
    r"(?<![\".])\brealisations?\b(?!\")": "job",
    r"(?<!\")\brecipes?\b(?!\")": "initialisation",
    r"\bthe ledger\b": "the assumptions",
    r"\bprinted rates\b": "the paper's learning rates",
    r"\b(diverged?|or) (ran|run) away\b": "exploded",
    r"random feedback alone\b": "random feedback",
    r"nonlocal random feedback": "random feedback",
    r"local symmetric feedback": "local",
    r"\bsilent loss\b": "zero-output loss",
}


def names_in(code: str) -> set[str]:
    """The names that Python code has, keywords among them."""
    return {
        token.string for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type == tokenize.NAME
    }


def phrases_in(text: str) -> set[str]:
    """What a text has of PHRASES, also where a line ends within it."""
    flat = re.sub(r"\s+(# )?", " ", text)
    return {found.group().lower() for phrase in PHRASES for found in re.finditer(phrase, flat, re.IGNORECASE)}


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_code_has_a_retired_name(path):
    found = {*names_in(path.read_text("utf-8")), path.stem, path.parent.name} & NAMES.keys()
    assert not found, {name: NAMES[name] for name in found}


@pytest.mark.parametrize("path", [*CODE, *TEXTS], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_has_a_retired_phrase(path):
    assert path == Path(__file__) or not phrases_in(path.read_text("utf-8"))


def test_a_retired_word_is_seen():
    """Negative control."""
    assert names_in("def road(x): return x.readings") & NAMES.keys() == {"road", "readings"}
    assert not names_in("x = frame['readings']  # the road") & NAMES.keys()
    assert phrases_in("under each reading\nof the paper") == {"reading of the paper"}
    assert phrases_in("# at the printed\n# rates; run `rflo-repro closest fig2`") == {
        "printed rates",
        "rflo-repro closest",
    }
