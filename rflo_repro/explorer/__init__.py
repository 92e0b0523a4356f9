"""A local page on which networks learn while one turns knobs: `rflo-repro explore`, and `rr.explore()` in a notebook.

`knobs` say what is trained, `trainings` train it in pieces, `page` shows it, `server` serves the page. Only the last
two need bokeh.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rflo_repro.explorer.server import Explorer

MISSING = "explore needs bokeh: pip install 'rflo-repro[explore]'"


def available() -> bool:
    """Whether what it needs is installed."""
    return importlib.util.find_spec("bokeh") is not None


def explore(port: int | None = None) -> Explorer:
    """Show networks that learn while one turns knobs; in a notebook below the cell.

    The page is served to this machine alone, as by ``rflo-repro explore``. Each call has networks of its own.

    Parameters
    ----------
    port : int, optional
        Where it listens; any free port by default.

    Returns
    -------
    Explorer
        What a notebook shows, with its `address`; `close()` ends it, and so does the end of Python.

    Raises
    ------
    ImportError
        Without bokeh.
    OSError
        If the port is taken.
    """
    if not available():
        raise ImportError(MISSING)
    from rflo_repro.explorer.server import Explorer

    return Explorer(port)
