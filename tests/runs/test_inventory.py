"""The state of tables: what the metadata of each says, and the worst of several."""

import io
import json

import pandas as pd
import pytest
from rich.console import Console

from rflo_repro.runs import generation, inventory, tables
from rflo_repro.runs.inventory import State, described, show, sweeps, worst
from rflo_repro.runs.tables import Column, Schema

SCHEMA = Schema("some", "a row", (Column("rule", "text", "", "learning rule"),), ("rule",))
BY = {"commit": "0123456789abcdef", "source_changed": False, "versions": {"numpy": "2"}, "machine": {"cpu": "this"}}


def run(standing="fresh", date="2026-01-02T03:04", conditions=("rflo",), computed=(BY,)):
    return {
        "date": date, "command": "", "conditions": list(conditions), "numerical_source": {"digest": standing, "of": []},
        "computed": [{"first": "", "last": str(i), "conditions": {}, **BY, **by} for i, by in enumerate(computed)],
    }  # fmt: skip


def page(*runs, **changes):
    choices = {"n_networks": 9, "n_trials": 10_000}
    return {"runs": list(runs), "settings": {"scale": "paper", "choices": choices}, "rows": 5, **changes}


@pytest.fixture(autouse=True)
def standing(monkeypatch):
    """A source is what it is called here."""
    monkeypatch.setattr(generation, "standing", lambda source: source["digest"])


def test_a_table_is_described_by_its_latest_run():
    other = {"commit": None, "source_changed": True, "machine": {"cpu": "that"}}
    found = described(SCHEMA, page(run(computed=(BY, other)), run(date="2025-12-31T00:00", conditions=["bptt"])))
    assert found == State("fresh", "", "paper", "9 × 10,000", 5, "2026-01-02", "-+", 2)
    assert described(SCHEMA, page(run())) == State("fresh", "", "paper", "9 × 10,000", 5, "2026-01-02", "012345678", 1)


@pytest.mark.parametrize(
    ("runs", "state", "why"),
    [
        ((run(), run("stale"), run("unproven")), "stale", "another generation"),
        ((run(), run("unproven")), "unproven", "not compared with the references"),
        ((run(),), "in part", "1 of 2 conditions"),
        ((run(), run(conditions=["bptt"])), "fresh", ""),
        ((), "damaged", "some.json is not of this version"),
        ((3,), "damaged", "some.json is not of this version"),
    ],
)
def test_a_state_and_why(runs, state, why):
    found = described(SCHEMA, page(*runs), lambda schema, scale: 2 if scale == "paper" else 0)
    assert found.state == state
    assert why in found.why
    assert bool(found.why) == (state != "fresh")


def test_the_worst_of_several_with_all_rows():
    best_first = [State(state, why=state, rows=2) for state in inventory.STATES]
    for i in range(1, len(best_first) + 1):
        assert worst(best_first[i - 1 :: -1]) == State(inventory.STATES[i - 1], why=inventory.STATES[i - 1], rows=2 * i)


def test_a_sweep_is_found_by_its_metadata(tmp_path):
    plan = {"is": "Plan", "name": "mine", "n_networks": 2}
    for name, choices in (("mine_final", plan), ("theirs_final", {**plan, "is": "Choices"})):
        schema = Schema(name, "a row", SCHEMA.columns, SCHEMA.condition)
        metadata = {"settings": {"scale": "custom", "choices": choices}, "runs": [run()], "condition": ["rule"]}
        tables.write(tmp_path, schema, pd.DataFrame({"rule": ["rflo", "bptt"]}), metadata)
    (tmp_path / "copied_final.json").write_bytes((tmp_path / "mine_final.json").read_bytes())
    (tmp_path / "no page.json").write_text(json.dumps([1]))
    assert sweeps(tmp_path) == {"mine": State("fresh", "", "custom", "2", 2, "2026-01-02", "012345678", 1)}


def test_what_is_printed(tmp_path, monkeypatch):
    known = {
        "fig2": State("fresh", "", "paper", "9 × 10,000", 1234, "2026-01-02", "0123+", 2),
        "sweep  [red]:smile:\x1b[31m": State("damaged", "why [it] is"),
    }
    monkeypatch.setattr(inventory, "states", lambda *_: known)
    out = io.StringIO()
    show([], tmp_path, Console(file=out, width=60))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    start = lines.index("experiment state scale networks × trials rows date commit")
    assert lines[start + 1 :] == [
        "fig2 fresh paper 9 × 10,000 1,234 2026-01-02 0123+*",
        "sweep [red]:smile:[31m damaged",
        "sweep [red]:smile:[31m: why [it] is",
        "* fig2: computed in parts by 2 processors, sets of versions or commits",
        "+ the source had changes that were not committed",
    ]
