"""The singular values of a matrix, to the same bits everywhere."""

from __future__ import annotations

import math

import numpy as np

from rflo_repro.learning import exact_math
from rflo_repro.learning.validate import Array

SWEEPS = 40
SMALL = 1e-15


def singular_values(matrix: Array) -> Array:
    """The singular values, the largest first: by rotations that make each pair of rows orthogonal (one-sided Jacobi).

    matrix: (m, n). Returns (m,), zeros where it has less rank. A matrix that is not finite has NaN.
    """
    rows = np.array(matrix, dtype=np.float64)
    if not np.isfinite(rows).all():
        return np.full(len(rows), math.nan)
    for _ in range(SWEEPS):
        turned = False
        for i in range(len(rows) - 1):
            for j in range(i + 1, len(rows)):
                a, b, c = (exact_math.inner(rows[p], rows[q]) for p, q in ((i, i), (j, j), (i, j)))
                if abs(c) <= SMALL * math.sqrt(a * b):
                    continue
                turned = True
                slope = (b - a) / (2.0 * c)
                tangent = math.copysign(1.0, slope) / (abs(slope) + math.sqrt(1.0 + slope * slope))
                cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
                sine = cosine * tangent
                rows[i], rows[j] = cosine * rows[i] - sine * rows[j], sine * rows[i] + cosine * rows[j]
        if not turned:
            break
    values: Array = np.sort(exact_math.norm(rows))[::-1]
    return values
