"""Which cases of a test `make test` has, and which `make test-long`."""

from typing import Any

import pytest


def further(*cases: Any) -> list[Any]:
    """Cases of a kind that `make test` has one of, for `make test-long`; a tuple is one argument after the other."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long) for case in cases]
