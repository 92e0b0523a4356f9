"""The embedded Reber grammar: the next symbol of strings whose last but one symbol repeats the second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rflo_repro.learning import validate
from rflo_repro.learning.validate import Array

SYMBOLS = "BTPSXVE"
# of the inner grammar: from a state, the symbols with the states that they lead to; it ends with E
INNER = (
    (("T", 1), ("P", 2)),
    (("S", 1), ("X", 3)),
    (("T", 2), ("V", 4)),
    (("X", 2), ("S", 5)),
    (("P", 3), ("V", 5)),
)
LAST = 5


@dataclass(frozen=True)
class EmbeddedReberTask(validate.Checked):
    """The next symbol of strings of the embedded Reber grammar, ``B T <string> T E`` or ``B P <string> P E``.

    The string between is one of the Reber grammar, B to E. Which symbol comes last but one was said by the second: the
    long memory. Hochreiter and Schmidhuber (1997), Neural Computation 9:1735, doi:10.1162/neco.1997.9.8.1735, after
    Cleeremans et al. (1989), doi:10.1162/neco.1989.1.3.372. Seven inputs, of which one is on, and seven outputs;
    targets are class numbers, so it needs ``loss="cross-entropy"``.

    Parameters
    ----------
    longest : int
        Symbols of the longest string; longer ones are sampled again. At least 9.

    Raises
    ------
    ValueError
        For values out of range.
    """

    stored_as = "EmbeddedReberTask"

    longest: int = 40
    n_in = n_out = len(SYMBOLS)

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest", validate.integer("longest", self.longest, 9))

    @property
    def n_steps(self) -> int:
        """T of the longest string."""
        return self.longest - 1

    def string(self, rng: np.random.Generator) -> str:
        """A string of the grammar.

        Parameters
        ----------
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        str
            Of the letters BTPSXVE.
        """
        while True:
            outer, inner, state = "TP"[int(rng.integers(2))], "", 0
            while state != LAST:
                symbol, state = INNER[state][int(rng.integers(2))]
                inner += symbol
            found = f"B{outer}B{inner}E{outer}E"
            if len(found) <= self.longest:
                return found

    def trial(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One string.

        Parameters
        ----------
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        tuple of ndarray
            Inputs (T, 7), the symbols but for the last, and targets (T,), the number of the one that follows each.
        """
        numbers = np.array([SYMBOLS.index(symbol) for symbol in self.string(rng)])
        return np.eye(len(SYMBOLS))[numbers[:-1]], numbers[1:].astype(np.float64)

    def metric(self, outputs: Array, inputs: Array, targets: Array) -> float:
        """Whether the largest output says the last but one symbol, which the second symbol determines.

        Parameters
        ----------
        outputs, inputs, targets : ndarray
            (T, 7), (T, 7) and (T,).

        Returns
        -------
        float
            1 or 0.
        """
        return float(np.argmax(outputs[-2]) == targets[-2])
