"""How weights and histories lie in memory.

Every row is padded with zeros to a whole number of vectors, so that no kernel has a remainder to care for. Both
matrices of a network are one array ``m`` of shape ``(n_rec + n_in, padded(n_rec))``: row ``j < n_rec`` is ``w_rec[:,
j]`` and row ``n_rec + c`` is ``w_in[:, c]``. A time step is then one sum over the rows of ``m`` times the source
vector ``[h(t-1) | x(t)]``, and the gradient of both matrices is one product over time in the same layout.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LANES = 8
"""Doubles in a vector: one cache line."""

TERMS_AT_ONCE = 64
"""Rows of a history in one product: a tile's share of them stays in the nearest cache for all rows of the sum."""

ONLINE_ROWS = 3
"""Rows of scratch memory that a step of the online rule needs."""

_ALIGNMENT = 8 * LANES

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def padded(n: int) -> int:
    """`n` rounded up to a whole number of vectors."""
    return -(-n // LANES) * LANES


def aligned_zeros(shape: int | tuple[int, ...]) -> Array:
    """C-contiguous float64 zeros that start on a cache line, so that no row of whole vectors straddles two."""
    sizes = (shape,) if isinstance(shape, int) else shape
    n_bytes = 8 * prod(sizes)
    raw = np.zeros(n_bytes + _ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + n_bytes].view(np.float64).reshape(sizes)


class Workspace(NamedTuple):
    """Scratch memory of the kernels; what is inside is theirs alone.

    A history holds one row for each trial of a step, step after step; `width` trials advance in lockstep.
    """

    width: int
    source_row: int
    """Distance between two rows of `sources`."""
    credit_row: int
    """Distance between two rows of `credit`."""
    sources: Array
    """(n_steps + 1) width rows: ``[h(t) | x(t+1)]``."""
    credit: Array
    """``z(t) phi'(u(t)) / tau`` for a stretch of the history."""
    errors: Array
    """n_steps width rows of n_out: ``eps(t)``."""
    rows: Array
    """A row a trial, of the layout of `m`: ``u(t)`` on the way forward, ``z(t)`` on the way back."""
    dm: Array
    """(n_rec + n_in, padded): the updates of a batch, summed; the eligibility traces of the online rule."""
    dw_out: Array
    """(n_out, padded): the same for the readout; where to return to, for the online rule."""
    drive: Array
    """(n_rec + n_in, padded): the forward weights where they are not `m` itself; where to return to, online."""
    back: Array
    """(n_rec, padded): the recurrent weights transposed, for the full carry."""


def _stride(n: int) -> int:
    # rows whose distance is a power of two would compete for a few sets of the cache; an odd number of lines does not
    row = padded(n)
    return row if row // LANES % 2 or row < 16 * LANES else row + LANES


def workspace(n_rec: int, n_in: int, n_out: int, n_steps: int, width: int = 1) -> Workspace:
    """Scratch memory for trials of at most `n_steps` steps, `width` of them advancing in lockstep."""
    row = padded(n_rec)
    source_row, credit_row = _stride(n_rec + n_in), _stride(n_rec)
    return Workspace(
        width=width,
        source_row=source_row,
        credit_row=credit_row,
        sources=aligned_zeros((n_steps + 1) * width * source_row),
        credit=aligned_zeros(max(TERMS_AT_ONCE, width) * credit_row),
        errors=aligned_zeros(n_steps * width * n_out),
        rows=aligned_zeros(max(width, ONLINE_ROWS) * row),
        dm=aligned_zeros((n_rec + n_in, row)),
        dw_out=aligned_zeros((n_out, row)),
        drive=aligned_zeros((n_rec + n_in, row)),
        back=aligned_zeros((n_rec, row)),
    )
