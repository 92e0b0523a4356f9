"""What the tests of figures share: runs of Figure 2."""

from figure2 import ask, fig2, own_smoke, rates, short_paper, smoke  # noqa: F401
