"""The pages of assumptions and what is declared beside the choices say the same."""

import re

import numpy as np
import pandas as pd
import pytest

from rflo_repro.runs import tables
from rflo_repro.runs.choices import defaults, vary
from rflo_repro.studies.multiverse.experiment import SCHEMAS
from tools import assumptions_index

PAGES = {path.stem: text for path, text in assumptions_index.pages().items()}
ENTRIES = {entry.name: entry for text in PAGES.values() for entry in assumptions_index.entries(text)}
FIELDS = assumptions_index.fields()
# `--set name=value`, the value in quotes if it has spaces
SETTING = re.compile(r'--set (\w+)=("[^"`]*"|[^ `.,;:]+(?:\.\d+)?)')


@pytest.mark.parametrize(
    ("path", "text"), assumptions_index.written_anew().items(), ids=lambda value: getattr(value, "stem", "")
)
def test_the_tables_are_those_of_the_code(path, text):
    assert path.read_text(encoding="utf-8") == text, "run `python -m tools.assumptions_index`"


def test_the_index_fits_a_screen():
    index, _, _ = assumptions_index.index().partition("\n\n")
    assert len(index.splitlines()) == 2 + len(PAGES) <= 12
    assert re.findall(r"#([\w-]+)\)", index) == list(ENTRIES)
    assert len(assumptions_index.INDEX.read_text(encoding="utf-8").split()) <= 1500
    assert all(len(assumptions_index.entries(text)) <= 16 for text in PAGES.values())


def test_every_open_choice_has_an_entry():
    assert {entry for entry, of in FIELDS.items() if not of[0].choice.printed} <= set(ENTRIES)
    for of_entry in FIELDS.values():
        for field in of_entry:
            assert field.choice.meaning
            assert field.choice.printed == field.choice.entry.startswith("printed ")


@pytest.mark.parametrize("name", ENTRIES)
def test_an_alternative_can_be_run_or_the_entry_says_why_not(name):
    text = ENTRIES[name].text["Alternative"]
    if name not in FIELDS:
        assert re.search("No setting|`--|`rflo-repro ", text)
    for field in FIELDS.get(name, []):
        assert f"--set {field.name}=" in text or (field.choice.option and not field.choice.alternatives)


@pytest.mark.parametrize("name", ENTRIES)
def test_what_an_entry_sets_can_be_set(name):
    for setting, value in SETTING.findall(" ".join(ENTRIES[name].text.values())):
        value = value.strip('"')
        takes = [choices for choices in assumptions_index.experiments().values() if setting in defaults(choices)]
        assert takes, setting
        of_entry = [field for field in FIELDS[name] if field.name == setting]
        assert of_entry, f"{name} sets {setting}, which is declared for another entry"
        chosen = assumptions_index.experiments()[of_entry[0].command]()
        assert vary(chosen, [(setting, value)]) != chosen


def test_settings_are_seen_in_the_text():
    assert {"h0", "sequence", "n_trials", "amplitude"} <= {
        name for name, _ in SETTING.findall(" ".join(" ".join(PAGES.values()).split()))
    }


def test_an_entry_without_a_label_is_named():
    with pytest.raises(ValueError, match=r"^noise must have Gap, .*, has Gap, Why$"):
        assumptions_index.entries("# All\n\n## noise\n\n- **Gap.** One.\n- **Why.** Two.\n")
    with pytest.raises(ValueError, match="must have <!-- index"):
        assumptions_index.with_table("nothing", "")


def test_a_changed_default_changes_the_index(monkeypatch):
    """Negative control."""
    changed = {name: [*of] for name, of in FIELDS.items()}
    changed["initial-state"] = [assumptions_index.Field("fig2", "h0", "0.7", FIELDS["initial-state"][0].choice)]
    monkeypatch.setattr(assumptions_index, "fields", lambda: changed)
    assert "| `h0=0.7`; 0.5, 1.0, uniform, normal |" in assumptions_index.settings(PAGES["figure-2"])


def moved(tmp_path, effects, excluded=None):
    """What is measured where clip=0.3 lowers effects of 20 variants of the design by 1, 0.1 or not, in three parts.

    excluded: the effect of the variant tried by itself, if it is another."""
    rows = [
        {
            **{column.name: 0.0 for column in SCHEMAS["readings"].columns},
            "figure": "fig2",
            "reading": number,
            "kind": kind,
            "choices": choices,
            "claim": "a claim",
            "part": part,
            "primary": True,
            "verdict": "holds",
            "estimate": effect,
            "n_networks": 9,
            "k": 9,
            "shift": -2.0 * effect,
            "shift_low": -2.0 * effect - 0.2,
            "shift_high": -2.0 * effect + 0.2,
        }
        for part, lowered in effects.items()
        for number, (kind, choices, effect) in enumerate(
            [
                *[("joint", "", 0.01 * k) for k in range(10)],
                *[("joint", "clip=0.3", 0.01 * k - lowered) for k in range(10)],
                ("alone", "reset_state=false", lowered if excluded is None else excluded),
                ("alone", "h0=0.5; reset_state=false", 50.0),
            ]
        )
    ]
    tables.write(tmp_path, SCHEMAS["readings"], pd.DataFrame(rows), {})
    return assumptions_index.measured(tmp_path)


def test_what_a_choice_moves_is_the_part_that_it_moves_most_surely(tmp_path):
    found = moved(tmp_path, {"x": 0.0, "y": 1.0, "z": 0.1})
    assert found["fig2", "clip", 0.3].size.startswith("−1 (")
    assert found["fig2", "clip", 0.3].part == "fig2: a claim, y"
    carried_on = found["fig2", "reset_state", False]
    assert (carried_on.size, carried_on.part) == ("−2 (−2.2, −1.8)", "fig2: a claim, y")
    assert ("fig2", "h0", 0.5) not in found
    assert {figure for figure, _, _ in found} == {"fig2"}


def test_what_a_choice_does_not_surely_move_is_said(tmp_path):
    assert moved(tmp_path, {"x": 0.0})["fig2", "clip", 0.3].size == "nothing surely"


def test_where_networks_explode_no_size_is_said(tmp_path):
    found = moved(tmp_path, {"x": 1.0}, excluded=-np.inf)
    assert found["fig2", "reset_state", False].size == "networks explode"
    assert found["fig2", "reset_state", False].part == "fig2: a claim, x"


def test_what_was_measured_stands_below_what_can_be_set(tmp_path):
    assert assumptions_index.measured(tmp_path) == {}
    plain = assumptions_index.settings(PAGES["all-figures"], tmp_path)
    assert "[plain-updates]" in plain
    moved(tmp_path, {"y": 1.0})
    text = assumptions_index.settings(PAGES["all-figures"], tmp_path)
    assert text.startswith(plain)
    assert re.findall(r"^\| (`clip=0\.3`) \| −1 \(.*\) \| fig2: a claim, y \|$", text[len(plain) :], flags=re.M)
