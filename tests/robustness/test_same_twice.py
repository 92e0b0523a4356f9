"""One seed gives the same bytes whatever the threads, the order, or an interruption (a cluster: test_cluster.py)."""

from pathlib import Path

import pytest
from cases import further

from rflo_repro.paper import registry

from .conftest import SMALL, tables_in

COMPUTED = [figure.command for figure in registry.figures().values() if figure.computed]


@pytest.mark.parametrize("command", ["fig2-size", *further(*(c for c in COMPUTED if c != "fig2-size"))])
def test_every_figure_has_the_same_tables(server, command):
    """On 1, 2 and 4 threads, and after half of it was there from a part that another command computed."""
    how = (command, "--scale", "smoke", "--trials", "20", "--no-plot", "--results")
    for jobs in (1, 2, 4):
        code, log = server.run(*how, f"r{jobs}", "--jobs", jobs)
        assert code == 0, log
    figure = registry.figures()[command]
    rule = ("--rule", figure.rules[-1]) if "rule" in figure.selectors else ()
    for part in ((*rule, "--networks", "1"), (*rule,), ()):
        code, log = server.run(*how, "parts", *part)
        assert code == 0, log
    one = tables_in(Path("r1"))
    assert len(one) == len(figure.experiment.schemas)
    assert tables_in(Path("r2")) == one
    assert tables_in(Path("r4")) == one
    assert tables_in(Path("parts")) == one


def test_the_order_of_the_options_does_not_matter(server, small):
    shuffled = ["fig2", "--rule", "bptt", "--networks", "4", "--rule", "rflo", "--scale", "smoke", "--period", "20"]
    assert sorted(shuffled) == sorted(SMALL)
    assert server.run(*shuffled, "--no-plot", "--results", "r")[0] == 0
    assert tables_in(Path("r")) == small.tables
