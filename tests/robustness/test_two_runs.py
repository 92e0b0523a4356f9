"""Two runs at once on one results directory: both finish, and neither loses a row of the other's."""

import itertools
from pathlib import Path

import pytest

from rflo_repro.paper import registry
from rflo_repro.runs import tables

from .conftest import SMALL, tables_in

FIG2 = ("fig2", "--scale", "smoke", "--networks", "2", "--no-plot", "--results")


def schemas():
    return registry.figures()["fig2"].experiment.schemas.values()


def test_two_of_the_same(server, small):
    two = [server.start(*SMALL, "--results", "r", "--figures", "f", "--jobs", "1") for _ in range(2)]
    assert [process.end()[0] for process in two] == [0, 0]
    assert tables_in(Path("r")) == small.tables
    assert list(Path("r").rglob("*.tmp")) == []


@pytest.mark.parametrize("repeat", range(2))
def test_parts_at_once_are_the_whole(server, repeat):
    parts = list(itertools.product(["20", "40"], ["rflo", "bptt"]))
    several = [server.start(*FIG2, "r", "--period", period, "--rule", rule, "--jobs", "1") for period, rule in parts]
    ends = [process.end() for process in several]
    assert [code for code, _ in ends] == [0] * 4, ends
    for period, rule in parts:
        assert server.run(*FIG2, "one", "--period", period, "--rule", rule)[0] == 0
    assert tables_in(Path("r")) == tables_in(Path("one"))
    for schema in schemas():
        _, page = tables.read(Path("r"), schema)
        names = [name for run in page["runs"] for name in run["conditions"]]
        assert sorted(names) == sorted(f"{rule}|printed|{period}.0" for period, rule in parts)


def test_whoever_reads_while_another_writes_sees_a_whole_table(server):
    """A table is read again and again while it is written again and again."""
    assert server.run(*FIG2, "r", "--period", "20", "--rule", "rflo")[0] == 0
    writers = [server.start(*FIG2, "r", "--period", p, "--rule", "rflo") for p in ("20", "40", "20", "40", "20")]
    for _ in range(100):
        for schema in schemas():
            tables.read(Path("r"), schema)
    assert [w.end()[0] for w in writers] == [0] * 5
