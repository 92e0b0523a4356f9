"""Which alternatives are combined: a design that fills the space of all variants with few of them.

Every value of a choice occurs in as many variants as every other, up to one, and the values of two choices meet as
evenly as the number of variants allows. What moves an effect can then be told apart, choice by choice.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rflo_repro.paper import registry
from rflo_repro.runs.choices import ChoiceError, Choices, declared, defaults

Design = npt.NDArray[np.int64]

BASELINE, DESIGN, EXCLUDED = "as chosen", "joint", "alone"  # kinds of variants, as the tables call them
FARTHEST = 3.0  # decades; an effect farther off than that is drawn at the edge, and counts as much
SEED = 43299
SWAPS = 20  # tried for each entry of the design


def alternatives(figure: str) -> dict[str, dict[Any, str]]:
    """The choices that the design combines, by name: each value and its label, the baseline's first.

    What the paper prints, what is excluded from the design (`Alternative.excluded`), and choices without alternatives
    are not among them.
    """
    return _declared(figure, excluded=False)


def excluded(figure: str) -> dict[str, dict[Any, str]]:
    """The alternatives that are excluded from the design, in the same form."""
    return _declared(figure, excluded=True)


def _declared(figure: str, excluded: bool) -> dict[str, dict[Any, str]]:
    choices = registry.figures()[figure].experiment.scales["paper"]
    return {
        name: {defaults(choices)[name]: "baseline", **others}
        for name, choice in declared(choices).items()
        if not choice.printed
        and (others := {other.value: other.label for other in choice.alternatives if other.excluded is excluded})
    }


def variants(figure: str, n: int) -> list[dict[str, Any]]:
    """What each of the design's `n` variants chooses other than the baseline, by name."""
    values = {name: list(known) for name, known in alternatives(figure).items()}
    chosen = balanced(tuple(map(len, values.values())), n)
    return [
        {name: known[level] for (name, known), level in zip(values.items(), row, strict=True) if level > 0}
        for row in chosen.tolist()
    ]


def contexts(figure: str, n: int, sets: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The baseline, then up to `n - 1` variants that choose one thing otherwise and can choose `sets` as well.

    The first alternative of every choice comes before the second one of any. An alternative that only the design has
    (`Alternative.design_only`) is not among them.
    """
    choices = registry.figures()[figure].experiment.scales["paper"]
    varied = [
        [{name: other.value} for other in choice.alternatives if not (other.excluded or other.design_only)]
        for name, choice in declared(choices).items()
        if not choice.printed and name not in sets
    ]
    by_turns = [one for turn in itertools.zip_longest(*varied) for one in turn if one]
    return [{}, *(one for one in by_turns if _possible(choices, {**one, **sets}))][:n]


def _possible(choices: Choices, sets: Mapping[str, Any]) -> bool:
    try:
        replace(choices, **sets)
    except ChoiceError:
        return False
    return True


@functools.cache
def balanced(levels: tuple[int, ...], n: int, seed: int = SEED) -> Design:
    """A design (n, choices) of level numbers: each column is balanced, and pairs of columns nearly so.

    levels: how many each choice has.
    Two entries of a column change places wherever that makes the counts of pairs more even; what is left where nothing
    does is due to `n`.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    columns = [rng.permutation(np.arange(n) % level).tolist() for level in levels]
    dealt = np.array(columns, dtype=np.int64)
    pairs = {
        (one, other): np.bincount(dealt[one] * levels[other] + dealt[other], minlength=levels[one] * levels[other])
        .reshape(levels[one], levels[other])
        .tolist()
        for one in range(len(levels))
        for other in range(len(levels))
        if one != other
    }
    for _ in range(SWAPS):
        for column in range(len(levels)):
            for i, j in zip(range(n), rng.integers(0, n, n).tolist(), strict=True):
                _swap_if_better(columns, pairs, levels, column, i, j)
    design = np.array(columns, dtype=np.int64).reshape(len(levels), n).T
    design.setflags(write=False)
    return design


def _swap_if_better(
    columns: list[list[int]],
    pairs: dict[tuple[int, int], list[list[int]]],
    levels: Sequence[int],
    c: int,
    i: int,
    j: int,
) -> None:
    """Let two entries of a column change places if the squared counts of pairs, each times the other column's levels,
    do not become more."""
    a, b = columns[c][i], columns[c][j]
    others = [o for o in range(len(levels)) if o != c and columns[o][i] != columns[o][j]]
    if a == b or not others:
        return
    more = 0
    for o in others:
        count, at, to = pairs[c, o], columns[o][i], columns[o][j]
        more += levels[o] * (2 * (count[b][at] + count[a][to] - count[a][at] - count[b][to]) + 4)
    if more > 0:
        return
    columns[c][i], columns[c][j] = b, a
    for o in others:
        for row, column, change in ((a, i, -1), (b, i, 1), (b, j, -1), (a, j, 1)):
            pairs[c, o][row][columns[o][column]] += change
            pairs[o, c][columns[o][column]][row] += change
