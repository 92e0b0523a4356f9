"""What texts of the project say, and what scripts in them print."""

import contextlib
import io
from pathlib import Path

ROOT = Path(__file__).parents[1]


def words(path: str) -> str:
    """A text's words with single spaces between them, wherever its lines end."""
    return " ".join((ROOT / path).read_text("utf-8").split())


def printed_by(script: str) -> list[float]:
    """The number at the end of each line that a script prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(script, {})
    return [float(line.split()[-1]) for line in said.getvalue().splitlines()]
