"""Tables are read as they were written, or not at all."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rflo_repro.runs import tables
from rflo_repro.runs.store import FOLDER
from rflo_repro.runs.tables import Column, Schema, TableError

SCHEMA = Schema(
    "some_table",
    "a row",
    (
        Column("rule", "text", "", "learning rule"),
        Column("period", "number", "tau", "period"),
        Column("network", "integer", "", "network"),
        Column("loss", "number", "", "loss"),
        Column("diverged", "flag", "", "whether it did"),
    ),
    ("rule", "period"),
)


def frame(*rows):
    made = pd.DataFrame(list(rows), columns=[c.name for c in SCHEMA.columns])
    return made.astype({"rule": str, "period": float, "network": np.int64, "loss": float, "diverged": bool})


ROWS = frame(("rflo", 20, 0, 0.1, False), ("rflo", 20, 1, math.nan, True), ("bptt", 40, 0, 0.2, False))


def bits(table):
    """Every value, floats by their bits."""
    return [
        column.tolist() if kind != np.float64 else column.to_numpy().view(np.int64).tolist()
        for column, kind in ((table[name], table[name].dtype) for name in table)
    ]


# carriage returns end a line for a reader of CSV, so names of rules and panels do not hold them
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
NUMBER = st.floats(allow_nan=False) | st.just(math.nan)
ROW = st.tuples(TEXT, NUMBER, st.integers(-(2**63), 2**63 - 1), NUMBER, st.booleans())


@given(rows=st.lists(ROW, min_size=1, max_size=6))
@example(rows=[("nan", math.inf, 2**63 - 1, -math.inf, True), ("", -0.0, -(2**63), 5e-324, False)])
@example(rows=[("NA", 0.1 + 0.2, 0, 1 / 3, True), ('a "quoted", text', 1.7976931348623157e308, 1, math.nan, False)])
@example(rows=[("None", 1e22, 1, 123456789012345678.0, True), ("True", 2.0, 1, 1e-7, True), ("1.0", 1.0, 1, 1.0, True)])
def test_what_is_written_is_read_bit_for_bit(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("tables")
    written = frame(*rows)
    path = tables.write(folder, SCHEMA, written, {"settings": {"scale": "smoke"}})
    read, page = tables.read(folder, SCHEMA)
    assert list(read.columns) == list(written.columns)
    assert bits(read) == bits(written)
    assert [str(kind) for kind in read.dtypes] == [str(kind) for kind in written.dtypes]
    assert page["settings"] == {"scale": "smoke"}
    # and written again it is the same file
    before = path.read_bytes()
    tables.write(folder, SCHEMA, read, {})
    assert path.read_bytes() == before


def test_the_page_describes_the_table(tmp_path):
    path = tables.write(tmp_path, SCHEMA, ROWS, {"root_seed": 1})
    page = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert page["table"] == "some_table"
    assert page["rows"] == len(path.read_text().splitlines()) - 1 == 3
    assert page["sha256"] == tables.sha256(path)
    assert [column["name"] for column in page["columns"]] == path.read_text().splitlines()[0].split(",")
    assert all(column.keys() == {"name", "kind", "unit", "meaning"} for column in page["columns"])
    assert page["root_seed"] == 1


def test_columns_of_other_names_are_left_out_and_missing_ones_refused(tmp_path):
    tables.write(tmp_path, SCHEMA, ROWS.assign(more=1)[["more", *reversed(ROWS.columns)]], {})
    assert bits(tables.read(tmp_path, SCHEMA)[0]) == bits(ROWS)
    with pytest.raises(KeyError, match="loss"):
        tables.write(tmp_path, SCHEMA, ROWS.drop(columns="loss"), {})
    assert bits(tables.read(tmp_path, SCHEMA)[0]) == bits(ROWS)


def test_no_table(tmp_path):
    with pytest.raises(FileNotFoundError):
        tables.read(tmp_path, SCHEMA)


def spoil_csv(path):
    path.write_text(path.read_text().replace("0.1", "0.01"))


def add_row(path):
    path.write_text(path.read_text() + "rflo,20.0,2,0.3,False\n")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-3])


def drop_page(path):
    path.with_suffix(".json").unlink()


def truncate_page(path):
    page = path.with_suffix(".json")
    page.write_text(page.read_text()[:40])


def write_page(text):
    return lambda path: path.with_suffix(".json").write_text(text)


def page_of_another(path):
    other = path.parent / "other"
    tables.write(other, SCHEMA, ROWS.head(1), {})
    path.with_suffix(".json").write_bytes((other / "some_table.json").read_bytes())


def binary_page(path):
    path.with_suffix(".json").write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_csv, add_row, truncate, drop_page, truncate_page, page_of_another, binary_page,
        *(write_page(text) for text in ("", "[]", "null", "3", "{}", '{"sha256": 3}')),
    ],
)  # fmt: skip
def test_a_pair_that_does_not_belong_together_is_refused(tmp_path, spoil):
    path = tables.write(tmp_path, SCHEMA, ROWS, {})
    spoil(path)
    with pytest.raises(TableError, match="some_table") as refusal:
        tables.read(tmp_path, SCHEMA)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "rule,period,network,loss\nrflo,20.0,0,0.1\n",  # a column is missing
        "rule,period,network,loss,diverged\nrflo,20.0,0.5,0.1,False\n",  # not a whole number
        "rule,period,network,loss,diverged\nrflo,twenty,0,0.1,False\n",
        "rule,period,network,loss,diverged\nrflo,20.0,,0.1,False\n",
        "rule,period,network,loss,diverged\nrflo,20.0,0,0.1,perhaps\n",
        "rule,period,network,loss,diverged\nrflo,20.0,0,0.1,\n",
        "rule,period,network,loss,diverged\nrflo,20.0,0,0.1,False,1,2,3\n,\n",
        "",
    ],
)
def test_a_csv_of_another_schema_is_refused_even_with_its_own_hash(tmp_path, text):
    path = tables.write(tmp_path, SCHEMA, ROWS, {})
    path.write_text(text)
    page = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**page, "sha256": tables.sha256(path)}))
    with pytest.raises(TableError, match="some_table"):
        tables.read(tmp_path, SCHEMA)


def test_the_page_comes_last(tmp_path, monkeypatch):
    """A run that is killed between the two files leaves a table that is still known by the page that waits for it."""
    path = tables.write(tmp_path, SCHEMA, ROWS, {"run": 1})
    replaced = []
    rename = os.replace

    def killed(source, target):
        replaced.append(Path(target).name)
        if target.suffix == ".json":
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        tables.write(tmp_path, SCHEMA, ROWS.head(2), {"run": 2})
    assert replaced == ["some_table.csv", "some_table.json"]
    assert len(path.read_text().splitlines()) == 3
    assert json.loads(path.with_suffix(".json").read_text())["run"] == 1
    frame, page = tables.read(tmp_path, SCHEMA)
    assert bits(frame) == bits(ROWS.head(2))
    assert page["run"] == 2
    # Negative control: without that page the pair is refused
    (waiting,) = tmp_path.glob(".*.metadata.tmp")
    content = waiting.read_bytes()
    waiting.unlink()
    with pytest.raises(TableError):
        tables.read(tmp_path, SCHEMA)
    monkeypatch.undo()
    waiting.write_bytes(content)
    tables.write(tmp_path, SCHEMA, ROWS.head(2), {"run": 3})
    assert tables.read(tmp_path, SCHEMA)[1]["run"] == 3
    # what the killed process left behind is gone
    assert list(tmp_path.glob(".*.tmp")) == []


def test_no_link_leads_out_of_the_folder(tmp_path, monkeypatch):
    """Files under way have names that nobody can foresee; a link under a name that is known is replaced or refused."""
    mine, folder = tmp_path / "mine", tmp_path / "results"
    mine.write_text("mine")
    names = []
    rename = os.replace

    def watched(source, target):
        names.append(Path(source).name)
        rename(source, target)

    monkeypatch.setattr(os, "replace", watched)
    for _ in range(2):
        tables.write(folder, SCHEMA, ROWS, {})
    assert len(names) == len(set(names)) == 4
    for name in ("some_table.csv", "some_table.json", ".some_table.metadata.tmp"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(mine)
    tables.write(folder, SCHEMA, ROWS, {})
    assert mine.read_text() == "mine"
    assert bits(tables.read(folder, SCHEMA)[0]) == bits(ROWS)
    (folder / tables.LOCK).unlink()
    (folder / tables.LOCK).symlink_to(mine)
    with pytest.raises(OSError, match="symbolic links"):
        tables.write(folder, SCHEMA, ROWS, {})
    assert mine.read_text() == "mine"


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tables.write(tmp_path, SCHEMA, ROWS, {"run": 1})

    def full(self, *arguments, **options):
        Path(arguments[0]).write_text("half a ta")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space"):
        tables.write(tmp_path, SCHEMA, ROWS.head(1), {"run": 2})
    assert bits(tables.read(tmp_path, SCHEMA)[0]) == bits(ROWS)
    assert sorted(p.name for p in tmp_path.iterdir()) == [FOLDER, path.with_suffix(".csv").name, "some_table.json"]


ORDER = ["rflo|20.0", "bptt|20.0", "rflo|40.0", "bptt|40.0"]


def test_rows_are_replaced_by_condition_in_order():
    old = frame(
        ("rflo", 20, 0, 0.1, False),
        ("rflo", 20, 1, 0.2, False),
        ("mine", 30, 0, 0.3, False),
        ("bptt", 40, 0, 0.4, False),
        ("rflo", 40, 0, 0.5, True),
    )
    new = frame(("rflo", 40, 0, 1.5, False), ("bptt", 20, 0, 1.6, False), ("rflo", 40, 1, 1.7, False))
    both = tables.replace_rows(old, new, SCHEMA, ORDER)
    assert [(r.rule, r.period, r.network, r.loss) for r in both.itertuples()] == [
        ("rflo", 20, 0, 0.1),
        ("rflo", 20, 1, 0.2),
        ("bptt", 20, 0, 1.6),
        ("rflo", 40, 0, 1.5),
        ("rflo", 40, 1, 1.7),
        ("bptt", 40, 0, 0.4),
        ("mine", 30, 0, 0.3),
    ]
    assert list(both.index) == list(range(7))


@given(data=st.data())
def test_replacing_keeps_every_other_row(data):
    keys = st.sampled_from([("rflo", 20.0), ("bptt", 20.0), ("rflo", 40.0), ("bptt", 40.0), ("mine", 30.0)])
    old_keys, new_keys = (data.draw(st.lists(keys, max_size=5, unique=True)) for _ in range(2))
    old = frame(*((*key, n, 0.1, False) for key in old_keys for n in range(2)))
    new = frame(*((*key, n, 0.2, False) for key in new_keys for n in range(3)))
    both = tables.replace_rows(old, new, SCHEMA, ORDER)
    kept = [key for key in old_keys if key not in new_keys]
    assert len(both) == 2 * len(kept) + 3 * len(new_keys)
    for key in kept:
        part = both[(both.rule == key[0]) & (both.period == key[1])]
        assert part.loss.tolist() == [0.1] * 2
    for key in new_keys:
        part = both[(both.rule == key[0]) & (both.period == key[1])]
        assert part.network.tolist() == [0, 1, 2]
        assert part.loss.tolist() == [0.2] * 3


def test_replacing_all_and_nothing():
    assert bits(tables.replace_rows(ROWS, ROWS, SCHEMA, ORDER)) == bits(ROWS)
    assert bits(tables.replace_rows(ROWS, ROWS.head(0), SCHEMA, ORDER)) == bits(ROWS)
    assert bits(tables.replace_rows(ROWS.head(0), ROWS, SCHEMA, ORDER)) == bits(ROWS)
