"""The decorator that every kernel shares."""

from __future__ import annotations

import numba

kernel = numba.njit(nogil=True, cache=True, error_model="numpy")
"""Compiled without the GIL and kept on disk; IEEE division, and no flag that assumes the absence of NaN or
infinity,
so that every check for a divergence stays true."""
