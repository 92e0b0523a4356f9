from typing import Any

import numpy as np
import pytest

SPARSE = np.random.default_rng(5).random((9, 9)) < 0.6
MODELS: dict[str, dict[str, Any]] = {
    "paper": {},
    "fed back": {"output_feedback": True},
    "sigmoid, mask, bias, tau": {
        "phi": "sigmoid", "mask": SPARSE, "bias": 0.3, "tau": np.linspace(2.0, 9.0, 9), "output_feedback": True,
    },
}  # fmt: skip


@pytest.fixture(params=MODELS, ids=str)
def model(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a network of nine units has besides its sizes: the paper's, and others."""
    return MODELS[request.param]


@pytest.fixture
def net(problem: Any) -> Any:
    """A network of seven units with two inputs and one output."""
    return problem(21, n_in=2, n_out=1).net
